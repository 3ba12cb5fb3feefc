"""The box moves by fractions of a cell: RoI Pool's staircase, RoI Align's line, and what each tells the box."""

from itertools import pairwise

import numpy as np
import streamlit as st
import torch

from labs import roi_pooling as rp
from pages.roi_pooling.rounded import open_pool
from pages.roi_pooling.sampled import open_samples
from pages.roi_pooling.shared import ALIGN, COLOURS, METHODS, POOL, Choice, number, output_grids
from pages.roi_pooling.window import ground, window_of
from ui.components import Lines, Points, following, matrices, stage

REACH, STEPS = 1.0, 64  # cells to either side, and steps on the way
WIDE, HIGH = 100.0, 50.0  # of the drawing
LEFT, RIGHT, TOP, BOTTOM = 11.0, 34.0, 4.0, 6.0  # margins
NAME = 4.5  # height of a name


def curves(choice: Choice, row: int, column: int) -> dict[str, np.ndarray]:
    """Value of one bin for STEPS + 1 shifts from -REACH to REACH cells, per method."""
    start = choice.frames.resized - choice.shift * choice.stride * torch.tensor([1.0, 0.0, 1.0, 0.0])
    shifts = torch.linspace(-REACH, REACH, STEPS + 1) * choice.stride
    boxes = start + shifts[:, None] * torch.tensor([1.0, 0.0, 1.0, 0.0])
    return {method: choice.pooled(method, boxes)[:, row, column].numpy() for method in METHODS}


def draw(choice: Choice, row: int, column: int) -> None:
    """Both methods on the region, what they hand on, the curves with a mark at the shift of this moment, gradients."""
    views(choice, row, column)
    if following("roi_scene"):  # every place of the box has curves of its own: they come when it rests
        return
    left, right = st.columns([3, 2], gap="medium")
    found = curves(choice, row, column)
    with left:
        chart(choice, found, row, column)
    if following():
        return
    with right:
        gradients(choice, row, column)
        changes, moves = (int((np.diff(found[method]) != 0).sum()) for method in (POOL, ALIGN))
        st.markdown(
            f"On the way from −1 to 1 cell RoI Pool's value changes at **{changes} of {STEPS}** steps and is the same "
            f"in between; RoI Align's changes at **{moves}**."
        )


def views(choice: Choice, row: int, column: int) -> None:
    """The region as RoI Pool and as RoI Align read it, and the outputs of both."""
    window = window_of(choice)
    panels = st.columns([5, 5, 2], gap="medium")
    told = {POOL: "Red: rounded to whole cells. Dots: the maxima.", ALIGN: "Blue: what is sampled. White: the samples."}
    for panel, method, opened in zip(panels, told, (open_pool, open_samples), strict=False):
        view = stage(f"roi_shift_{method}", window=2, zoom=False)
        stages, _, _ = opened(choice, method, window, view)
        read = stages[3] if method == POOL else stages[3][: len(stages[2]) + 1]  # not the weights of one sample
        with panel:
            view.show(
                None, [*ground(choice, window), *read],
                size=(window.side, window.side), alt=f"{method} while the box shifts",
                caption=f"{method}. {told[method]}",
            )  # fmt: skip
    with panels[2]:
        matrices("roi_shift_outputs", window=2).show(
            output_grids(choice, (POOL, ALIGN), {2: 46, 7: 18, 14: 9}[choice.settings.output]),
            highlight=[(name, row, column) for name in (POOL, ALIGN)], caption="Marked: the bin of the curves.",
        )  # fmt: skip


def chart(choice: Choice, found: dict[str, np.ndarray], row: int, column: int) -> None:
    """Drawn on a stage, which follows the hand at full rate."""
    low, high = min(v.min() for v in found.values()), max(v.max() for v in found.values())
    span = max(float(high - low), 1e-6)
    xs = np.linspace(LEFT, WIDE - RIGHT, STEPS + 1)
    height = lambda values: HIGH - BOTTOM - (values - low) / span * (HIGH - BOTTOM - TOP)  # noqa: E731
    layers = axes(low, span, height)
    at = LEFT + (choice.shift + REACH) / (2 * REACH) * (WIDE - RIGHT - LEFT)
    for method, values in found.items():
        x, y = (stairs if method == POOL else corners)(xs, height(values))
        layers.append(Lines(np.stack([x[:-1], y[:-1], x[1:], y[1:]], 1), COLOURS[method], 3))
    for method in METHODS:
        value = choice.pooled(method)[0, row, column].numpy()
        layers.append(Points(np.array([[at, height(value)]]), COLOURS[method], 7))
    ends = spread([float(height(found[method][-1])) for method in METHODS])
    for method, y in zip(METHODS, ends, strict=True):
        layers.append(Points(np.array([[WIDE - RIGHT + 1.5, y]]), COLOURS[method], 4, labels=[method]))
    stage("roi_curve", zoom=False, window=2).show(
        None, layers, size=(WIDE, HIGH), alt="Value of one bin against the shift of the box, for each method",
        caption=f"Value of bin ({row}, {column}), upwards, against the shift of the box in cells, to the right.",
    )  # fmt: skip


def axes(low: float, span: float, height) -> list:
    """Lines every half cell and at three values, with their numbers."""
    shifts, values = np.linspace(-REACH, REACH, 5), low + span * np.array([0.0, 0.5, 1.0])
    x = LEFT + (shifts + REACH) / (2 * REACH) * (WIDE - RIGHT - LEFT)
    y = height(values)
    lines = [(a, TOP, a, HIGH - BOTTOM) for a in x] + [(LEFT, b, WIDE - RIGHT, b) for b in y]
    marks = [(a - 1.5, HIGH - 2) for a in x] + [(0.6, b) for b in y]
    named = [f"{shift:g}".replace("-", "−") for shift in shifts] + [number(value) for value in values]
    return [Lines(np.array(lines), "#88888866", 1), Points(np.array(marks), "#88888800", 0, labels=named)]


def spread(heights: list[float]) -> list[float]:
    """The heights, moved apart until names beside them do not touch; their order is kept."""
    order = np.argsort(heights, kind="stable")
    placed = np.array(heights, float)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + NAME)
    return (placed - max(0.0, placed.max() - (HIGH - BOTTOM))).tolist()


def corners(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points where a broken line bends, and its ends."""
    bends = np.abs(np.diff(y, 2)) > 1e-3
    kept = np.concatenate([[True], bends, [True]])
    return x[kept], y[kept]


def stairs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level, then straight up or down: the values in between are never taken."""
    return corners(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1])


def gradients(choice: Choice, row: int, column: int) -> None:
    """How much the bin changes per pixel that an edge of the box moves."""
    found = []
    for method in METHODS:
        pool = lambda boxes, method=method: choice.pooled(method, boxes)[:, row, column]  # noqa: E731
        found.append(rp.box_gradient(pool, choice.frames.resized).tolist())
    lines = ["| | " + " | ".join(METHODS) + " |", "|---|---:|---:|---:|"]
    for edge, values in zip(("x1", "y1", "x2", "y2"), zip(*found, strict=True), strict=True):
        lines.append(f"| {edge} | " + " | ".join(f"{v:+.4f}".replace("-", "−") if v else "0" for v in values) + " |")
    st.markdown(f"**Gradient of bin ({row}, {column}) with respect to the box**\n\n" + "\n".join(lines))
    st.caption(
        "Change per pixel of the resized picture, by autograd through this page's own functions. RoI Pool's is zero "
        "wherever it is defined: a rounded edge stays while the box moves a little. torchvision's operators "
        "give the box no gradient."
    )
