"""What a class has drawn on one picture: every box or place, where they lie densest, and how well they agree.

ui/ imports no other room of the house, so the door (app.py) hands `labs.class_agreement` in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ui import figures
from ui.components import Box, Boxes, Heat, Points, stage
from ui.guesses import MATCH, Region
from ui.rooms.tally import COLOURS, ROUND, shown_rounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN = 200  # marks on a picture at most; heat map and figures count all
CLEAR = 0.02  # of the heat: less is not drawn
COMPARED = 1_000  # annotators at most whose pairs are compared
SKY, ORANGE, WHITE = "#56B4E9", "#E69F00", "#FFFFFF"
_load: Callable[[], ModuleType] | None = None


def register(load: Callable[[], ModuleType]) -> None:
    """``load`` returns `labs.class_agreement`; it is called when a class has drawn something."""
    global _load
    _load = load


def _lab() -> ModuleType:
    if _load is None:
        raise RuntimeError("Start the lab through app.py: it tells ui.rooms.collected how agreement is measured.")
    return _load()


class Found(NamedTuple):
    """A round in numbers: IoU for boxes, pixels for places.

    `each` are the pairs of annotators, `truth` everybody with the truth (None without one), `hits` how many meet it (an
    IoU of 0.5, or inside), `centre` the index of the box that agrees best with all.
    """

    each: NDArray[np.float64]
    truth: NDArray[np.float64] | None
    hits: int
    centre: int | None


@st.cache_data(max_entries=60, show_spinner=False)
def found(marks: tuple[tuple[float, ...], ...], truth: tuple[float, ...] | None) -> Found:
    """How boxes (four numbers) or places (two) agree; a whole class asks the same."""
    import torch

    lab, drawn = _lab(), torch.tensor(marks, dtype=torch.float64)
    compared, aim = drawn[:: -(-len(drawn) // COMPARED)], torch.tensor(truth or (), dtype=torch.float64)
    if drawn.shape[1] == 4:
        overlaps = lab.with_truth(drawn, aim).numpy() if truth else None
        hits = int((overlaps >= MATCH).sum()) if overlaps is not None else 0
        centre = lab.most_agreed(drawn) if 2 < len(drawn) <= COMPARED else None
        return Found(lab.pairwise(compared).numpy(), overlaps, hits, centre)
    away = lab.distances(drawn, aim).numpy() if truth else None
    return Found(lab.apart(compared).numpy(), away, int(lab.inside(drawn, aim).sum()) if truth else 0, None)


def density(kind: Region, marks: Sequence[Sequence[float]]) -> np.ndarray:
    """Where the class has pointed, float (H, W) of a quarter of the picture: the share of boxes that cover a place, or
    places under a bell of 3 % of the picture's width, at most 1; zeros without answers."""
    height, width = kind.picture.shape[:2]
    ys, xs = np.mgrid[0 : max(1, height // 4), 0 : max(1, width // 4)] * 4.0 + 2.0
    heat = np.zeros(xs.shape)
    for mark in marks:
        if len(mark) == 4:
            heat += (xs >= mark[0]) & (xs <= mark[2]) & (ys >= mark[1]) & (ys <= mark[3])
        else:
            heat += np.exp(-((xs - mark[0]) ** 2 + (ys - mark[1]) ** 2) / (2 * (0.03 * width) ** 2))
    most = len(marks) if kind.start is not None else heat.max()
    return heat / most if len(marks) else heat


def draw(kind: Region, rounds: tuple[list[str], list[str]], key: str, truth: Sequence[float] | None = None) -> None:
    """Both rounds side by side: the picture with all marks, and below it how well they agree with each other, and with
    the `truth` (xyxy, pixels) where it may be seen."""
    shown = shown_rounds(rounds)
    aim = None if truth is None else tuple(map(float, truth))
    marks = [tuple(mark for text in rounds[number] if (mark := kind.read(text)) is not None) for number in shown]
    for number, drawn, place in zip(shown, marks, st.columns(len(shown)) if len(shown) > 1 else [st.container()]):
        with place:
            told = found(drawn, aim) if drawn else None
            said = f"{ROUND[number]}: {_many(len(drawn), 'answer')}"
            stage(f"{key}-{number}", width=kind.width, zoom=False).show(
                kind.picture,
                _layers(kind, drawn, told, aim),
                alt=f"{kind.alt}. {said}",
                caption=f"{said}. {_legend(kind, told, aim)}",
            )
            if told is not None:
                st.markdown(_words(kind, told, len(drawn)))
    told = [found(drawn, aim) if drawn else None for drawn in marks]
    if any(each is not None and len(each.each) for each in told):
        charts = st.columns(2 if aim else 1)
        unit = "IoU" if kind.start is not None else "pixels"
        with charts[0]:
            pairs = [None if each is None else each.each for each in told]
            _histogram(f"{unit} of every two annotators", "pairs", pairs, shown, f"{key}-each")
        if aim:
            with charts[1]:
                truths = [None if each is None else each.truth for each in told]
                _histogram("IoU with the truth" if unit == "IoU" else "pixels from the truth", "annotators", truths,
                           shown, f"{key}-truth")  # fmt: skip


def _layers(kind: Region, marks: Sequence[tuple], told: Found | None, aim: tuple | None) -> list:
    heat = density(kind, marks)
    heat[heat < CLEAR] = np.nan  # where nobody was the picture stays as it is
    layers: list = [Heat(heat, palette="magma", vmin=0, vmax=1, opacity=0.5)]
    few = range(0, len(marks), -(-len(marks) // DRAWN)) if marks else ()
    boxes = [Box("truth", aim, "truth", WHITE, dash=True, width=3)] if aim else []
    if kind.start is None:
        if marks:
            layers.append(Points(np.array([marks[number] for number in few]), colour=SKY, radius=4))
    else:
        centre = None if told is None else told.centre
        boxes += [Box(f"mark-{number}", marks[number], colour=SKY, width=1.5) for number in few if number != centre]
        if centre is not None:
            boxes.append(Box("centre", marks[centre], "most agreed", ORANGE, width=3))
    return [*layers, Boxes(boxes)]


def _legend(kind: Region, told: Found | None, aim: tuple | None) -> str:
    parts = ["Light blue: everybody's." if kind.start is not None else "Light blue: every place."]
    if told is not None and told.centre is not None:
        parts.append("Orange: the box that agrees best with all others.")
    if aim:
        parts.append("White, dashed: the truth.")
    return " ".join(parts)


def _words(kind: Region, told: Found, count: int) -> str:
    """Median, best and worst with the truth; the mean of all pairs."""
    lines = []
    if kind.start is not None:
        if told.truth is not None:
            middle, worst, best = _middle(told.truth), told.truth.min(), told.truth.max()
            lines.append(f"With the truth: median IoU **{middle:.2f}**, worst {worst:.2f}, best {best:.2f}; "
                         f"**{told.hits} of {count}** reach {MATCH:g}.")  # fmt: skip
        if len(told.each):
            lines.append(f"With each other: mean IoU **{told.each.mean():.2f}** over {_many(len(told.each), 'pair')}.")
    else:
        if told.truth is not None:
            lines.append(f"**{told.hits} of {count}** inside the truth; median distance from it "
                         f"**{_middle(told.truth):.0f} px**, largest {told.truth.max():.0f} px.")  # fmt: skip
        if len(told.each):
            lines.append(f"Apart from each other: **{told.each.mean():.0f} px** on average.")
    return "  \n".join(lines)


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def _middle(numbers: np.ndarray) -> float:
    import torch

    return _lab().middle(torch.from_numpy(numbers))


def _histogram(title: str, counted: str, rounds: Sequence[np.ndarray | None], shown: Sequence[int], key: str) -> None:
    """Tenths of an IoU, or of the largest distance; rounds side by side."""
    whole = title.startswith("IoU")
    most = 1.0 if whole else max([10.0, *(float(each.max()) for each in rounds if each is not None and len(each))])
    edges = np.linspace(0, most, 11)
    digits = 1 if whole else 0
    names = [f"{low:.{digits}f} to {high:.{digits}f}" for low, high in pairwise(edges)]
    figure, said, largest = go.Figure(), [], 0
    for number, numbers in zip(shown, rounds):
        counts = np.histogram([] if numbers is None else numbers, edges)[0]
        largest = max(largest, counts.max())
        figure.add_bar(x=names, y=counts, name=ROUND[number], marker_color=COLOURS[number])
        said.append(f"{ROUND[number]}: " + ", ".join(f"{name} {count}" for name, count in zip(names, counts) if count))
    figure.update_xaxes(type="category", title=title)
    figure.update_yaxes(rangemode="tozero", title=counted, dtick=1 if largest < 8 else None)
    figure.update_layout(bargap=0.2, showlegend=len(shown) > 1)
    figures.show(figure, key, height=240, alt=f"{title}. {'; '.join(said)}")
