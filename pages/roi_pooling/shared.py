"""What the sections have in common: the detector's features of a picture, the chosen box, and how boxes are pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from labs import roi_align as ra
from labs import roi_pooling as rp
from models import catalog
from models.inside import pooling_swap
from models.inside.pooling_swap import Regions
from ui.components import Grid, Heat, address, heat_pixels

# Okabe and Ito's colours.
BLUE, ORANGE, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#CC79A7"
SIZE = 320  # of the picture; the network resizes it to 224, so that the two frames differ
STRIDES = {"P2": 4, "P3": 8, "P4": 16, "P5": 32}
POOL, ALIGN, CROP = METHODS = ("RoI Pool", "RoI Align", "Crop and resize")
COLOURS = {POOL: VERMILION, ALIGN: BLUE, CROP: PURPLE}


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def regions_of(image: np.ndarray) -> Regions:
    """Trunk and RPN, once per picture: everything that a drag of the box needs."""
    return pooling_swap.find_regions(catalog.load("detector"), image)


@dataclass(frozen=True)
class Settings:
    """How a box is pooled: `output` P of P×P bins, `split` of RoI Pool, `ratio` and `aligned` of RoI Align."""

    output: int
    split: str
    ratio: int
    aligned: bool

    def pool(self, method: str, features: Tensor, boxes: Tensor, scale: float) -> Tensor:
        """Features (C, H, W) and boxes (N, 4) → (N, C, P, P) by the lab's own functions."""
        size = (self.output, self.output)
        if method == POOL:
            return rp.roi_pool(features, boxes, size, scale, self.split).values
        if method == ALIGN:
            return ra.roi_align(features, boxes, size, scale, self.ratio, self.aligned)
        return ra.crop_and_resize(features, boxes, size, scale)


@dataclass(frozen=True, eq=False)
class Choice:
    """The box of this moment on one level: `frames` its three coordinates, `shift` in cells to the right already in
    them, `values` (H, W) the chosen channel, `limits` the ends of its colour scale. `own` is the level that the
    detector would pool the box from."""

    level: str
    own: str
    stride: int
    values: Tensor
    limits: tuple[float, float]
    frames: rp.Frames
    shift: float
    settings: Settings
    regions: Regions

    @property
    def scale(self) -> float:
        return 1 / self.stride

    def pooled(self, method: str, boxes: Tensor | None = None) -> Tensor:
        """(N, P, P) of the chosen channel; by default of the box itself, (1, P, P)."""
        boxes = self.frames.resized[None] if boxes is None else boxes
        return self.settings.pool(method, self.values[None], boxes, self.scale)[:, 0]


def channel_of(regions: Regions, level: str, channel: str) -> Tensor:
    """(H, W) float32 of one channel, or the mean of all."""
    features = regions.features[level][0].float().cpu()
    # A clone: tensors made in inference mode cannot take part when the box is differentiated.
    return features.mean(0) if channel == "mean" else features[int(channel)].clone()


def output_grids(choice: Choice, methods: Sequence[str], cell: int) -> list[Grid]:
    """What each method hands on, P×P numbers, in the colours of the map."""
    found = {method: choice.pooled(method)[0].numpy() for method in methods}
    return [Grid(name, values, title=name, colour=as_on_the_map(values, choice.limits), format="%.2f", cell=cell)
            for name, values in found.items()]  # fmt: skip


def as_on_the_map(values: np.ndarray, limits: tuple[float, float]) -> list[list[str]]:
    """The colours that the map itself has for these values."""
    rgba = heat_pixels(Heat(values, vmin=limits[0], vmax=limits[1]))
    return [["#{:02x}{:02x}{:02x}".format(*pixel[:3]) for pixel in row] for row in rgba]


def chosen_place(settings: Settings, samples: tuple[int, int]) -> tuple[int, int, int, int]:
    """Bin row, bin column, sample row, sample column from the address, cut to what there is; by default the first."""
    try:
        place = address.numbers("roi_at", 4, int) or (0, 0, 0, 0)
    except ValueError:
        place = (0, 0, 0, 0)
    most = (settings.output, settings.output, *samples)
    return tuple(max(0, min(at, limit - 1)) for at, limit in zip(place, most, strict=True))


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


def number(value: float) -> str:
    """Two decimals and a true minus sign."""
    return f"{float(value):.2f}".replace("-", "−")
