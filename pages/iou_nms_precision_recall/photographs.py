"""NMS on the raw boxes of a published detector: its own NMS switched off, the lab's in its place."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from labs import nms
from models import choice
from models.inside.raw_boxes import raw_of
from models.networks.detector import LoadedDetector
from pages.iou_nms_precision_recall.shared import BLUE, VERMILION, xyxy
from pages.shared import own_truth, photograph_source
from scenes import THINGS
from ui import model_choice, outside_lab_world, page, pictures
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import Picture

LOWEST = 0.05  # torchvision's heads drop what scores no more than this
MOST = 300  # raw boxes that NMS works on and the page draws, the best; a one-stage detector can have thousands
NAMED = 12  # so many boxes bear their class and score; the others say it when pointed at
MOST_CLASSES = 6  # in the table


@dataclass(frozen=True, eq=False)
class Unsuppressed:
    """Raw boxes of one picture, best score first: `boxes` float32 (C, 4), `labels` int64 (C,), `scores` float32 (C,),
    `names` of the classes; `total`: how many there were before only the best were kept; `own_nms`: the threshold that
    the network itself would use."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    names: list[str]
    total: int
    own_nms: float
    seconds: float
    device: str


@st.cache_resource(max_entries=32, show_spinner=False)  # shared and only read
def unsuppressed(name: str, identity: int, _network, image: np.ndarray) -> Unsuppressed:
    """One run of the network on a picture; the sliders work on what it said."""
    if isinstance(_network, LoadedDetector):
        found = _network(image, masks=False, keypoints=False)
        raw = raw_of(found, image.shape[:2], most=found.raw_scores.numel())
        some = raw.scores > LOWEST
        boxes, labels, scores = raw.boxes[some], raw.labels[some], raw.scores[some]
        names, own = [THINGS[label - 1] for label in labels.tolist()], _network.module.roi_heads.nms_thresh
    else:
        raw = _network.before_nms(image, LOWEST)
        boxes, labels, scores, names, own = raw.boxes, raw.labels, raw.scores, raw.names, _network.own_nms
    best = scores.argsort(descending=True, stable=True)[:MOST]
    names = [names[i] for i in best.tolist()]
    return Unsuppressed(boxes[best], labels[best], scores[best], names, len(scores), own, raw.seconds, raw.device)


@page.guard()
def published() -> None:
    """The section; its choice of a network stands outside the fragment, as `model_choice` wants it."""
    page.section(
        "NMS on a published detector",
        "Most detectors end in NMS, these among them (DETR and YOLOv10 do without). Here it is switched off, and the "
        "lab’s works on what comes out. Choose a published detector, and it looks at a photograph.",
    )
    place = st.container()
    network = model_choice.choose("published", choice.offers("detection", lab=["detector"]))
    photograph_source.suit("published", {"": network}, "published_source", "Lab World", "Photograph")
    with place:
        picture = pictures.choose("published", seed=11, size=336)
    if network is not None:
        if not hasattr(network, "classes"):
            outside_lab_world.warn(picture, [network.name], "Choose a published *Model* for it.")
        thinned(picture, network)
    own_truth.beside("published", picture, [] if network is None else [network])


@st.fragment
@page.guard()
def thinned(picture: Picture, network) -> None:
    with st.spinner(f"{network.name} looks at the picture", show_time=True):
        raw = unsuppressed(network.name, id(network), network, picture.image)
    columns, body = st.columns(2), st.container()
    with (
        columns[0],
        live_slider("NMS threshold", 0.0, 1.0, 0.5, step=0.01, key="published_nms", format="%.2f", play=True,
                    help="A box is suppressed when its IoU with a better one of its class is above this.") as threshold,
        columns[1],
        live_slider("Score threshold", LOWEST, 1.0, 0.3, step=0.01, key="published_score", format="%.2f") as least,
        body,
    ):  # fmt: skip
        count = int((raw.scores >= least).sum())  # the best come first
        steps = nms.greedy(raw.boxes[:count], raw.scores[:count], threshold, raw.labels[:count])
        kept = nms.kept_indices(steps).tolist()
        beaten = {each.index: (step.kept, each.iou) for step in steps for each in step.suppressed}
        left, right = st.columns(2, gap="medium")
        with left:
            words(f"**{count} raw boxes**", "published_raw")
            before(picture, raw, count, beaten)
        with right:
            words(f"**{len(kept)} kept**", "published_kept")
            after(picture, raw, kept, beaten)
        words(table(raw, count, kept), "published_table")
    told = [f"{network.name} would itself suppress above IoU {raw.own_nms:g}."]
    if raw.total > len(raw.scores):
        told.append(f"It gave {raw.total:,} boxes above a score of {LOWEST:g}; the best {len(raw.scores)} are here.")
    known = hasattr(network, "classes")
    if known and picture.view is not None:
        told.append("It knows photographs, and Lab World is drawn: choose a photograph above.")
    st.caption(" ".join(told))
    page.footer(network.name, raw.device, raw.seconds * 1000)


def before(picture: Picture, raw: Unsuppressed, count: int, beaten: dict[int, tuple[int, float]]) -> None:
    """All raw boxes that reach the score: solid blue kept, dashed vermilion suppressed."""
    boxes = []
    for i in reversed(range(count)):
        note = said(raw, i)
        if i in beaten:
            winner, overlap = beaten[i]
            note += f": beaten by {said(raw, winner)}, IoU {overlap:.2f}"
        boxes.append(
            Box(f"raw-{i}", xyxy(raw.boxes[i]), "", VERMILION if i in beaten else BLUE, dash=i in beaten,
                width=1 if i in beaten else 3, note=note)
        )  # fmt: skip
    boxes.sort(key=lambda box: not box.dash)  # kept boxes lie on top
    stage("published_before", zoom=False).show(
        picture.image, [Boxes(boxes)], alt=f"{count} raw boxes, {len(beaten)} of them suppressed",
        caption="Before: blue will be kept, dashed vermilion suppressed.",
    )  # fmt: skip


def after(picture: Picture, raw: Unsuppressed, kept: list[int], beaten: dict[int, tuple[int, float]]) -> None:
    """What NMS left, with class and score."""
    losers = Counter(winner for winner, _ in beaten.values())
    boxes = [
        Box(f"kept-{i}", xyxy(raw.boxes[i]), said(raw, i) if place < NAMED else "", BLUE, width=3,
            note=f"{said(raw, i)}: suppressed {losers[i]}")
        for place, i in enumerate(kept)
    ]  # fmt: skip
    stage("published_after", zoom=False).show(
        picture.image, [Boxes(boxes[::-1])], alt=f"{len(kept)} boxes that NMS kept",
        caption="After: one box for each object, if the threshold is right.",
    )  # fmt: skip


def table(raw: Unsuppressed, count: int, kept: list[int]) -> str:
    """Raw boxes and kept ones per class, the most frequent first."""
    if not count:
        return "No box reaches the score threshold."
    many, left = Counter(raw.names[:count]), Counter(raw.names[i] for i in kept)
    parts = [f"{name} {number} → **{left[name]}**" for name, number in many.most_common(MOST_CLASSES)]
    rest = len(many) - len(parts)
    return " · ".join(parts) + (f" · and {rest} more classes" if rest > 0 else "")


def said(raw: Unsuppressed, index: int) -> str:
    return f"{raw.names[index]} {float(raw.scores[index]):.2f}"
