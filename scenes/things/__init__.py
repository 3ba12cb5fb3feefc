"""What lives in Lab World, one module per thing: `sample` draws its look, `draw` its picture, `phrase` its words."""

from scenes.stuff import tree
from scenes.things import ball, car, cat, dog, duck, motorcycle, person, street_sign

MODULES = {
    "person": person,
    "cat": cat,
    "dog": dog,
    "duck": duck,
    "car": car,
    "motorcycle": motorcycle,
    "street sign": street_sign,
    "ball": ball,
    "tree": tree,
}
