"""The region enlarged: RoI Pool's roundings and bins, RoI Align's samples, and the arithmetic of one output."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import roi_align as ra
from labs import roi_pooling as rp
from pages.roi_pooling.shared import (
    ALIGN,
    COLOURS,
    CROP,
    METHODS,
    ORANGE,
    POOL,
    SKY,
    VERMILION,
    Choice,
    Settings,
    chosen_place,
    number,
    output_grids,
    xyxy,
)
from ui.components import (
    Box,
    Boxes,
    GridLines,
    Heat,
    Lines,
    Points,
    address,
    live_slider,
    matrices,
    stage,
)
from ui.pictures import KEPT

MOST_BOXES = 7  # bins a side up to which each bin is drawn as a box
STEPS = {
    POOL: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4, snap: every edge is rounded to whole cells. Red is what RoI Pool now believes the box to be.",
        "divide": "3 of 4, divide: bins of whole cells again, the second rounding.",
        "read": "4 of 4, maximum: a dot on the largest value of each bin. All others count nothing. Click a bin.",
    },
    ALIGN: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4: nothing is snapped. What is sampled is the box itself (without *aligned*, half a cell off).",
        "divide": "3 of 4, divide: equal bins that fit no grid.",
        "read": "4 of 4, sample and mean: white are the sampling points. Click one: orange are the four cells it is "
        "mixed from, with their weights. A value lies in the middle of its cell.",
    },
    CROP: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4: nothing is snapped. What is sampled is the box, a little smaller.",
        "divide": "3 of 4: no bins: one sample for each output.",
        "read": "4 of 4, sample: corner to corner, one sample an output. Click one: orange are the four cells it is "
        "mixed from, with their weights.",
    },
}  # fmt: skip
ORDER = tuple(STEPS[POOL])


@dataclass(frozen=True, eq=False)
class Window:
    """The part of the map that is shown enlarged: a square of `side` cells whose upper left corner is cell (y, x)."""

    x: int
    y: int
    side: int

    def drawn(self, x: Tensor | float, y: Tensor | float) -> tuple:
        """From places on the map to places on the stage."""
        return x - self.x, y - self.y

    def box(self, box) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = xyxy(box)
        return (x1 - self.x, y1 - self.y, x2 - self.x, y2 - self.y)


def controls(sliders: ExitStack, output: int) -> tuple[str, Settings, str]:
    """Which method is opened, how it is set, and up to which step it is drawn; every method's setting also holds in
    the outputs beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control("Open", METHODS, default=POOL, required=True, key="roi_method", **KEPT)
        split = st.segmented_control(
            "RoI Pool's bins", rp.SPLITS, default=rp.SPLITS[0], required=True, key="roi_split", **KEPT,
            help="Overlapping: torchvision and Fast R-CNN's code. Disjoint: as textbooks draw it.",
        )  # fmt: skip
        aligned = st.toggle(
            "RoI Align: aligned", value=True, key="roi_aligned", **KEPT,
            help="Subtract half a cell, so that values stand in the middles of their cells.",
        )  # fmt: skip
        with st.container(width=220):
            ratio = sliders.enter_context(
                live_slider("RoI Align: sampling ratio", options=("adaptive", 1, 2, 3, 4), value=2, key="roi_ratio",
                            window=2)
            )  # fmt: skip
    with st.container(width=420):
        step = sliders.enter_context(
            live_slider("Step", options=ORDER, value=ORDER[-1], key="roi_step", play=True, play_seconds=6, window=2)
        )
    return method, Settings(output, split, 0 if ratio == "adaptive" else ratio, aligned), step


def draw(choice: Choice, method: str, step: str) -> tuple[int, int]:
    """The enlarged region up to a step, all outputs, the arithmetic of one; row and column of the chosen bin."""
    left, right = st.columns([1, 1], gap="medium")
    window = window_of(choice)
    view = stage("roi_region", window=2, zoom=False)
    opened = open_pool if method == POOL else open_samples
    stages, lines, bin_ = opened(choice, method, window, view)
    layers = stages[ORDER.index(step)]
    with left:
        view.show(
            None, [*ground(choice, window), *layers], size=(window.side, window.side),
            alt=f"{method} on the region, cell by cell", caption=f"Dashed orange: the box. {STEPS[method][step]}",
            pick=(0.125, 0.25),  # finer than any bin or sample
        )  # fmt: skip
    with right:
        outputs(choice, bin_)
        st.code("\n".join(lines), language=None, wrap_lines=True)
    return bin_


def ground(choice: Choice, window: Window) -> list:
    """The cells of the map and the box on them."""
    values = Heat(
        choice.values.numpy(), vmin=choice.limits[0], vmax=choice.limits[1], opacity=1, smooth=False,
        xyxy=(-window.x, -window.y, choice.values.shape[1] - window.x, choice.values.shape[0] - window.y),
    )  # fmt: skip
    projected = Box("projected", window.box(choice.frames.feature), "", ORANGE, dash=True, width=2.5, note="the box")
    return [values, GridLines(stride=1, colour="#FFFFFF40", width=0.5), Boxes([projected])]


def window_of(choice: Choice) -> Window:
    """A square around the box as it was before the shift, so that shifting does not move the view."""
    box = choice.frames.feature - torch.tensor([choice.shift, 0.0, choice.shift, 0.0])
    side = int((box[2:] - box[:2]).max().ceil()) + 4
    starts = []
    for i, cells in enumerate(reversed(choice.values.shape)):
        start = round(float(box[i] + box[i + 2]) / 2 - side / 2)
        starts.append(min(max(start, -1), cells + 1 - side) if side <= cells + 2 else (cells - side) // 2)
    return Window(*starts, side)


def open_pool(choice: Choice, method: str, window: Window, view) -> tuple:
    """RoI Pool's two roundings, its bins, and the maximum of each."""
    size = (choice.settings.output,) * 2
    box = choice.frames.resized
    bins = rp.roi_pool_bins(box, size, choice.scale, tuple(choice.values.shape), choice.settings.split)
    pooled = rp.roi_pool(choice.values[None], box[None], size, choice.scale, choice.settings.split)
    best = pooled.argmax[0, 0]
    y, x = best // choice.values.shape[1] + 0.5, best % choice.values.shape[1] + 0.5
    if view.clicked:
        at = torch.tensor([view.click.x + window.x, view.click.y + window.y])
        middles = [edges.float().mean(-1) for edges in (bins.rows, bins.columns)]
        nearest = [int((middle - place).abs().argmin()) for middle, place in zip(middles, at.flip(0), strict=True)]
        address.keep("roi_at", ",".join(map(str, (*nearest, 0, 0))))
    row, column, *_ = chosen_place(choice.settings, (1, 1))
    full = best >= 0
    names = [f"bin {i}, {j}" for i in range(size[0]) for j in range(size[1])]
    rounded = bins.rounded.float() + torch.tensor([0.0, 0.0, 1.0, 1.0])
    bin_boxes, chosen = bin_layers(bins, window, row, column)
    dots = []
    flat = full.flatten().nonzero()[:, 0].tolist()
    if flat:
        places = torch.stack(window.drawn(x.flatten()[flat], y.flatten()[flat]), 1)
        notes = [f"{names[i]}: maximum {number(pooled.values[0, 0].flatten()[i])}" for i in flat]
        dots.append(Points(places.numpy(), VERMILION, 5 if size[0] <= MOST_BOXES else 3, notes=notes))
    snapped = Boxes([Box("rounded", window.box(rounded), "", VERMILION, width=3, note="rounded")])
    divided = [*bin_boxes, snapped]
    stages = [[], [snapped], divided, [*divided, Boxes([chosen]), *dots]]
    return stages, pool_lines(choice, bins, pooled, row, column), (row, column)


def bin_layers(bins: rp.Bins, window: Window, row: int, column: int) -> tuple[list, Box]:
    """The bins as boxes that can be seen through, or, where they are many, as lines; and the chosen one, bolder."""
    rows, columns = bins.rows.tolist(), bins.columns.tolist()
    chosen = Box("chosen", window.box((columns[column][0], rows[row][0], columns[column][1], rows[row][1])),
                 colour="#FFFFFF", width=4)  # fmt: skip
    if len(rows) <= MOST_BOXES:
        boxes = [
            Box(f"bin-{i}-{j}", window.box((x1, y1, x2, y2)), colour=SKY, width=1.5, fill=0.12, note=f"bin {i}, {j}")
            for i, (y1, y2) in enumerate(rows) for j, (x1, x2) in enumerate(columns)
        ]  # fmt: skip
        return [Boxes(boxes)], chosen
    (left, right), (top, bottom) = (columns[0][0], columns[-1][1]), (rows[0][0], rows[-1][1])
    lines = [(edge, top, edge, bottom) for pair in columns for edge in pair]
    lines += [(left, edge, right, edge) for pair in rows for edge in pair]
    return [Lines(np.array([window.box(line) for line in sorted(set(lines))]), SKY, 1.5)], chosen


def pool_lines(choice: Choice, bins: rp.Bins, pooled: rp.Pooled, row: int, column: int) -> list[str]:
    """Both roundings in numbers, for the chosen bin."""
    x1, y1, x2, y2 = bins.rounded.tolist()
    size = choice.settings.output
    lines = [
        f"{name} = {number(value):>6} → {whole:>2}   {meaning}"
        for name, value, whole, meaning in zip(
            ("x1", "y1", "x2", "y2"), choice.frames.feature, (x1, y1, x2, y2),
            ("first column", "first row", "last column", "last row"), strict=True,
        )
    ]  # fmt: skip
    for name, first, last, index, edges in (
        ("columns", x1, x2, column, bins.columns[column].tolist()),
        ("rows", y1, y2, row, bins.rows[row].tolist()),
    ):
        length = max(last - first + 1, 1)
        start, stop = index * length / size, (index + 1) * length / size
        end = f"⌈{stop:.2f}⌉" if choice.settings.split == "overlapping" else f"⌊{stop:.2f}⌋"
        what = f"{edges[0]} … {edges[1] - 1}" if edges[1] > edges[0] else "none"
        lines.append(f"{name} {first} + ⌊{start:.2f}⌋ … {first} + {end} − 1: {what}")
    at = int(pooled.argmax[0, 0, row, column])
    where = divmod(at, choice.values.shape[1])
    value = number(pooled.values[0, 0, row, column])
    lines.append(f"bin ({row}, {column}) = {value}, in row {where[0]}, column {where[1]}" if at >= 0
                 else f"bin ({row}, {column}) = 0: no cell in it")  # fmt: skip
    return lines


def open_samples(choice: Choice, method: str, window: Window, view) -> tuple:
    """Bins that fit no grid, their sampling points, and the four neighbours of one."""
    size = (choice.settings.output,) * 2
    if method == ALIGN:
        found = ra.roi_align_samples(
            choice.frames.resized, size, choice.scale, choice.settings.ratio, choice.settings.aligned
        )
        region, ys, xs = found.region, found.y, found.x
    else:
        y, x = ra.crop_samples(choice.frames.resized, size, choice.scale, tuple(choice.values.shape))
        region, ys, xs = torch.stack([x[0], y[0], x[-1], y[-1]]), y[:, None], x[:, None]
    if view.clicked:
        places = [(axis.flatten() - at).abs().argmin() for axis, at in (
            (ys, view.click.y + window.y - 0.5), (xs, view.click.x + window.x - 0.5))]  # fmt: skip
        cells = [divmod(int(place), axis.shape[1]) for place, axis in zip(places, (ys, xs), strict=True)]
        address.keep("roi_at", f"{cells[0][0]},{cells[1][0]},{cells[0][1]},{cells[1][1]}")
    row, column, i, j = chosen_place(choice.settings, (ys.shape[1], xs.shape[1]))
    y, x = float(ys[row, i]), float(xs[column, j])
    point = ra.bilinear(choice.values, y, x)
    grid = torch.cartesian_prod(ys.flatten(), xs.flatten()).flip(1) + 0.5
    dots = torch.stack(window.drawn(grid[:, 0], grid[:, 1]), 1).numpy()
    middle = np.array([window.drawn(x + 0.5, y + 0.5)])
    near = np.array([window.drawn(float(c) + 0.5, float(r) + 0.5) for r in point.rows for c in point.columns])
    outline = Box("region", window.box(region + 0.5), "", COLOURS[method], width=3, note="what is sampled")
    small = 4 if len(dots) <= 64 else 2.5 if len(dots) <= 400 else 1.5
    corners, leaders = weight_corners(near, window.side)
    divided = [*(align_lines(region, size[0], window) if method == ALIGN else []), Boxes([outline])]
    stages = [
        [],
        [Boxes([outline])],
        divided,
        [
            *divided,
            Points(dots, "#FFFFFF", small),
            Lines(np.hstack([near, np.repeat(middle, 4, 0)]), ORANGE, 2),
            Points(near, ORANGE, 6),
            Points(middle, VERMILION, 7),
            Lines(leaders, "#FFFFFF", 1.5),
            Points(corners, "#FFFFFF", 0, labels=[f"×{w:.2f}" for w in point.weights.flatten().tolist()]),
        ],
    ]
    lines = sample_lines(choice, method, region, (row, column, i, j), (ys, xs), point)
    return stages, lines, (row, column)


def weight_corners(near: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the four weights are written, (4, 2), and the lines that lead there, (4, 4): away from the sample in the
    middle, two to the left and two to the right, so that no weight lies on a dot or on another weight.

    `near` (4, 2): the cells' middles on the stage, row by row; `side`: cells across the stage.
    """
    text, apart = 0.14 * side, max(0.8, 0.05 * side)  # what a weight needs, in cells
    away = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], float)
    corners = near + away * [apart, apart]
    corners[[0, 2], 0] -= text
    corners = corners.clip(0.02 * side, [side - text, 0.97 * side])
    ends = corners.copy()
    ends[[0, 2], 0] += text
    return corners, np.hstack([near, ends])


def align_lines(region: Tensor, bins: int, window: Window) -> list:
    """The edges between bins."""
    x1, y1, x2, y2 = window.box(region + 0.5)
    xs, ys = np.linspace(x1, x2, bins + 1)[1:-1], np.linspace(y1, y2, bins + 1)[1:-1]
    segments = [(x, y1, x, y2) for x in xs] + [(x1, y, x2, y) for y in ys]
    return [Lines(np.array(segments), SKY, 2 if bins <= MOST_BOXES else 1)] if segments else []


def sample_lines(choice: Choice, method: str, region: Tensor, place: tuple, samples: tuple, point: ra.Point) -> list:
    """The place of the chosen sample, and its value, written out as the lecture does."""
    (ys, xs), (row, column, i, j) = samples, place
    y, x = number(ys[row, i]), number(xs[column, j])
    first, last = choice.frames.feature[:2], choice.frames.feature[2:]
    lines = []
    if method == ALIGN:
        half = " − 0.50" if choice.settings.aligned else ""
        n, m = ys.shape[1], xs.shape[1]
        for name, axis, index, sample, count in (("x", 0, column, j, m), ("y", 1, row, i, n)):
            size = float(region[axis + 2] - region[axis]) / choice.settings.output
            lines.append(f"{name}: from {number(first[axis])}{half} = {number(region[axis])}, bin {size:.2f} cells")
            lines.append(f"   {number(region[axis])} + ({index} + {ra.sample_offsets(count)[sample]:.3f}) · {size:.2f} "
                         f"= {x if axis == 0 else y}")  # fmt: skip
    else:
        for name, axis, index, cells in (
            ("x", 0, column, choice.values.shape[1]),
            ("y", 1, row, choice.values.shape[0]),
        ):
            low, high = number(first[axis]), number(last[axis])
            lines.append(f"{name}: {low} to {high}, each · {cells - 1}/{cells} = "
                         f"{number(region[axis])} to {number(region[axis + 2])}, ends inside")  # fmt: skip
            lines.append(f"   sample {index} of 0 to {choice.settings.output - 1}: {x if axis == 0 else y}")
    lines.append(f"f({x}, {y}) =")
    for r in range(2):
        for c in range(2):
            lines.append(f"   {'+' if r + c else ' '} {number(point.weights[r, c])} · {number(point.values[r, c]):>6}"
                         f"   f[row {int(point.rows[r])}, column {int(point.columns[c])}]")  # fmt: skip
    lines.append(f"   = {number(point.result)}")
    total = number(choice.pooled(method)[0, row, column])
    count = ys.shape[1] * xs.shape[1]
    lines.append(f"bin ({row}, {column}) = mean of its {count} samples = {total}" if method == ALIGN
                 else f"bin ({row}, {column}) = this one sample = {total}")  # fmt: skip
    return lines


def outputs(choice: Choice, chosen: tuple[int, int]) -> None:
    """What each method hands on, P×P numbers."""
    size = choice.settings.output
    matrices("roi_outputs", window=2).show(
        output_grids(choice, METHODS, {2: 46, 7: 23, 14: 12}[size]), highlight=[(name, *chosen) for name in METHODS],
        caption="The outputs of all three on this channel, in the colours of the map; marked: the chosen bin.",
    )  # fmt: skip
