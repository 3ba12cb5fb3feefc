"""Weak localization: a box from a heat map, by a network that never saw a box.

Keep the cells above 20 % of the map's maximum, take the largest connected component, box it (Zhou et al. 2016). The
best share differs from map to map, so a fair comparison of methods sweeps it (Choe et al. 2020).

A heat map at the picture's size gives boxes in pixels of the picture.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Real
from torch import Tensor

from labs.boxes import iou

SHARE = 0.2  # of the maximum: Zhou et al. 2016
SHARES = tuple(share / 20 for share in range(20))  # 0 to 0.95, what `best_box` tries
TrueBox = Real[Tensor | np.ndarray, "4"] | Sequence[float]


class Localization(NamedTuple):
    """`kept`, the cells above the threshold; `component`, the largest connected part of them; `box`, xyxy around it, or
    None if there is no positive evidence; `threshold` in units of the map."""

    kept: Bool[np.ndarray, "h w"]
    component: Bool[np.ndarray, "h w"]
    box: Float32[Tensor, "4"] | None
    threshold: float


class BestBox(NamedTuple):
    """The share of the maximum whose box meets the truth best, its IoU with it in 0 to 1, and the box itself."""

    share: float
    iou: float
    box: Float32[Tensor, "4"] | None


def above(heat: Float[Tensor | np.ndarray, "h w"], share: float = SHARE) -> Bool[np.ndarray, "h w"]:
    """Cells with a value above `share` of the maximum. None of them if nothing in the map is positive.

    Errors: ValueError for a share outside 0 to below 1, or a map that is not (H, W).

    >>> above(torch.tensor([[0.9, 0.5, 0.1, 1.0]]), share=0.2)
    array([[ True,  True, False,  True]])
    """
    if not 0 <= share < 1:
        raise ValueError(f"The share of the maximum lies from 0 to below 1, not {share}.")
    values = _values(heat)
    largest = values.max(initial=0.0)
    return (values > share * largest) if largest > 0 else np.zeros(values.shape, bool)


def largest_component(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The connected part with the most cells; cells that touch at a corner are connected.

    The first in reading order where two are equal; empty for an empty mask.

    >>> largest_component(np.array([[True, True, False, True]]))
    array([[ True,  True, False, False]])
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8), connectivity=8)
    if count < 2:
        return np.zeros(labels.shape, bool)
    return labels == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())


def box_around(mask: Bool[np.ndarray, "h w"]) -> Float32[Tensor, "4"] | None:
    """The tightest box around the true cells, xyxy: outer edges of the cells. None for an empty mask.

    >>> box_around(np.array([[False, True, True, False]]))
    tensor([1., 0., 3., 1.])
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return torch.tensor([float(edge) for edge in edges])


def localize(heat: Float[Tensor | np.ndarray, "h w"], share: float = SHARE) -> Localization:
    """Threshold, largest component, box: all three steps.

    >>> localize(np.array([[0.9, 0.5, 0.1, 1.0]]), share=0.2)
    Localization(kept=array([[ True,  True, False,  True]]), component=array([[ True,  True, False, False]]),
                 box=tensor([0., 0., 2., 1.]), threshold=0.2)
    """
    kept = above(heat, share)
    component = largest_component(kept)
    largest = float(_values(heat).max(initial=0.0))
    return Localization(kept, component, box_around(component), share * max(largest, 0.0))


def weak_box(heat: Float[Tensor | np.ndarray, "h w"], share: float = SHARE) -> Float32[Tensor, "4"] | None:
    """Only the box, xyxy in cells of the map; None when nothing in the map is positive.

    >>> weak_box(np.array([[0.9, 0.5, 0.1, 1.0]]), share=0.6)
    tensor([0., 0., 1., 1.])
    """
    return localize(heat, share).box


def box_overlap(box: Float[Tensor, "4"] | None, truth: TrueBox) -> float:
    """IoU, 0 to 1, of a box with the true box, both xyxy; 0 for no box.

    >>> truth = [0.0, 0.0, 4.0, 1.0]
    >>> box_overlap(torch.tensor([0.0, 0.0, 2.0, 1.0]), truth), box_overlap(None, truth)
    (0.5, 0.0)
    """
    return 0.0 if box is None else float(iou(box.double(), torch.as_tensor(truth, dtype=torch.float64)))


def best_box(heat: Float[Tensor | np.ndarray, "h w"], truth: TrueBox, shares: tuple[float, ...] = SHARES) -> BestBox:
    """Of the boxes at these shares of the maximum, the one with the largest IoU with the true box xyxy.

    The smallest share where several are equal. It looks at the truth: a bound for a method, not a way to find objects.

    >>> best_box(np.array([[0.9, 0.5, 0.1, 1.0]]), truth=[0.0, 0.0, 1.0, 1.0])
    BestBox(share=0.5, iou=1.0, box=tensor([0., 0., 1., 1.]))
    """
    boxes = [weak_box(heat, share) for share in shares]
    overlaps = [box_overlap(box, truth) for box in boxes]
    best = int(np.argmax(overlaps))
    return BestBox(shares[best], overlaps[best], boxes[best])


def _values(heat: Tensor | np.ndarray) -> np.ndarray:
    values = np.asarray(heat)
    if values.ndim != 2:
        raise ValueError(f"A heat map has the shape (H, W), not {values.shape}.")
    return values
