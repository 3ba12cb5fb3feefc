"""RoI Align and cropping cell by cell: bins that fit no grid, sampling points, and the four cells of one."""

import numpy as np
import torch
from torch import Tensor

from labs import roi_align as ra
from pages.roi_pooling.shared import ALIGN, COLOURS, ORANGE, SKY, VERMILION, Choice, chosen_place, number
from pages.roi_pooling.window import MOST_BOXES, Window
from ui.components import Box, Boxes, Lines, Points, address


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
