"""What the sections have in common: the networks, what they say of a picture, who must find what, and a chart."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import focal_loss
from labs.focal_loss import ALPHA
from models import catalog
from models.networks.retinanet import OBJECTIVES, LoadedRetinaNet, RetinaDetection, build_retinanet
from scenes import THINGS
from ui.components import Box, Lines, Points
from ui.pictures import Picture

FOCAL = "retinanet"
NETWORKS = {
    "γ = 2, focal loss": "retinanet",
    "γ = 0, cross-entropy": "retinanet-cross-entropy",
    "1 : 3 sampled": "retinanet-sampled",
}
UNTRAINED = "before training"
SEED = 29
# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, WHITE, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#FFFFFF", "#8A9099",
)  # fmt: skip
FAMILY = {0.0: GREY, 0.5: ORANGE, 1.0: SKY, 5.0: VERMILION}  # γ of the thin curves
LOOKS = dict(zip(NETWORKS, (BLUE, ORANGE, PURPLE), strict=True))


def shipped() -> dict[str, str]:
    """The networks that have been trained, by what the page calls them."""
    return {label: name for label, name in NETWORKS.items() if name in catalog.shipped()}


@st.cache_resource(show_spinner=False)
def untrained() -> LoadedRetinaNet:
    """The same trunk with heads as they are before the first step."""
    trained = catalog.load(FOCAL)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = build_retinanet(OBJECTIVES[FOCAL])
    module.backbone = trained.module.backbone
    module = module.to(trained.device).eval().requires_grad_(False)
    return LoadedRetinaNet(UNTRAINED, module, torch.device(trained.device), {})


@st.cache_resource(max_entries=96, show_spinner=False)  # shared and only read
def look(name: str, image: np.ndarray) -> RetinaDetection:
    """What a network says of a picture."""
    return (untrained() if name == UNTRAINED else catalog.load(name))(image)


@dataclass(frozen=True, eq=False)
class Asked:
    """The anchors of a scene as training would ask them, without those that it ignores.

    index (A,): their place among all anchors. positive bool (A,). logits (A, 8), right bool (A, 8): what the sigmoids
    say, and should. difficulty (A,): cross-entropy of the eight together, in nats. ignored: how many were left out.
    """

    index: Tensor
    positive: Tensor
    logits: Tensor
    right: Tensor
    difficulty: Tensor
    ignored: int

    def losses(self, gamma: float, alpha: float | None) -> Tensor:
        """What each anchor pays (A,), its eight sigmoids together, before the division by the positives."""
        return focal_loss.focal_loss(self.logits, self.right, gamma, alpha).sum(1)

    def share(self, gamma: float) -> Tensor:
        """Of the negatives' loss, what the 1, 2, ... easiest of them pay together."""
        negative = ~self.positive
        return focal_loss.cumulative_share(self.losses(gamma, ALPHA)[negative], self.difficulty[negative])

    @cached_property
    def family(self) -> dict[float, Tensor]:
        """`share` for the γ that are drawn beside the slider's."""
        return {gamma: self.share(gamma) for gamma in FAMILY}


@st.cache_resource(max_entries=96, show_spinner=False)  # shared and only read
def asked(name: str, picture_name: str, image: np.ndarray, truth: np.ndarray, labels: tuple[int, ...]) -> Asked:
    """Match the anchors with the truth (T, 4) by torchvision's matcher; `labels` count from 0."""
    found = look(name, image)
    match = catalog.load(FOCAL).match(found, torch.from_numpy(truth))
    right = focal_loss.wanted(match, torch.tensor(labels, dtype=torch.int64), len(THINGS))
    index = (match != -2).nonzero()[:, 0]
    logits, right = found.logits[index], right[index]
    entropy = focal_loss.focal_loss(logits, right, 0.0, None).sum(1)
    return Asked(index, match[index] >= 0, logits, right, entropy, int((match == -2).sum()))


def asked_of(name: str, picture: Picture) -> Asked:
    """The same for a Lab World picture."""
    things = picture.view.instances
    truth = np.array([thing.box for thing in things], np.float32).reshape(-1, 4)
    return asked(name, picture.name, picture.image, truth, tuple(THINGS.index(thing.label) for thing in things))


def truths(picture: Picture) -> list[Box]:
    """The truth, dashed and white; nothing for a photograph."""
    things = picture.view.instances if picture.view else ()
    return [Box(f"truth-{i}", xyxy(thing.box), "", WHITE, dash=True, width=1.5, note=f"{thing.label}, the truth")
            for i, thing in enumerate(things)]  # fmt: skip


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


@dataclass(frozen=True)
class Chart:
    """A chart drawn on a stage, which follows the hand at full rate: `low` to `high` along x and y, in the rectangle
    left, top, right, bottom of the stage."""

    x: tuple[float, float]
    y: tuple[float, float]
    place: tuple[float, float, float, float]

    def at(self, x, y) -> np.ndarray:
        """Places (N, 2) on the stage; values beyond an end stay at it."""
        left, top, right, bottom = self.place
        shares = [np.clip((np.asarray(value, float) - low) / (high - low), 0, 1)
                  for value, (low, high) in ((x, self.x), (y, self.y))]  # fmt: skip
        return np.stack([left + shares[0] * (right - left), bottom - shares[1] * (bottom - top)], -1)

    def line(self, x, y, colour: str, width: float = 2.0, dash: bool = False) -> Lines:
        """A broken line through the places."""
        places = self.at(x, y)
        return Lines(np.concatenate([places[:-1], places[1:]], 1), colour, width, dash)

    def frame(self, xs: dict[float, str], ys: dict[float, str]) -> list[Lines | Points]:
        """Thin lines at these values, and their names beside them."""
        left, top, right, bottom = self.place
        across = [self.at(x, self.y[0])[0] for x in xs]
        up = [self.at(self.x[0], y)[1] for y in ys]
        lines = [(a, top, a, bottom) for a in across] + [(left, b, right, b) for b in up]
        marks = [(a - 1.2 - 0.4 * len(name), bottom + 3.4) for a, name in zip(across, xs.values(), strict=True)]
        marks += [(left - 3.6 - 1.3 * len(name), b) for b, name in zip(up, ys.values(), strict=True)]
        names = [*xs.values(), *ys.values()]
        return [Lines(np.array(lines), "#88888855", 0.6), Points(np.array(marks), "#88888800", 0, labels=names)]
