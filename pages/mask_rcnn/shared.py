"""What the sections have in common: the picture's features, the region under the hand, and what the mask head says."""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs.boxes import iou as iou_of
from models import catalog
from models.inside import mask_region, pooling_swap
from models.inside.mask_region import MaskedRegions
from models.inside.pooling_swap import Regions
from models.networks.mask_heads import SIGMOID, SOFTMAX
from pages.shared.held_box import MIDDLE, SIZE, grown, linked_box, xyxy
from scenes import THINGS
from ui.components import Box, Labels, address, resting
from ui.pictures import KEPT, Picture

__all__ = ["SIGMOID", "SOFTMAX"]
NETWORK = "detector"
SEED = 42
NAMES = ("background", *THINGS)
STAGE, LINK = "mask_scene", "mask_box"
BLUE, ORANGE, SKY, GREEN, VERMILION, WHITE = "#0072B2", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#FFFFFF"


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def regions_of(image: np.ndarray) -> Regions:
    """Trunk and RPN, once per picture: everything that a drag of the box asks. All heads of this page stand on it."""
    return pooling_swap.find_regions(catalog.load(NETWORK), image)


@st.cache_resource(max_entries=200, show_spinner=False)  # shared and only read; about 0.3 MB a box
def said_of(image: np.ndarray, boxes: tuple[tuple[float, ...], ...], network: str = NETWORK) -> MaskedRegions:
    """What the head of a network says of boxes: once per box, so that a threshold asks nothing anew."""
    return mask_region.look(catalog.load(network), regions_of(image), torch.tensor(boxes).reshape(-1, 4))


def truths(picture: Picture) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes (T, 4), labels (T,) from 1 and masks (T, 224, 224) of the things of a scene; none for a photograph."""
    things = picture.view.instances if picture.view else ()
    boxes = torch.tensor(np.array([thing.box for thing in things]), dtype=torch.float32).reshape(-1, 4)
    masks = torch.from_numpy(np.array([thing.mask for thing in things], bool).reshape(-1, SIZE, SIZE))
    return boxes, torch.tensor([NAMES.index(thing.label) for thing in things], dtype=torch.int64), masks


def nearest(picture: Picture, box: Tensor) -> int | None:
    """The thing whose box has the largest IoU with this one; None where it touches none, or no truth is known."""
    boxes, _, _ = truths(picture)
    if not len(boxes):
        return None
    overlaps = iou_of(boxes, box.expand_as(boxes))
    return int(overlaps.argmax()) if float(overlaps.max()) > 0 else None


def compared(found: Tensor, truth: Tensor) -> Labels:
    """Two masks on each other: what both have, what is missing, what is too much."""
    values = np.where(found & truth, 1, np.where(truth, 2, np.where(found, 3, 0)))
    return Labels(values.astype(np.uint8), [None, SKY, ORANGE, VERMILION], 0.75)


def outline(cells: Tensor) -> np.ndarray:
    """The edges (n, 4) between the cells of a mask (h, w) and those that are not in it, x1, y1, x2, y2 in cells."""
    padded = np.pad(cells.numpy(), 1)
    down = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    across = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    lines = [[x, y, x + 1, y] for y, x in down] + [[x, y, x, y + 1] for y, x in across]
    return np.array(lines, np.float64).reshape(-1, 4)


def start_box(picture: Picture, key: str = STAGE, link: str = LINK) -> Box:
    """The box of the address; else the largest thing that is seen whole, else the middle."""
    found = linked_box(link)
    if found is None and picture.view is not None and len(picture.view.instances):
        best = max(picture.view.instances, key=lambda thing: (thing.visible >= 0.9) * area(thing.box))
        found = grown(xyxy(np.round(best.box)))
    return editable(found or MIDDLE)


def area(box) -> float:
    """Width times height."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def editable(place: tuple[float, float, float, float]) -> Box:
    return Box("region", place, "", ORANGE, editable=True, width=3)


def begin_anew(picture: Picture, key: str = STAGE, link: str = LINK) -> None:
    """On another picture the box stands on a thing of it."""
    if st.session_state.setdefault(f"_{key}_on", picture.name) != picture.name:
        st.session_state[f"_{key}_on"] = picture.name
        address.keep(link, None)
        st.session_state[key] = [start_box(picture, key, link)]


def held(picture: Picture, view, link: str = LINK) -> Tensor:
    """The box of this moment, (4,); once the hand rests, kept in the address."""
    box = grown(view.boxes[0].xyxy)
    if resting(view.key):
        if box != view.boxes[0].xyxy:
            view.boxes = st.session_state[view.key] = [replace(view.boxes[0], xyxy=box)]
        first = st.session_state.setdefault(f"_{view.key}_first_{picture.name}", box)
        if box != first or address.linked(link) is not None:
            address.keep(link, ",".join(f"{value:g}" for value in box))
    return torch.tensor(box)


def another_thing(picture: Picture, key: str = STAGE) -> None:
    """The box jumps to the next thing of the scene."""
    things = picture.view.instances
    at = st.session_state[f"_{key}_thing"] = (st.session_state.get(f"_{key}_thing", -1) + 1) % len(things)
    st.session_state[key] = [editable(grown(xyxy(np.round(things[at].box))))]


def signed(value: float, digits: int = 2) -> str:
    """Fixed digits and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def choose_thing(picture: Picture, key: str, default: int = 0) -> int | None:
    """Draw the choice of a thing and return its place in the scene; None, and a sentence, where there is none."""
    if picture.view is None:
        st.info("What a photograph's exact masks are, nobody knows: choose Lab World above for this section.")
        return None
    names = thing_names(picture)
    if not names:
        st.info("No thing is in this scene: choose another one above.")
        return None
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    chosen = st.selectbox("Thing", names, min(default, len(names) - 1), key=key, width=200,
                          label_visibility="collapsed", **KEPT)  # fmt: skip
    return names.index(chosen)


def thing_names(picture: Picture) -> list[str]:
    """Of every thing of a scene its class, and from the second of a class on its number: "dog", "dog 2"."""
    labels = [thing.label for thing in picture.view.instances]
    counted = [labels[: at + 1].count(label) for at, label in enumerate(labels)]
    return [label if number == 1 else f"{label} {number}" for label, number in zip(labels, counted, strict=True)]
