"""One thing, marked by a whole class: how well everybody meets the truth, and how well the class agrees with itself.

Thirty annotators give thirty boxes of one thing. Their IoU with each other needs no truth, and it says how sharp an
answer the picture has at all: no detector can be held to more. Boxes are xyxy and places (x, y), both in pixels.

Sources: Su, Deng, Fei-Fei 2012 (boxes from many annotators); Papadopoulos et al. 2017 (places clicked on things).
"""

import math

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from labs import boxes as geometry


def with_truth(boxes: Float64[Tensor, "n 4"], truth: Float64[Tensor, "4"]) -> Float64[Tensor, " n"]:
    """IoU of everybody's box with the truth, 0 to 1.

    >>> with_truth(torch.tensor([[0.0, 0, 8, 8], [0, 0, 8, 4]]).double(), torch.tensor([0.0, 0, 8, 8]).double())
    tensor([1.0000, 0.5000], dtype=torch.float64)
    """
    return geometry.iou(boxes, truth)


def pairwise(boxes: Float64[Tensor, "n 4"]) -> Float64[Tensor, " pairs"]:
    """IoU of every two annotators' boxes, each pair once: n (n - 1) / 2 numbers from 0 to 1, none for a single one.

    >>> pairwise(torch.tensor([[0.0, 0, 8, 8], [0, 0, 8, 4], [0, 0, 8, 8]]).double())
    tensor([0.5000, 1.0000, 0.5000], dtype=torch.float64)
    """
    rows, columns = torch.triu_indices(len(boxes), len(boxes), offset=1)
    return geometry.iou(boxes[rows], boxes[columns])


def most_agreed(boxes: Float64[Tensor, "n 4"]) -> int:
    """Which box has the largest mean IoU with all others: the class's own answer, found without a truth; the first of
    several. Errors: ValueError without a box.

    >>> most_agreed(torch.tensor([[0.0, 0, 8, 4], [0, 0, 8, 6], [0, 0, 8, 8]]).double())
    1
    """
    if not len(boxes):
        raise ValueError("Nobody has drawn a box, so there is none to agree on.")
    return int(geometry.iou_matrix(boxes, boxes).sum(1).argmax())


def distances(places: Float64[Tensor, "n 2"], truth: Float64[Tensor, "4"]) -> Float64[Tensor, " n"]:
    """How far each place lies from the truth, a box, in pixels; 0 inside and on its edge.

    >>> distances(torch.tensor([[5.0, 5], [13, 14]]).double(), torch.tensor([0.0, 0, 10, 10]).double())
    tensor([0., 5.], dtype=torch.float64)
    """
    beyond = torch.maximum(truth[:2] - places, places - truth[2:]).clamp(min=0)
    return beyond.norm(dim=1)


def inside(places: Float64[Tensor, "n 2"], truth: Float64[Tensor, "4"]) -> Bool[Tensor, " n"]:
    """Which places lie in the truth, a box, or on its edge.

    >>> inside(torch.tensor([[10.0, 5], [11, 5]]).double(), torch.tensor([0.0, 0, 10, 10]).double())
    tensor([ True, False])
    """
    return ((places >= truth[:2]) & (places <= truth[2:])).all(1)


def apart(places: Float64[Tensor, "n 2"]) -> Float64[Tensor, " pairs"]:
    """How far every two annotators' places lie apart, in pixels, each pair once. `torch.pdist`.

    >>> apart(torch.tensor([[0.0, 0], [3, 4], [0, 0]]).double())
    tensor([5., 0., 5.], dtype=torch.float64)
    """
    return torch.pdist(places) if len(places) > 1 else places.new_zeros(0)


def middle(numbers: Float64[Tensor, " n"]) -> float:
    """The median, the mean of the two in the middle where n is even; NaN without a number.

    >>> middle(torch.tensor([0.25, 1, 0.75, 0.5]).double())
    0.625
    """
    return float(numbers.quantile(0.5)) if len(numbers) else math.nan
