"""RoI Pool, RoI Align, and crop-and-resize: three ways from a box of any size to features of one size.

Boxes are xyxy floats in pixels of the picture the network saw; `spatial_scale` = 1 / stride takes them to the feature
map. Features are (C, H, W). Cell j of a map is the square from j to j + 1; its value stands in its middle, at j + ½.
All three work one axis at a time, so the code does too: a box is two intervals, x1..x2 and y1..y2.

Sources: Girshick 2015, section 2.1; He et al. 2017, section 3; Huang et al. 2017, section 3.1; torchvision's kernels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

SPLITS = ("overlapping", "disjoint")


class Frames(NamedTuple):
    """One box in three coordinate frames, each (..., 4) xyxy: pixels of the picture, pixels of the picture as it was
    resized for the network, and cells of the feature map."""

    picture: Tensor
    resized: Tensor
    feature: Tensor


def project(box: Tensor, picture: tuple[int, int], resized: tuple[int, int], stride: int) -> Frames:
    """Take boxes (..., 4) from a picture of (height, width) to the resized one, and to a map of that stride."""
    scale = box.new_tensor([resized[1] / picture[1], resized[0] / picture[0]] * 2)
    return Frames(box, box * scale, box * scale / stride)


# RoI Pool ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Bins:
    """The cells that RoI Pool takes the maxima of, int64; bin (i, j) is rows[i, 0]..rows[i, 1] - 1 by the same columns.

    `rounded` (..., 4): first column, first row, last column, last row of the region, ends inside, not yet cut at the
    map's border. `rows` (..., P, 2), `columns` (..., Q, 2): start and stop of every bin on the map; an empty one has
    start = stop.
    """

    rounded: Tensor
    rows: Tensor
    columns: Tensor


def round_half_away(x: Tensor) -> Tensor:
    """C's round: halves go away from zero, 0.5 to 1 and 2.5 to 3. (`torch.round` takes halves to even numbers.)"""
    whole = x.trunc()
    return whole + x.sign() * ((x - whole).abs() >= 0.5)


def roi_pool_bins(
    boxes: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float,
    map_size: tuple[int, int],
    split: str = "overlapping",
) -> Bins:
    """Where RoI Pool looks: both roundings, for boxes (..., 4), P×Q bins, and a map of `map_size` (H, W).

    First rounding: each corner to a whole cell, the last one inside, so a region has at least one cell. Second: bin
    edges to whole cells. "overlapping" is torchvision's and Fast R-CNN's own: from floor(i · L/P) to ceil((i + 1) ·
    L/P), so neighbours share a cell where L/P is no whole number. It keeps torchvision's own rounding: L/P is a float32
    there, so where (i + 1) · L/P should be whole, a bin may reach one cell too far. "disjoint" is the textbooks', in
    whole numbers: from i · L // P to (i + 1) · L // P, each cell in one bin; a region smaller than P cells leaves bins
    empty. ValueError: another split.
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
    """`values` (N, C, P, Q), and `argmax` int64 of the same shape: flat position on the map, or -1 for an empty bin."""

    values: Tensor
    argmax: Tensor


def roi_pool(
    features: Tensor,
    boxes: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    split: str = "overlapping",
) -> Pooled:
    """The maximum of each bin of boxes (N, 4) on features (C, H, W); 0 where a bin is empty.

    Of equal values the first counts. Equal to `torchvision.ops.roi_pool` with split "overlapping". The places are whole
    numbers, so nothing flows back to the boxes.
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


def _cells(edges: Tensor, cells: int) -> Tensor:
    """Indices (..., most) of the cells of each interval (..., 2); short ones repeat their last cell."""
    most = int((edges[..., 1] - edges[..., 0]).amax().clamp(min=1)) if edges.numel() else 1
    places = edges[..., :1] + torch.arange(most, device=edges.device)
    return torch.minimum(places, edges[..., 1:] - 1).clamp(0, cells - 1)


# RoI Align -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Samples:
    """Where a box is sampled. Places are indices of cells: index j is the middle of cell j, so it lies at j + ½.

    `region` (4,): xyxy of the sampled region in indices. `y` (P, n), `x` (Q, m): places in each of the P×Q bins.
    """

    region: Tensor
    y: Tensor
    x: Tensor


def sample_offsets(count: int) -> Tensor:
    """Where `count` samples stand in a bin of size 1, (count,): (i + ½) / count, so ¼ and ¾ for two."""
    return (torch.arange(count) + 0.5) / count


def align_interval(boxes: Tensor, axis: int, spatial_scale: float, aligned: bool) -> tuple[Tensor, Tensor]:
    """Start and length (...) of boxes on one axis (0 is x, 1 is y), in indices of cells.

    `aligned` subtracts the half cell by which index 0 is inside the map. Without it (Mask R-CNN's first code, and
    torchvision's detectors to this day) features are taken half a cell too far down and right, and a region has at
    least the size of one cell.
    """
    offset = 0.5 if aligned else 0.0
    start = boxes[..., axis] * spatial_scale - offset
    length = boxes[..., axis + 2] * spatial_scale - offset - start
    return start, length if aligned else length.clamp(min=1)


def sample_places(start: Tensor, length: Tensor, bins: int, sampling_ratio: int) -> Tensor:
    """Places (..., bins, n) on one axis, n = `sampling_ratio`, or, below 1, ceil(length / bins)."""
    size = length / bins
    count = sampling_ratio if sampling_ratio > 0 else max(0, int(size.ceil().max()))
    index = torch.arange(bins, dtype=start.dtype, device=start.device)[:, None]
    inside = torch.arange(count, dtype=start.dtype, device=start.device) + 0.5
    start, size = start[..., None, None], size[..., None, None]
    return start + index * size + inside * size / max(count, 1)


def roi_align_samples(
    box: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Samples:
    """Where RoI Align samples one box (4,). No coordinate is rounded; sampling_ratio 0 or -1 adapts n to the box."""
    (x, width), (y, height) = (align_interval(box, axis, spatial_scale, aligned) for axis in (0, 1))
    return Samples(
        torch.stack([x, y, x + width, y + height]),
        sample_places(y, height, output_size[0], sampling_ratio),
        sample_places(x, width, output_size[1], sampling_ratio),
    )


def hat_weights(places: Tensor, cells: int, border: float = 1.0) -> Tensor:
    """Weights (..., cells) of linear interpolation at `places` (...): 1 at the cell itself, falling to 0 at the next.

    A place up to `border` outside the outermost indices counts as the nearest one; farther out all weights are 0.
    """
    inside = (places >= -border) & (places <= cells - 1 + border)
    distance = places.clamp(0, cells - 1)[..., None] - torch.arange(cells, dtype=places.dtype, device=places.device)
    return (1 - distance.abs()).clamp(min=0) * inside[..., None]


def roi_align(
    features: Tensor,
    boxes: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Tensor:
    """Mean of the bilinear samples in each bin: features (C, H, W), boxes (N, 4) → (N, C, P, Q).

    Equal to `torchvision.ops.roi_align`. Bilinear weights are a product of two hats, one per axis, so a bin is a row of
    one matrix per axis, and the output is rows · features · columnsᵀ. Unlike torchvision's it can be differentiated
    with respect to the boxes.
    """
    axes = []
    for axis, bins, cells in ((1, output_size[0], features.shape[1]), (0, output_size[1], features.shape[2])):
        start, length = align_interval(boxes, axis, spatial_scale, aligned)
        if sampling_ratio > 0:
            axes.append(hat_weights(sample_places(start, length, bins, sampling_ratio), cells).mean(-2))
            continue
        weights = boxes.new_zeros(len(boxes), bins, cells)
        counts = (length.detach() / bins).ceil()
        for count in counts[counts > 0].unique().tolist():
            same = counts == count
            places = sample_places(start[same], length[same], bins, int(count))
            weights[same] = hat_weights(places, cells).mean(-2)
        axes.append(weights)
    return _both_axes(features, *axes)


def _both_axes(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """rows (N, P, H) · features (C, H, W) · columnsᵀ (N, W, Q)."""
    half = torch.einsum("nph,chw->ncpw", rows.to(features.dtype), features)
    return half @ columns.to(features.dtype).transpose(1, 2)[:, None]


@dataclass(frozen=True, eq=False)
class Point:
    """Bilinear interpolation at one place: `rows` (2,), `columns` (2,) int64 of the four cells, `weights` (2, 2),
    `values` (2, 2), and their weighted sum `result`."""

    rows: Tensor
    columns: Tensor
    weights: Tensor
    values: Tensor
    result: Tensor


def bilinear(features: Tensor, y: float, x: float) -> Point:
    """One map (H, W) at index place (y, x), with RoI Align's border: up to 1 outside, the nearest cell counts."""
    axes = []
    for place, cells in ((y, features.shape[0]), (x, features.shape[1])):
        low = int(min(max(place, 0), cells - 1))
        pair = torch.tensor([low, min(low + 1, cells - 1)])
        weights = hat_weights(features.new_tensor(place), cells)[pair]
        weights[1] *= pair[1] > pair[0]
        axes.append((pair, weights))
    (rows, by_row), (columns, by_column) = axes
    weights, values = by_row[:, None] * by_column, features[rows][:, columns]
    return Point(rows, columns, weights, values, (weights * values).sum())


# Crop and resize -----------------------------------------------------------------------------------------------------


def crop_samples(boxes: Tensor, output_size: tuple[int, int], spatial_scale: float, map_size: tuple[int, int]) -> tuple:
    """Places (y (..., P), x (..., Q)), indices of cells, of `tf.image.crop_and_resize` with boxes given as shares of
    the picture: share 0 is the middle of the first cell, share 1 of the last, and a box's corners are samples (one
    single sample stands in the middle). So a map of H cells is stretched by (H - 1) / H against the picture."""
    places = []
    for axis, count, cells in ((1, output_size[0], map_size[0]), (0, output_size[1], map_size[1])):
        low, high = (boxes[..., i, None] * spatial_scale * (cells - 1) / cells for i in (axis, axis + 2))
        steps = torch.linspace(0, 1, count, dtype=boxes.dtype, device=boxes.device) if count > 1 else 0.5
        places.append(low + (high - low) * steps)
    return tuple(places)


def crop_and_resize(
    features: Tensor, boxes: Tensor, output_size: tuple[int, int], spatial_scale: float = 1.0
) -> Tensor:
    """One bilinear sample per output, corner to corner: features (C, H, W), boxes (N, 4) → (N, C, P, Q).

    `tf.image.crop_and_resize` without its boxes' normalisation; 0 outside the map. Used in place of RoI Pool by
    Huang et al. 2017 and by early reimplementations of Mask R-CNN. Between two samples cells may be skipped.
    """
    y, x = crop_samples(boxes, output_size, spatial_scale, tuple(features.shape[1:]))
    # A sample on the very border must not fall outside by a rounding error.
    return _both_axes(features, hat_weights(y, features.shape[1], 1e-4), hat_weights(x, features.shape[2], 1e-4))


# Learning ------------------------------------------------------------------------------------------------------------


def box_gradient(pool: Callable[[Tensor], Tensor], box: Tensor) -> Tensor:
    """Derivative (4,) of the sum of `pool(boxes (1, 4))` with respect to x1, y1, x2, y2, by autograd.

    Where the output depends on the box through whole numbers only, as RoI Pool's does, no path leads back: all zero.
    """
    leaf = box.detach().clone().requires_grad_()
    total = pool(leaf[None]).sum()
    if not total.requires_grad:
        return torch.zeros_like(box)
    return torch.autograd.grad(total, leaf)[0]
