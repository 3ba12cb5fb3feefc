"""How good are proposals that nobody has classified? Their recall, their precision, and how well the best of them fit.

Uijlings et al. 2013, section 5.1 (average best overlap); Hosang et al. 2016, "What makes for effective detection
proposals?". Recall over the length of a list is `labs.region_proposals.recall`. Boxes are xyxy in pixels.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from labs.boxes import iou_matrix


def best_overlaps(proposals: Float[Tensor, "n 4"], truths: Float[Tensor, "truths 4"]) -> Float[Tensor, " n"]:
    """IoU of each proposal with the thing that it fits best, 0 where the picture has none.

    >>> best_overlaps(torch.tensor([[0.0, 0, 8, 4], [8, 8, 9, 9]]), truths=torch.tensor([[0.0, 0, 8, 8]]))
    tensor([0.5000, 0.0000])
    """
    if not len(truths):
        return torch.zeros(len(proposals))
    return iou_matrix(proposals, truths).amax(dim=1)


def precision(overlaps: Float[Tensor, " n"], iou_threshold: float) -> float:
    """Share of proposals that fit some thing with an IoU of at least the threshold, 0 to 1.

    `overlaps` comes from `best_overlaps`, of one picture or of many in a row. Several proposals on one thing all count:
    no score is there to prefer one. Errors: ValueError without a proposal.

    >>> precision(torch.tensor([0.5, 0.8, 0.1, 0.0]), iou_threshold=0.5)
    0.5
    """
    if not len(overlaps):
        raise ValueError("Without a proposal there is no precision.")
    return float((overlaps >= iou_threshold).float().mean())


def mean_average_best_overlap(best: Float[Tensor, " truths"], labels: Int64[Tensor, " truths"]) -> float:
    """MABO: for each class the mean of its things' best IoU with any proposal, and the mean over the classes, 0 to 1.

    Errors: ValueError without a thing.

    >>> mean_average_best_overlap(torch.tensor([0.5, 1.0, 0.25]), torch.tensor([1, 1, 2]))
    0.5
    """
    if not len(best):
        raise ValueError("There is no truth in these pictures, so no overlap is the best: choose scenes with objects.")
    return float(torch.stack([best[labels == each].mean() for each in labels.unique()]).mean())
