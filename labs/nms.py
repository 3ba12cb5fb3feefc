"""Non-maximum suppression, step by step: greedy, and soft (linear and Gaussian).

Boxes are xyxy in pixels. Indices in results refer to the boxes as given.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor
from torchvision import ops

from labs.boxes import iou_matrix

Factor = Callable[[Float[Tensor, " n"]], Float[Tensor, " n"]]  # from IoU to what soft-NMS leaves of a score


@dataclass(frozen=True)
class Suppressed:
    """Box `index` was dropped; its IoU with the box that won is `iou`."""

    index: int
    iou: float


@dataclass(frozen=True)
class Step:
    """One turn of greedy NMS: box `kept` had the best score left; `suppressed` overlapped it too much."""

    kept: int
    suppressed: tuple[Suppressed, ...]


@dataclass(frozen=True)
class Decay:
    """Box `index` overlapped the winner by `iou`; its score went from `before` to `after`."""

    index: int
    iou: float
    before: float
    after: float


@dataclass(frozen=True)
class SoftStep:
    """One turn of soft-NMS: box `kept` won with `score`, what was left of its own; `decays` are the scores it cut."""

    kept: int
    score: float
    decays: tuple[Decay, ...]


def greedy(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, " n"],
    iou_threshold: float,
    labels: Int[Tensor, " n"] | None = None,
) -> list[Step]:
    """Keep the best box, drop every box whose IoU with it is above the threshold, repeat with what is left.

    With `labels`, boxes of different classes never suppress each other. Equal scores keep their given order, as in
    torchvision on the CPU. The steps come best score first, so `kept_indices(steps)` equals `torchvision.ops.nms`.

    Above means: the IoU as the boxes' own floats give it. Where these are exact, as for 1/2, an IoU at the threshold
    does not suppress. 1/5 is 0.200000003 in float32 and suppresses at 0.2, in torchvision as well, and not in float64.

    With labels it is `torchvision.ops.nms` class by class. `batched_nms` pushes the classes apart by large offsets so
    that one call does for all, which costs digits of the coordinates: where an IoU lies close to the threshold, to some
    five digits, it may decide otherwise.

    Source: greedy NMS as in Dalal and Triggs 2005, Felzenszwalb et al. 2010.

    >>> boxes = torch.tensor([[0.0, 0, 8, 8], [0, 0, 8, 6], [20, 20, 28, 28]])
    >>> greedy(boxes, torch.tensor([0.9, 0.8, 0.7]), iou_threshold=0.5)
    [Step(kept=0, suppressed=(Suppressed(index=1, iou=0.75),)), Step(kept=2, suppressed=())]
    """
    _check(boxes, scores)
    overlaps = iou_matrix(boxes, boxes).double()  # float32 would round the threshold as well
    beats = overlaps > iou_threshold
    if labels is not None:
        beats &= labels[:, None] == labels[None]
    # One box at a time is faster in NumPy than in PyTorch.
    overlaps, beats = overlaps.cpu().numpy(), beats.cpu().numpy()
    waiting = torch.argsort(scores, descending=True, stable=True).cpu().numpy()
    steps = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        drop = beats[best, waiting]
        losers = waiting[drop]
        suppressed = zip(losers.tolist(), overlaps[best, losers].tolist(), strict=True)
        steps.append(Step(int(best), tuple(Suppressed(*each) for each in suppressed)))
        waiting = waiting[~drop]
    return steps


def kept_indices(steps: list[Step] | list[SoftStep]) -> Int64[Tensor, " kept"]:
    """The winners of all steps in their order.

    >>> kept_indices([Step(kept=0, suppressed=(Suppressed(index=1, iou=0.75),)), Step(kept=2, suppressed=())])
    tensor([0, 2])
    """
    return torch.tensor([step.kept for step in steps], dtype=torch.int64)


def survivors(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], iou_threshold: float, labels: Int[Tensor, " n"]
) -> Int64[Tensor, " kept"]:
    """The winners of `greedy` without their story: torchvision's kernel, class by class, and so fast.

    >>> boxes, scores = torch.tensor([[0.0, 0, 8, 8], [0, 0, 8, 6]]), torch.tensor([0.8, 0.9])
    >>> survivors(boxes, scores, 0.5, labels=torch.tensor([1, 1])), survivors(boxes, scores, 0.5, torch.tensor([1, 2]))
    (tensor([1]), tensor([1, 0]))
    """
    kept = torch.zeros(len(scores), dtype=torch.bool)
    for label in labels.unique():
        mine = (labels == label).nonzero()[:, 0]
        kept[mine[ops.nms(boxes[mine], scores[mine], iou_threshold)]] = True
    order = scores.argsort(descending=True, stable=True)
    return order[kept[order]]


def hard(iou_threshold: float) -> Factor:
    """The factor 0 above the threshold, else 1: with it soft-NMS is greedy NMS.

    >>> hard(0.5)(torch.tensor([0.25, 0.5, 0.75]))
    tensor([1., 1., 0.])
    """
    return lambda overlaps: (overlaps <= iou_threshold).to(overlaps.dtype)


def linear(iou_threshold: float = 0.3) -> Factor:
    """The factor 1 - IoU above the threshold, else 1 (Bodla et al. 2017, eq. 2).

    >>> linear(0.3)(torch.tensor([0.25, 0.5, 0.75]))
    tensor([1.0000, 0.5000, 0.2500])
    """
    return lambda overlaps: torch.where(overlaps > iou_threshold, 1 - overlaps, torch.ones_like(overlaps))


def gaussian(sigma: float = 0.5) -> Factor:
    """The factor exp(-IoU² / σ), without a jump (Bodla et al. 2017, eq. 3). ValueError unless sigma is above 0.

    >>> gaussian(0.5)(torch.tensor([0.25, 0.5, 0.75]))
    tensor([0.8825, 0.6065, 0.3247])
    """
    if not sigma > 0:
        raise ValueError("The width sigma of Gaussian soft-NMS must be above 0.")
    return lambda overlaps: torch.exp(-overlaps.square() / sigma)


def soft(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, " n"],
    factor: Factor,
    smallest_score: float = 0.001,
    labels: Int[Tensor, " n"] | None = None,
) -> list[SoftStep]:
    """Soft-NMS: the best box keeps its score, overlapping boxes keep `factor(IoU)` of theirs, repeat with what is left.

    `factor` is `linear(...)`, `gaussian(...)` or `hard(...)`. Boxes whose score falls below `smallest_score` are
    dropped, and so is a score of 0. Equal scores keep their given order. Source: Bodla et al. 2017, figure 3.

    >>> boxes = torch.tensor([[0.0, 0, 8, 8], [0, 0, 8, 6], [20, 20, 28, 28]])
    >>> steps = soft(boxes, torch.tensor([0.9, 0.8, 0.7]), linear(0.3))
    >>> [(step.kept, round(step.score, 4)) for step in steps]  # box 1 lost three quarters of its 0.8
    [(0, 0.9), (2, 0.7), (1, 0.2)]
    """
    _check(boxes, scores)
    left = scores.double().clone()
    alive = (left >= smallest_score) & (left > 0)
    overlaps = iou_matrix(boxes, boxes).double()
    steps = []
    while bool(alive.any()):
        best = int(torch.where(alive, left, -math.inf).argmax())
        alive[best] = False
        rivals = alive if labels is None else alive & (labels == labels[best])
        new = torch.where(rivals, left * factor(overlaps[best]), left)
        changed = torch.nonzero(new != left).flatten().tolist()
        decays = tuple(Decay(i, float(overlaps[best, i]), float(left[i]), float(new[i])) for i in changed)
        steps.append(SoftStep(best, float(left[best]), decays))
        left = new
        alive &= (left >= smallest_score) & (left > 0)
    return steps


def _check(boxes: Tensor, scores: Tensor) -> None:
    if boxes.ndim != 2 or boxes.shape[-1] != 4 or scores.shape != boxes.shape[:1]:
        shapes = f"{tuple(boxes.shape)} and {tuple(scores.shape)}"
        raise ValueError(f"NMS needs boxes (N, 4) and as many scores (N,), got {shapes}.")
