"""What the head of a two-stage detector pays for its regions: what each should be called, and where it should go.

Girshick 2015, "Fast R-CNN", sections 2.3 and 3.1, with torchvision's constants. Losses are in nats; boxes are xyxy in
pixels of the picture. Class 0 is background.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from labs.boxes import encode, iou_matrix

POSITIVE = 0.5  # IoU from which a region is of the class of its truth
WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # of the four numbers of a transform, so that their errors count alike
BEND = 1 / 9  # where torchvision's smooth L1 turns from a square into a line


class Named(NamedTuple):
    """What each region should say: `label` (n,), 0 for background, and `match` (n,), the truth it overlaps most."""

    label: Tensor
    match: Tensor


def name(
    regions: Float[Tensor, "n 4"], truths: Float[Tensor, "m 4"], labels: Int64[Tensor, " m"], positive: float = POSITIVE
) -> Named:
    """Each region is called what its best truth is called, if their IoU reaches `positive`, else background.

    Without truths all are background, and match is 0.

    >>> dog, cat = [0.0, 0, 10, 10], [20.0, 0, 30, 10]
    >>> name(torch.tensor([[0.0, 0, 10, 8], [20, 0, 40, 10], [22, 0, 60, 10]]), torch.tensor([dog, cat]),
    ...      torch.tensor([3, 2]))
    Named(label=tensor([3, 2, 0]), match=tensor([0, 1, 1]))
    """
    if not len(truths):
        nothing = torch.zeros(len(regions), dtype=torch.int64)
        return Named(nothing, nothing.clone())
    best, match = iou_matrix(truths, regions).max(0)
    return Named(torch.where(best >= positive, labels[match], 0), match)


class RegionLosses(NamedTuple):
    """`name` and `move`, (n,) and >= 0: what each region adds to the losses of the classes and of the boxes."""

    name: Tensor
    move: Tensor


def region_losses(
    logits: Float[Tensor, "n classes"],
    transforms: Float[Tensor, "n classes 4"],
    regions: Float[Tensor, "n 4"],
    truths: Float[Tensor, "n 4"],
    label: Int64[Tensor, " n"],
) -> RegionLosses:
    """What each region of a mini-batch adds; already divided by n, so that the sums are the two losses.

    Cross-entropy of its label, and for those that are not background the smooth L1 distance of the transform of that
    class from the one that leads to the truth, times WEIGHTS. `truths`: the box each region is to become; without
    meaning for background.

    >>> box = torch.tensor([[0.0, 0, 20, 10]])
    >>> losses = region_losses(torch.zeros(1, 2), torch.zeros(1, 2, 4), box, box + torch.tensor([2.0, 0, 2, 0]),
    ...                        torch.tensor([1]))
    >>> round(float(losses.name), 4), round(float(losses.move), 4)  # log 2; target 10 · 0.1 = 1, so 1 - 1/18
    (0.6931, 0.9444)
    """
    count = max(len(regions), 1)
    names = F.cross_entropy(logits, label, reduction="none") / count
    moves = torch.zeros_like(names)
    thing = (label > 0).nonzero()[:, 0]
    if len(thing):
        targets = encode(truths[thing], regions[thing]) * truths.new_tensor(WEIGHTS)
        said = transforms[thing, label[thing]]
        moves[thing] = F.smooth_l1_loss(said, targets, beta=BEND, reduction="none").sum(1) / count
    return RegionLosses(names, moves)
