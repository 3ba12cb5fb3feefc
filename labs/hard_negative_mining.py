"""Hard negative mining, and the loss of SSD: of thousands of background boxes only the worst stay in the loss.

Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.2. Class 0 is background; logarithms are natural, so
losses are in nats; boxes are xyxy in pixels. Boxes are matched with truths by `labs.default_boxes.match`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from labs.boxes import encode
from labs.default_boxes import VARIANCES


@dataclass(frozen=True, eq=False)
class MultiboxLoss:
    """What one picture pays, box by box, all >= 0.

    classes: cross-entropy of every default box, whether it counts or not.
    moves: smooth L1 of the transform, zero for background.
    positive: boxes that answer for a truth. negative: background boxes that stay in the loss.
    """

    classes: Float[Tensor, " n"]
    moves: Float[Tensor, " n"]
    positive: Bool[Tensor, " n"]
    negative: Bool[Tensor, " n"]

    @property
    def counted(self) -> Float[Tensor, " n"]:
        """What each box adds, before the division by the number of positives."""
        return torch.where(self.positive | self.negative, self.classes, 0) + self.moves

    @property
    def total(self) -> Float[Tensor, ""]:
        """The loss of the picture, over its number of positives: zero where there are none.

        >>> loss = multibox_loss(torch.zeros(4, 2), torch.zeros(4, 4), torch.tensor([[0.0, 0, 8, 8]] * 4),
        ...                      torch.tensor([0, -1, -1, -1]), torch.tensor([[0.0, 0, 8, 8]]), torch.tensor([1]), 2)
        >>> loss.total  # one positive and two of the three negatives, ln 2 each
        tensor(2.0794)
        """
        return self.counted.sum() / self.positive.sum().clamp(min=1)


def hardest_negatives(
    losses: Float[Tensor, " n"], positive: Bool[Tensor, " n"], ratio: float = 3.0
) -> Bool[Tensor, " n"]:
    """The background boxes that stay in the loss: those with the highest, `ratio` for each positive.

    `ratio` >= 0; without positives there are none. Of equal losses the first boxes stay.
    Errors: ValueError for a negative ratio.

    >>> hardest_negatives(torch.tensor([0.1, 0.9, 2.0, 0.4, 0.3]), torch.tensor([0, 0, 1, 0, 0]).bool(), ratio=2)
    tensor([False,  True, False,  True, False])
    """
    if ratio < 0:
        raise ValueError(f"There are 0 negatives or more for each positive, not {ratio:g}.")
    order = losses.masked_fill(positive, -torch.inf).argsort(descending=True, stable=True)
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order), device=order.device)
    return (ranks < ratio * positive.sum()) & ~positive


def multibox_loss(
    logits: Float[Tensor, "n classes"],
    transforms: Float[Tensor, "n 4"],
    defaults: Float[Tensor, "n 4"],
    owner: Int64[Tensor, " n"],
    boxes: Float[Tensor, "t 4"],
    labels: Int64[Tensor, " t"],
    ratio: float = 3.0,
) -> MultiboxLoss:
    """What a picture pays for the network's numbers, given which truth each default box answers for.

    `logits`: background first. `transforms`: as the network says them, divided by VARIANCES. `owner`: from
    `default_boxes.match`, -1 for background. `boxes`, `labels` (from 1): the truths. `ratio`: negatives kept for each
    positive.

    >>> said = torch.tensor([[0.0, 0, 0, 0], [9, 9, 9, 9]])  # what a background box says of its place costs nothing
    >>> multibox_loss(torch.zeros(2, 3), said, torch.tensor([[0.0, 0, 8, 8]] * 2), torch.tensor([0, -1]),
    ...               torch.tensor([[0.0, 0, 8, 8]]), torch.tensor([2])).moves
    tensor([0., 0.])
    """
    positive = owner >= 0
    target = torch.zeros_like(owner)
    target[positive] = labels[owner[positive]]
    classes = F.cross_entropy(logits, target, reduction="none")
    moves = classes.new_zeros(len(owner))
    if positive.any():
        wanted = encode(boxes[owner[positive]], defaults[positive]) / defaults.new_tensor(VARIANCES)
        moves = moves.index_put((positive,), F.smooth_l1_loss(transforms[positive], wanted, reduction="none").sum(1))
    return MultiboxLoss(classes, moves, positive, hardest_negatives(classes.detach(), positive, ratio))
