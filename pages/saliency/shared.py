"""What the sections have in common: the picture, the class that is asked, and each map once for all visitors."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from models import catalog
from models.inside import saliency
from models.inside.saliency import Network
from scenes import THINGS
from ui.pictures import KEPT, Picture

DRAWINGS = "classifier-gap-28"  # the lab's network, for drawings
FIRST = "most probable"
STEP = "logit per step from black to white"
SATURATED = 0.995  # of the pixels lie below the end of the colours; single pixels would leave the rest dark


@dataclass(frozen=True, eq=False)
class Said:
    """What a network said of a picture, (classes,) each: `logits` and `probabilities`."""

    logits: Tensor
    probabilities: Tensor


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def asked(network: str, image: np.ndarray) -> Said:
    """The one forward pass of a network on a picture."""
    model = catalog.load(network)
    logits = saliency.scores(model, saliency.pixels(model, image)[None])[0]
    return Said(logits, saliency.probabilities(model, logits))


@st.cache_resource(max_entries=192, show_spinner=False)  # shared and only read
def map_of(network: str, image: np.ndarray, target: int, method: str) -> Tensor:
    """One map (224, 224) of one class by one of `saliency.METHODS`, at the method's standard settings."""
    return saliency.saliency(catalog.load(network), image, target, method)


@dataclass(frozen=True, eq=False)
class Focus:
    """What all sections look at.

    Attributes:
        picture: uint8 (224, 224, 3) in `picture.image`.
        network: name in the catalogue of the network that is asked.
        classes: the names of its classes.
        target: the class that is asked about, an index into `classes`.
        said: its scores.
    """

    picture: Picture
    network: str
    classes: tuple[str, ...]
    target: int
    said: Said

    @property
    def image(self) -> np.ndarray:
        return self.picture.image

    @property
    def name(self) -> str:
        return self.classes[self.target]

    @property
    def mask(self) -> np.ndarray | None:
        """Bool (224, 224) of all things of the class; None for a photograph, or where the scene has none of them."""
        things = self.picture.view.instances if self.picture.view else []
        masks = [thing.mask for thing in things if thing.label == self.name]
        return np.any(masks, axis=0) if masks else None

    @property
    def model(self) -> Network:
        return catalog.load(self.network)

    def map_of(self, method: str, target: int | None = None) -> Tensor:
        """(224, 224), of the class that is asked about or of another one."""
        return map_of(self.network, self.image, self.target if target is None else target, method)


def choose(picture: Picture) -> Focus:
    """Draw the choice of a class."""
    said = asked(DRAWINGS, picture.image)
    chosen = st.segmented_control("Class", [FIRST, *THINGS], default=FIRST, required=True, key="saliency_class", **KEPT)
    target = int(said.logits.argmax()) if chosen == FIRST else THINGS.index(chosen)
    return Focus(picture, DRAWINGS, tuple(THINGS), target, said)


def end_of(*maps: Tensor) -> float:
    """The common end of the colours of some maps: all but the largest few magnitudes lie below; 1 if all are zero."""
    return max(float(heat.abs().flatten().quantile(SATURATED)) for heat in maps) or 1.0
