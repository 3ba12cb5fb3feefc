"""The bundled photographs: pictures that ship with scikit-image, scikit-learn and matplotlib, and what is in them.

Boxes were drawn by hand around what is seen of a thing, in pixels of the picture as it ships, xyxy. A thing has the
names of all ImageNet classes that say what it is: a motorcycle is a "moped" or a "motor scooter" there.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

Box = tuple[float, float, float, float]
FILES = {
    "scikit-image": ("skimage", "data"),
    "scikit-learn": ("sklearn", "datasets/images"),
    "matplotlib": ("matplotlib", "mpl-data/sample_data"),
}


@dataclass(frozen=True)
class Marked:
    """A thing with its box: `names` are ImageNet's, the nearest first; `box` xyxy in pixels."""

    names: tuple[str, ...]
    box: Box


@dataclass(frozen=True)
class Photograph:
    """One of PHOTOGRAPHS.

    Attributes:
        package: it ships with; a key of FILES. file: its name there.
        line: what it shows, a sentence. credit: who took it and under which licence.
        things: marked by hand; none where nothing has an ImageNet class.
    """

    package: str
    file: str
    line: str
    credit: str
    things: tuple[Marked, ...] = ()

    def pixels(self) -> np.ndarray:
        """uint8 (H, W, 3), as it ships; a grey one has three equal channels."""
        module, folder = FILES[self.package]
        (package,) = importlib.util.find_spec(module).submodule_search_locations or ()
        with Image.open(Path(package) / folder / self.file) as image:
            return np.array(image.convert("RGB"))

    @property
    def source(self) -> str:
        """Where it comes from, for the page."""
        return f"{self.credit}; ships with {self.package}."


PHOTOGRAPHS = {
    "Cat": Photograph(
        "scikit-image", "chelsea.png", "Chelsea, a tabby cat, from very near.", "Stéfan van der Walt, CC0",
        (Marked(("tabby", "tiger cat", "Egyptian cat"), (0, 0, 402, 300)),),
    ),
    "Astronaut": Photograph(
        "scikit-image", "astronaut.png", "Eileen Collins with her helmet, before a model of the Space Shuttle.",
        "NASA, public domain",
        (
            Marked(("space shuttle",), (354, 0, 472, 290)),
            Marked(("crash helmet", "football helmet"), (277, 343, 512, 512)),
        ),
    ),
    "Motorcycle": Photograph(
        "scikit-image", "motorcycle_left.png", "A motorcycle in a garage, before a garden bench and shelves.",
        "Middlebury Stereo 2014, Scharstein et al.",
        (
            Marked(("moped", "motor scooter"), (94, 45, 684, 452)),
            Marked(("park bench",), (40, 107, 283, 308)),
        ),
    ),
    "Coffee": Photograph(
        "scikit-image", "coffee.png", "An espresso in its cup, on a saucer with a spoon.", "Rachel Michetti, CC0",
        (
            Marked(("espresso",), (205, 95, 371, 194)),
            Marked(("cup", "coffee mug"), (172, 18, 409, 310)),
            Marked(("plate",), (77, 70, 480, 390)),
        ),
    ),
    "Rocket": Photograph(
        "scikit-image", "rocket.jpg", "A Falcon 9 on its launch pad at dusk, between lattice towers.",
        "SpaceX, public domain",
        (Marked(("missile", "projectile"), (307, 127, 337, 408)),),
    ),
    "Cameraman": Photograph(
        "scikit-image", "camera.png", "A man looks through a camera on a tripod.", "Lav Varshney, CC0",
        (Marked(("tripod",), (229, 186, 408, 512)), Marked(("reflex camera",), (252, 138, 327, 188))),
    ),
    "Officer": Photograph(
        "matplotlib", "grace_hopper.jpg", "Grace Hopper, who wrote the first compiler, in the uniform of the US Navy.",
        "US Navy, public domain",
        (
            Marked(("military uniform",), (12, 315, 512, 600)),
            Marked(("Windsor tie", "bow tie"), (217, 408, 299, 475)),
        ),
    ),
    "Temple": Photograph(
        "scikit-learn", "china.jpg", "A tower of the Summer Palace near Beijing, above Kunming Lake.",
        "danielbuechele on Flickr, CC BY 2.0",
        (Marked(("palace",), (62, 30, 372, 427)), Marked(("lakeside",), (327, 205, 562, 330))),
    ),
    "Dahlia": Photograph(
        "scikit-learn", "flower.jpg", "Two dahlias; of their family ImageNet knows the daisy alone.",
        "vultilion on Flickr, CC BY 2.0",
        (Marked(("daisy",), (168, 85, 447, 360)), Marked(("daisy",), (287, 375, 470, 427))),
    ),
    "Coins": Photograph(
        "scikit-image", "coins.png", "Greek coins from Pompeii; ImageNet has no class for coins.",
        "Brooklyn Museum, no known restrictions",
    ),
    "Printed page": Photograph(
        "scikit-image", "page.png", "A printed page, lit from one side.", "scikit-image, BSD",
    ),
    "Bricks": Photograph(
        "scikit-image", "brick.png", "A brick wall: texture without a thing.", "CC0Textures, CC0",
    ),
    "Grass": Photograph(
        "scikit-image", "grass.png", "Grass from above: texture without a thing.", "linolafett on DeviantArt, CC0",
    ),
    "Gravel": Photograph(
        "scikit-image", "gravel.png", "Gravel: texture without a thing.", "CC0Textures, CC0",
    ),
    "Moon": Photograph(
        "scikit-image", "moon.png", "Craters of the Moon, seen from near.", "scikit-image, BSD",
    ),
    "Galaxies": Photograph(
        "scikit-image", "hubble_deep_field.jpg", "The eXtreme Deep Field of the Hubble telescope: nearly all are "
        "galaxies.", "NASA, public domain",
    ),
    "Retina": Photograph(
        "scikit-image", "retina.jpg", "The back of a human eye.", "Mikael Häggström, CC0",
    ),
}  # fmt: skip


def in_square(things: tuple[Marked, ...], height: int, width: int, size: int) -> tuple[Marked, ...]:
    """The things in pixels of the centre square of a picture, resized to `size`; what lies outside is cut off."""
    side = min(height, width)
    scale, left, top = size / side, (width - side) / 2, (height - side) / 2

    def inside(value: float, start: float) -> float:
        return min(max((value - start) * scale, 0.0), float(size))

    found = []
    for thing in things:
        x1, y1, x2, y2 = thing.box
        box = (inside(x1, left), inside(y1, top), inside(x2, left), inside(y2, top))
        if box[0] < box[2] and box[1] < box[3]:
            found.append(Marked(thing.names, box))
    return tuple(found)
