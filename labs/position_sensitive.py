"""Position-sensitive RoI pooling: a region is cut into k×k parts, and each part is read from maps of its own.

A network that is nothing but convolutions gives k² maps per class: map (i, j) says how much a place looks like part
(i, j) of that class, row i from the top, column j from the left. A region's part (i, j) averages its cells on map
(i, j) alone, and the region's score is the mean of its k² parts, their vote. No layer has weights after the maps.

Boxes are xyxy in pixels of the picture the network saw; `spatial_scale` = 1 / stride takes them to the maps. Maps are
(C, k, k, h, w); torchvision wants the same numbers as (C·k·k, h, w).

Sources: Dai et al. 2016, R-FCN, sections 2 and 3; torchvision's kernels.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from labs.roi_align import align_interval, hat_weights, sample_places
from labs.roi_pooling import round_half_away


def map_count(parts: int, classes: int) -> int:
    """Score maps of a network with `parts` = k and so many classes besides the background: k² (C + 1).

    >>> map_count(3, 20), map_count(7, 80)
    (189, 3969)
    """
    return parts**2 * (classes + 1)


def part_boxes(box: Float[Tensor, "4"], parts: int) -> Float[Tensor, "{parts} {parts} 4"]:
    """The k×k parts of a box, xyxy, row by row.

    >>> part_boxes(torch.tensor([0.0, 0.0, 6.0, 4.0]), 2)[1]
    tensor([[0., 2., 3., 4.],
            [3., 2., 6., 4.]])
    """
    steps = torch.arange(parts + 1, dtype=box.dtype, device=box.device) / parts
    x, y = box[0] + steps * (box[2] - box[0]), box[1] + steps * (box[3] - box[1])
    top, left = torch.meshgrid(y[:-1], x[:-1], indexing="ij")
    bottom, right = torch.meshgrid(y[1:], x[1:], indexing="ij")
    return torch.stack([left, top, right, bottom], -1)


def pool_cells(
    boxes: Float[Tensor, "*batch 4"], parts: int, spatial_scale: float, map_size: tuple[int, int]
) -> tuple[Int64[Tensor, "*batch {parts} 2"], Int64[Tensor, "*batch {parts} 2"]]:
    """Rows and columns of cells that each part averages, as [first, one past the last).

    The box is rounded to whole cells and has at least one; parts round outwards, so neighbours may share a cell. As in
    torchvision's kernel, and unlike R-FCN's own, nothing is read from the map's last row and column.

    >>> rows, columns = pool_cells(torch.tensor([0.0, 0.0, 7.0, 2.0]), 3, 1.0, (8, 16))
    >>> columns, rows  # 7 / 3 cells a part; 2 rows for 3 parts
    (tensor([[0, 3],
            [2, 5],
            [4, 7]]), tensor([[0, 1],
            [0, 2],
            [1, 2]]))
    """
    rounded = round_half_away(boxes * spatial_scale)
    axes = []
    for low, high, cells in ((1, 3, map_size[0]), (0, 2, map_size[1])):
        first = rounded[..., low, None]
        size = (rounded[..., high, None] - first).clamp(min=1) / parts  # of a part, in cells
        steps = torch.arange(parts + 1, dtype=boxes.dtype, device=boxes.device)
        edges = torch.stack([(steps[:-1] * size).floor(), (steps[1:] * size).ceil()], -1)
        axes.append((edges + first[..., None]).clamp(0, cells - 1).long())
    return axes[0], axes[1]


def pool(
    maps: Float[Tensor, "c k k h w"], boxes: Float[Tensor, "n 4"], spatial_scale: float = 1.0
) -> Float[Tensor, "n c k k"]:
    """The paper's way: each part of a box averages whole cells of its own map; 0 where it has none.

    Equal to `torchvision.ops.ps_roi_pool`.

    >>> maps = torch.arange(4.0).reshape(1, 2, 2, 1, 1).expand(1, 2, 2, 9, 9)  # map (i, j) says 2 i + j everywhere
    >>> pool(maps, torch.tensor([[1.0, 1.0, 5.0, 7.0]]))
    tensor([[[[0., 1.],
              [2., 3.]]]])
    """
    height, width = maps.shape[-2:]
    rows, columns = pool_cells(boxes, maps.shape[1], spatial_scale, (height, width))
    return _read(maps, _means(rows, height), _means(columns, width))


def _means(edges: Int64[Tensor, "n k 2"], cells: int) -> Float[Tensor, "n k {cells}"]:
    """Weights by which a row of cells becomes the mean of each interval; all 0 for an empty one."""
    place = torch.arange(cells, device=edges.device)
    inside = ((place >= edges[..., :1]) & (place < edges[..., 1:])).float()
    return inside / inside.sum(-1, keepdim=True).clamp(min=1)


def align(
    maps: Float[Tensor, "c k k h w"],
    boxes: Float[Tensor, "n 4"],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
) -> Float[Tensor, "n c k k"]:
    """Without rounding: each part averages sampling_ratio² bilinear samples of its own map, as RoI Align does.

    Equal to `torchvision.ops.ps_roi_align`, which knows the half cell between index and coordinate from the start.
    Errors: ValueError for a sampling ratio below 1.

    >>> maps = torch.arange(9.0).reshape(1, 1, 1, 1, 9).expand(1, 2, 2, 9, 9)  # every map says its column's index
    >>> align(maps, torch.tensor([[2.0, 2.0, 6.0, 6.0]]))  # parts have their middles at 3 and 5: half a cell less
    tensor([[[[2.5000, 4.5000],
              [2.5000, 4.5000]]]])
    """
    if sampling_ratio < 1:
        raise ValueError(f"A part needs at least one sample along each side, not {sampling_ratio}.")
    parts, (height, width) = maps.shape[1], maps.shape[-2:]
    axes = []
    for axis, cells in ((1, height), (0, width)):
        start, length = align_interval(boxes, axis, spatial_scale, aligned=True)
        axes.append(hat_weights(sample_places(start, length, parts, sampling_ratio), cells).mean(-2))
    return _read(maps, *axes)


def _read(
    maps: Float[Tensor, "c k k h w"], rows: Float[Tensor, "n k h"], columns: Float[Tensor, "n k w"]
) -> Float[Tensor, "n c k k"]:
    """Part (i, j) of box n: row weights (n, i) · map (i, j) · column weights (n, j)."""
    halfway = torch.einsum("niy,cijyx->ncijx", rows.to(maps.dtype), maps)
    return torch.einsum("ncijx,njx->ncij", halfway, columns.to(maps.dtype))


def vote(parts: Float[Tensor, "*batch k k"]) -> Float[Tensor, "*batch"]:
    """What a region says: the mean of its parts, each with the same weight.

    >>> vote(torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))  # a thing whose feet are hidden
    tensor(0.6667)
    """
    return parts.mean((-2, -1))


def perfect_maps(
    boxes: Float[Tensor, "t 4"],
    labels: Int64[Tensor, "t"],
    classes: int,
    parts: int,
    map_size: tuple[int, int],
    spatial_scale: float = 1.0,
) -> Float[Tensor, "{classes} {parts} {parts} h w"]:
    """The score maps of a network that makes no mistake: 1 where the middle of a cell lies in that part of a thing.

    Args:
        labels: from 1; class 0 is background, whose maps are 1 where that part of no thing lies.
        classes: background included.

    Errors: ValueError for a label that is no class.

    >>> maps = perfect_maps(torch.tensor([[0.0, 0.0, 4.0, 2.0]]), torch.tensor([1]), 2, 2, (2, 5))
    >>> maps[1, 0, 1], maps[0, 0, 1]  # the upper right part of the thing, and what is not
    (tensor([[0., 0., 1., 1., 0.],
            [0., 0., 0., 0., 0.]]), tensor([[1., 1., 0., 0., 1.],
            [1., 1., 1., 1., 1.]]))
    """
    if len(labels) and not 1 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(f"Labels of things run from 1 to {classes - 1}.")
    y, x = ((torch.arange(size, dtype=boxes.dtype) + 0.5) / spatial_scale for size in map_size)
    maps = boxes.new_zeros(classes, parts, parts, *map_size)
    for box, label in zip(boxes, labels.tolist(), strict=True):
        cut = part_boxes(box, parts)
        rows = (y >= cut[:, 0, 1, None]) & (y < cut[:, 0, 3, None])
        columns = (x >= cut[0, :, 0, None]) & (x < cut[0, :, 2, None])
        maps[label] = maps[label].maximum((rows[:, None, :, None] & columns[None, :, None, :]).to(boxes.dtype))
    maps[0] = 1 - maps[1:].amax(0) if classes > 1 else 1
    return maps


def vote_after_shift(shift: Float[Tensor, "*batch"], parts: int) -> Float[Tensor, "*batch"]:
    """On perfect maps, the vote of a thing's own box moved aside by `shift` >= 0 of its width: max(0, 1 - k · shift).

    Each part keeps that share of its own cells, so the vote falls k times as fast: to 0 at 1/k of the width.

    >>> vote_after_shift(torch.tensor([0.0, 0.1, 0.5]), 3)
    tensor([1.0000, 0.7000, 0.0000])
    """
    return (1 - parts * shift).clamp(min=0)
