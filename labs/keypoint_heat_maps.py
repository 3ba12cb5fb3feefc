"""Joints as heat maps: each joint is one place of a grid on the person's box, learned by a softmax over all places.

A box (4,) is xyxy in pixels. Its grid has `side` x `side` cells, 56 in the paper, and a place counts them row by row
from 0. Positions on the grid are x, y in cells, so that the middle of the first cell is (0.5, 0.5). Joints are (..., 3)
of x, y in pixels and a third number above 0 where the joint counts; logarithms are natural.
Sources: He et al. 2017 (Mask R-CNN), section 5; Newell et al. 2016, section 3.3 (a quarter of a cell); Sun et al. 2018
(the mean place); Heckbert 1990 (the middle of cell d lies at d + 0.5).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor


class Targets(NamedTuple):
    """`places` int64 from 0 to side² - 1, and where they `count`; a place that does not count is 0."""

    places: Int64[Tensor, "n joints"]
    count: Bool[Tensor, "n joints"]


def targets(joints: Float[Tensor, "n joints 3"], boxes: Float[Tensor, "n 4"], side: int) -> Targets:
    """The cell in which each joint of person n lies on the grid of box n.

    A joint on the right or lower edge belongs to the last cell. A joint outside the box, or one whose third number is
    not above 0, has no cell and does not count.

    Errors: ValueError for a box without area.

    >>> targets(torch.tensor([[[30.0, 12.0, 2.0], [70.0, 12.0, 2.0]]]), torch.tensor([[10.0, 10, 66, 66]]), 56)
    Targets(places=tensor([[132,   0]]), count=tensor([[ True, False]]))
    """
    low, extent = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
    if not bool((extent > 0).all()):
        raise ValueError("A box needs a width and a height above 0.")
    at = joints[..., :2]
    cells = ((at - low) * (side / extent)).floor().long()
    cells = torch.where(at == boxes[:, None, 2:], side - 1, cells)
    count = ((cells >= 0) & (cells < side)).all(-1) & (joints[..., 2] > 0)
    return Targets((cells[..., 1] * side + cells[..., 0]) * count, count)


def one_hot(aim: Targets, side: int) -> Float[Tensor, "n joints side side"]:
    """The targets as masks: 1 in one cell and 0 in all others; all 0 where the joint does not count.

    >>> one_hot(Targets(torch.tensor([[3]]), torch.tensor([[True]])), 2)[0, 0]
    tensor([[0., 0.],
            [0., 1.]])
    """
    masks = F.one_hot(aim.places, side * side).float() * aim.count[..., None]
    return masks.unflatten(-1, (side, side))


def probabilities(logits: Float[Tensor, "*n h w"]) -> Float[Tensor, "*n h w"]:
    """Softmax over all places of a map: they compete, and sum to 1.

    >>> probabilities(torch.zeros(2, 2))
    tensor([[0.2500, 0.2500],
            [0.2500, 0.2500]])
    """
    return logits.flatten(-2).softmax(-1).view_as(logits)


def losses(logits: Float[Tensor, "n joints side side"], aim: Targets) -> Float[Tensor, "n joints"]:
    """Cross-entropy of each joint, -log of the probability at its place, in nats; 0 where it does not count.

    >>> losses(torch.zeros(1, 1, 2, 2), Targets(torch.tensor([[3]]), torch.tensor([[True]])))
    tensor([[1.3863]])
    """
    at_place = logits.flatten(-2).log_softmax(-1).gather(-1, aim.places[..., None])[..., 0]
    return -at_place * aim.count


def loss(logits: Float[Tensor, "n joints side side"], aim: Targets) -> Float[Tensor, ""]:
    """The mean of `losses` over the joints of all persons that count; 0 where none does.

    >>> loss(torch.zeros(1, 2, 2, 2), Targets(torch.tensor([[3, 0]]), torch.tensor([[True, False]])))
    tensor(1.3863)
    """
    return losses(logits, aim).sum() / aim.count.sum().clamp(min=1)


def best_cells(logits: Float[Tensor, "joints h w"]) -> Float[Tensor, "joints 2"]:
    """Arg max: the middle of the cell with the largest value, the first of equal ones.

    >>> best_cells(torch.tensor([[[0.0, 1.0], [0.0, 0.0]]]))
    tensor([[1.5000, 0.5000]])
    """
    width = logits.shape[-1]
    place = logits.flatten(-2).argmax(-1)
    return torch.stack([place % width, place // width], -1) + 0.5


def quarter_shifted(logits: Float[Tensor, "joints h w"]) -> Float[Tensor, "joints 2"]:
    """Arg max, moved along each axis by a quarter of a cell towards the larger of its two neighbours.

    A cell at the edge of the map has one neighbour only along an axis, and stays.

    >>> quarter_shifted(torch.tensor([[[1.0, 4.0, 3.0]]]))
    tensor([[1.7500, 0.5000]])
    """
    best = best_cells(logits)
    x, y = best.long().unbind(-1)
    (height, width), joint = logits.shape[-2:], torch.arange(len(logits))
    wide = F.pad(logits, (1, 1, 1, 1))
    aside = (wide[joint, y + 1, x + 2] - wide[joint, y + 1, x]) * ((x > 0) & (x < width - 1))
    below = (wide[joint, y + 2, x + 1] - wide[joint, y, x + 1]) * ((y > 0) & (y < height - 1))
    return best + torch.stack([aside, below], -1).sign() / 4


def mean_place(logits: Float[Tensor, "joints h w"]) -> Float[Tensor, "joints 2"]:
    """The mean of all cells' middles, weighted by their probability: smooth, but drawn towards whatever else glows.

    >>> mean_place(torch.zeros(1, 2, 4))
    tensor([[2., 1.]])
    """
    shares = probabilities(logits)
    x = (shares.sum(-2) * (torch.arange(logits.shape[-1]) + 0.5)).sum(-1)
    y = (shares.sum(-1) * (torch.arange(logits.shape[-2]) + 0.5)).sum(-1)
    return torch.stack([x, y], -1)


def in_picture(
    cells: Float[Tensor, "joints 2"], box: Float[Tensor, "4"], shape: tuple[int, int]
) -> Float[Tensor, "joints 2"]:
    """Positions on a grid of `shape` (rows, columns) to pixels of the picture.

    >>> in_picture(torch.tensor([[0.5, 0.5]]), torch.tensor([10.0, 10, 122, 66]), (56, 56))
    tensor([[11.0000, 10.5000]])
    """
    return box[:2] + cells * (box[2:] - box[:2]) / torch.tensor([shape[1], shape[0]])


def enlarged_best(logits: Float[Tensor, "joints h w"], box: Float[Tensor, "4"]) -> Float[Tensor, "joints 2"]:
    """The paper's way, in pixels: the map is enlarged (bicubic) until a cell is a pixel of the box, then arg max.

    >>> enlarged_best(torch.tensor([[[0.0, 3.0], [0.0, 0.0]]]), torch.tensor([10.0, 20, 14, 24]))
    tensor([[13.5000, 20.5000]])
    """
    width, height = (box[2:] - box[:2]).clamp(min=1).tolist()
    size = (-int(-height // 1), -int(-width // 1))  # rounded up
    large = F.interpolate(logits[None], size=size, mode="bicubic", align_corners=False)[0]
    cells = best_cells(large) * torch.tensor([width / size[1], height / size[0]])
    return box[:2] + cells
