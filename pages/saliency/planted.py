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
SCENES = range(40_000_000, 40_000_006)  # apart from those of trainings and cards
FACTOR = 2
ONE_DOG = {"objects": 1, "classes": ("dog",)}


@dataclass(frozen=True)
class Shares:
    """The shares of a map's positive evidence that lie on the mark and on the dog, 0 to 1; NaN without any."""

    mark: float
    dog: float


@dataclass(frozen=True)
class Told:
    """A method's map of the network that was led astray, and of the one that was not, on one picture."""

    astray: Shares
    honest: Shares

    @property
    def gives_away(self) -> bool:
        """Whether the mark holds more of the map than the whole dog, and at least FACTOR times what it holds where the
        network does not use it: a mark has strong edges, and a method that shows edges shows it anyway."""
        return self.astray.mark > self.astray.dog and self.astray.mark >= FACTOR * np.nan_to_num(self.honest.mark)


def shares_of(heat: Tensor, mark: np.ndarray, dog: np.ndarray) -> Shares:
    """Of a map (h, w) and bool masks (h, w); the mark hides what lies under it, so no pixel is both."""
    return Shares(heat_map_quality.energy_share(heat, mark), heat_map_quality.energy_share(heat, dog & ~mark))


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
def measured(seed: int) -> dict[str, Told]:
    """Every method, on a scene with one dog and the mark in the corner that is farthest from it."""
    picture = pictures.from_lab_world(seed, SIZE, **ONE_DOG)
    dog = dog_mask(picture)
    column, row = planted_mark.corner(farthest_corner(dog), SIZE, SIZE)
    image, mark = planted_mark.marked(picture.image, column, row), planted_mark.covered(column, row, SIZE, SIZE)

    def shares(network: str, method: str) -> Shares:
        return shares_of(explanations.explain(catalog.load(network), image, DOG, method), mark, dog)

    return {method: Told(shares(SHORTCUT, method), shares(HONEST, method)) for method in explanations.METHODS}


def farthest_corner(mask: np.ndarray) -> str:
    """The corner whose mark lies farthest from the middle of a mask's pixels; the first where there are none."""
    if not mask.any():
        return planted_mark.CORNERS[0]
    middle = np.argwhere(mask).mean(0)[::-1]
    places = {name: planted_mark.corner(name, *mask.shape) for name in planted_mark.CORNERS}
    half = planted_mark.SIDE / 2
    return max(places, key=lambda name: float(np.hypot(*(np.array(places[name]) + half - middle))))
