"""Spatial pyramid pooling: a region of any size becomes one vector, the maxima over grids of 4×4, 2×2 and 1×1 bins.

The map has been computed once, from the whole picture. Boxes are xyxy in pixels of that picture; cell j of a map of
stride S is the square from j · S to (j + 1) · S, its middle at (j + ½) · S. Regions on the map are whole cells: first
column, first row, last column, last row, ends inside.

Sources: He et al. 2014, sections 2.2 and 3 and appendix A; Lazebnik et al. 2006. With a single level it is RoI pooling
(Girshick 2015, section 2.1).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torchvision.ops import roi_pool

LEVELS = (4, 2, 1)  # bins a side, as in figure 3 of the paper: 16 + 4 + 1 bins
ROI_POOL = (7,)  # the single level of Fast R-CNN
RULES = ("middles inside", "corners rounded")


def count(levels: Sequence[int]) -> int:
    """Bins of all levels together.

    >>> count((4, 2, 1)), count((6, 3, 2, 1)), count((7,))
    (21, 50, 49)
    """
    return sum(side * side for side in levels)


def cells(
    boxes: Float[Tensor, "*batch 4"], stride: int, map_size: tuple[int, int], rule: str = "middles inside"
) -> Int64[Tensor, "*batch 4"]:
    """Which cells of a map of `map_size` (H, W) a box takes; at least one, and none beyond the map's border.

    "middles inside" is SPP-net's: the cells whose middle lies within the box. "corners rounded" is RoI pooling's: both
    corners to the nearest line between cells, and then the cell after the last line as well, so it takes one row and
    one column more. (Its old convention counts pixels, so a corner is the last pixel inside.)

    Errors: ValueError for another rule.

    >>> box = torch.tensor([16.0, 8.0, 56.0, 40.0])  # five by four cells of stride 8
    >>> cells(box, 8, (28, 28))
    tensor([2, 1, 6, 4])
    >>> cells(box, 8, (28, 28), "corners rounded")
    tensor([2, 1, 7, 5])
    """
    if rule not in RULES:
        raise ValueError(f"There is no rule {rule!r}: choose one of {', '.join(RULES)}.")
    low, high = boxes[..., :2] / stride, boxes[..., 2:] / stride
    first = (low - 0.5).floor() + 1
    last = (high - 0.5).ceil() - 1 if rule == "middles inside" else (high - 0.5).floor() + 1
    most = boxes.new_tensor([map_size[1] - 1, map_size[0] - 1])
    # A box between two middles takes the cell that it lies in.
    middle = ((low + high) / 2).floor()
    first, last = torch.where(last < first, middle, first), torch.where(last < first, middle, last)
    return torch.cat([first.clamp(min=0).minimum(most), last.clamp(min=0).minimum(most)], -1).long()


def bins(length: int, side: int) -> list[tuple[int, int]]:
    """Start and stop of `side` bins along an axis of `length` cells: from ⌊i L/n⌋ to ⌈(i + 1) L/n⌉ − 1.

    Neighbours share a cell where L/n is no whole number, so no bin is empty, however small the region.

    >>> bins(7, 2)
    [(0, 4), (3, 7)]
    >>> bins(2, 4)
    [(0, 1), (0, 1), (1, 2), (1, 2)]
    """
    return [(i * length // side, -(-(i + 1) * length // side)) for i in range(side)]


def pool_region(
    features: Float[Tensor, "c h w"], region: Int64[Tensor, "4"], levels: Sequence[int] = LEVELS
) -> Float[Tensor, "c bins"]:
    """The maxima of one region in the bins of every level, level by level and row by row.

    >>> features = torch.arange(12.0).reshape(1, 3, 4)
    >>> pool_region(features, torch.tensor([0, 0, 3, 1]), (2, 1))  # all columns, the first two rows
    tensor([[1., 3., 5., 7., 7.]])
    """
    left, top, right, bottom = region.tolist()
    inside = features[:, top : bottom + 1, left : right + 1]
    maxima = [
        inside[:, y0:y1, x0:x1].amax((1, 2))
        for side in levels
        for y0, y1 in bins(bottom - top + 1, side)
        for x0, x1 in bins(right - left + 1, side)
    ]
    return torch.stack(maxima, 1)


def winners(
    values: Float[Tensor, "h w"], region: Int64[Tensor, "4"], levels: Sequence[int] = LEVELS
) -> Int64[Tensor, "bins 2"]:
    """Row and column on the map of the maximum of every bin, in the order of `pool_region`; the first of equal ones.

    >>> winners(torch.arange(12.0).reshape(3, 4), torch.tensor([0, 0, 3, 1]), (2, 1))
    tensor([[0, 1],
            [0, 3],
            [1, 1],
            [1, 3],
            [1, 3]])
    """
    left, top, right, bottom = region.tolist()
    found = []
    for side in levels:
        for y0, y1 in bins(bottom - top + 1, side):
            for x0, x1 in bins(right - left + 1, side):
                best = int(values[top + y0 : top + y1, left + x0 : left + x1].flatten().argmax())
                found.append([top + y0 + best // (x1 - x0), left + x0 + best % (x1 - x0)])
    return torch.tensor(found)


def pool(
    features: Float[Tensor, "c h w"], regions: Int64[Tensor, "n 4"], levels: Sequence[int] = LEVELS
) -> Float[Tensor, "n length"]:
    """The same of many regions at once, each a vector of one length: channels times bins, channel by channel.

    Each level of the pyramid is RoI pooling, so the library's does it.

    >>> pool(torch.zeros(64, 28, 28), torch.tensor([[0, 0, 27, 27], [3, 4, 3, 4]])).shape
    torch.Size([2, 1344])
    """
    boxes = regions.to(features.dtype)
    pooled = [roi_pool(features[None], [boxes], side).flatten(2) for side in levels]
    return torch.cat(pooled, 2).flatten(1)
