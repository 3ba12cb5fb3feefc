"""What the sections have in common: the picture, its tree of regions once for all, and how regions are drawn."""

from collections.abc import Sequence
from time import perf_counter

import cv2
import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_tree, selective_search
from labs.boxes import iou_matrix
from labs.region_tree import Hierarchy
from ui import pictures
from ui.components import Box, Labels
from ui.pictures import Picture

SEED = 0  # three things, and each is a region at some step
SCALE, SIGMA, SPACE = 100, selective_search.SIGMA, "RGB"
FOUND = 0.5  # IoU from which a box counts as found
BLUE, ORANGE, GREEN, PURPLE, SKY, WHITE = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#FFFFFF"
NAMES = {"Colour": "colour", "Texture": "texture", "Size": "size", "Fill": "fill"}  # on the page and in the lab
EDGE = np.ones((5, 5), np.uint8)  # an outline is two pixels wide


def choose() -> Picture:
    return pictures.choose("selective", seed=SEED)


@st.cache_resource(max_entries=128, show_spinner=False)  # shared and only read
def tree_of(image: np.ndarray, space: str, scale: float, sigma: float, use: tuple[str, ...]) -> tuple[Hierarchy, float]:
    """The regions of a picture, and the seconds that it took to merge them all."""
    began = perf_counter()
    tree = selective_search.hierarchy(image, space, scale, sigma, use)
    return tree, perf_counter() - began


def mean_colours(tree: Hierarchy, merges: int) -> np.ndarray:
    """The picture with every region in its mean colour, uint8 (h, w, 3)."""
    return tree.colours[region_tree.owners(tree, merges)].round().astype(np.uint8)[tree.labels]


def outlines(masks: Sequence[np.ndarray], colours: Sequence[str], opacity: float = 1.0) -> Labels:
    """The inner edges of regions, each in its colour."""
    drawn = np.zeros(masks[0].shape, np.int64)
    for number, mask in enumerate(masks, start=1):
        inside = mask.astype(np.uint8)
        drawn[(inside > cv2.erode(inside, EDGE, borderType=cv2.BORDER_CONSTANT, borderValue=0))] = number
    return Labels(drawn, [None, *colours], opacity)


def things_of(picture: Picture) -> tuple[Tensor, list[str]]:
    """Boxes (T, 4) and names of the things of a scene, or of those marked in a photograph; none where none is known."""
    there = (
        [(thing.names[0], thing.box) for thing in picture.things] if picture.view is None else
        [(thing.label, thing.box) for thing in picture.view.instances]
    )  # fmt: skip
    boxes = np.array([box for _, box in there], np.float32).reshape(-1, 4)
    return torch.from_numpy(boxes), [name for name, _ in there]


def fits(boxes: np.ndarray, things: Tensor) -> Tensor:
    """IoU of boxes (N, 4) with the things, (N, T)."""
    return iou_matrix(torch.from_numpy(boxes).float(), things)


def dashed(things: Tensor, names: list[str]) -> list[Box]:
    """The boxes of the things, as the scene knows them or as they were marked by hand."""
    return [
        Box(f"truth-{i}", xyxy(box.numpy()), "", WHITE, dash=True, width=2, note=name)
        for i, (box, name) in enumerate(zip(things, names, strict=True))
    ]


def xyxy(box: np.ndarray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = map(float, box)
    return x1, y1, x2, y2
