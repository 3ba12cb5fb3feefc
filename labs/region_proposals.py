"""From the boxes of a region proposal network to a short ranked list, and how much of the truth such lists cover.

Ren et al. 2015, "Faster R-CNN", section 3. A learned list is measured against random boxes and sliding
windows. Boxes are xyxy in pixels of the picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torchvision.ops import batched_nms, clip_boxes_to_image, remove_small_boxes

from labs.anchors import base_anchors
from labs.boxes import iou_matrix


@dataclass(frozen=True, eq=False)
class Filtered:
    """Which boxes survive each step, as indices into the boxes before, best first.

    `top`: those of highest objectness of each level. `survivors`: of those, what non-maximum suppression leaves.
    `kept`: the first of the survivors, the proposals. `boxes`: all boxes, clipped to the picture.
    """

    top: Int64[Tensor, " top"]
    survivors: Int64[Tensor, " survivors"]
    kept: Int64[Tensor, " kept"]
    boxes: Float[Tensor, "m 4"]


def filter_proposals(
    boxes: Float[Tensor, "m 4"],
    scores: Float[Tensor, " m"],
    level: Int64[Tensor, " m"],
    size: tuple[int, int],
    top: int = 600,
    nms_threshold: float = 0.7,
    keep: int = 300,
) -> Filtered:
    """From decoded boxes with their objectness to at most `keep` proposals, as torchvision's RPN does it.

    Per `level` (ascending) take the `top` best; clip to the picture of `size` (height, width); drop boxes thinner than
    0.001 px; suppress within each level at `nms_threshold`; keep the best over all levels.

    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    >>> scores = torch.tensor([2.0, 3.0, 1.0])
    >>> left = filter_proposals(boxes, scores, level=torch.zeros(3, dtype=torch.int64), size=(25, 25))
    >>> left.kept, left.boxes[left.kept]  # box 0 overlaps box 1, which has the higher objectness
    (tensor([1, 2]), tensor([[ 0.,  0., 10.,  9.],
                             [20., 20., 25., 25.]]))
    """
    best = []
    for each in level.unique():
        members = (level == each).nonzero()[:, 0]
        best.append(members[scores[members].topk(min(top, len(members))).indices])
    chosen = torch.cat(best) if best else level.new_zeros(0)
    clipped = clip_boxes_to_image(boxes, size)
    chosen = chosen[remove_small_boxes(clipped[chosen], 1e-3)]
    survivors = chosen[batched_nms(clipped[chosen], scores[chosen], level[chosen], nms_threshold)]
    return Filtered(chosen[scores[chosen].argsort(descending=True, stable=True)], survivors, survivors[:keep], clipped)


def coverage(
    proposals: Float[Tensor, "n 4"], truths: Float[Tensor, "truths 4"], length: int
) -> Float[Tensor, "truths {length}"]:
    """Best IoU of each truth with the first 1, 2, ... `length` of ranked proposals; it never falls.

    A list with fewer than `length` proposals keeps its last value; an empty one covers nothing (0).

    >>> coverage(torch.tensor([[0.0, 0, 8, 4], [0, 0, 8, 6]]), truths=torch.tensor([[0.0, 0, 8, 8]]), length=3)
    tensor([[0.5000, 0.7500, 0.7500]])
    """
    first = iou_matrix(truths, proposals[:length]).cummax(dim=1).values
    if first.shape[1] == 0:
        return torch.zeros(len(truths), length)
    return torch.cat([first, first[:, -1:].expand(-1, length - first.shape[1])], dim=1)


def recall(covered: Float[Tensor, "truths n"], iou_threshold: float) -> Float[Tensor, " n"]:
    """Share of truths that the first 1, 2, ... n proposals cover with IoU >= the threshold, 0 to 1.

    `covered` comes from `coverage`, of one picture or of many stacked (Hosang et al. 2016, "What makes for effective
    detection proposals?", section 4). Errors: ValueError without a truth, when there is nothing to recall.

    >>> recall(torch.tensor([[0.5, 0.8, 0.8], [0.0, 0.0, 0.6]]), iou_threshold=0.5)
    tensor([0.5000, 0.5000, 1.0000])
    """
    if not len(covered):
        raise ValueError("There is no truth in these pictures, so recall has no value: choose scenes with objects.")
    return (covered >= iou_threshold).float().mean(dim=0)


def random_boxes(count: int, height: int, width: int, seed: int) -> Float32[Tensor, "{count} 4"]:
    """Boxes between two uniformly random points of the picture. The same seed, the same boxes.

    >>> random_boxes(2, height=100, width=200, seed=0).round()
    tensor([[18., 13., 99., 77.],
            [61., 63., 98., 90.]])
    """
    ends = torch.rand(count, 2, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([width, height])
    return torch.cat([ends.amin(dim=1), ends.amax(dim=1)], dim=1)


def sliding_windows(
    height: int, width: int, sizes: Sequence[float], ratios: Sequence[float], step: float = 0.5
) -> Float32[Tensor, "n 4"]:
    """Windows of every size and ratio (height over width) wholly inside the picture, row by row.

    Neighbours lie `step` of their side apart, in 0 (excluded) to 1; the last one touches the edge.
    Errors: ValueError for a step outside that range.

    >>> sliding_windows(height=20, width=40, sizes=[20], ratios=[1.0], step=0.5)
    tensor([[ 0.,  0., 20., 20.],
            [10.,  0., 30., 20.],
            [20.,  0., 40., 20.]])
    """
    if not 0 < step <= 1:
        raise ValueError(f"The step of a sliding window is above 0 and at most 1 of its side, not {step:g}.")
    found = [torch.zeros(0, 4)]
    for x1, y1, x2, y2 in base_anchors(sizes, ratios, "centred").tolist():
        w, h = x2 - x1, y2 - y1
        if w > width or h > height:
            continue
        across, down = (torch.linspace(0, room, 1 + math.ceil(room / (step * side) - 1e-9))
                        for room, side in ((width - w, w), (height - h, h)))  # fmt: skip
        y, x = torch.meshgrid(down, across, indexing="ij")
        found.append(torch.stack([x, y, x + w, y + h], dim=-1).reshape(-1, 4))
    return torch.cat(found)
