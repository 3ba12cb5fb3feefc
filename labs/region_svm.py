"""One linear SVM a class on the features of regions: which regions it learns from, its margin, its loss.

Source: Girshick et al. 2014 (R-CNN), section 2.3 and appendix B. The true boxes are the positive examples of their
class, regions that overlap every thing of that class by an IoU below 0.3 the negative ones; what lies between is left
out. For the fine-tuning of the network, regions with an IoU of at least 0.5 were positive.
"""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from labs.boxes import iou_matrix

POSITIVE, NEGATIVE = 1.0, 0.3  # IoU: only a true box itself has 1 with a thing
MARGIN = 1.0


def label_regions(
    regions: Float[Tensor, "n 4"], truths: Float[Tensor, "t 4"], positive: float = POSITIVE, negative: float = NEGATIVE
) -> Int64[Tensor, " n"]:
    """What the SVM of a class learns of each region, `truths` being the boxes of that class: 1 where its best IoU is at
    least `positive`, -1 where it is below `negative`, 0 where the region is left out.

    Errors: ValueError if `positive` is below `negative`.

    >>> regions = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 2]])
    >>> label_regions(regions, torch.tensor([[0.0, 0, 10, 10]]))
    tensor([ 1,  0, -1])
    """
    if positive < negative:
        raise ValueError(f"Positive regions start at an IoU of {positive:g}, below the {negative:g} of the negative.")
    best = iou_matrix(regions, truths).amax(1) if len(truths) else torch.zeros(len(regions))
    return (best >= positive).long() - (best < negative).long()


def margins(
    features: Float[Tensor, "n d"], weights: Float[Tensor, "k d"], bias: Float[Tensor, " k"]
) -> Float[Tensor, "n k"]:
    """w·φ + b of every region and class: above 0 the SVM says yes. They are no probabilities and have no bounds.

    >>> margins(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 1.0]]), torch.tensor([-1.0]))
    tensor([[1.5000]])
    """
    return features @ weights.T + bias


def hinge(margin: Float[Tensor, "*n"], label: Int[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """max(0, 1 - y·margin), what each example costs; nothing once it lies beyond the margin on its own side.

    >>> hinge(torch.tensor([2.0, 0.5, -0.5]), torch.tensor([1, 1, -1]))
    tensor([0.0000, 0.5000, 0.5000])
    """
    return (MARGIN - label * margin).clamp(min=0)


def hard(margin: Float[Tensor, " n"], label: Int[Tensor, " n"]) -> Int64[Tensor, " some"]:
    """Indices of the hard negatives, the wrongest first: negatives that are not beyond the margin, so that they still
    cost something. All others change nothing and are forgotten (Felzenszwalb et al. 2010, section 4.4).

    >>> hard(torch.tensor([-3.0, -0.2, 0.7, 2.0]), torch.tensor([-1, -1, -1, 1]))
    tensor([2, 1])
    """
    costly = ((label < 0) & (hinge(margin, label) > 0)).nonzero().flatten()
    return costly[margin[costly].argsort(descending=True, stable=True)]
