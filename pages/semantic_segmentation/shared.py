"""What the sections have in common: colours, what a network says of a picture, and how mistakes are drawn."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

import scenes
from labs import segmentation_metrics
from pages.shared.swatches import swatches
from scenes import CLASSES
from ui.components import Labels
from ui.pictures import Picture

PALETTE = [scenes.PALETTE[name] for name in CLASSES]
MISTAKE = "#D55E00"
DARK = ["#" + "".join(f"{int(colour[i : i + 2], 16) // 4:02x}" for i in (1, 3, 5)) for colour in PALETTE]
SHADES = [*DARK, MISTAKE]
BLUE, ORANGE, WHITE = "#0072B2", "#E69F00", "#FFFFFF"
TRAINING = "_segmentation_training"  # in the session: the visitor's own training
SLOW = 0.1  # seconds from which a network no longer follows the hand


@dataclass(frozen=True, eq=False)
class Look:
    """What a network says of a picture: labels uint8 (H, W) over `classes`, logits float32 (C, H, W)."""

    labels: np.ndarray
    logits: Tensor
    classes: tuple[str, ...]
    seconds: float
    device: str

    @property
    def of_lab_world(self) -> bool:
        """Whether its classes are those of the scenes, so that it can be judged."""
        return self.classes == CLASSES


def look(network, image: np.ndarray) -> Look:
    """Run the network, once per picture."""
    return _look(network.name, id(network), network, image)


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def _look(name: str, identity: int, _network, image: np.ndarray) -> Look:
    found = _network(image)
    return Look(found.labels, found.logits, getattr(found, "classes", CLASSES), found.seconds, found.device)


def follows(network) -> bool:
    """Whether a pass is short enough to run while a hand moves: the lab's networks are; others once they have shown."""
    seconds = getattr(network, "seconds", 0.0)
    return seconds is not None and seconds < SLOW


@st.cache_resource(max_entries=256, show_spinner=False)
def rendered(scene, size: int) -> np.ndarray:
    """The picture alone: fog, light and noise leave the truth as it is."""
    return scenes.render_image(scene, size)


def largest_thing(picture: Picture) -> tuple[int, int]:
    """Column and row of the middle of the thing with most pixels; of the picture, where none is known."""
    things = [] if picture.view is None else picture.view.instances
    if not things:
        return picture.image.shape[1] // 2, picture.image.shape[0] // 2
    x1, y1, x2, y2 = max(things, key=lambda thing: thing.mask.sum()).box
    return int(x1 + x2) // 2, int(y1 + y2) // 2


def confusion_of(truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return segmentation_metrics.confusion_matrix(truth, labels, len(CLASSES))


def mistakes(truth: np.ndarray, labels: np.ndarray) -> Labels:
    """The truth, dark, with every wrong pixel in orange."""
    return Labels(np.where(labels == truth, truth, len(CLASSES)).astype(np.uint8), SHADES, 1.0)


def palette_of(classes: tuple[str, ...]) -> list[str]:
    """A colour per class: Lab World's own, or Pascal VOC's, whose bits are taken from the class's number."""
    if classes == CLASSES:
        return PALETTE
    colours = []
    for index in range(len(classes)):
        rgb, rest = [0, 0, 0], index
        for bit in range(7, -1, -1):
            rgb = [value | ((rest >> channel) & 1) << bit for channel, value in enumerate(rgb)]
            rest >>= 3
        colours.append("#{:02x}{:02x}{:02x}".format(*rgb))
    return colours


def legend(names: tuple[str, ...], shown: np.ndarray) -> str:
    """The classes of a picture with a swatch each, most pixels first, as HTML."""
    colours, counts = palette_of(names), np.bincount(shown.ravel(), minlength=len(names))
    there = [i for i in np.argsort(-counts, kind="stable") if counts[i]]
    return swatches((colours[i], names[i]) for i in there)
