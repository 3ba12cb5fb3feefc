"""The proposals of every method on held-out scenes, and how well they cover the things; worked out once for all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from torch import Tensor

import scenes
from labs import proposal_recall, region_proposals, region_tree, selective_search
from labs.selective_search import SIMILARITIES
from models import catalog
from models.inside import detector_cache
from models.networks.detector import ANCHOR_RATIOS
from models.recipes.scene_cache import SIZE, held_out_seeds
from pages.selective_search.shared import SCALE, SPACE
from scenes import THINGS

LENGTH = 2000  # proposals of a picture at most, as R-CNN takes them
WINDOW_SIZES = (32, 64, 128)
# The paper's fast variant: two colour spaces, two sums, two starts.
EIGHT = tuple(
    (space, scale, use) for space in ("HSV", "Lab") for use in (SIMILARITIES, SIMILARITIES[1:]) for scale in (50, 100)
)
Picture = tuple[int, np.ndarray]  # seed and pixels


@dataclass(frozen=True, eq=False)
class Listed:
    """One method on one scene.

    `covered` (T, LENGTH): best IoU of each thing with the first 1, 2, ... proposals. `overlaps` (N,): of each proposal
    with the thing that it fits best. `seconds`: the time that the proposals took.
    """

    covered: Tensor
    overlaps: Tensor
    seconds: float


@dataclass(frozen=True, eq=False)
class Scene:
    """One held-out scene: classes of its things, and every method."""

    labels: Tensor
    by_method: dict[str, Listed]


def one_search(picture: Picture) -> Tensor:
    return _ranked(picture, ((SPACE, SCALE, SIMILARITIES),))


def eight_searches(picture: Picture) -> Tensor:
    return _ranked(picture, EIGHT)


def _ranked(picture: Picture, ways) -> Tensor:
    seed, image = picture
    trees = [selective_search.hierarchy(image, space, scale, use=use) for space, scale, use in ways]
    return torch.from_numpy(region_tree.ranked(trees, seed)).float()


def opencv(mode: str) -> Callable[[Picture], Tensor]:
    return lambda picture: torch.from_numpy(selective_search.by_opencv(picture[1], mode)).float()


def rpn(picture: Picture) -> Tensor:
    image = picture[1]
    found = detector_cache.look(catalog.load("detector"), image)
    left = region_proposals.filter_proposals(
        found.decoded, found.decoded_scores, found.level_of, image.shape[:2], LENGTH, 0.7, LENGTH
    )
    return left.boxes[left.kept].float().cpu()


def windows(picture: Picture) -> Tensor:
    seed, image = picture
    every = region_proposals.sliding_windows(*image.shape[:2], WINDOW_SIZES, ANCHOR_RATIOS, 0.25)
    return every[torch.randperm(len(every), generator=torch.Generator().manual_seed(seed))]


def random_boxes(picture: Picture) -> Tensor:
    seed, image = picture
    return region_proposals.random_boxes(LENGTH, *image.shape[:2], seed)


METHODS: dict[str, Callable[[Picture], Tensor]] = {
    "one search": one_search,
    "eight searches": eight_searches,
    "OpenCV fast": opencv("fast"),
    "OpenCV quality": opencv("quality"),
    "RPN": rpn,
    "sliding windows": windows,
    "random boxes": random_boxes,
}


@st.cache_resource(show_spinner=False)
def known() -> dict[int, Scene]:
    """The scenes that anybody has had searched, by seed."""
    return {}


def searched(seed: int) -> Scene:
    """All methods on one scene."""
    view = scenes.render(scenes.sample(seed), SIZE)
    truths = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32).reshape(-1, 4))
    labels = torch.tensor([THINGS.index(thing.label) for thing in view.instances], dtype=torch.int64)
    found = {}
    for name, propose in METHODS.items():
        began = perf_counter()
        boxes = propose((seed, view.image))[:LENGTH]
        took = perf_counter() - began
        found[name] = Listed(
            region_proposals.coverage(boxes, truths, LENGTH), proposal_recall.best_overlaps(boxes, truths), took
        )
    return Scene(labels, found)


def work(count: int, there: dict[int, Scene]) -> Iterator[tuple[int, int, str]]:
    """Search the first `count` held-out scenes that nobody has had searched yet."""
    catalog.load("detector")  # not part of the first scene's time
    for done, seed in enumerate(held_out_seeds(count), start=1):
        if seed not in there:
            there[seed] = searched(seed)
        yield done, count, "Scenes"
