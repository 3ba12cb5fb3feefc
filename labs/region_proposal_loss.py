"""What a region proposal network pays for its anchors: the mini-batch that is drawn, and the loss of one anchor.

Ren et al. 2015, "Faster R-CNN", sections 3.1.2 and 3.1.3, with torchvision's constants. Losses are in nats; boxes are
xyxy in pixels of the picture.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from labs.boxes import encode

BEND = 1 / 9  # where torchvision's smooth L1 turns from a square into a line


def draw_batch(
    label: Int64[Tensor, " anchors"], count: int, positive_share: float, seed: int
) -> Int64[Tensor, " drawn"]:
    """Indices of the anchors that one step of training looks at, positives first. The same seed, the same draw.

    `label`: 1 positive, 0 negative, -1 ignored and never drawn. Of `count` anchors at most `positive_share` (0 to 1)
    are positive; negatives fill the rest. Fewer are drawn where there are not enough.
    Errors: ValueError for a count below 1 or a share outside 0 to 1.

    >>> label = torch.tensor([1, -1, 0, 0, 0, 1, 1, 0])
    >>> drawn = draw_batch(label, count=4, positive_share=0.5, seed=0)
    >>> label[drawn]
    tensor([1, 1, 0, 0])
    """
    if count < 1 or not 0 <= positive_share <= 1:
        raise ValueError(f"A mini-batch has at least 1 anchor and a share of positives from 0 to 1, not {count} and "
                         f"{positive_share:g}.")  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    shuffled = [members[torch.randperm(len(members), generator=generator)]
                for members in ((label == wanted).nonzero()[:, 0] for wanted in (1, 0))]  # fmt: skip
    positive = shuffled[0][: int(count * positive_share)]
    return torch.cat([positive, shuffled[1][: count - len(positive)]])


class AnchorLoss(NamedTuple):
    """`objectness` and `move`, both >= 0, and `target` (4,), the transform that would lead to the truth."""

    objectness: Tensor
    move: Tensor
    target: Tensor


def anchor_loss(
    logit: Float[Tensor, ""],
    transform: Float[Tensor, "4"],
    anchor: Float[Tensor, "4"],
    truth: Float[Tensor, "4"],
    label: int,
) -> AnchorLoss:
    """What one anchor of a mini-batch adds, before the division by the size of the batch.

    `label` 1: cross-entropy of "object" and the smooth L1 distance of `transform` from its target. 0: cross-entropy of
    "background", and no loss of the move. -1, ignored: nothing.
    Errors: ValueError for another label.

    >>> box = torch.tensor([0.0, 0, 20, 10])
    >>> anchor_loss(torch.tensor(0.0), torch.zeros(4), box, box + torch.tensor([2.0, 0, 2, 0]), label=1)
    AnchorLoss(objectness=tensor(0.6931), move=tensor(0.0450), target=tensor([0.1000, 0.0000, 0.0000, 0.0000]))
    """
    if label not in (1, 0, -1):
        raise ValueError(f"An anchor is positive (1), negative (0) or ignored (-1), not {label}.")
    target = encode(truth, anchor)
    nothing = torch.zeros(())
    if label == -1:
        return AnchorLoss(nothing, nothing, target)
    objectness = F.binary_cross_entropy_with_logits(logit, torch.tensor(float(label)))
    move = F.smooth_l1_loss(transform, target, beta=BEND, reduction="sum") if label == 1 else nothing
    return AnchorLoss(objectness, move, target)
