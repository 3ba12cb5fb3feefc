"""What the sections have in common: the picture, the class that is asked, and each map once for all visitors."""

from collections import Counter
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from models import catalog
from models.inside import saliency
from models.inside.saliency import INTEGRATED, STEPS, Integrated, Network
from scenes import THINGS
from ui.pictures import KEPT, Picture

DRAWINGS, PHOTOGRAPHS = "classifier-gap-28", "efficientnet-lite0"
FIRST, SECOND = "most probable", "next best"
STEP = "logit per step from black to white"  # unit of a sensitivity; that of a contribution is a logit
GREY = "grey"
BASELINES = {GREY: None, "black": 0.0, "white": 1.0}  # grey: what the network's normalisation makes zero
SATURATED = 0.995  # of the pixels lie below the end of the colours; single pixels would leave the rest dark


@dataclass(frozen=True, eq=False)
class Said:
    """What a network said of a picture: `x` what it saw of it, (3, 224, 224) in 0 to 1; `logits` and `probabilities`,
    (classes,) each; `seconds` of the forward pass."""

    x: Tensor
    logits: Tensor
    probabilities: Tensor
    seconds: float

    @property
    def ranked(self) -> list[int]:
        """The classes, most probable first."""
        return self.logits.argsort(descending=True).tolist()


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def asked(network: str, image: np.ndarray) -> Said:
    """The one forward pass of a network on a picture."""
    model = catalog.load(network)
    x = saliency.pixels(model, image)
    start = perf_counter()
    logits = saliency.scores(model, x[None])[0]
    return Said(x, logits, saliency.probabilities(model, logits), perf_counter() - start)


def baseline_of(network: str, name: str) -> Tensor:
    """(3, 1, 1) in 0 to 1."""
    value = BASELINES[name]
    return saliency.neutral(catalog.load(network)) if value is None else torch.full((3, 1, 1), value)


@st.cache_resource(max_entries=96, show_spinner=False)  # shared and only read
def integrated_of(network: str, image: np.ndarray, target: int, baseline: str, steps: int) -> Integrated:
    """One map, with what it should add up to."""
    x, start = asked(network, image).x, baseline_of(network, baseline)
    return saliency.integrated_gradients(catalog.load(network), x, target, start, steps)


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def map_of(network: str, image: np.ndarray, target: int, method: str) -> Tensor:
    """One map (224, 224) of one class by one of `saliency.METHODS`, at the method's standard settings."""
    if method == INTEGRATED:  # another section shows what it adds up to
        return integrated_of(network, image, target, GREY, STEPS).heat
    return saliency.saliency(catalog.load(network), image, target, method)


@st.cache_data(show_spinner=False)
def classes_of(network: str) -> tuple[str, ...]:
    """Names that the address can hold: ImageNet has two cranes, the bird and the machine."""
    if network == DRAWINGS:
        return tuple(THINGS)
    names = catalog.card(network)["classes"]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return tuple(f"{name} ({index})" if name in twice else name for index, name in enumerate(names))


@dataclass(frozen=True, eq=False)
class Focus:
    """What all sections look at.

    Attributes:
        picture: uint8 (224, 224, 3) in `picture.image`.
        network: name in the catalogue of the network that is asked: one for drawings, one for photographs.
        classes: the names of its classes.
        target: the class that is asked about, an index into `classes`.
        said: what the network said.
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
    def score(self) -> float:
        """S of the class, its logit."""
        return float(self.said.logits[self.target])

    @property
    def probability(self) -> float:
        return float(self.said.probabilities[self.target])

    @property
    def model(self) -> Network:
        return catalog.load(self.network)

    @property
    def mask(self) -> np.ndarray | None:
        """Bool (224, 224) of all things of the class; None for a photograph, or where the scene has none of them."""
        things = self.picture.view.instances if self.picture.view else []
        masks = [thing.mask for thing in things if thing.label == self.name]
        return np.any(masks, axis=0) if masks else None

    def map_of(self, method: str, target: int | None = None) -> Tensor:
        """(224, 224), of the class that is asked about or of another one."""
        return map_of(self.network, self.image, self.target if target is None else target, method)


def choose(picture: Picture) -> Focus:
    """Draw the choice of a class, of the network that knows this kind of picture."""
    network = DRAWINGS if picture.scene is not None else PHOTOGRAPHS
    said, classes = asked(network, picture.image), classes_of(network)
    if network == DRAWINGS:
        chosen = st.segmented_control(
            "Class", [FIRST, *classes], default=FIRST, required=True, key="saliency_class", **KEPT
        )
    else:
        chosen = st.selectbox(
            "Class", [FIRST, *classes], key="saliency_photo_class", help="Type to search.", width=300, **KEPT
        )
    return Focus(picture, network, classes, said.ranked[0] if chosen == FIRST else classes.index(chosen), said)


def choose_other(focus: Focus) -> int:
    """Draw the choice of a class beside the one that is asked about."""
    key = "saliency_other" if focus.network == DRAWINGS else "saliency_photo_other"
    chosen = st.selectbox("Beside it", [SECOND, *focus.classes], key=key, width=300, **KEPT)
    if chosen != SECOND:
        return focus.classes.index(chosen)
    return next(each for each in focus.said.ranked if each != focus.target)


def end_of(*maps: Tensor) -> float:
    """The common end of the colours of some maps: all but the largest few magnitudes lie below; 1 if all are zero."""
    return max(float(heat.abs().flatten().quantile(SATURATED)) for heat in maps) or 1.0
