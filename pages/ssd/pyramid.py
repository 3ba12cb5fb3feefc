"""The pyramid of grids: how large the boxes of each grid are, how many there are, and what they can reach."""

from contextlib import ExitStack
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
import torch

from labs import default_boxes
from labs.boxes import iou_matrix
from labs.default_boxes import DefaultBoxes
from models.networks import ssd
from pages.shared.known_truth import Truth, truth_of
from pages.ssd.shared import BLUE, GRID_COLOURS, ORANGE, WHITE, counted, grid_name, size_of, xyxy
from ui import page
from ui.components import Box, Boxes, GridLines, Points, address, live_slider, stage, words
from ui.pictures import Picture

SSD300, OURS = "SSD300", "this lab's"
SMALLEST, LARGEST = "ssd_smallest", "ssd_largest"  # of the address
SHAPES = {"published": None, "squares": (), "2:1": (2,), "3:1": (2, 3)}
SHARES = {"under a half": 0.5, "a half to two thirds": 2 / 3, "two thirds to four fifths": 0.8, "more": 2.0}


@dataclass(frozen=True)
class Pyramid:
    """`grids`, finest first; `scales` as shares of the picture, the smallest of the even ones and the largest; `ratios`
    of each grid; `side` of the picture in pixels, and `steps` between positions, or None for side / cells."""

    grids: tuple[int, ...]
    scales: tuple[float, float]
    ratios: tuple[tuple[float, ...], ...]
    side: int
    steps: tuple[int, ...] | None = None


PYRAMIDS = {
    SSD300: Pyramid(
        default_boxes.SSD300_GRIDS, (0.2, 0.9), default_boxes.SSD300_RATIOS, 300, default_boxes.SSD300_STEPS
    ),
    OURS: Pyramid(ssd.GRIDS, (2 * ssd.SCALES[0], ssd.SCALES[-2]), ssd.RATIOS, ssd.SIZE),
}


@dataclass(frozen=True, eq=False)
class Choice:
    """One live choice: the grid that is shown, `at` from 0, and all boxes that the sliders make."""

    grids: tuple[int, ...]
    scales: list[float]
    ratios: tuple[tuple[float, ...], ...]
    at: int
    boxes: DefaultBoxes
    pitch: float

    @property
    def counts(self) -> list[int]:
        return default_boxes.count(self.grids, self.ratios)

    @property
    def cells(self) -> int:
        return self.grids[self.at]


def grids_control() -> str:
    """Whose grids: the paper's six, or the four that the lab's network was trained with."""
    with st.container(key="line-ssd"):
        return st.segmented_control(
            "Grids", list(PYRAMIDS), default=SSD300, required=True, key="ssd_grids", bind="query-params",
            on_change=back_to_published, help="SSD300 is the paper's network, on pictures of 300×300 pixels.",
        )  # fmt: skip


def back_to_published() -> None:
    """Another pyramid begins with its own scales."""
    for key, scale in zip((SMALLEST, LARGEST), PYRAMIDS[st.session_state["ssd_grids"]].scales, strict=True):
        st.session_state[key] = scale


def controls(sliders: ExitStack, picture: Picture, name: str) -> Choice:
    """The sliders, acknowledged when `sliders` closes, and the boxes that they mean."""
    pyramid = PYRAMIDS[name]
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
    at = slide("Grid", options=[grid_name(cells) for cells in pyramid.grids], value=grid_name(pyramid.grids[2]),
               key=f"ssd_grid_{len(pyramid.grids)}", help="From the finest to the coarsest.")  # fmt: skip
    smallest = slide(
        "Smallest scale", 0.06, 0.3, pyramid.scales[0], step=0.01, key=SMALLEST, format="%.2f",
        help="Of the second grid, as a share of the picture's side. The finest grid has half of it.",
    )  # fmt: skip
    largest = slide("Largest scale", 0.3, 1.0, pyramid.scales[1], step=0.01, key=LARGEST, format="%.2f",
                    help="Of the coarsest grid. The scales between are evenly spaced.")  # fmt: skip
    shapes = st.segmented_control(
        "Shapes", list(SHAPES), default="published", required=True, key="ssd_shapes", bind="query-params",
        help="Two squares a position; 2:1 adds a lying and a standing box of that ratio, 3:1 another two.",
    )  # fmt: skip
    chosen = SHAPES[shapes]
    ratios = pyramid.ratios if chosen is None else (chosen,) * len(pyramid.grids)
    scales = default_boxes.scales(len(pyramid.grids), smallest, largest, finest=smallest / 2)
    height, width = picture.image.shape[:2]
    steps = pyramid.steps and [step * width / pyramid.side for step in pyramid.steps]
    boxes = default_boxes.default_boxes(pyramid.grids, scales, ratios, height, width, steps)
    at = [grid_name(cells) for cells in pyramid.grids].index(at)
    pitch = steps[at] if steps else width / pyramid.grids[at]
    return Choice(pyramid.grids, scales, ratios, at, boxes, pitch)


@st.fragment
@page.guard()
def play(picture: Picture, name: str) -> None:
    page.section("Play", "Every cell of every grid has its boxes. Drag the grid, click a cell.")
    truth = truth_of(picture)
    with ExitStack() as sliders:
        with st.container(key="beside-ssd"):
            canvas, side = st.columns([3, 2], gap="large")
        with side:
            choice = controls(sliders, picture, name)
            summary(picture, choice)
        with canvas:
            best = reached(truth, choice)
            draw(picture, truth, best, choice)
        with side:
            if truth is not None:
                words(reach_in_words(truth, best, choice), "ssd_reach")
        question(choice)


def reached(truth: Truth | None, choice: Choice) -> list[tuple[float, int]]:
    """Per truth the IoU of its best default box, and that box."""
    if truth is None or not len(truth.boxes):
        return []
    best = iou_matrix(truth.boxes, choice.boxes.boxes).max(1)
    return list(zip(best.values.tolist(), best.indices.tolist(), strict=True))


def position_at(view, choice: Choice, side: float) -> tuple[int, int]:
    """Row and column of the position nearest to the last click, kept in the address as a place; else the middle's."""
    if view.clicked:
        address.keep("ssd_at", f"{view.click.x:.0f},{view.click.y:.0f}")
    middle = [side / 2, side / 2]
    try:
        x, y = address.numbers("ssd_at", 2) or middle
    except ValueError:
        x, y = middle
        page.problem("The link's ssd_at is not a place like 112,96: click on the picture instead.")
    row, column = (min(max(int(at / choice.pitch), 0), choice.cells - 1) for at in (y, x))
    return row, column


def draw(picture: Picture, truth: Truth | None, best: list[tuple[float, int]], choice: Choice) -> None:
    """The chosen grid, the boxes of one of its positions, and how well the pyramid reaches the things."""
    view = stage("ssd_pyramid", width=620)
    row, column = position_at(view, choice, picture.image.shape[1])
    per = 2 + 2 * len(choice.ratios[choice.at])
    start = sum(choice.counts[: choice.at]) + (row * choice.cells + column) * per
    colour = GRID_COLOURS[choice.at]
    own = [
        Box(f"default-{k}", xyxy(choice.boxes.boxes[start + k]), colour=colour, width=2.5,
            note=f"{grid_name(choice.cells)}, row {row}, column {column}: {size_of(choice.boxes.boxes[start + k])} px")
        for k in range(per)
    ]  # fmt: skip
    things = [
        Box(f"truth-{i}", xyxy(truth.boxes[i]), f"{truth.name(i)} {overlap:.2f}", WHITE if overlap >= 0.5 else ORANGE,
            dash=overlap < 0.5, width=2, note=f"best box: IoU {overlap:.3f}")
        for i, (overlap, _) in enumerate(best)
    ]  # fmt: skip
    centre = torch.tensor([[column + 0.5, row + 0.5]]) * choice.pitch
    view.show(
        picture.image,
        [GridLines(stride=choice.pitch, colour="#FFFFFF77", width=0.75), Boxes([*things, *own]),
         Points(centre.numpy(), colour=BLUE, radius=5, ids=["position"])],
        pick=(choice.pitch / 2, choice.pitch),
        alt=f"A grid of {choice.cells}×{choice.cells} positions, the {per} default boxes of one, and "
        f"{counted(len(best), 'thing')}",
        caption="Coloured: the default boxes of one cell. On each thing the IoU of its best box in the whole pyramid; "
        "dashed orange: none reaches 0.5.",
    )  # fmt: skip


def summary(picture: Picture, choice: Choice) -> None:
    """One line a grid, the shown one first in line of sight, and the total."""
    side, lines = picture.image.shape[1], []
    for k, (cells, number) in enumerate(zip(choice.grids, choice.counts, strict=True)):
        per = number // cells**2
        text = f"{grid_name(cells)} × {per} = {number:,}"
        pixels = choice.scales[k] * side
        told = f"boxes of {pixels:.0f} px"
        lines.append(f"**{text}** {told}" if k == choice.at else f":gray[{text} {told}]")
    words("\n\n".join(lines), "ssd_counts")


def reach_in_words(truth: Truth, best: list[tuple[float, int]], choice: Choice) -> str:
    if not best:
        return "**No thing in this scene**, so every default box is background."
    near = sum(overlap >= 0.5 for overlap, _ in best)
    worst = min(range(len(best)), key=lambda i: best[i][0])
    return (
        f"**{near} of {counted(len(best), 'thing')}** {'has' if near == 1 else 'have'} a default box with IoU ≥ 0.5. "
        f"Worst off: the {truth.name(worst)} of {size_of(truth.boxes[worst])} px, {best[worst][0]:.2f}."
    )


def question(choice: Choice) -> None:
    """Where the boxes are: asked before they are counted."""
    total, finest = sum(choice.counts), choice.counts[0]
    asked = (
        f"{len(choice.grids)} grids, from {grid_name(choice.grids[0])} to {grid_name(choice.grids[-1])}: which share "
        "of all default boxes stands on the finest?"
    )
    with page.predict("ssd-finest", asked, list(SHARES)) as prediction:
        words(f"**{total:,} default boxes** in all: {' + '.join(f'{each:,}' for each in choice.counts)}", "ssd_total")
        names = [grid_name(cells) for cells in choice.grids]
        bars = go.Bar(x=names, y=choice.counts, marker={"color": GRID_COLOURS[: len(names)]},
                      hovertemplate="%{x}: %{y:,} boxes<extra></extra>")  # fmt: skip
        figure = go.Figure(bars)
        figure.update_layout(xaxis={"title": "grid", "type": "category"}, yaxis={"title": "default boxes"})
        page.figure(figure, "ssd_bars", height=260, alt="Default boxes of every grid")
        prediction.outcome(
            next(name for name, limit in SHARES.items() if finest / total < limit),
            f"{finest:,} of {total:,}, {finest / total:.0%}. Half as many cells a side are a quarter of the boxes, so "
            "one place for a large thing costs little, and places for small things cost nearly all.",
        )  # fmt: skip
