"""Boxes: overlap (IoU and its three descendants), pixel conventions, and the transform that corrects a box.

A box is xyxy: (x1, y1, x2, y2) in pixels, x1 <= x2, y1 <= y2, in the last axis of a tensor. Functions of two boxes
broadcast like arithmetic, so the same formula compares pairs, (n, 4) with (n, 4), and everything with everything,
(n, 1, 4) with (m, 4). With float32 in, float32 comes out.
"""

import math
from enum import Enum
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

WORDS = ((0.9, "almost perfect"), (0.7, "pretty good"), (0.5, "decent"))
BELOW_WORDS = "not a match"
LARGEST_LOG_SCALE = math.log(1000 / 16)  # torchvision's guard: no transform enlarges a box more than 62.5 times


class PixelConvention(Enum):
    """What a corner coordinate means, and so how long a side is: x2 - x1 + value pixels.

    CONTINUOUS: a place on the plane, 0 is the left edge of the picture (COCO, torchvision, detectron2).
    INCLUSIVE: the index of the last pixel inside, so a side has one pixel more (PASCAL VOC's devkit, early R-CNNs).
    """

    CONTINUOUS = 0.0
    INCLUSIVE = 1.0


class Overlap(NamedTuple):
    """What two boxes have in common and what they cover together, in square pixels."""

    intersection: Float[Tensor, "*batch"]
    union: Float[Tensor, "*batch"]


def area(
    boxes: Float[Tensor, "*batch 4"], convention: PixelConvention = PixelConvention.CONTINUOUS
) -> Float[Tensor, "*batch"]:
    """Width times height, in square pixels.

    >>> area(torch.tensor([10.0, 10, 14, 13]))
    tensor(12.)
    >>> area(torch.tensor([10.0, 10, 14, 13]), PixelConvention.INCLUSIVE)
    tensor(20.)
    """
    return (boxes[..., 2] - boxes[..., 0] + convention.value) * (boxes[..., 3] - boxes[..., 1] + convention.value)


def intersection_box(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The common part of two boxes; where they do not meet, x2 < x1 or y2 < y1.

    >>> intersection_box(torch.tensor([0.0, 0, 4, 4]), torch.tensor([2.0, 1, 6, 3]))
    tensor([2., 1., 4., 3.])
    """
    return torch.cat([torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])], dim=-1)


def enclosing_box(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The smallest box around both.

    >>> enclosing_box(torch.tensor([0.0, 0, 4, 4]), torch.tensor([2.0, 1, 6, 3]))
    tensor([0., 0., 6., 4.])
    """
    return torch.cat([torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])], dim=-1)


def overlap(
    a: Float[Tensor, "*#batch 4"],
    b: Float[Tensor, "*#batch 4"],
    convention: PixelConvention = PixelConvention.CONTINUOUS,
) -> Overlap:
    """Intersection and union.

    >>> overlap(torch.tensor([0.0, 0, 4, 4]), torch.tensor([2.0, 1, 6, 3]))
    Overlap(intersection=tensor(4.), union=tensor(20.))
    """
    common = intersection_box(a, b)
    sides = (common[..., 2:] - common[..., :2] + convention.value).clamp(min=0)
    intersection = sides[..., 0] * sides[..., 1]
    return Overlap(intersection, area(a, convention) + area(b, convention) - intersection)


def iou(
    a: Float[Tensor, "*#batch 4"],
    b: Float[Tensor, "*#batch 4"],
    convention: PixelConvention = PixelConvention.CONTINUOUS,
) -> Float[Tensor, "*batch"]:
    """Intersection over union, 0 to 1; 0 where both boxes are empty (Jaccard 1912).

    >>> iou(torch.tensor([0.0, 0, 4, 4]), torch.tensor([2.0, 1, 6, 3]))  # 4 / 20
    tensor(0.2000)
    """
    return _share(*overlap(a, b, convention))


def iou_matrix(
    a: Float[Tensor, "n 4"], b: Float[Tensor, "m 4"], convention: PixelConvention = PixelConvention.CONTINUOUS
) -> Float[Tensor, "n m"]:
    """IoU of every box in a with every box in b. `torchvision.ops.box_iou` for CONTINUOUS.

    >>> a = torch.tensor([[0.0, 0, 4, 4], [0, 0, 2, 2]])
    >>> iou_matrix(a, torch.tensor([[0.0, 0, 4, 4], [0, 2, 4, 4], [4, 4, 8, 8]]))
    tensor([[1.0000, 0.5000, 0.0000],
            [0.2500, 0.0000, 0.0000]])
    """
    return iou(a[:, None], b[None], convention)


def crowd_overlap(boxes: Float[Tensor, "*#batch 4"], crowds: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """What COCO takes in place of IoU for a crowd region: the share of the box that lies inside it, 0 to 1.

    >>> crowd_overlap(torch.tensor([90.0, 0, 110, 20]), torch.tensor([0.0, 0, 100, 100]))
    tensor(0.5000)
    """
    return _share(overlap(boxes, crowds).intersection, area(boxes) + torch.zeros_like(area(crowds)))


def giou(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """Generalised IoU, -1 to 1: IoU - (C - U) / C, C the area of the enclosing box (Rezatofighi et al. 2019).

    Below 0 it still says how far apart two boxes are, where IoU is 0 everywhere. The loss is 1 - GIoU.

    >>> giou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([[0.0, 0, 2, 2], [3, 0, 5, 2], [18, 0, 20, 2]]))
    tensor([ 1.0000, -0.2000, -0.8000])
    """
    union = overlap(a, b).union
    hull = area(enclosing_box(a, b))
    return iou(a, b) - _share(hull - union, hull)


def diou(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """Distance IoU, -1 to 1: IoU - d² / c², d the distance of the centres, c the diagonal of the enclosing box
    (Zheng et al. 2020, eq. 6). The loss is 1 - DIoU.

    >>> diou(torch.tensor([0.0, 0, 4, 4]), torch.tensor([[1.0, 1, 3, 3], [0, 0, 2, 2]]))  # IoU is 0.25 both times
    tensor([0.2500, 0.1875])
    """
    distance = (centre_form(a)[..., :2] - centre_form(b)[..., :2]).square().sum(-1)
    hull = enclosing_box(a, b)
    return iou(a, b) - _share(distance, (hull[..., 2:] - hull[..., :2]).square().sum(-1))


def ciou(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """Complete IoU: DIoU - αv, v the disagreement of the aspect ratios (Zheng et al. 2020, eq. 8 to 11).

    v = 4/π² (atan(w_b/h_b) - atan(w_a/h_a))², α = v / (1 - IoU + v), taken as a constant in the gradient.
    The loss is 1 - CIoU.

    >>> ciou(torch.tensor([0.0, 0, 4, 4]), torch.tensor([[1.0, 1, 3, 3], [0, 1.5, 4, 2.5]]))  # DIoU is 0.25 both times
    tensor([0.2500, 0.2339])
    """
    angle = [torch.atan2(form[..., 2], form[..., 3]) for form in (centre_form(a), centre_form(b))]
    v = 4 / math.pi**2 * (angle[1] - angle[0]).square()
    with torch.no_grad():
        alpha = _share(v, 1 - iou(a, b) + v)
    return diou(a, b) - alpha * v


def word(value: float) -> str:
    """The lecture's word for an IoU: from 0.5 on decent, from 0.7 pretty good, from 0.9 almost perfect.

    The lecture writes > 0.5; COCO and VOC match at exactly 0.5 as well (`labs.matching`), and so do these words.

    >>> word(0.72)
    'pretty good'
    """
    return next((name for bound, name in WORDS if value >= bound), BELOW_WORDS)


def centre_form(boxes: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """xyxy to centre x, centre y, width, height, all in pixels.

    >>> centre_form(torch.tensor([10.0, 20, 30, 60]))
    tensor([20., 40., 20., 40.])
    """
    return torch.cat([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], dim=-1)


def corner_form(boxes: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Centre x, centre y, width, height to xyxy, all in pixels.

    >>> corner_form(torch.tensor([20.0, 40, 20, 40]))
    tensor([10., 20., 30., 60.])
    """
    return torch.cat([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], dim=-1)


def encode(boxes: Float[Tensor, "*#batch 4"], proposals: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The transform t = (tx, ty, tw, th) that moves proposals onto boxes, both xyxy.

    tx = (bx - px) / pw, ty = (by - py) / ph, tw = log(bw / pw), th = log(bh / ph), with centres x, y and sizes w, h
    (Girshick et al. 2014, eq. 6 to 9). Errors: ValueError if a box or a proposal has no area.

    >>> encode(torch.tensor([20.0, 10, 60, 30]), torch.tensor([10.0, 10, 30, 30]))  # one width on, twice as wide
    tensor([1.0000, 0.0000, 0.6931, 0.0000])
    """
    b, p = centre_form(boxes), centre_form(proposals)
    if not bool((b[..., 2:] > 0).all() and (p[..., 2:] > 0).all()):
        raise ValueError("A box transform needs boxes with a width and a height above 0.")
    return torch.cat([(b[..., :2] - p[..., :2]) / p[..., 2:], torch.log(b[..., 2:] / p[..., 2:])], dim=-1)


def decode(transforms: Float[Tensor, "*#batch 4"], proposals: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Proposals xyxy moved by transforms: the inverse of `encode`.

    bx = px + pw·tx, by = py + ph·ty, bw = pw·exp(tw), bh = ph·exp(th); tw and th are cut at log(1000/16) as in
    torchvision, so that an untrained network cannot overflow.

    >>> decode(torch.tensor([1.0, 0, math.log(2), 0]), torch.tensor([10.0, 10, 30, 30]))
    tensor([20., 10., 60., 30.])
    """
    p = centre_form(proposals)
    centres = p[..., :2] + p[..., 2:] * transforms[..., :2]
    sizes = p[..., 2:] * transforms[..., 2:].clamp(max=LARGEST_LOG_SCALE).exp()
    return corner_form(torch.cat([centres, sizes], dim=-1))


def _share(part: Float[Tensor, "*batch"], whole: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """part / whole, and 0 where whole is 0."""
    return torch.where(whole > 0, part / torch.where(whole > 0, whole, 1), torch.zeros_like(part))
