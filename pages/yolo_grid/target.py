"""The target tensor opened: what training asks of one cell, and the arithmetic of every number."""

import numpy as np
import torch
from numpy.typing import NDArray

from labs import yolo_grid
from labs.boxes import centre_form
from labs.yolo_grid import Target
from pages.shared.known_truth import Truth
from pages.yolo_grid.assignment import Choice
from pages.yolo_grid.shared import listed, signed
from scenes import THINGS
from ui.components import Grid, matrices, words

CELL = 56  # wide enough for "answers" as a head
ROWS = {"cell": ("x", "y", "√w", "√h", "confidence"), "anchor": ("x", "y", "ln w/p", "ln h/p", "confidence")}


def opened(truth: Truth, choice: Choice, cell: tuple[int, int]) -> None:
    target = yolo_grid.encode(truth.boxes, truth.labels, choice.grid, choice.anchors, choice.rule)
    boxes, classes = tables(target, choice, cell)
    more = choice.classes - len(THINGS)
    matrices("yolo_target", window=2).show(
        [
            Grid("boxes", boxes.T, title=f"boxes of row {cell[0]}, column {cell[1]}", rows=ROWS[choice.layout],
                 columns=names(target, choice, cell), text=texts(boxes, target, cell), format="%.2f", cell=CELL,
                 vmin=-1, vmax=1),
            Grid("classes", classes.T, title=f"classes{f' and {more} more zeros' if more else ''}", rows=THINGS,
                 columns=["all"] if len(classes) == 1 else names(target, choice, cell),
                 text=[[None if np.isfinite(value) else "–" for value in row] for row in classes.T],
                 colour="sequential", vmin=0, vmax=1.5, cell=CELL),
        ],
        caption="–: training asks nothing here. IoU: the overlap of the predicted box with the truth, known only once "
        "the network has spoken.",
    )  # fmt: skip
    words("\n\n".join(sentences(truth, target, choice, cell)), "yolo_arithmetic")


def tables(target: Target, choice: Choice, cell: tuple[int, int]) -> tuple[NDArray, NDArray]:
    """What is asked of a cell: boxes (B, 5) and classes (1, 8) or (B, 8); NaN where nothing is, or the IoU."""
    owner, values, labels = target.owner[cell], target.values[cell], target.labels[cell]
    there = (owner >= 0).numpy()
    boxes = np.full((choice.predictors, 5), np.nan)
    boxes[:, 4] = 0
    # In the layout "cell" one of the B boxes answers, the predictions decide which: drawn as the first.
    boxes[: len(there)][there, :4] = values.numpy()[there]
    boxes[: len(there)][there, 4] = np.nan
    classes = np.full((len(there), len(THINGS)), np.nan)
    classes[there] = np.eye(len(THINGS))[labels.numpy()[there] - 1]
    return boxes, classes


def texts(boxes: NDArray, target: Target, cell: tuple[int, int]) -> list[list[str | None]]:
    """What stands in place of the numbers of `boxes`, transposed."""
    asked = (target.owner[cell] >= 0).tolist() + [False] * len(boxes)
    return [
        [("IoU" if asked[k] and i == 4 else "–") if np.isnan(value) else None for k, value in enumerate(row)]
        for i, row in enumerate(boxes.T)
    ]


def names(target: Target, choice: Choice, cell: tuple[int, int]) -> list[str]:
    """The boxes of a cell: by anchor, or by who answers."""
    if choice.anchors is not None:
        return [f"{width:.0f}×{height:.0f}" for width, height in choice.anchors.tolist()]
    if int(target.owner[cell][0]) < 0:
        return [f"box {k}" for k in range(1, choice.predictors + 1)]
    return ["answers", *["other"] * (choice.predictors - 1)]


def sentences(truth: Truth, target: Target, choice: Choice, cell: tuple[int, int]) -> list[str]:
    """The arithmetic of a cell in words, one paragraph each."""
    row, column = cell
    owners = [(k, int(i)) for k, i in enumerate(target.owner[cell]) if i >= 0]
    if not owners:
        return [f"**Row {row}, column {column} answers for nothing**: confidence 0 is asked of all "
                f"{choice.predictors} boxes, and nothing else. Click a blue cell to see its numbers."]  # fmt: skip
    text = []
    for k, index in owners:
        text += arithmetic(truth, target, choice, cell, k, index)
    inside = (yolo_grid.responsible_cells(truth.boxes, choice.grid) == torch.tensor(cell)).all(1).nonzero()[:, 0]
    absent = [truth.name(i) for i in inside.tolist() if i not in [index for _, index in owners]]
    if absent:
        text.append(
            f"**{listed(absent)}** has its centre here as well and is not in the target: for training it does not "
            "exist."
            if len(absent) == 1 else
            f"**{listed(absent)}** have their centres here as well and are not in the target: for training they do not "
            "exist."
        )  # fmt: skip
    if choice.anchors is None and choice.predictors > 1:
        text.append(f"Which of the {choice.predictors} boxes answers is decided in training, anew at every step: the "
                    "one whose prediction overlaps the truth most. The others are asked for confidence 0.")  # fmt: skip
    return text


def arithmetic(truth: Truth, target: Target, choice: Choice, cell: tuple[int, int], k: int, index: int) -> list[str]:
    """How the four numbers of one thing come about."""
    x, y, width, height = centre_form(truth.boxes[index]).tolist()
    pitch, values = choice.grid.pitch.tolist(), [signed(value) for value in target.values[cell][k].tolist()]
    anchor = "" if choice.anchors is None else f" at anchor {choice.anchors[k, 0]:.0f}×{choice.anchors[k, 1]:.0f}"
    head = (f"**{truth.name(index)}**{anchor}: centre ({x:.1f}, {y:.1f}), {width:.0f}×{height:.0f} px; "
            f"cells of {pitch[0]:.2f} px.")  # fmt: skip
    lines = [
        f"x = {x:.1f} / {pitch[0]:.2f} − {cell[1]} = **{values[0]}**",
        f"y = {y:.1f} / {pitch[1]:.2f} − {cell[0]} = **{values[1]}**",
    ]
    if choice.anchors is None:
        lines += [f"√(w/W) = √({width:.0f} / {choice.grid.width:.0f}) = **{values[2]}**",
                  f"√(h/H) = √({height:.0f} / {choice.grid.height:.0f}) = **{values[3]}**"]  # fmt: skip
    else:
        own = choice.anchors[k].tolist()
        lines += [f"ln(w/p) = ln({width:.0f} / {own[0]:.0f}) = **{values[2]}**",
                  f"ln(h/p) = ln({height:.0f} / {own[1]:.0f}) = **{values[3]}**"]  # fmt: skip
    return [head, "; ".join(lines)]
