"""The focal loss: what is already right must not add up to more than what is wrong.

A dense detector asks thousands of anchors, and nearly all of them show nothing. Cross-entropy gives each of them a
small loss; their sum drowns the few that matter. The focal loss multiplies cross-entropy by (1 - p)^γ, p being the
probability of the right answer. Losses are in nats. Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

POSITIVE, NEGATIVE = 0.5, 0.4  # IoU with a truth from which an anchor must find it, and below which it must be silent
GAMMA, ALPHA, PRIOR = 2.0, 0.25, 0.01  # the paper's


def focal_loss(
    logits: Float[Tensor, "*shape"], targets: Bool[Tensor, "*shape"], gamma: float, alpha: float | None
) -> Float[Tensor, "*shape"]:
    """What each sigmoid pays, >= 0: -α_t (1 - p_t)^γ log p_t (equation 5), p_t being the probability of its target.

    `gamma` >= 0; 0 is cross-entropy. `alpha` in 0 to 1 weighs targets that are true, 1 - `alpha` all others; None
    weighs none. Computed from logits, so neither the loss nor its gradient breaks where p_t is 0 or 1.
    Errors: ValueError for a γ below 0 or an α outside 0 to 1.

    >>> focal_loss(torch.zeros(2), torch.tensor([True, False]), gamma=0, alpha=None)  # log 2
    tensor([0.6931, 0.6931])
    >>> focal_loss(torch.zeros(2), torch.tensor([True, False]), gamma=2, alpha=0.25)
    tensor([0.0433, 0.1300])
    """
    if gamma < 0 or not (alpha is None or 0 <= alpha <= 1):
        raise ValueError(f"γ starts at 0 and α lies between 0 and 1, not at γ = {gamma:g}, α = {alpha}.")
    sure = torch.where(targets, logits, -logits)  # logit of p_t
    loss = -F.logsigmoid(sure) * (gamma * F.logsigmoid(-sure)).exp()
    return loss if alpha is None else loss * torch.where(targets, alpha, 1 - alpha)


def down_weighted(p: Float[Tensor, "*shape"], gamma: float) -> Float[Tensor, "*shape"]:
    """How many times smaller the focal loss is than cross-entropy, >= 1, where the right answer has probability `p`.

    >>> down_weighted(torch.tensor([0.5, 0.9, 0.968]), gamma=2).round()
    tensor([  4., 100., 977.])
    """
    return (1 - p) ** -gamma


def prior_bias(prior: float) -> float:
    """The bias that makes a sigmoid say `prior`, strictly between 0 and 1, before it has seen anything (section 4.1).

    Errors: ValueError outside.

    >>> round(prior_bias(0.01), 3)
    -4.595
    """
    if not 0 < prior < 1:
        raise ValueError(f"A prior probability lies between 0 and 1, not at {prior:g}.")
    return -math.log((1 - prior) / prior)


def wanted(
    match: Int64[Tensor, " anchors"], labels: Int64[Tensor, " truths"], classes: int
) -> Bool[Tensor, "anchors {classes}"]:
    """What each anchor's sigmoids should say: the class of its truth for a positive anchor, and nothing for all others.

    `match`: the truth of a positive anchor, else below 0. `labels` count from 0. There is no class for background.

    >>> wanted(torch.tensor([1, -1]), torch.tensor([0, 2]), classes=3)
    tensor([[False, False,  True],
            [False, False, False]])
    """
    right = torch.zeros(len(match), classes, dtype=torch.bool, device=match.device)
    positive = (match >= 0).nonzero()[:, 0]
    right[positive, labels[match[positive]]] = True
    return right


def sampled(match: Int64[Tensor, " anchors"], negatives: int, seed: int) -> Bool[Tensor, " anchors"]:
    """The anchors that are asked where sampling balances the two kinds: all positives, and for each of them this many
    negatives, drawn at random; `negatives` of them where nothing is positive.

    `match`: the truth of a positive anchor (0 and up), -1 negative, -2 ignored. The same seed, the same draw.

    >>> sampled(torch.tensor([0, -1, -1, -2]), negatives=1, seed=0).sum()
    tensor(2)
    """
    asked = match >= 0
    silent = (match == -1).nonzero()[:, 0].cpu()
    order = torch.randperm(len(silent), generator=torch.Generator().manual_seed(seed))
    asked[silent[order[: negatives * max(1, int(asked.sum()))]].to(match.device)] = True
    return asked


def cumulative_share(losses: Float[Tensor, " n"], difficulty: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The share, 0 to 1, of all losses that the 1, 2, ... n easiest pay together (figure 4). Nothing paid: all 0.

    >>> cumulative_share(torch.tensor([1.0, 6, 1]), difficulty=torch.tensor([0.1, 0.9, 0.2]))
    tensor([0.1250, 0.2500, 1.0000])
    """
    paid = losses[difficulty.argsort(stable=True)].cumsum(0)
    return paid / paid[-1] if len(paid) and paid[-1] > 0 else paid


class Outputs(NamedTuple):
    """Channels of the last layers on a level, and the numbers they make there."""

    rows: int
    columns: int
    classes: int
    transforms: int

    @property
    def numbers(self) -> int:
        """All numbers of both maps.

        >>> outputs(224, 224, stride=32, anchors=9, classes=80).numbers
        37044
        """
        return self.rows * self.columns * (self.classes + self.transforms)


def outputs(height: int, width: int, stride: int, anchors: int, classes: int, background: bool = False) -> Outputs:
    """What both heads say of a picture on a level of this stride: K·A class maps and 4·A transforms (section 4), for A
    `anchors` a position and K `classes`. With `background` the (K + 1)·A maps that a softmax would need.

    Errors: ValueError for numbers below 1.

    >>> outputs(640, 480, stride=32, anchors=9, classes=80)
    Outputs(rows=20, columns=15, classes=720, transforms=36)
    """
    if min(height, width, stride, anchors, classes) < 1:
        raise ValueError("Height, width, stride, anchors and classes start at 1.")
    return Outputs(math.ceil(height / stride), math.ceil(width / stride), anchors * (classes + background), 4 * anchors)
