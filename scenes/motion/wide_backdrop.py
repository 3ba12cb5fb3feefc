"""A scene seen by a camera that pans: its backdrop goes on to the left and to the right of the picture."""

from dataclasses import dataclass, replace
from functools import lru_cache

from scenes import stuff
from scenes.scene import FRAME, Scene
from scenes.shapes import Shape, moved

BEYOND = 7 * 34.0  # how far the copies of the details stand: a whole number of the road's dashes, and over one frame
WIDE = 120.0  # what is wider reaches beyond the picture by itself


@dataclass(frozen=True)
class Panned(Scene):
    """A scene whose backdrop is moved by `shift` units to the right; its things stand where they are seen."""

    shift: float = 0.0

    def backdrop_shapes(self) -> dict[str, tuple[Shape, ...]]:
        """The shapes of each backdrop, back to front."""
        return {
            name: _shifted(name, tuple(look.items()), self.light if name == "sky" else self.horizon, self.shift)
            for name, look in self.backdrop.items()
        }

    def ground(self, x: float, y: float) -> str:
        """The class of the ground at a point: road or grass."""
        return super().ground(min(max(x - self.shift, 0.0), FRAME), y)  # the road goes on as it is at the edge


@lru_cache(maxsize=64)
def _shifted(name: str, look: tuple, light_or_horizon: float, shift: float) -> tuple[Shape, ...]:
    wide = _wide(name, look, light_or_horizon)
    return tuple(moved(shape, shift) for shape in wide) if shift else wide


@lru_cache(maxsize=32)
def _wide(name: str, look: tuple, light_or_horizon: float) -> tuple[Shape, ...]:
    shapes = stuff.MODULES[name].draw(dict(look), light_or_horizon)
    beyond = []
    for side in (-1, 1):
        other = dict(look) | {"seed": dict(look)["seed"] + 1 + (side > 0)}
        if name == "sky":
            other["sun_x"] = -9999.0  # there is one sun
        for shape in stuff.MODULES[name].draw(other, light_or_horizon):
            if not shape.silhouette:
                copy = replace(moved(shape, side * BEYOND), clip=shapes[0] if shape.clip else None)
                x = copy.points()[:, 0]
                if x.max() - x.min() < WIDE and not 0 <= (x.min() + x.max()) / 2 <= FRAME:
                    beyond.append(copy)
    return (*shapes, *beyond)
