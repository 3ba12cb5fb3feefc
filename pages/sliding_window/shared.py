"""What the sections have in common: the picture at its size, the network, and one pass over all windows for all."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs.sliding_window import CLASSES, STRIDE, WINDOW
from models import catalog
from models.networks import window
from models.networks.window import LoadedWindow, WindowScores
from ui import pictures
from ui.components import Box
from ui.pictures import KEPT, Picture

NETWORKS = {"the lectures'": "window-classifier", "wider": "window-classifier-wide"}
BOXES = "window-localizer"  # the lectures' layers with a box beside the class
SEED = 113  # a scene with a car, a motorcycle and a street sign of about one size
SIDES = (56, 80, 96, 112, 160, 224)
ORANGE, SKY, PINK, GREY, WHITE = "#E69F00", "#56B4E9", "#CC79A7", "#8A9099", "#FFFFFF"
COLOURS = dict(zip(CLASSES, (SKY, ORANGE, PINK, GREY), strict=True))
WANTED = CLASSES[:-1]


@st.cache_resource(max_entries=96, show_spinner=False)  # shared and only read
def seen(network: str, image: np.ndarray, side: int) -> WindowScores:
    """One pass of a network over a picture of `side` pixels: every window's scores."""
    return catalog.load(network)(image, side)


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def small(image: np.ndarray, side: int) -> np.ndarray:
    """The picture at `side` × `side` pixels, as the networks see it."""
    return window.resized(image, side)


@dataclass(frozen=True, eq=False)
class Look:
    """What all sections look at: a picture, its side in pixels, and the network that looks.

    One serves all steps of a drag, so what it says is worked out once.
    """

    picture: Picture
    side: int
    network: str

    @cached_property
    def model(self) -> LoadedWindow:
        return catalog.load(self.network)

    @cached_property
    def seen(self) -> WindowScores:
        return seen(self.network, self.picture.image, self.side)

    @cached_property
    def image(self) -> np.ndarray:
        """uint8 (side, side, 3)."""
        return small(self.picture.image, self.side)

    @property
    def scale(self) -> float:
        """Pixels of the picture as it was drawn to one of the small picture."""
        return self.picture.image.shape[0] / self.side

    @cached_property
    def things(self) -> list[tuple[str, tuple[float, float, float, float]]]:
        """Name and box of every thing that is looked for, in pixels of the small picture; empty for a photograph."""
        there = [] if self.picture.view is None else self.picture.view.instances
        return [(thing.label, tuple(float(edge) / self.scale for edge in thing.box))
                for thing in there if thing.label in WANTED]  # fmt: skip

    @cached_property
    def start(self) -> tuple[int, int]:
        """Left and top of the window, at an output's place, over the thing that fits it best; else in the middle."""
        best = min(self.things, key=lambda thing: abs(longer(thing[1]) - 0.8 * WINDOW), default=None)
        x1, y1, x2, y2 = best[1] if best else (0, 0, self.side, self.side)
        return tuple(
            min(max(round((at - WINDOW / 2) / STRIDE) * STRIDE, 0), (self.side - WINDOW) // STRIDE * STRIDE)
            for at in ((x1 + x2) / 2, (y1 + y2) / 2)
        )


def longer(box: tuple[float, float, float, float]) -> float:
    """The longer side of a box, in pixels."""
    return max(box[2] - box[0], box[3] - box[1])


def choose() -> Look:
    """Draw the choice of a picture, of its side in pixels, and of the network."""
    with st.container(key="choices-window", horizontal=True):
        picture = pictures.choose("window", seed=SEED)
        side = st.selectbox(
            "Side of the picture", SIDES, SIDES.index(112), key="window_side", width=100, label_visibility="collapsed",
            format_func=lambda each: f"{each} px", **KEPT,
        )  # fmt: skip
        network = st.selectbox(
            "Network", list(NETWORKS), key="window_network", width=190, label_visibility="collapsed",
            format_func=lambda each: f"{each} network", **KEPT,
        )  # fmt: skip
    return Look(picture, side, NETWORKS[network])


def truths(look: Look) -> list[Box]:
    """The boxes of the things that are looked for, in pixels of the picture as it was drawn."""
    return [Box(f"truth-{i}", tuple(edge * look.scale for edge in box), "", WHITE, dash=True, width=1.5,
                note=f"{name}, the truth") for i, (name, box) in enumerate(look.things)]  # fmt: skip


def window_at(row: int, column: int) -> tuple[float, float, float, float]:
    """The window of an output, xyxy on the small picture."""
    left, top = column * STRIDE, row * STRIDE
    return (float(left), float(top), float(left + WINDOW), float(top + WINDOW))


def probabilities(logits: Tensor) -> Tensor:
    """Softmax over the classes, the first axis."""
    return torch.softmax(logits, dim=0)
