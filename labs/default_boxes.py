"""Default boxes of SSD: a pyramid of grids, each with shapes of its own size, and the box that answers for a truth.

Liu et al. 2016, "SSD: Single Shot MultiBox Detector", sections 2.1 and 2.2. Scales and shapes are shares of the
picture's sides; boxes are xyxy in pixels of the picture. The boxes of a grid are counted (row · columns + column) · k +
shape, grid after grid from the finest, as in torchvision. The loss of matched boxes: `labs.hard_negative_mining`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torchvision.ops import batched_nms

from labs.boxes import corner_form, decode

# SSD300: its grids, how far apart their positions are in pixels, its scales (one more than grids) and its ratios.
SSD300_GRIDS = (38, 19, 10, 5, 3, 1)
SSD300_STEPS = (8, 16, 32, 64, 100, 300)
SSD300_SCALES = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.075)
SSD300_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
VARIANCES = (0.1, 0.1, 0.2, 0.2)  # of the transforms tx, ty, tw, th that the network learns: it says t / variance


@dataclass(frozen=True, eq=False)
class DefaultBoxes:
    """All default boxes of a picture: `boxes` (n, 4), the grid of each, `grid_of`, and its `shape_of` from 0."""

    boxes: Float[Tensor, "n 4"]
    grid_of: Int64[Tensor, " n"]
    shape_of: Int64[Tensor, " n"]


@dataclass(frozen=True, eq=False)
class Match:
    """Which truth each box answers for.

    owner: index of the truth, or -1 for background.
    forced: its truth has no better box, so the box answers for it however low the IoU.
    overlap: IoU with the truth it overlaps most, 0 to 1.
    """

    owner: Int64[Tensor, " boxes"]
    forced: Bool[Tensor, " boxes"]
    overlap: Float[Tensor, " boxes"]


def scales(grids: int, smallest: float, largest: float, finest: float | None = None) -> list[float]:
    """One scale for each grid and one beyond, evenly spaced (Liu et al. 2016, eq. 4).

    s_k = s_min + (s_max - s_min) (k - 1) / (m - 1), shares of the picture's side in (0, 1]. The one beyond lets the
    coarsest grid have its larger square. With `finest` the first grid has that scale, as in SSD300, and the even ones
    begin at the second. Errors: ValueError for too few grids or scales out of order.

    >>> [round(scale, 3) for scale in scales(grids=6, smallest=0.2, largest=0.9, finest=0.1)]
    [0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.075]
    """
    even = grids if finest is None else grids - 1
    if even < 1 or not 0 < smallest <= largest <= 1 or not 0 < (finest or smallest) <= smallest:
        raise ValueError("Default boxes need a grid, and scales with 0 < finest ≤ smallest ≤ largest ≤ 1.")
    step = (largest - smallest) / max(even - 1, 1)
    first = [] if finest is None else [finest]
    return first + [smallest + step * k for k in range(even + 1)]


def shapes(scale: float, beyond: float, ratios: Sequence[float]) -> Float[Tensor, "k 2"]:
    """Width and height of the k = 2 + 2 · len(ratios) boxes of one position, as shares of the picture's sides.

    A square of `scale`, a square of √(scale · beyond), `beyond` the scale of the next grid, and for each ratio a (> 1)
    a lying box, scale · √a wide and scale / √a tall, and a standing one. Errors: ValueError for numbers not above 0.

    >>> shapes(scale=0.2, beyond=0.45, ratios=[4])
    tensor([[0.2000, 0.2000],
            [0.3000, 0.3000],
            [0.4000, 0.1000],
            [0.1000, 0.4000]])
    """
    if min(scale, beyond, *ratios) <= 0:
        raise ValueError("Scales and ratios of default boxes are above 0.")
    between = math.sqrt(scale * beyond)
    found = [(scale, scale), (between, between)]
    for ratio in ratios:
        long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
        found += [(long, short), (short, long)]
    return torch.tensor(found)


def grid_boxes(
    sides: Float[Tensor, "k 2"], cells: int, height: float, width: float, step: float | None = None
) -> Float[Tensor, "n 4"]:
    """The boxes of one grid of cells×cells positions, each centred on its cell; clipping is left to the caller.

    `sides` from `shapes`. `step`: pixels between positions where the network's stride is not side / cells, as in
    SSD300.

    >>> grid_boxes(torch.tensor([[0.5, 0.25]]), cells=2, height=80, width=80)[:2]
    tensor([[ 0., 10., 40., 30.],
            [40., 10., 80., 30.]])
    """
    place = torch.arange(cells, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(place * (step or height / cells), place * (step or width / cells), indexing="ij")
    centres = torch.stack([x, y], dim=-1).reshape(-1, 1, 2).expand(-1, len(sides), -1)
    pixels = (sides * torch.tensor([width, height])).expand(len(centres), -1, -1)
    return corner_form(torch.cat([centres, pixels], dim=-1)).reshape(-1, 4)


def default_boxes(
    grids: Sequence[int],
    scale: Sequence[float],
    ratios: Sequence[Sequence[float]],
    height: float,
    width: float,
    steps: Sequence[float] | None = None,
) -> DefaultBoxes:
    """All default boxes: one grid of positions for each of `grids`, finest first.

    `scale`: one more than grids. Sides longer than the picture are cut to it, as in torchvision; a box may still reach
    beyond the picture's edge. Errors: ValueError where the lengths do not fit.

    >>> found = default_boxes(SSD300_GRIDS, SSD300_SCALES, SSD300_RATIOS, 300, 300, SSD300_STEPS)
    >>> len(found.boxes), found.grid_of.bincount().tolist()
    (8732, [5776, 2166, 600, 150, 36, 4])
    """
    if not len(grids) or len(scale) != len(grids) + 1 or len(ratios) != len(grids):
        raise ValueError("Default boxes need ratios for every grid, and one scale more than grids.")
    boxes, grid_of, shape_of = [], [], []
    for k, cells in enumerate(grids):
        sides = shapes(scale[k], scale[k + 1], ratios[k]).clamp(max=1)
        boxes.append(grid_boxes(sides, cells, height, width, None if steps is None else steps[k]))
        grid_of.append(torch.full((len(boxes[-1]),), k))
        shape_of.append(torch.arange(len(sides)).repeat(cells * cells))
    return DefaultBoxes(torch.cat(boxes), torch.cat(grid_of), torch.cat(shape_of))


def count(grids: Sequence[int], ratios: Sequence[Sequence[float]]) -> list[int]:
    """Default boxes of each grid: positions times shapes.

    >>> count(SSD300_GRIDS, SSD300_RATIOS), sum(count(SSD300_GRIDS, SSD300_RATIOS))
    ([5776, 2166, 600, 150, 36, 4], 8732)
    """
    return [cells * cells * (2 + 2 * len(each)) for cells, each in zip(grids, ratios, strict=True)]


def match(iou: Float[Tensor, "truths boxes"], threshold: float = 0.5) -> Match:
    """Which truth each default box answers for, from their IoU (Liu et al. 2016, section 2.2, "Matching strategy").

    A box takes the truth that it overlaps most, from an IoU of `threshold` on. Before that every truth has its best
    box, so none goes without, unless two truths have the same best box: the later one keeps it. Unlike the RPN there is
    no band of ignored boxes: what is not positive is background.
    Errors: ValueError for a threshold outside 0 to 1.

    >>> found = match(torch.tensor([[0.8, 0.5, 0.4, 0.1], [0.0, 0.3, 0.2, 0.1]]))
    >>> found.owner, found.forced  # the second truth's best box has IoU 0.3, below what the first would have there
    (tensor([ 0,  1, -1, -1]), tensor([False,  True, False, False]))
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"The IoU to match at lies between 0 and 1, not at {threshold:g}.")
    truths, boxes = iou.shape
    if not truths or not boxes:
        return Match(torch.full((boxes,), -1), torch.zeros(boxes, dtype=torch.bool), iou.new_zeros(boxes))
    overlap, nearest = iou.max(dim=0)
    owner = torch.where(overlap >= threshold, nearest, -1)
    forced = torch.zeros_like(owner, dtype=torch.bool)
    for truth, best in enumerate(iou.argmax(dim=1).tolist()):
        owner[best] = truth
        forced[best] = iou[truth, best] < threshold
    return Match(owner, forced, overlap)


def moved(
    transforms: Float[Tensor, "n 4"], defaults: Float[Tensor, "n 4"], height: float, width: float
) -> Float[Tensor, "n 4"]:
    """The boxes that the network says, cut at the picture's edge: its transforms times VARIANCES, decoded.

    >>> moved(torch.tensor([[5.0, 0, 0, 0]]), torch.tensor([[10.0, 10, 30, 30]]), height=40, width=35)
    tensor([[20., 10., 35., 30.]])
    """
    boxes = decode(transforms * transforms.new_tensor(VARIANCES), defaults)
    edges = boxes.new_tensor([width, height, width, height])
    return torch.minimum(boxes.clamp(min=0), edges)


def detect(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, "n classes"], threshold: float, overlap: float
) -> tuple[Int64[Tensor, " found"], Int64[Tensor, " found"], Float[Tensor, " found"]]:
    """What is left after score threshold and NMS per class: the default box of each detection, its label from 1, and
    its score, best first.

    `boxes` from `moved`; `scores`: softmax, background first. Every box asks once for every class with a score above
    `threshold`; a box goes when its IoU with a better one of its class is above `overlap`.

    >>> scores = torch.tensor([[0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.9, 0.0, 0.1]])
    >>> detect(torch.tensor([[0.0, 0, 8, 8]] * 3), scores, threshold=0.5, overlap=0.45)
    (tensor([0]), tensor([1]), tensor([0.8000]))
    """
    box, label = (scores[:, 1:] > threshold).nonzero(as_tuple=True)
    found = scores[:, 1:][box, label]
    kept = batched_nms(boxes[box], found, label, overlap)
    return box[kept], label[kept] + 1, found[kept]
