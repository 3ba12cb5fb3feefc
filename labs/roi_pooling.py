"""RoI Pool: from a box of any size to features of one size, by whole cells. `labs.roi_align` does it between the cells.

Boxes are xyxy in pixels of the picture the network saw; `spatial_scale` = 1 / stride takes them to the feature map.
Cell j of a map is the square from j to j + 1; its value stands in its middle, at j + ½. RoI Pool works one axis at a
time, so the code does too: a box is two intervals, x1..x2 and y1..y2.

Sources: Girshick 2015, section 2.1; torchvision's kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

SPLITS = ("overlapping", "disjoint")


class Frames(NamedTuple):
    """Boxes in three coordinate frames, each xyxy: pixels of the picture, pixels of the picture as it was resized for
    the network, and cells of the feature map."""

    picture: Float[Tensor, "*batch 4"]
    resized: Float[Tensor, "*batch 4"]
    feature: Float[Tensor, "*batch 4"]


def project(box: Float[Tensor, "*batch 4"], picture: tuple[int, int], resized: tuple[int, int], stride: int) -> Frames:
    """Take boxes from a picture of (height, width) to the resized one, and to a map of that stride.

    >>> project(torch.tensor([40.0, 80.0, 200.0, 160.0]), picture=(320, 320), resized=(224, 224), stride=16).feature
    tensor([1.7500, 3.5000, 8.7500, 7.0000])
    """
    scale = box.new_tensor([resized[1] / picture[1], resized[0] / picture[0]] * 2)
    return Frames(box, box * scale, box * scale / stride)


@dataclass(frozen=True, eq=False)
class Bins:
    """The cells that RoI Pool takes the maxima of; bin (i, j) is rows[i, 0]..rows[i, 1] - 1 by the same columns.

    `rounded`: first column, first row, last column, last row of the region, ends inside, not yet cut at the map's
    border. `rows`, `columns`: start and stop of every bin on the map; an empty one has start = stop.
    """

    rounded: Int64[Tensor, "*batch 4"]
    rows: Int64[Tensor, "*batch p 2"]
    columns: Int64[Tensor, "*batch q 2"]


def round_half_away(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """C's round: halves go away from zero. (`torch.round` takes halves to even numbers.)

    >>> round_half_away(torch.tensor([0.5, 1.4, 2.5, -0.5]))
    tensor([ 1.,  1.,  3., -1.])
    """
    whole = x.trunc()
    return whole + x.sign() * ((x - whole).abs() >= 0.5)


def roi_pool_bins(
    boxes: Float[Tensor, "*batch 4"],
    output_size: tuple[int, int],
    spatial_scale: float,
    map_size: tuple[int, int],
    split: str = "overlapping",
) -> Bins:
    """Where RoI Pool looks: both roundings, for P×Q bins and a map of `map_size` (H, W).

    First rounding: each corner to a whole cell, the last one inside, so a region has at least one cell. Second: bin
    edges to whole cells. "overlapping" is torchvision's and Fast R-CNN's own: from floor(i · L/P) to ceil((i + 1) ·
    L/P), so neighbours share a cell where L/P is no whole number. It keeps torchvision's own rounding: L/P is a float32
    there, so where (i + 1) · L/P should be whole, a bin may reach one cell too far. "disjoint" is the textbooks', in
    whole numbers: from i · L // P to (i + 1) · L // P, each cell in one bin; a region smaller than P cells leaves bins
    empty. ValueError: another split.

    >>> box = torch.tensor([0.2, 3.0, 6.4, 7.0])
    >>> roi_pool_bins(box, (2, 2), 1.0, (8, 8)).columns  # columns 0 to 6: the middle one, 3, is in both bins
    tensor([[0, 4],
            [3, 7]])
    >>> roi_pool_bins(box, (2, 2), 1.0, (8, 8), split="disjoint").columns
    tensor([[0, 3],
            [3, 7]])
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    rounded = round_half_away(boxes * spatial_scale)
    axes = []
    for low, high, bins, cells in ((1, 3, output_size[0], map_size[0]), (0, 2, output_size[1], map_size[1])):
        first = rounded[..., low, None]
        length = (rounded[..., high, None] - first + 1).clamp(min=1)
        steps = torch.arange(bins + 1, dtype=boxes.dtype, device=boxes.device)
        if split == "overlapping":
            size = length / bins  # of a bin, in cells
            starts, stops = (steps[:-1] * size).floor(), (steps[1:] * size).ceil()
        else:
            edges = (steps.long() * length.long() // bins).to(boxes.dtype)  # a float would lose cells: 7 · (31/7) < 31
            starts, stops = edges[..., :-1], edges[..., 1:]
        axes.append((torch.stack([starts, stops], -1) + first[..., None]).clamp(0, cells).long())
    return Bins(rounded.long(), *axes)


class Pooled(NamedTuple):
    """The maxima, and `argmax`, where they stood: flat position on the map, or -1 for an empty bin."""

    values: Float[Tensor, "n c p q"]
    argmax: Int64[Tensor, "n c p q"]


def roi_pool(
    features: Float[Tensor, "c h w"],
    boxes: Float[Tensor, "n 4"],
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    split: str = "overlapping",
) -> Pooled:
    """The maximum of each bin of the boxes; 0 where a bin is empty.

    Of equal values the first counts. Equal to `torchvision.ops.roi_pool` with split "overlapping". The places are whole
    numbers, so nothing flows back to the boxes.

    >>> features = torch.arange(12.0).reshape(1, 3, 4)
    >>> roi_pool(features, torch.tensor([[0.4, 0.0, 2.6, 1.4]]), (1, 2))  # rows 0 and 1, columns 0 to 3
    Pooled(values=tensor([[[[5., 7.]]]]), argmax=tensor([[[[5, 7]]]]))
    """
    height, width = features.shape[-2:]
    bins = roi_pool_bins(boxes, output_size, spatial_scale, (height, width), split)
    y, x = _cells(bins.rows, height), _cells(bins.columns, width)  # (N, P, h), (N, Q, w)
    flat = y[:, :, None, :, None] * width + x[:, None, :, None, :]  # (N, P, Q, h, w)
    flat = flat.flatten(-2)
    values, where = features.flatten(1)[:, flat].max(-1)  # (C, N, P, Q)
    places = flat.expand(len(features), *flat.shape).gather(-1, where[..., None])[..., 0]
    full = (bins.rows[..., 1] > bins.rows[..., 0])[:, :, None] & (bins.columns[..., 1] > bins.columns[..., 0])[:, None]
    values, places = torch.where(full, values, 0), torch.where(full, places, -1)
    return Pooled(values.transpose(0, 1), places.transpose(0, 1))


def _cells(edges: Int64[Tensor, "*batch 2"], cells: int) -> Int64[Tensor, "*batch most"]:
    """Indices of the cells of each interval; short ones repeat their last cell."""
    most = int((edges[..., 1] - edges[..., 0]).amax().clamp(min=1)) if edges.numel() else 1
    places = edges[..., :1] + torch.arange(most, device=edges.device)
    return torch.minimum(places, edges[..., 1:] - 1).clamp(0, cells - 1)


def box_gradient(pool: Callable[[Tensor], Tensor], box: Float[Tensor, "4"]) -> Float[Tensor, "4"]:
    """Derivative of the sum of `pool(boxes (1, 4))` with respect to x1, y1, x2, y2, by autograd.

    Where the output depends on the box through whole numbers only, as RoI Pool's does, no path leads back: all zero.

    >>> features, box = torch.arange(12.0).reshape(1, 3, 4), torch.tensor([0.4, 0.0, 2.6, 1.4])
    >>> box_gradient(lambda boxes: roi_pool(features, boxes, (1, 2)).values, box)
    tensor([0., 0., 0., 0.])
    """
    leaf = box.detach().clone().requires_grad_()
    total = pool(leaf[None]).sum()
    if not total.requires_grad:
        return torch.zeros_like(box)
    return torch.autograd.grad(total, leaf)[0]
