"""The box moves by fractions of a cell: RoI Pool's staircase, RoI Align's line, and what each tells the box."""

import numpy as np
import streamlit as st
import torch

from labs import roi_pooling as rp
from pages.roi_pooling.shared import ALIGN, COLOURS, METHODS, POOL, Choice, number
from ui import page
from ui.components import GridLines, Lines, Points, following, stage

REACH, STEPS = 1.0, 64  # cells to either side, and steps on the way
WIDE, HIGH, EDGE = 100.0, 46.0, 6.0  # of the drawing


def curves(choice: Choice, row: int, column: int) -> dict[str, np.ndarray]:
    """Value of one bin for STEPS + 1 shifts from -REACH to REACH cells, per method."""
    start = choice.frames.resized - choice.shift * choice.stride * torch.tensor([1.0, 0.0, 1.0, 0.0])
    shifts = torch.linspace(-REACH, REACH, STEPS + 1) * choice.stride
    boxes = start + shifts[:, None] * torch.tensor([1.0, 0.0, 1.0, 0.0])
    return {method: choice.pooled(method, boxes)[:, row, column].numpy() for method in METHODS}


def draw(choice: Choice, row: int, column: int) -> None:
    """The curves with a mark at the shift of this moment, and the gradients."""
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
            f"On the way from −1 to 1 cell RoI Pool's value changes at **{changes} of {STEPS}** steps and stands still "
            f"in between; RoI Align's changes at **{moves}**."
        )


def chart(choice: Choice, found: dict[str, np.ndarray], row: int, column: int) -> None:
    """Drawn on a stage, which follows the hand at full rate."""
    low, high = min(v.min() for v in found.values()), max(v.max() for v in found.values())
    span = max(float(high - low), 1e-6)
    xs = np.linspace(EDGE, WIDE - EDGE, STEPS + 1)
    height = lambda values: HIGH - EDGE - (values - low) / span * (HIGH - 2 * EDGE)  # noqa: E731
    layers = [GridLines(stride=(WIDE - 2 * EDGE) / 4, offset=(EDGE, HIGH - EDGE), colour="#88888866", width=1)]
    at = EDGE + (choice.shift + REACH) / (2 * REACH) * (WIDE - 2 * EDGE)
    for method, values in found.items():
        x, y = (stairs if method == POOL else corners)(xs, height(values))
        layers.append(Lines(np.stack([x[:-1], y[:-1], x[1:], y[1:]], 1), COLOURS[method], 3))
    for method in METHODS:
        value = choice.pooled(method)[0, row, column].numpy()
        layers.append(Points(np.array([[at, height(value)]]), COLOURS[method], 7, labels=[method]))
    stage("roi_curve", zoom=False, window=2).show(
        None, layers, size=(WIDE, HIGH), alt="Value of one bin against the shift of the box, for each method",
        caption=f"Bin ({row}, {column}) from {number(low)} (bottom) to {number(high)} (top), for shifts from −1 to 1 "
        "cell; a vertical line every half cell. Red: RoI Pool. Blue: RoI Align. Violet: crop and resize.",
    )  # fmt: skip


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
        "wherever it exists: whole numbers do not move a little. torchvision's operators give the box no gradient."
    )


def still_quiz(choice: Choice) -> None:
    """How many of RoI Pool's outputs notice a tenth of a cell?"""
    box, size = choice.frames.resized, choice.settings.output
    moved = box + 0.1 * choice.stride * torch.tensor([1.0, 0.0, 1.0, 0.0])
    change = lambda method: int((choice.pooled(method, moved[None]) != choice.pooled(method)).sum())  # noqa: E731
    pooled, sampled = change(POOL), change(ALIGN)
    options = {"none": 0, "some": 1, "all": size * size}
    answer = "none" if pooled == 0 else "all" if pooled == size * size else "some"
    page.quiz(
        "roi_still", f"The box moves right by a tenth of a cell. How many of RoI Pool's {size * size} outputs change?",
        list(options), answer,
        f"{pooled} of {size * size}, against {sampled} of RoI Align's. Rounding throws such a shift away until it "
        f"crosses a half: x1 = {number(choice.frames.feature[0])} and x2 = {number(choice.frames.feature[2])} now.",
    )  # fmt: skip


def width_quiz(choice: Choice) -> None:
    """How many columns does RoI Pool look at?"""
    x1, x2 = float(choice.frames.feature[0]), float(choice.frames.feature[2])
    bins = rp.roi_pool_bins(choice.frames.resized, (1, 1), choice.scale, tuple(choice.values.shape))
    first, last = int(bins.rounded[0]), int(bins.rounded[2])
    truth = max(last - first + 1, 1)
    page.quiz(
        "roi_width", f"The box is {x2 - x1:.2f} cells wide, {x1:.2f} to {x2:.2f}. How many columns does RoI Pool read?",
        sorted({max(truth - 2, 1), max(truth - 1, 1), truth, truth + 1}), truth,
        f"It rounds both ends, to {first} and {last}, and reads the last one too: {last} − {first} + 1 = {truth}. That "
        "+1 comes from the days when a box's corner was its last pixel.",
    )  # fmt: skip


def half_quiz(choice: Choice) -> None:
    """How far off is a detector that is not aligned?"""
    back = choice.regions.picture[1] / choice.regions.resized[1]
    truth = choice.stride / 2 * back
    options = sorted({truth, truth / 2, truth * 2, 0.5})
    page.quiz(
        "roi_half", f"Without *aligned*, how far off are the features of {choice.level}, in pixels of this picture?",
        [f"{value:.3g} px" for value in options], f"{truth:.3g} px",
        f"Half a cell, at stride {choice.stride}, and the picture was resized by {1 / back:.3g}: "
        f"½ · {choice.stride} / {1 / back:.3g} = {truth:.3g}.",
    )  # fmt: skip
