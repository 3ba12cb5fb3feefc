"""Localization: one class and one box for a picture, four numbers that a network regresses, and what an error costs.

A box as numbers is (x, y, w, h): centre, width and height, divided by the picture's width and height, so that a picture
goes from 0 to 1. Boxes as xyxy in pixels are those of `labs.boxes`. Losses take numbers in the last axis and broadcast
like arithmetic. Sources: Girshick 2015 (smooth L1, the multitask loss), Rezatofighi et al. 2019 (GIoU).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from labs import boxes

NUMBERS = ("x", "y", "w", "h")
BETA = 0.1  # where smooth L1 turns from a parabola into a line, in sides of the picture


class Terms(NamedTuple):
    """One output of a fully connected layer: its `products` w_k h_k, its `bias`, and the `output`, their sum."""

    products: Float[Tensor, "k"]
    bias: Float[Tensor, ""]
    output: Float[Tensor, ""]


def to_numbers(xyxy: Float[Tensor, "*batch 4"], width: float, height: float) -> Float[Tensor, "*batch 4"]:
    """A box xyxy in pixels as (x, y, w, h): centre and size in sides of a picture of `width` x `height` pixels.

    Errors: ValueError for a picture without extent.

    >>> to_numbers(torch.tensor([56.0, 56, 168, 112]), 224, 224)
    tensor([0.5000, 0.3750, 0.5000, 0.2500])
    """
    if width <= 0 or height <= 0:
        raise ValueError(f"A picture has a width and a height above 0, not {width:g} x {height:g}.")
    return boxes.centre_form(xyxy) / xyxy.new_tensor([width, height, width, height])


def to_box(numbers: Float[Tensor, "*batch 4"], width: float, height: float) -> Float[Tensor, "*batch 4"]:
    """The inverse of `to_numbers`: xyxy in pixels. A width or height below 0, which a network can say, counts as 0.

    >>> to_box(torch.tensor([0.5, 0.375, 0.5, 0.25]), 224, 224)
    tensor([ 56.,  56., 168., 112.])
    """
    scaled = numbers * numbers.new_tensor([width, height, width, height])
    return boxes.corner_form(torch.cat([scaled[..., :2], scaled[..., 2:].clamp(min=0)], dim=-1))


def inside(xyxy: Float[Tensor, "*batch 4"], width: float, height: float) -> Float[Tensor, "*batch 4"]:
    """The part of a box that lies in the picture, both in pixels: the truth never reaches beyond the border.

    >>> inside(torch.tensor([-10.0, 20, 50, 300]), 224, 224)
    tensor([  0.,  20.,  50., 224.])
    """
    return torch.minimum(xyxy.clamp(min=0), xyxy.new_tensor([width, height, width, height]))


def l2_loss(guess: Float[Tensor, "*#batch 4"], truth: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """The lecture's: (x - x')² + (y - y')² + (w - w')² + (h - h')².

    >>> l2_loss(torch.tensor([0.5, 0.5, 0.4, 0.2]), torch.tensor([0.6, 0.5, 0.2, 0.2]))
    tensor(0.0500)
    """
    return (guess - truth).square().sum(-1)


def l1_loss(guess: Float[Tensor, "*#batch 4"], truth: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """The sum of the four distances: twice as far costs twice as much, not four times.

    >>> l1_loss(torch.tensor([0.5, 0.5, 0.4, 0.2]), torch.tensor([0.6, 0.5, 0.2, 0.2]))
    tensor(0.3000)
    """
    return (guess - truth).abs().sum(-1)


def smooth_l1_loss(
    guess: Float[Tensor, "*#batch 4"], truth: Float[Tensor, "*#batch 4"], beta: float = BETA
) -> Float[Tensor, "*batch"]:
    """d² / (2 beta) for a distance d below beta, d - beta / 2 from there on, summed over the four (Girshick 2015).

    >>> smooth_l1_loss(torch.tensor([0.5, 0.5, 0.4, 0.2]), torch.tensor([0.45, 0.5, 0.2, 0.2]), beta=0.1)
    tensor(0.1625)
    """
    return F.smooth_l1_loss(*torch.broadcast_tensors(guess, truth), reduction="none", beta=beta).sum(-1)


def iou_loss(guess: Float[Tensor, "*#batch 4"], truth: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """1 - IoU of the two boxes, 0 to 1: the same for a small thing as for a large one, and flat where they are apart.

    >>> iou_loss(torch.tensor([0.5, 0.5, 0.4, 0.2]), torch.tensor([0.6, 0.5, 0.4, 0.2]))
    tensor(0.4000)
    """
    return 1 - boxes.iou(to_box(guess, 1, 1), to_box(truth, 1, 1))


def giou_loss(guess: Float[Tensor, "*#batch 4"], truth: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch"]:
    """1 - GIoU, 0 to 2: as `iou_loss`, but boxes that are apart still feel how far (Rezatofighi et al. 2019).

    >>> giou_loss(torch.tensor([0.1, 0.5, 0.2, 0.2]), torch.tensor([0.9, 0.5, 0.2, 0.2]))
    tensor(1.6000)
    """
    return 1 - boxes.giou(to_box(guess, 1, 1), to_box(truth, 1, 1))


BOX_LOSSES = {"L2": l2_loss, "L1": l1_loss, "smooth L1": smooth_l1_loss, "IoU": iou_loss, "GIoU": giou_loss}


def class_loss(scores: Float[Tensor, "n classes"], labels: Int64[Tensor, "n"]) -> Float[Tensor, "n"]:
    """S: cross-entropy of the softmax of the scores with the label, nats.

    >>> class_loss(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2]))
    tensor([1.3863])
    """
    return F.cross_entropy(scores, labels, reduction="none")


def multitask_loss(
    classification: Float[Tensor, "*batch"], regression: Float[Tensor, "*batch"], alpha: float
) -> Float[Tensor, "*batch"]:
    """L = alpha S + (1 - alpha) R: one number to minimise, because a gradient is that of one number.

    Errors: ValueError for an alpha outside 0 to 1.

    >>> multitask_loss(torch.tensor(2.0), torch.tensor(0.5), alpha=0.25)
    tensor(0.8750)
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"α lies between 0 and 1, not at {alpha:g}.")
    return alpha * classification + (1 - alpha) * regression


def lambda_of(alpha: float) -> float:
    """The λ for which S + λ R has the same minimum as alpha S + (1 - alpha) R; infinite for alpha = 0.

    >>> lambda_of(0.5), lambda_of(0.2), lambda_of(0.0)
    (1.0, 4.0, inf)
    """
    return (1 - alpha) / alpha if alpha else math.inf


def last_layer(
    hidden: Float[Tensor, "k"], weights: Float[Tensor, "outputs k"], bias: Float[Tensor, "outputs"], output: int
) -> Terms:
    """One output of a fully connected layer, opened: bias + sum of w_k h_k.

    >>> last_layer(torch.tensor([1.0, 2.0]), torch.tensor([[0.5, -1.0], [3.0, 0.0]]), torch.tensor([0.25, 1.0]), 0)
    Terms(products=tensor([ 0.5000, -2.0000]), bias=tensor(0.2500), output=tensor(-1.2500))
    """
    products = weights[output] * hidden
    return Terms(products, bias[output], products.sum() + bias[output])


def outputs_needed(things: int, classes: int) -> int:
    """How many numbers a network says for so many things: a score per class and four for the box, each time.

    >>> outputs_needed(1, 8), outputs_needed(5, 8), outputs_needed(0, 8)
    (12, 60, 0)
    """
    return things * (classes + len(NUMBERS))
