"""RoI Align, and crop-and-resize: from a box of any size to features of one size, read between the cells of the map.

Boxes are xyxy in pixels of the picture the network saw; `spatial_scale` = 1 / stride takes them to the feature map.
Places are indices of cells: index j is the middle of cell j, so it lies at j + ½. Both work one axis at a time, so the
code does too: a box is two intervals, x1..x2 and y1..y2.

Sources: He et al. 2017, section 3; Huang et al. 2017, section 3.1; torchvision's kernel.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Samples:
    """Where a box is sampled: `region`, xyxy in indices, and the places `y` and `x` in each of the P×Q bins."""

    region: Float[Tensor, "4"]
    y: Float[Tensor, "p n"]
    x: Float[Tensor, "q m"]


def sample_offsets(count: int) -> Float[Tensor, " {count}"]:
    """Where `count` samples stand in a bin of size 1: (i + ½) / count.

    >>> sample_offsets(2)
    tensor([0.2500, 0.7500])
    """
    return (torch.arange(count) + 0.5) / count


def align_interval(
    boxes: Float[Tensor, "*batch 4"], axis: int, spatial_scale: float, aligned: bool
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Start and length of boxes on one axis (0 is x, 1 is y), in indices of cells.

    `aligned` subtracts the half cell by which index 0 is inside the map. Without it (Mask R-CNN's first code, and
    torchvision's detectors to this day) features are taken half a cell too far down and right, and a region has at
    least the size of one cell.

    >>> box = torch.tensor([20.0, 16.0, 28.0, 64.0])
    >>> align_interval(box, 0, 1 / 16, aligned=True), align_interval(box, 0, 1 / 16, aligned=False)
    ((tensor(0.7500), tensor(0.5000)), (tensor(1.2500), tensor(1.)))
    """
    offset = 0.5 if aligned else 0.0
    start = boxes[..., axis] * spatial_scale - offset
    length = boxes[..., axis + 2] * spatial_scale - offset - start
    return start, length if aligned else length.clamp(min=1)


def sample_places(
    start: Float[Tensor, "*batch"], length: Float[Tensor, "*batch"], bins: int, sampling_ratio: int
) -> Float[Tensor, "*batch {bins} n"]:
    """Places on one axis, n = `sampling_ratio` a bin, or, below 1, ceil(length / bins).

    >>> sample_places(torch.tensor(1.0), torch.tensor(4.0), bins=2, sampling_ratio=2)
    tensor([[1.5000, 2.5000],
            [3.5000, 4.5000]])
    """
    size = length / bins
    count = sampling_ratio if sampling_ratio > 0 else max(0, int(size.ceil().max()))
    index = torch.arange(bins, dtype=start.dtype, device=start.device)[:, None]
    inside = torch.arange(count, dtype=start.dtype, device=start.device) + 0.5
    start, size = start[..., None, None], size[..., None, None]
    return start + index * size + inside * size / max(count, 1)


def roi_align_samples(
    box: Float[Tensor, "4"],
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Samples:
    """Where RoI Align samples one box. No coordinate is rounded; sampling_ratio 0 or -1 adapts n to the box.

    >>> roi_align_samples(torch.tensor([2.0, 1.0, 6.0, 3.0]), output_size=(1, 2), spatial_scale=1.0)
    Samples(region=tensor([1.5000, 0.5000, 5.5000, 2.5000]),
            y=tensor([[1., 2.]]), x=tensor([[2., 3.],
                                            [4., 5.]]))
    """
    (x, width), (y, height) = (align_interval(box, axis, spatial_scale, aligned) for axis in (0, 1))
    return Samples(
        torch.stack([x, y, x + width, y + height]),
        sample_places(y, height, output_size[0], sampling_ratio),
        sample_places(x, width, output_size[1], sampling_ratio),
    )


def hat_weights(places: Float[Tensor, "*places"], cells: int, border: float = 1.0) -> Float[Tensor, "*places {cells}"]:
    """Weights of linear interpolation at `places`: 1 at the cell itself, falling to 0 at the next.

    A place up to `border` outside the outermost indices counts as the nearest one; farther out all weights are 0.

    >>> hat_weights(torch.tensor([1.25, -0.5, -1.5]), cells=3)
    tensor([[0.0000, 0.7500, 0.2500],
            [1.0000, 0.0000, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """
    inside = (places >= -border) & (places <= cells - 1 + border)
    distance = places.clamp(0, cells - 1)[..., None] - torch.arange(cells, dtype=places.dtype, device=places.device)
    return (1 - distance.abs()).clamp(min=0) * inside[..., None]


def roi_align(
    features: Float[Tensor, "c h w"],
    boxes: Float[Tensor, "n 4"],
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Float[Tensor, "n c p q"]:
    """Mean of the bilinear samples in each bin.

    Equal to `torchvision.ops.roi_align`. Bilinear weights are a product of two hats, one per axis, so a bin is a row of
    one matrix per axis, and the output is rows · features · columnsᵀ. Unlike torchvision's it can be differentiated
    with respect to the boxes.

    >>> features = torch.arange(12.0).reshape(1, 3, 4)  # a ramp: between the cells, too, it is 4 y + x
    >>> roi_align(features, torch.tensor([[0.5, 0.5, 3.0, 2.0]]), (1, 2))
    tensor([[[[3.6250, 4.8750]]]])
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


def _both_axes(
    features: Float[Tensor, "c h w"], rows: Float[Tensor, "n p h"], columns: Float[Tensor, "n q w"]
) -> Float[Tensor, "n c p q"]:
    """rows · features · columnsᵀ."""
    half = torch.einsum("nph,chw->ncpw", rows.to(features.dtype), features)
    return half @ columns.to(features.dtype).transpose(1, 2)[:, None]


@dataclass(frozen=True, eq=False)
class Point:
    """Bilinear interpolation at one place: the four cells, their weights and values, and the weighted sum."""

    rows: Int64[Tensor, "2"]
    columns: Int64[Tensor, "2"]
    weights: Float[Tensor, "2 2"]
    values: Float[Tensor, "2 2"]
    result: Float[Tensor, ""]


def bilinear(features: Float[Tensor, "h w"], y: float, x: float) -> Point:
    """One map at index place (y, x), with RoI Align's border: up to 1 outside, the nearest cell counts.

    >>> point = bilinear(torch.tensor([[0.0, 8.0], [0.0, 16.0]]), y=0.25, x=0.5)
    >>> point.weights, point.result
    (tensor([[0.3750, 0.3750],
             [0.1250, 0.1250]]), tensor(5.))
    """
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


def crop_samples(
    boxes: Float[Tensor, "*batch 4"], output_size: tuple[int, int], spatial_scale: float, map_size: tuple[int, int]
) -> tuple[Float[Tensor, "*batch p"], Float[Tensor, "*batch q"]]:
    """Places (y, x) of `tf.image.crop_and_resize` with boxes given as shares of the picture: share 0 is the middle of
    the first cell, share 1 of the last, and a box's corners are samples (one single sample stands in the middle). So a
    map of H cells is stretched by (H - 1) / H against the picture.

    >>> crop_samples(torch.tensor([0.0, 0.0, 4.0, 4.0]), (1, 3), spatial_scale=1.0, map_size=(4, 4))
    (tensor([1.5000]), tensor([0.0000, 1.5000, 3.0000]))
    """
    places: list[Tensor] = []
    for axis, count, cells in ((1, output_size[0], map_size[0]), (0, output_size[1], map_size[1])):
        low, high = (boxes[..., i, None] * spatial_scale * (cells - 1) / cells for i in (axis, axis + 2))
        steps = torch.linspace(0, 1, count, dtype=boxes.dtype, device=boxes.device) if count > 1 else 0.5
        places.append(low + (high - low) * steps)
    y, x = places
    return y, x


def crop_and_resize(
    features: Float[Tensor, "c h w"],
    boxes: Float[Tensor, "n 4"],
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
) -> Float[Tensor, "n c p q"]:
    """One bilinear sample per output, corner to corner.

    `tf.image.crop_and_resize` without its boxes' normalisation; 0 outside the map. Used in place of RoI Pool by
    Huang et al. 2017 and by early reimplementations of Mask R-CNN. Between two samples cells may be skipped.

    >>> crop_and_resize(torch.arange(12.0).reshape(1, 3, 4), torch.tensor([[0.0, 0.0, 4.0, 3.0]]), (2, 2))
    tensor([[[[ 0.,  3.],
              [ 8., 11.]]]])
    """
    height, width = features.shape[1:]
    y, x = crop_samples(boxes, output_size, spatial_scale, (height, width))
    # A sample on the very border must not fall outside by a rounding error.
    return _both_axes(features, hat_weights(y, height, 1e-4), hat_weights(x, width, 1e-4))
