"""What the sections have in common: the points, from the cards and from this machine's clock, and how each looks."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
import streamlit as st
import torch
from torch import Tensor

import scenes
from models import catalog
from models.inside import settings
from models.inside.settings import Found, Setting
from models.recipes.speed_accuracy import parameter_bytes
from pages.shared.detectors import NAMES

SEED = 12
RUNS = 3  # of each setting, whose median counts
TWO, ONE, WINDOWS = "two stages", "one stage", "windows"
# Network: what it is, how many stages, Okabe and Ito's colour, dash, symbol.
LOOKS = {
    "detector": (NAMES["detector"], TWO, "#0072B2", "solid", "circle"),
    "detector-narrow": (NAMES["detector-narrow"], TWO, "#0072B2", "dot", "circle-open"),
    "detector-alternating": ("Faster R-CNN, narrow, alternating", TWO, "#56B4E9", "dot", "circle-open"),
    "fast-rcnn": ("Fast R-CNN, narrow", TWO, "#56B4E9", "dot", "square-open"),
    "r-fcn": (NAMES["r-fcn"], TWO, "#CC79A7", "solid", "square"),
    "rcnn": ("R-CNN", TWO, "#8A8F98", "solid", "x"),
    "spp": ("SPP-net", TWO, "#8A8F98", "dot", "x-open"),
    "ssd": (NAMES["ssd"], ONE, "#E69F00", "solid", "diamond"),
    "ssd-narrow": ("SSD, narrow", ONE, "#E69F00", "dot", "diamond-open"),
    "retinanet": (NAMES["retinanet"], ONE, "#D55E00", "solid", "triangle-up"),
    "yolo-anchor": (NAMES["yolo-anchor"], ONE, "#009E73", "solid", "star"),
    "yolo-cell": (NAMES["yolo-cell"], ONE, "#009E73", "solid", "star-open"),
    "window-localizer": ("Sliding window, 3 classes", WINDOWS, "#8A8F98", "solid", "cross"),
}
SIZES = {"all": "box_ap", "small": "small", "medium": "medium", "large": "large"}


@dataclass(frozen=True)
class Point:
    """A detector at a setting: its AP on held-out scenes and per size of thing, the milliseconds of the machine that
    judged it, the multiply-adds of a picture, and the most that it holds at once beside its numbers."""

    setting: Setting
    ap: float
    sizes: dict[str, float]
    card_milliseconds: float
    multiply_adds: int
    peak_bytes: int

    @property
    def bytes(self) -> int:
        """Of its numbers; this loads the network, so the scatter does not ask for it."""
        return parameter_bytes(catalog.load(self.setting.network))

    @property
    def title(self) -> str:
        """What it is, in words."""
        return LOOKS[self.setting.network][0]

    @property
    def name(self) -> str:
        """What it is and its setting, in words."""
        count = self.setting.proposals
        return f"{self.title}, {self.setting.side} px" + ("" if count is None else f", {count} proposals")

    def ap_of(self, size: str) -> float:
        """AP of all things, or of the small, medium or large ones."""
        return self.ap if size == "all" else self.sizes[size]


@st.cache_resource(show_spinner=False)
def points() -> tuple[Point, ...]:
    """Every setting of every detector whose card knows them, in the order of LOOKS.

    Errors: ValueError where no card does.
    """
    found = []
    for name in LOOKS:
        if name not in catalog.shipped() or "settings" not in catalog.card(name):
            continue
        for each in catalog.card(name)["settings"]:
            setting = Setting(name, each["side"], each["proposals"])
            sizes = each["box_ap_per_size"]
            price = each["milliseconds"], each["multiply_adds"], each["peak_bytes"]
            found.append(Point(setting, each["box_ap"], sizes, *price))
    if not found:
        raise ValueError("No card knows other settings yet: python -m models settings detector judges one.")
    return tuple(found)


@st.cache_resource(show_spinner=False)
def timed() -> dict[Setting, float]:
    """Milliseconds that were measured here, since the server began."""
    return {}


def milliseconds(point: Point) -> float:
    """As measured here, or as the card says."""
    return timed().get(point.setting, point.card_milliseconds)


def measure(wanted: tuple[Point, ...]) -> Iterator[tuple[int, int, str]]:
    """Run every setting a few times on one scene, and write the median into `timed`."""
    pictures: dict[int, np.ndarray] = {}
    for done, point in enumerate(wanted, start=1):
        setting = point.setting
        if setting not in timed():
            if setting.side not in pictures:
                pictures[setting.side] = scenes.render(scenes.sample(SEED), setting.side).image
            network = catalog.load(setting.network)
            runs = [settings.detect(network, pictures[setting.side], setting).seconds for _ in range(RUNS + 1)]
            timed()[setting] = statistics.median(runs[1:]) * 1000  # the first prepares
        yield done, len(wanted), point.name


_asking = Lock()


@st.cache_resource(max_entries=128, show_spinner=False)
def seen(image: np.ndarray, setting: Setting) -> Found:
    """What a detector says of a picture, in pixels of that picture, which it sees at the setting's side."""
    with _asking:
        return settings.detect(catalog.load(setting.network), image, setting)


def as_tensors(wanted: tuple[Point, ...], size: str) -> tuple[Tensor, Tensor]:
    """Milliseconds and AP of the points."""
    return torch.tensor([milliseconds(p) for p in wanted]), torch.tensor([p.ap_of(size) for p in wanted])
