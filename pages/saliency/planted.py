"""The network that was led astray: its scenes, what it says, and its maps, each once for all visitors."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from labs import heat_map_quality, planted_mark
from models import catalog
from models.inside import explanations
from models.networks.classifier import SIZE
from scenes import THINGS
from ui import pictures
from ui.pictures import Picture

SHORTCUT, HONEST = "classifier-shortcut", "classifier-gap-28"
DOG = THINGS.index("dog")
SCENES = range(40_000_000, 40_000_008)  # apart from those of trainings and cards
ONE_DOG = {"objects": 1, "classes": ("dog",)}


@dataclass(frozen=True)
class Shares:
    """Where a map's positive evidence lies: its shares on the mark and on the dog, 0 to 1, and what a pixel of each
    holds as a multiple of the picture's mean. NaN where there is no such thing, or no positive evidence."""

    mark: float
    dog: float
    mark_density: float
    dog_density: float

    @property
    def shows_mark(self) -> bool:
        """Whether a pixel of the mark holds more than one of the dog, and more than the picture's mean."""
        return bool(self.mark_density > max(1.0, np.nan_to_num(self.dog_density)))


def shares_of(heat: Tensor, mark: np.ndarray, dog: np.ndarray) -> Shares:
    """Of a map (h, w) and bool masks (h, w); the mark hides what lies under it, so no pixel is both."""
    dog = dog & ~mark
    return Shares(
        heat_map_quality.energy_share(heat, mark), heat_map_quality.energy_share(heat, dog),
        heat_map_quality.energy_over_area(heat, mark), heat_map_quality.energy_over_area(heat, dog),
    )  # fmt: skip


def dog_mask(picture: Picture) -> np.ndarray:
    """Bool (224, 224) of all dogs in a picture; all false where nobody knows."""
    things = picture.view.instances if picture.view else []
    return np.any([np.zeros((SIZE, SIZE), bool), *(thing.mask for thing in things if thing.label == "dog")], axis=0)


def probability(network: str, image: np.ndarray) -> float:
    """Of a dog, by a network that has not been asked about this picture: a hand is moving the mark."""
    return float(catalog.load(network)(image).probabilities[DOG])


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def map_of(image: np.ndarray, method: str) -> Tensor:
    """What mattered to the network that was led astray, for its score of a dog."""
    return explanations.explain(catalog.load(SHORTCUT), image, DOG, method)


@st.cache_resource(max_entries=len(SCENES) * 2, show_spinner=False)
def measured(seed: int) -> dict[str, Shares]:
    """Of every method, on a scene with one dog and the mark in the corner that is farthest from it."""
    picture = pictures.from_lab_world(seed, SIZE, **ONE_DOG)
    dog = dog_mask(picture)
    column, row = planted_mark.corner(farthest_corner(dog), SIZE, SIZE)
    image, mark = planted_mark.marked(picture.image, column, row), planted_mark.covered(column, row, SIZE, SIZE)
    model = catalog.load(SHORTCUT)
    return {each: shares_of(explanations.explain(model, image, DOG, each), mark, dog) for each in explanations.METHODS}


def farthest_corner(mask: np.ndarray) -> str:
    """The corner whose mark lies farthest from the middle of a mask's pixels; the first where there are none."""
    if not mask.any():
        return planted_mark.CORNERS[0]
    middle = np.argwhere(mask).mean(0)[::-1]
    places = {name: planted_mark.corner(name, *mask.shape) for name in planted_mark.CORNERS}
    half = planted_mark.SIDE / 2
    return max(places, key=lambda name: float(np.hypot(*(np.array(places[name]) + half - middle))))
