"""What the sections have in common: what the network saw, the maps that are asked, and the box of the hand."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import position_sensitive as ps
from models import catalog
from models.networks.r_fcn import CLASSES, PARTS, SAMPLES, RfcnDetection
from pages.shared.held_box import MIDDLE, SIZE, grown, linked_box, xyxy
from scenes import THINGS
from ui.components import Box, address, resting
from ui.pictures import Picture

NETWORK, RIVAL = "r-fcn", "detector"
SEED = 42  # a scene with a large dog
NAMES = ("background", *THINGS)
SOURCES = TRAINED, PERFECT = ("Trained network", "Without mistakes")
STAGE, LINK = "rfcn_scene", "rfcn_box"
ORANGE, SKY, WHITE, GREY = "#E69F00", "#56B4E9", "#FFFFFF", "#8A9099"


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def seen(image: np.ndarray) -> RfcnDetection:
    """One look of the network at a picture: everything that a drag of the box asks."""
    return catalog.load(NETWORK)(image)


@dataclass(frozen=True, eq=False)
class Maps:
    """The k×k score maps of one class, `values` (k, k, h, w), and `scale`, cells of them per pixel of the picture.

    `samples` per axis and part; 0 means as many as keep a cell away from the edges of a part, for sharp maps.
    """

    values: Tensor
    scale: float
    samples: int = 0

    @property
    def parts(self) -> int:
        return len(self.values)

    @property
    def limit(self) -> float:
        """The end of their colours: what all but the most extreme cells stay below."""
        spread = self.values.abs().flatten()
        return float(spread.quantile(0.98) if self.samples else spread.max()) or 1.0

    def read(self, boxes: Tensor) -> Tensor:
        """What the parts of boxes (N, 4) in pixels of the picture find on their maps, (N, k, k)."""
        fitting = int(float((boxes[:, 2:] - boxes[:, :2]).min()) * self.scale / self.parts / 2)
        return ps.align(self.values[None], boxes, self.scale, self.samples or max(1, fitting))[:, 0]


def maps_of(picture: Picture, source: str, label: int, parts: int = PARTS) -> Maps:
    """The maps of a class, of the network or of one with `parts` a side that makes no mistake."""
    if source == TRAINED:
        found = seen(picture.image)
        return Maps(found.score_maps[label], float(found.scale[0]), SAMPLES)
    boxes, labels = truth_of(picture)
    return Maps(perfect(boxes.numpy(), labels.numpy(), label, parts), 1.0)


@st.cache_resource(max_entries=8, show_spinner=False)  # shared and only read; up to 10 MB each
def perfect(boxes: np.ndarray, labels: np.ndarray, label: int, parts: int) -> Tensor:
    """Maps (k, k, 224, 224) without mistakes of one class, for things of all classes."""
    mine = torch.from_numpy(labels == label) if label else torch.ones(len(labels), dtype=torch.bool)
    mine_only = torch.ones(int(mine.sum()), dtype=torch.int64)
    maps = ps.perfect_maps(torch.from_numpy(boxes)[mine], mine_only, 2, parts, (SIZE, SIZE))
    return maps[min(label, 1)].clone()


def truth_of(picture: Picture) -> tuple[Tensor, Tensor]:
    """Boxes (T, 4) and labels (T,) from 1 of the things of a scene; none for a photograph."""
    things = picture.view.instances if picture.view else ()
    boxes = torch.tensor(np.array([thing.box for thing in things]), dtype=torch.float32).reshape(-1, 4)
    return boxes, torch.tensor([NAMES.index(thing.label) for thing in things], dtype=torch.int64)


def all_votes(found: RfcnDetection, box: Tensor) -> tuple[Tensor, Tensor]:
    """Of one box (4,) in pixels: the votes of all classes (9,), and the four numbers that its box maps vote for."""
    both = torch.cat([found.score_maps, found.box_maps])
    votes = ps.vote(ps.align(both, box[None], float(found.scale[0]), SAMPLES)[0])
    return votes[:CLASSES], votes[CLASSES:]


def start_box(picture: Picture) -> Box:
    """The box of the address; else the largest thing that is seen whole, else the middle."""
    found = linked_box(LINK)
    if found is None and picture.view is not None and len(picture.view.instances):
        best = max(picture.view.instances, key=lambda thing: (thing.visible >= 0.9) * float(sides(thing.box).prod()))
        found = grown(xyxy(np.round(best.box)))
    return editable(found or MIDDLE)


def sides(box) -> np.ndarray:
    """Width and height."""
    return np.asarray(box[2:], np.float64) - np.asarray(box[:2], np.float64)


def editable(place: tuple[float, float, float, float]) -> Box:
    return Box("rfcn", place, "", ORANGE, editable=True, width=3)


def begin_anew(picture: Picture) -> None:
    """On another picture the box stands on a thing of it."""
    if st.session_state.setdefault("_rfcn_on", picture.name) != picture.name:
        st.session_state["_rfcn_on"] = picture.name
        address.keep(LINK, None)
        st.session_state[STAGE] = [start_box(picture)]


def held(picture: Picture, view) -> Tensor:
    """The box of this moment, (4,); once the hand rests, kept in the address."""
    box = grown(view.boxes[0].xyxy)
    if resting(STAGE):
        if box != view.boxes[0].xyxy:
            view.boxes = st.session_state[STAGE] = [replace(view.boxes[0], xyxy=box)]
        first = st.session_state.setdefault(f"_rfcn_first_{picture.name}", box)
        if box != first or address.linked(LINK) is not None:
            address.keep(LINK, ",".join(f"{value:g}" for value in box))
    return torch.tensor(box)


def signed(value: float, digits: int = 2) -> str:
    """Fixed digits and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")
