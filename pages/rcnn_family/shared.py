"""What the sections have in common: the picture, the one set of proposals, and steps with their measured time.

look = shared.choose()                      # once, in page.py
look.boxes                                  # the proposals that all four detectors are given, float32 (n, 4)
run = Run(SPP, boxes, labels, scores, (look.search, Step("whole picture once", 0.04), ...))
shared.bars([run])                          # a bar for each step, one after the other, in one scale
shared.found_in(look, run, "spp_found")     # the picture with the boxes that were found, and the truth
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from html import escape
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import selective_search
from labs.boxes import iou_matrix
from scenes import THINGS
from ui import pictures
from ui.components import Box, Boxes, live_slider, stage
from ui.pictures import KEPT, Picture

RCNN, SPP, FAST, FASTER = DETECTORS = ("R-CNN", "SPP-net", "Fast R-CNN", "Faster R-CNN")
SEED = 3  # by day: a motorcycle, a car, a duck, a cat and a ball
COUNTS = (10, 20, 50, 100, 200, 500, 1000, 2000)
MODES = ("fast", "quality")
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
WHITE, GREY = "#FFFFFF", "#8A9099"
COLOURS = dict(zip(DETECTORS, (VERMILION, ORANGE, SKY, GREEN), strict=True))
SHOWN_SCORE = 0.5  # boxes below are not drawn


@dataclass(frozen=True)
class Step:
    """One step of a detector: wall-clock `seconds` so far, and the `share` of it that is done, 0 to 1."""

    name: str
    seconds: float
    share: float = 1.0

    @property
    def whole(self) -> float:
        """Seconds for all of it: measured, or from what is done."""
        return self.seconds / self.share if self.share else 0.0


@dataclass(frozen=True, eq=False)
class Run:
    """What a detector found in a picture and what each of its steps took; best boxes first.

    `boxes` float32 (n, 4) xyxy, `labels` int64 (n,) from 1 in the order of `scenes.THINGS`, `scores` (n,) in 0 to 1.
    """

    detector: str
    boxes: Tensor
    labels: Tensor
    scores: Tensor
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """Of all steps, those under way as far as they are done."""
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, eq=False)
class Search:
    """The boxes of selective search, float32 (n, 4) xyxy, in a fixed order, and the seconds that it took."""

    boxes: Tensor
    seconds: float


@st.cache_resource(max_entries=64, show_spinner="Selective search")  # shared and only read
def searched(image: np.ndarray, mode: str) -> Search:
    """All boxes of a picture, once for all visitors."""
    start = perf_counter()
    boxes = selective_search.by_opencv(image, mode)
    return Search(torch.from_numpy(in_order(boxes).astype(np.float32)), perf_counter() - start)


def in_order(boxes: np.ndarray) -> np.ndarray:
    """The same boxes (n, 4), large ones rather first: the place by area times a random number, the same every time.

    The paper weights the place in the hierarchy so. OpenCV does as well, but each time in another order, and all four
    detectors are to have the same boxes.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    large_first = boxes[np.lexsort((*boxes.T, -area))]
    return large_first[np.argsort(np.random.default_rng(0).random(len(boxes)) * np.arange(1, len(boxes) + 1))]


@dataclass(frozen=True, eq=False)
class Look:
    """What all sections look at: a picture, and as many of its proposals as were asked for."""

    picture: Picture
    mode: str
    most: int

    @cached_property
    def searched(self) -> Search:
        return searched(self.picture.image, self.mode)

    @property
    def boxes(self) -> Tensor:
        """The proposals, float32 (n, 4) xyxy in pixels; fewer than `most` where selective search found no more."""
        return self.searched.boxes[: self.most]

    @property
    def search(self) -> Step:
        """The first step of the three detectors that are handed boxes."""
        return Step("selective search", self.searched.seconds)


def choose() -> Look:
    """Draw the choice of a picture, of the kind of selective search, and of the number of proposals."""
    with st.container(key="choices-rcnn", horizontal=True):
        picture = pictures.choose("rcnn", seed=SEED)
        most = st.selectbox(
            "Proposals", COUNTS, COUNTS.index(100), key="rcnn_count", width=160, label_visibility="collapsed",
            format_func=lambda each: f"{each} proposals", **KEPT,
        )  # fmt: skip
        mode = st.selectbox(
            "Selective search", MODES, key="rcnn_mode", width=150, label_visibility="collapsed",
            format_func=lambda each: f"{each} search", **KEPT,
        )  # fmt: skip
    return Look(picture, mode, most)


def truths(look: Look) -> list[Box]:
    """The true boxes, dashed and white; none for a photograph."""
    there = [] if look.picture.view is None else look.picture.view.instances
    return [Box(f"truth-{i}", xyxy(thing.box), "", WHITE, dash=True, width=1.5, note=f"{thing.label}, the truth")
            for i, thing in enumerate(there)]  # fmt: skip


def best_fit(look: Look) -> int:
    """The number of the proposal that fits some thing best; 1 where nothing is known."""
    if look.picture.view is None or not look.picture.view.instances:
        return 1
    things = torch.from_numpy(np.array([thing.box for thing in look.picture.view.instances], np.float32))
    return int(iou_matrix(look.boxes, things).amax(1).argmax()) + 1


def found_in(look: Look, run: Run, key: str, lowest: float = SHOWN_SCORE, score: str = "score") -> None:
    """The picture with the boxes of a run whose score, or what it is called, reaches `lowest`, and the truth."""
    sure = (run.scores >= lowest).nonzero().flatten().tolist()
    boxes = [
        Box(f"found-{i}", xyxy(run.boxes[i]), f"{THINGS[int(run.labels[i]) - 1]} {float(run.scores[i]):.2f}",
            COLOURS[run.detector], width=2.5) for i in reversed(sure)
    ]  # fmt: skip
    stage(key, zoom=False).show(
        look.picture.image, [Boxes([*truths(look), *boxes])], alt=f"What {run.detector} found",
        caption=f"{run.detector}: {len(sure)} box{'es' * (len(sure) != 1)} with a {score} of {lowest:g} or more."
        + (" White, dashed: the truth." if look.picture.view is not None else ""),
    )  # fmt: skip


def bars(runs: Sequence[Run]) -> None:
    """The steps of each run as bars one after the other, all in one scale; what is still to come is pale."""
    longest = max((sum(max(step.whole, step.seconds) for step in run.steps) for run in runs), default=0.0) or 1.0
    st.html("".join(_bars_of(run, longest) for run in runs))


def _bars_of(run: Run, longest: float) -> str:
    rows, before = [], 0.0
    for step in run.steps:
        left, done, whole = (100 * each / longest for each in (before, step.seconds, max(step.whole, step.seconds)))
        before += max(step.whole, step.seconds)
        rows.append(
            f'<div style="flex:0 0 10.5em;overflow-wrap:anywhere">{escape(step.name)}</div>'
            '<div style="flex:1 1 8em;position:relative;height:.9em;background:color-mix(in srgb,currentColor 8%,'
            'transparent);border-radius:3px;overflow:hidden">'
            f'<i style="position:absolute;left:{left:.2f}%;width:{whole:.2f}%;height:100%;background:'
            f'{COLOURS[run.detector]};opacity:.3"></i>'
            f'<i style="position:absolute;left:{left:.2f}%;width:max({done:.2f}%,2px);height:100%;background:'
            f'{COLOURS[run.detector]}"></i></div>'
            f'<div style="flex:0 0 4.5em;text-align:right;font-variant-numeric:tabular-nums">'
            f"{duration(step.seconds)}</div>"
        )
    lines = "".join(f'<div style="display:flex;gap:.7em;align-items:center;margin:.15em 0">{row}</div>' for row in rows)
    return f"<div><b>{escape(run.detector)}</b>, together {duration(run.seconds)}{lines}</div>"


def numbered(label: str, count: int, value: int, key: str) -> AbstractContextManager[int]:
    """A slider through `count` things from 1 on; where there is one alone, no slider and always 1."""
    if count < 2:
        return nullcontext(1)
    return live_slider(label, 1, count, value, key=key, play=True, play_seconds=20)


def duration(seconds: float) -> str:
    """Seconds in words: 0.8 ms, 47 ms, 3.2 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def xyxy(box: Tensor | np.ndarray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
