"""What the sections have in common: colours of the grids, the truth, and what the network says of a picture."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import default_boxes
from labs.boxes import iou_matrix
from labs.default_boxes import DefaultBoxes, Match
from models import catalog
from models.networks import ssd
from models.networks.ssd import SsdDetection
from pages.shared.known_truth import Truth
from ui.components import Box
from ui.pictures import Picture

NETWORK = "ssd"
# Okabe and Ito's colours, from the finest grid to the coarsest; blue and vermilion are left for other meanings.
GRID_COLOURS = ("#56B4E9", "#E69F00", "#CC79A7", "#009E73", "#F0E442", "#8A9099")
BLUE, VERMILION, ORANGE, WHITE = "#0072B2", "#D55E00", "#E69F00", "#FFFFFF"


@st.cache_resource(max_entries=100, show_spinner=False)  # shared and only read
def look(image: np.ndarray) -> SsdDetection:
    """Run the network once per picture; every slider works on what it said."""
    return catalog.load(NETWORK)(image)


@st.cache_resource(max_entries=4, show_spinner=False)
def trained_boxes(height: int, width: int) -> DefaultBoxes:
    """The default boxes of the trained network on a picture of that size."""
    return ssd.defaults_of(height, width)


@st.cache_resource(max_entries=200, show_spinner=False)
def overlaps(boxes: np.ndarray, height: int, width: int) -> Tensor:
    """IoU (T, M) of truth boxes with the trained network's default boxes."""
    return iou_matrix(torch.from_numpy(boxes), trained_boxes(height, width).boxes)


def match_of(picture: Picture, truth: Truth, threshold: float = 0.5) -> Match:
    """Which truth each of the trained network's default boxes answers for."""
    return default_boxes.match(overlaps(truth.boxes.numpy(), *picture.image.shape[:2]), threshold)


def truths_drawn(truth: Truth | None) -> list[Box]:
    if truth is None:
        return []
    return [Box(f"truth-{i}", xyxy(box), colour=WHITE, dash=True, width=1.5, note=f"{truth.name(i)}, the truth")
            for i, box in enumerate(truth.boxes)]  # fmt: skip


def grid_name(cells: int) -> str:
    return f"{cells}×{cells}"


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


def size_of(box) -> str:
    return f"{float(box[2] - box[0]):.0f}×{float(box[3] - box[1]):.0f}"


def counted(number: int, one: str, more: str | None = None) -> str:
    """A number and its noun: "1 thing", "1,234 things"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def legend(grids: tuple[int, ...]) -> None:
    """The colour of every grid."""
    style = "display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em;"
    swatch = f'<span style="{style}box-shadow:0 0 0 1px #8888;background:{{}}"></span>'
    items = "".join(
        f'<span style="white-space:nowrap;margin-right:1em">{swatch.format(colour)}{grid_name(cells)}</span>'
        for cells, colour in zip(grids, GRID_COLOURS, strict=False)
    )
    st.html(f'<div style="font-size:.875rem">{items}</div>')
