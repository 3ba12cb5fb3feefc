"""Weak localization: a box from a heat map, by a network that never saw a box.

Keep the cells above 20 % of the map's maximum, take the largest connected component, box it (Zhou et al. 2016). The
best share differs from map to map, so a fair comparison of methods sweeps it (Choe et al. 2020).

Heat maps are float (H, W), tensors or arrays; a map at the picture's size gives boxes in pixels of the picture.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from labs.boxes import iou

SHARE = 0.2  # of the maximum: Zhou et al. 2016
SHARES = tuple(share / 20 for share in range(20))  # 0 to 0.95, what `best_box` tries


class Localization(NamedTuple):
    """`kept` bool (H, W), the cells above the threshold; `component` bool (H, W), the largest connected part of them;
    `box` float32 (4,) xyxy around it, or None if there is no positive evidence; `threshold` in units of the map."""

    kept: NDArray[np.bool_]
    component: NDArray[np.bool_]
    box: Tensor | None
    threshold: float


class BestBox(NamedTuple):
    """The share of the maximum whose box meets the truth best, its IoU with it in 0 to 1, and the box itself."""

    share: float
    iou: float
    box: Tensor | None


def above(heat: ArrayLike, share: float = SHARE) -> NDArray[np.bool_]:
    """Cells with a value above `share` of the maximum, bool (H, W). None of them if nothing in the map is positive.

    Errors: ValueError for a share outside 0 to below 1, or a map that is not (H, W).
    """
    if not 0 <= share < 1:
        raise ValueError(f"The share of the maximum lies from 0 to below 1, not {share}.")
    values = _values(heat)
    largest = values.max(initial=0.0)
    return (values > share * largest) if largest > 0 else np.zeros(values.shape, bool)


def largest_component(mask: ArrayLike) -> NDArray[np.bool_]:
    """The connected part with the most cells, bool (H, W); cells that touch at a corner are connected.

    The first in reading order where two are equal; empty for an empty mask.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8), connectivity=8)
    if count < 2:
        return np.zeros(labels.shape, bool)
    return labels == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())


def box_around(mask: ArrayLike) -> Tensor | None:
    """The tightest box around the true cells, xyxy float32 (4,): outer edges of the cells. None for an empty mask."""
    cells = np.asarray(mask, bool)
    rows, columns = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
    if not len(rows):
        return None
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return torch.tensor([float(edge) for edge in edges])


def localize(heat: ArrayLike, share: float = SHARE) -> Localization:
    """Threshold, largest component, box: all three steps."""
    kept = above(heat, share)
    component = largest_component(kept)
    largest = float(_values(heat).max(initial=0.0))
    return Localization(kept, component, box_around(component), share * max(largest, 0.0))


def weak_box(heat: ArrayLike, share: float = SHARE) -> Tensor | None:
    """Only the box, xyxy float32 (4,) in cells of the map; None when nothing in the map is positive."""
    return localize(heat, share).box


def box_overlap(box: Tensor | None, truth: ArrayLike) -> float:
    """IoU, 0 to 1, of a box with the true box xyxy (4,); 0 for no box."""
    return 0.0 if box is None else float(iou(box.double(), torch.as_tensor(truth, dtype=torch.float64)))


def best_box(heat: ArrayLike, truth: ArrayLike, shares: tuple[float, ...] = SHARES) -> BestBox:
    """Of the boxes at these shares of the maximum, the one with the largest IoU with the true box xyxy (4,).

    The smallest share where several are equal. It looks at the truth: a bound for a method, not a way to find objects.
    """
    boxes = [weak_box(heat, share) for share in shares]
    overlaps = [box_overlap(box, truth) for box in boxes]
    best = int(np.argmax(overlaps))
    return BestBox(shares[best], overlaps[best], boxes[best])


def _values(heat: ArrayLike) -> NDArray:
    values = np.asarray(heat)
    if values.ndim != 2:
        raise ValueError(f"A heat map has the shape (H, W), not {values.shape}.")
    return values
