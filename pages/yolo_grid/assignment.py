"""The grid on the picture: which cell answers for which thing, and where two things meet in one cell."""

from contextlib import ExitStack
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from labs import yolo_grid
from labs.boxes import centre_form
from labs.yolo_grid import Assignment, Grid
from pages.yolo_grid.collisions import typical_shapes
from pages.yolo_grid.shared import (
    BLUE,
    ORANGE,
    UNKNOWN,
    VERMILION,
    WHITE,
    WRITTEN,
    Truth,
    cell_box,
    chosen_cell,
    listed,
    middles,
    outline,
    xyxy,
)
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, GridLines, Lines, Points, live_slider, stage, words
from ui.pictures import Picture

LARGEST_GRID, MOST_PREDICTORS, MOST_CLASSES = 32, 6, 100
RULES = {"best": "only its best (YOLOv2)", "free": "any free one (this lab)"}
PRESETS = {
    "This lab: S 7 · B 3 · C 8": ("cell", 7, 3, len(THINGS)),
    "YOLOv1: S 7 · B 2 · C 20": ("cell", 7, 2, 20),
    "YOLOv2: S 13 · B 5 · C 20": ("anchor", 13, 5, 20),
}


@dataclass(frozen=True, eq=False)
class Choice:
    """One live choice of grid: `layout`, S = grid.cells, B = `predictors`, C = `classes`, `anchors` (B, 2) or None, and
    the `rule` by which things get anchors."""

    layout: str
    grid: Grid
    predictors: int
    classes: int
    anchors: Tensor | None
    rule: str = "best"

    @property
    def channels(self) -> int:
        return yolo_grid.channels(self.layout, self.predictors, self.classes)

    @property
    def numbers(self) -> int:
        """How many numbers the whole output has."""
        return self.grid.cells**2 * self.channels


def layout_control() -> str:
    """The switch that all sections follow, and presets for the numbers of the lectures and papers."""
    with st.container(key="line-yolo", horizontal=True):
        layout = st.segmented_control(
            "One set of classes per", yolo_grid.LAYOUTS, default="cell", required=True, key="yolo_layout",
            bind="query-params",
            help=f"Per cell: {WRITTEN['cell']}, the B boxes of a cell share its classes, as in YOLOv1. Per anchor: "
            f"{WRITTEN['anchor']}, every box has an anchor shape and classes of its own, as in YOLOv2 and later.",
        )  # fmt: skip
        presets = st.popover("Presets", icon=":material/bookmarks:")
        for name, preset in PRESETS.items():
            presets.button(name, key=f"yolo_preset_{name}", on_click=take, args=preset, help=WRITTEN[preset[0]])
    return layout


def take(layout: str, cells: int, predictors: int, classes: int) -> None:
    st.session_state.update(yolo_layout=layout, yolo_s=cells, yolo_b=predictors, yolo_c=classes)


def controls(sliders: ExitStack, layout: str, size: tuple[int, int]) -> Choice:
    """The sliders, acknowledged when `sliders` closes, and what they mean."""
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
    cells = slide("Grid S", 1, LARGEST_GRID, 7, key="yolo_s", play=True, play_seconds=6,
                  help="The picture is cut into S×S cells.")  # fmt: skip
    predictors = slide("Boxes per cell B", 1, MOST_PREDICTORS, 3, key="yolo_b")
    classes = slide("Classes C", len(THINGS), MOST_CLASSES, len(THINGS), key="yolo_c",
                    help="Lab World has 8, Pascal VOC 20, COCO 80.")  # fmt: skip
    if layout == "cell":
        return Choice(layout, Grid(cells, *size), predictors, classes, None)
    rule = st.segmented_control(
        "A thing may have which anchor of its cell?", RULES, default="best", required=True, key="yolo_rule",
        format_func=RULES.get, bind="query-params",
        help="YOLOv2 gives a thing to the anchor whose shape fits it best: of two things of one shape in a cell, one "
        "is lost. The networks of this lab are trained with a kinder rule: the best anchor that is still free.",
    )  # fmt: skip
    return Choice(layout, Grid(cells, *size), predictors, classes, typical_shapes(predictors), rule)


def draw(picture: Picture, truth: Truth | None, choice: Choice) -> tuple[tuple[int, int], Assignment | None]:
    """The grid and who answers. Returns the chosen cell, and the assignment where the truth is known."""
    grid = choice.grid
    view = stage("yolo_grid", width=620)
    lines = GridLines(rows=grid.cells, cols=grid.cells, colour="#FFFFFFAA", width=0.75)
    if truth is None:
        cell = chosen_cell([view], grid, "yolo_at", (grid.width / 2, grid.height / 2))
        view.show(picture.image, [lines, Boxes(outline(cell, grid))], alt=f"A grid of {grid.cells}×{grid.cells} cells",
                  caption="Nobody has boxed the things here: no cell is known to answer for one.",
                  pick=middles(grid))  # fmt: skip
        return cell, None
    given = yolo_grid.assign(truth.boxes, truth.labels, grid, choice.anchors, choice.rule)
    cell = chosen_cell([view], grid, "yolo_at", interesting_place(truth, given, grid))
    centres = centre_form(truth.boxes)[:, :2]
    corners = given.cells.flip(1) * grid.pitch
    lost = set(given.collisions.tolist())
    layers = [
        lines,
        Boxes([*responsible(given, grid), *things(truth, lost), *outline(cell, grid)]),
        Lines(torch.cat([corners, centres], 1).numpy(), colour=ORANGE, width=2.5, arrow=True),
        Points(centres.numpy(), colour=ORANGE, radius=4.5, ids=[f"centre-{i}" for i in range(len(centres))],
               notes=[f"centre of {truth.name(i)}" for i in range(len(centres))]),
    ]  # fmt: skip
    view.show(
        picture.image, layers, pick=middles(grid),
        alt=f"{len(truth.boxes)} things on a grid of {grid.cells}×{grid.cells} cells, {len(lost)} without a cell",
        caption="Blue: the cell that a centre falls into answers for the thing. The arrow is what it must say: where "
        "in the cell the centre lies. Red: two things meet. Click a cell.",
    )  # fmt: skip
    return cell, given


def interesting_place(truth: Truth, given: Assignment, grid: Grid) -> tuple[float, float]:
    """The centre of a thing that shares its cell, else of the largest; without things the middle of the picture."""
    if not len(truth.boxes):
        return grid.width / 2, grid.height / 2
    form = centre_form(truth.boxes)
    together = (given.cells[:, None] == given.cells).all(-1).sum(1)
    index = together.argmax() if together.max() > 1 else form[:, 2:].prod(1).argmax()
    x, y = form[int(index), :2].tolist()
    return x, y


def responsible(given: Assignment, grid: Grid) -> list[Box]:
    """Blue cells answer for one thing; where two meet the cell is red and dashed."""
    cells, counts = given.cells.unique(dim=0, return_counts=True)
    return [
        cell_box((row, column), grid, f"cell-{row}-{column}", colour=BLUE if count == 1 else VERMILION, fill=0.35,
                 dash=count > 1, note=f"row {row}, column {column}: {count} {'thing' if count == 1 else 'things'}")
        for (row, column), count in zip(cells.tolist(), counts.tolist(), strict=True)
    ]  # fmt: skip


def things(truth: Truth, lost: set[int]) -> list[Box]:
    return [
        Box(f"truth-{i}", xyxy(box), f"lost: {truth.name(i)}" if i in lost else truth.name(i),
            VERMILION if i in lost else WHITE, dash=i in lost, width=2.5)
        for i, box in enumerate(truth.boxes)
    ]  # fmt: skip


def summary(choice: Choice) -> None:
    """The size of the output in both layouts, the current one first in line of sight."""
    s, b, c = choice.grid.cells, choice.predictors, choice.classes
    sizes = {
        "cell": (f"{s}×{s}×(5·{b} + {c}) = {s}×{s}×{5 * b + c}", s * s * (5 * b + c), "classes per cell, as YOLOv1"),
        "anchor": (f"{s}×{s}×{b}×(5 + {c}) = {s}×{s}×{b * (5 + c)}", s * s * b * (5 + c),
                   "classes per box, from YOLOv2 on"),
    }  # fmt: skip
    lines = []
    for name, (shape, numbers, meaning) in sizes.items():
        text = f"{shape} = {numbers:,} numbers"
        lines.append(f"**{text}** {meaning}" if name == choice.layout else f":gray[{text} {meaning}]")
    words("\n\n".join(lines), "yolo_sizes")


def verdict(truth: Truth | None, choice: Choice, given: Assignment | None) -> None:
    """Who shares a cell in this scene, and who is lost by it."""
    if given is None:
        words(UNKNOWN.format("nobody knows which cell should answer for what"), "yolo_verdict")
        return
    count, cells = len(truth.boxes), choice.grid.cells**2
    if not count:
        words(f"**No thing in this scene**: none of the {cells:,} cells answers for anything, and training asks all "
              "their boxes for confidence 0.", "yolo_verdict")  # fmt: skip
        return
    occupied, members = given.cells.unique(dim=0, return_inverse=True)
    met, lost = [], given.collisions.tolist()
    for index, (row, column) in enumerate(occupied.tolist()):
        inside = (members == index).nonzero()[:, 0].tolist()
        if len(inside) > 1:
            met.append(f"{listed([truth.name(i) for i in inside])} share row {row}, column {column}")
    collided = f"**{len(met)} {'collision' if len(met) == 1 else 'collisions'}**"
    answer = "cell answers" if cells == 1 else "cells answer"
    text = [f"{count} {'thing' if count == 1 else 'things'}, {len(occupied)} of {cells:,} {answer}: {collided}."]
    if met:
        text.append("; ".join(met) + ".")
        if choice.anchors is None:
            place = "A cell answers for one thing"
        elif choice.rule == "best":
            place = "A thing may have only the anchor that fits it best, and an anchor answers for one thing"
        else:
            place = f"A cell answers for {choice.predictors} things, one per anchor"
        text.append(
            f"{place}: " + (f"**lost: {listed([truth.name(i) for i in lost])}**." if lost else "nothing is lost.")
            + " :gray[Larger things choose first here; the papers name no order.]"
        )
    words("\n\n".join(text), "yolo_verdict")


def size_question(choice: Choice) -> None:
    """How the output grows with S: asked of another grid than the one that is drawn."""
    b, c, layout = choice.predictors, choice.classes, choice.layout
    now, other = choice.grid.cells, 2 * choice.grid.cells
    deep, right = choice.channels, other**2 * choice.channels
    with page.predict(
        "yolo-size", f"With S = {other} in place of {now}, and the same B and C: how many numbers come out?",
        [f"{number:,}" for number in sorted({choice.numbers, 2 * choice.numbers, right, 8 * choice.numbers})],
    ) as prediction:  # fmt: skip
        lines = ["| S | " + " | ".join(WRITTEN[each] for each in yolo_grid.LAYOUTS) + " |", "|---:|---:|---:|"]
        for s in (now, other):
            sizes = (s * s * yolo_grid.channels(each, b, c) for each in yolo_grid.LAYOUTS)
            lines.append(f"| {s} | " + " | ".join(f"{size:,}" for size in sizes) + " |")
        st.markdown("\n".join(lines))
        prediction.outcome(
            f"{right:,}", f"because the depth of {deep} stays and the cells are four times as many: "
            f"{WRITTEN[layout]} = {other}×{other}×{deep} = {right:,}.",
        )  # fmt: skip
