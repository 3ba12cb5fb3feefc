"""What the sections have in common: one forward pass per picture and network, the truth, colour bars, numbers."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from labs import weak_localization as wl
from labs.class_activation import class_activation_map
from models import catalog
from models.inside.attribution import enlarged
from models.networks.classifier import SIZE, Classification
from pages.shared.heat_maps import POSITIVE, SIGNED, WHITE, number
from scenes import THINGS
from ui.components import Box, Heat
from ui.pictures import Picture

GAP, GMP, GAP_28 = NETWORKS = ("classifier-gap", "classifier-gmp", "classifier-gap-28")


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def classified(name: str, image: NDArray[np.uint8]) -> Classification:
    """The one forward pass of a network on a picture."""
    return catalog.load(name)(image)


@dataclass(frozen=True, eq=False)
class Focus:
    """What the sections below the first one look at.

    Attributes:
        picture: uint8 (224, 224, 3) in `picture.image`.
        target: the class, an index into THINGS.
        other: the class beside it in the first section.
        seen: what `classifier-gap` said.
    """

    picture: Picture
    target: int
    other: int
    seen: Classification

    @property
    def name(self) -> str:
        return THINGS[self.target]


@dataclass(frozen=True, eq=False)
class Truth:
    """The things of one class in a Lab World picture: `mask` bool (H, W) of all of them, `boxes` xyxy, one each."""

    mask: NDArray[np.bool_]
    boxes: list[NDArray[np.float64]]

    def overlap(self, box: Tensor | None) -> float:
        """IoU of a box with the thing that it meets best."""
        return max(wl.box_overlap(box, true) for true in self.boxes)

    def best_overlap(self, heat: Tensor) -> float:
        """The same for the best box of any threshold."""
        return max(wl.best_box(heat, true).iou for true in self.boxes)

    def drawn(self) -> list[Box]:
        return [Box(f"truth-{i}", xyxy(box), "truth", WHITE, width=3) for i, box in enumerate(self.boxes)]


def truth_of(picture: Picture, target: int) -> Truth | None:
    """None for a photograph, or where nothing of the class is in the picture."""
    found = [thing for thing in picture.view.instances if thing.label == THINGS[target]] if picture.view else []
    return Truth(np.any([thing.mask for thing in found], axis=0), [thing.box for thing in found]) if found else None


def no_truth(picture: Picture, target: int) -> str:
    """Why there is nothing to compare with, in a sentence."""
    if picture.view is None and picture.things:
        return "What is marked in this photograph has ImageNet's names, none of Lab World's: it is judged further up."
    if picture.view is None:
        return "Nobody has marked the things in this picture, so there is no truth to compare with."
    return f"There is no {THINGS[target]} in this scene, so there is no truth to compare with."


def activation(seen: Classification, target: int) -> Tensor:
    """M_c of a network on a picture, signed, (h, w)."""
    return class_activation_map(seen.features, seen.weights[target])


def at_picture_size(heat: Tensor) -> Tensor:
    """A coarse map as it is laid over the picture: bilinear, (224, 224)."""
    return enlarged(heat.float(), (SIZE, SIZE))


def signed_layer(heat: Tensor, limit: float, opacity: float = 0.7, smooth: bool = True) -> Heat:
    """A signed map over the `greyed` picture: blue speaks against the class, vermilion for it."""
    values = enlarged(heat, (SIZE // 2, SIZE // 2)) if smooth else heat
    return Heat(values.numpy(), SIGNED, -limit, limit, opacity=opacity, smooth=smooth)


def positive_layer(heat: Tensor, limit: float, opacity: float = 0.7, smooth: bool = True) -> Heat:
    """What speaks for the class alone, from black at zero."""
    return Heat(heat.clamp(min=0).numpy(), POSITIVE, 0, limit or 1.0, opacity=opacity, smooth=smooth)


def limit_of(*maps: Tensor) -> float:
    """The largest magnitude, the common end of their colours; 1 if all are zero."""
    return max(float(heat.abs().max()) for heat in maps) or 1.0


def evidence(heat: Tensor, name: str, unit: str = "") -> str:
    """The range of a map; said in words when nothing in it speaks for the class."""
    if float(heat.max()) <= 0:
        return f"**No positive evidence**: no cell of this map speaks for {name}"
    return f"from {number(float(heat.min()))} to {number(float(heat.max()))}" + (unit and f" {unit}")


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)
