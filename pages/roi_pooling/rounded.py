"""RoI Pool cell by cell: its two roundings, its bins, and the maximum of each."""

import numpy as np
import torch

from labs import roi_pooling as rp
from pages.roi_pooling.shared import SKY, VERMILION, Choice, chosen_place, number
from pages.roi_pooling.window import MOST_BOXES, Window
from ui.components import Box, Boxes, Lines, Points, address


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
