"""What is worth running? Detectors as points of time and accuracy, those that no other beats, the best for a budget.

Huang et al. 2017, Speed/accuracy trade-offs for modern convolutional object detectors.
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torchvision.ops import box_iou


def pareto_front(milliseconds: Float[Tensor, " n"], accuracy: Float[Tensor, " n"]) -> Bool[Tensor, " n"]:
    """Which points no other beats: none is at most as slow and at least as accurate, and better in one of the two.

    Equal points are on the front together. Points of unknown time or accuracy (NaN) are never on it.

    >>> import torch
    >>> pareto_front(torch.tensor([10.0, 20.0, 20.0, 30.0]), torch.tensor([0.5, 0.7, 0.6, 0.7])).tolist()
    [True, True, False, False]
    """
    as_good = (milliseconds[None] <= milliseconds[:, None]) & (accuracy[None] >= accuracy[:, None])
    better = (milliseconds[None] < milliseconds[:, None]) | (accuracy[None] > accuracy[:, None])
    known = milliseconds.isfinite() & accuracy.isfinite()
    return known & ~(as_good & better & known[None]).any(1)


def best_within(milliseconds: Float[Tensor, " n"], accuracy: Float[Tensor, " n"], budget: float) -> int | None:
    """The most accurate point that takes at most `budget` milliseconds, the faster one where two are equally accurate;
    None if there is none.

    >>> import torch
    >>> best_within(torch.tensor([10.0, 20.0]), torch.tensor([0.5, 0.7]), 20.0)
    1
    >>> best_within(torch.tensor([10.0, 20.0]), torch.tensor([0.5, 0.7]), 9.9) is None
    True
    """
    able = [i for i in range(len(accuracy)) if float(milliseconds[i]) <= budget and bool(accuracy[i].isfinite())]
    return max(able, key=lambda i: (float(accuracy[i]), -float(milliseconds[i])), default=None)


def found(
    boxes: Float[Tensor, "d 4"],
    labels: Int64[Tensor, " d"],
    scores: Float[Tensor, " d"],
    truths: Float[Tensor, "t 4"],
    truth_labels: Int64[Tensor, " t"],
    score_threshold: float = 0.5,
    iou_threshold: float = 0.5,
) -> Bool[Tensor, " t"]:
    """Which truths have a detection of their class with a score and an IoU of at least the thresholds. Boxes xyxy.

    A box may find two truths of one class here: this asks what is seen, average precision counts once.

    >>> import torch
    >>> boxes, one = torch.tensor([[0.0, 0.0, 10.0, 10.0]]), torch.tensor([1])
    >>> truths = torch.tensor([[0.0, 0.0, 10.0, 8.0], [20.0, 0.0, 30.0, 9.0]])
    >>> found(boxes, one, torch.tensor([0.9]), truths, one.repeat(2))
    tensor([ True, False])
    """
    sure = scores >= score_threshold
    fits = box_iou(truths, boxes[sure]) >= iou_threshold
    return (fits & (truth_labels[:, None] == labels[sure][None])).any(1)


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds here, and the two figures that say so."""

    holds: bool
    first: float
    second: float


def slower_and_more_accurate(two_stages: tuple[float, float], one_stage: tuple[float, float]) -> Verdict:
    """Whether two stages, as (milliseconds, AP), are both slower and more accurate than one stage; the figures are
    how many times slower, and by how much AP better.

    >>> slower_and_more_accurate((40.0, 0.75), (20.0, 0.5))
    Verdict(holds=True, first=2.0, second=0.25)
    """
    times, gain = two_stages[0] / one_stage[0], two_stages[1] - one_stage[1]
    return Verdict(times > 1 and gain > 0, times, gain)


def flat(values: Float[Tensor, " n"], tolerance: float) -> Verdict:
    """Whether values lie within `tolerance` of each other; the figures are the smallest and the largest.

    Errors: ValueError for no value.

    >>> import torch
    >>> flat(torch.tensor([0.5, 0.75]), 0.25)
    Verdict(holds=True, first=0.5, second=0.75)
    """
    if not len(values):
        raise ValueError("Without a value nothing is flat.")
    low, high = float(values.min()), float(values.max())
    return Verdict(high - low <= tolerance, low, high)
