"""What the sections have in common: the detector's raw boxes, the truth, and how a verdict looks and reads."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

import scenes
from labs import nms
from labs.boxes import WORDS, word
from labs.matching import Detections, Truths, Verdict
from models import catalog
from models.inside import raw_boxes as inside
from models.inside.raw_boxes import Raw
from models.recipes.scene_cache import held_out_seeds
from pages.shared.detectors import NAMES
from pages.shared.truths import truths_of
from scenes import THINGS
from ui import rounding
from ui.components import Box, address
from ui.pictures import KEPT

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, GRAY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8A8F98",
)  # fmt: skip
DETECTOR = "detector"
HEAD_SCORE = 0.05  # torchvision's heads drop what scores no more than this
NAMED = 12  # so many boxes of a stage bear their class and score; the others say it when pointed at
HEAD_MOST = 40  # the detector's detections per picture


@dataclass(frozen=True, eq=False)
class Held:
    """A scene no network was trained on, with its truth and raw boxes; `image` uint8 (224, 224, 3)."""

    seed: int
    image: np.ndarray
    truths: Truths
    raw: Raw


@st.cache_resource(max_entries=400, show_spinner=False)
def raw_boxes(image: np.ndarray, network: str = DETECTOR) -> Raw:
    """Of a detector's run on this picture: a box for every place and class, before score threshold and NMS."""
    return inside.raw_boxes(catalog.load(network), image)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A held-out scene without any network: `image` uint8 (224, 224, 3), its truth, the share of each thing that is
    `visible` (g,), and its weather, each from 0 to 1."""

    image: np.ndarray
    truths: Truths
    visible: np.ndarray
    light: float
    fog: float
    noise: float


@st.cache_resource(max_entries=400, show_spinner=False)
def drawn_scene(seed: int) -> Drawn:
    scene = scenes.sample(seed)
    view = scenes.render(scene)
    visible = np.array([thing.visible for thing in view.instances], np.float64)
    return Drawn(view.image, truths_of(view), visible, scene.light, scene.fog, scene.noise)


@st.cache_resource(max_entries=400, show_spinner=False)
def held_out(seed: int, network: str = DETECTOR) -> Held:
    drawn = drawn_scene(seed)
    return Held(seed, drawn.image, drawn.truths, raw_boxes(drawn.image, network))


def evaluation_scenes(count: int, network: str = DETECTOR) -> list[Held]:
    """The first held-out scenes, each rendered and looked at once per process; progress is shown while that lasts."""
    bar, found = st.empty(), []
    try:
        for done, seed in enumerate(held_out_seeds(count)):
            bar.progress(done / count, f"{NAMES[network]} looks at {count} scenes it was not trained on: {done} done.")
            found.append(held_out(seed, network))
    finally:
        bar.empty()
    return found


@st.cache_resource(max_entries=64, show_spinner=False)
def detections_of(seeds: tuple[int, ...], nms_threshold: float, network: str = DETECTOR) -> list[Detections]:
    """What the heads would return for these scenes at another NMS threshold: per-class NMS, the best 40 above 0.05.

    Class by class, as everywhere on this page: `batched_nms` may differ where an IoU lies at the threshold.
    """
    result = []
    for raw in (held_out(seed, network).raw for seed in seeds):
        some = raw.scores > HEAD_SCORE
        boxes, scores, labels = raw.boxes[some], raw.scores[some], raw.labels[some]
        kept = nms.survivors(boxes, scores, nms_threshold, labels)[:HEAD_MOST]
        result.append(as_detections(boxes[kept], labels[kept], scores[kept]))
    return result


def truths_of_scenes(seeds: tuple[int, ...]) -> list[Truths]:
    return [drawn_scene(seed).truths for seed in seeds]


def choose_detector(key: str, label: str = "Detector", first: str = DETECTOR) -> str:
    """Draw the choice of a detector of the lab, at first `first` if it is there; its name in the catalogue."""
    offered = [name for name in NAMES if name in catalog.shipped()]
    at = offered.index(first) if first in offered else 0
    return st.selectbox(label, offered, at, key=key, format_func=NAMES.get, width=210, **KEPT)


def as_detections(boxes: Tensor, labels: Tensor, scores: Tensor) -> Detections:
    return Detections(boxes.numpy(), labels.numpy(), scores.numpy())


def picked(view, key: str, prefix: str, count: int) -> int | None:
    """The index behind the id of the box clicked last, kept in the address under `key`, while there is such a box."""
    if view.clicked:
        name = view.click.what or ""
        address.keep(key, name.removeprefix(prefix) if name.startswith(prefix) else None)
    try:
        found = address.numbers(key, 1, int)
    except ValueError:
        return None
    return found[0] if found is not None and 0 <= found[0] < count else None


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


def named(label: int, score: float) -> str:
    return f"{THINGS[label - 1]} {score:.2f}"


MARKS = {"true": "✓", "duplicate": "2×", "ignored": "–"}
LOOKS = {"true": GREEN, "duplicate": ORANGE, "ignored": GRAY}


def verdict_box(name: str, detections: Detections, index: int, verdict: Verdict, **look) -> Box:
    """A detection in the colour of its verdict, with a sign so that colour is not needed to tell them apart."""
    label = named(detections.labels[index], detections.scores[index])
    sign, colour = MARKS.get(verdict.kind, "✗"), LOOKS.get(verdict.kind, VERMILION)
    place = xyxy(detections.boxes[index])
    return Box(name, place, f"{sign} {label}", colour, **{"width": 3, "note": f"{label}: {verdict.kind}"} | look)


def in_words(iou: float, threshold: float) -> str:
    """An IoU with its word, rounded across neither the word's bound nor the threshold of the page."""
    return f"{rounding.beside(iou, threshold, *(bound for bound, _ in WORDS))} ({word(iou)})"


def because(verdict: Verdict, index: int, detections: Detections, truths: Truths, threshold: float) -> str:
    """Why a detection is true or false, in a sentence or two of Markdown."""
    mine = THINGS[detections.labels[index] - 1]
    opening = f"**{named(detections.labels[index], detections.scores[index])}**"
    other = THINGS[truths.labels[verdict.other] - 1] if verdict.other is not None else ""
    if verdict.kind == "true":
        theirs = THINGS[truths.labels[verdict.truth] - 1]
        return f"{opening} is **true**: it is the first to claim this {theirs}, at IoU ≥ {threshold:g}."
    if verdict.kind == "ignored":
        return f"{opening} does not count: it lies on a truth that is ignored."
    if verdict.kind == "duplicate":
        rival = verdict.rival
        by = "" if rival is None else f" by {named(detections.labels[rival], detections.scores[rival])}"
        return (
            f"{opening} is false, a **duplicate**: it fits this {mine} with IoU "
            f"{in_words(verdict.same_iou, threshold)}, but the {mine} was already found{by}."
        )
    if verdict.kind == "localisation":
        return (
            f"{opening} is false, **badly placed**: its best IoU with a {mine} is "
            f"{rounding.beside(verdict.same_iou, threshold)}, and {threshold:g} is asked."
        )
    if verdict.kind == "class confusion":
        fits = rounding.beside(verdict.other_iou, threshold)
        return f"{opening} is false, **class confusion**: the box fits a {other} with IoU {fits}."
    if verdict.kind == "class and place":
        return (
            f"{opening} is false, **class and place**: the nearest thing is a {other}, "
            f"and the IoU with it is only {rounding.beside(verdict.other_iou, threshold)}."
        )
    best = max(verdict.same_iou, verdict.other_iou)
    return f"{opening} is false, **background**: nothing is there (best IoU with any thing: {best:.2f})."
