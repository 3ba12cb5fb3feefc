"""From a saliency map to a segmentation: the map seeds colours, and a graph cut finds the thing.

Simonyan et al. 2014, section 3.2: what is most salient seeds a colour model of the thing, what is least salient one of
the rest, and the picture is cut where colours change (Boykov and Jolly 2001). A map from gradients marks the parts that
tell the class, not the thing; the colours carry it over to the rest. GrabCut (Rother et al. 2004) goes on from there:
fit both colour models to the result, cut again.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from labs.weak_localization import largest_component

FOREGROUND, BACKGROUND = 0.95, 0.30  # quantiles of the saliency: Simonyan et al. 2014
REST, THING, OPEN = int(cv2.GC_BGD), int(cv2.GC_FGD), int(cv2.GC_PR_BGD)  # what a pixel is in `seeds`
MODEL = 65  # numbers of a colour model: five Gaussians with weight, mean and covariance


def seeds(
    heat: Float[Tensor | np.ndarray, "h w"], foreground: float = FOREGROUND, background: float = BACKGROUND
) -> UInt8[np.ndarray, "h w"]:
    """THING above the `foreground` quantile of the map, REST at or below the `background` quantile, OPEN between them.

    Errors: ValueError, one sentence, for quantiles out of order, a map that is the same everywhere or undefined
    somewhere, and one in which nothing lies above the upper quantile.

    >>> seeds(np.array([[0.0, 1, 2, 3, 4]]), foreground=0.75, background=0.25)
    array([[0, 0, 2, 2, 1]], dtype=uint8)
    """
    if not 0 <= background < foreground <= 1:
        raise ValueError(f"Quantiles lie from 0 to 1, the thing's above the rest's, not {foreground} and {background}.")
    values = np.asarray(heat, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("The map is not a number somewhere, so its quantiles seed nothing.")
    low, high = np.quantile(values, [background, foreground])
    if values.min() == values.max():
        raise ValueError("The map is the same everywhere, so it seeds nothing: choose another class or method.")
    thing = values > high
    if not thing.any():
        raise ValueError(f"No pixel lies above the {foreground:.0%} quantile, so nothing seeds the thing: lower it.")
    return np.where(thing, THING, np.where(values <= low, REST, OPEN)).astype(np.uint8)


def cut(
    image: UInt8[np.ndarray, "h w 3"], marked: UInt8[np.ndarray, "h w"], rounds: int = 0
) -> Bool[np.ndarray, "h w"]:
    """Which pixels belong to the thing: two colour models from the seeds alone, one cut, then `rounds` of GrabCut.

    Args:
        image: RGB.
        marked: THING, REST and OPEN; what is a seed stays what it is.
        rounds: how often the colour models are fitted to the last result and the picture is cut again. 0 is the
            paper's one cut.

    Errors: ValueError where there is no seed of the one or the other.

    >>> dark_to_bright = np.linspace(0, 255, 60).astype(np.uint8)
    >>> image = np.broadcast_to(dark_to_bright[:, None], (20, 60, 3))
    >>> marked = np.full((20, 60), OPEN, np.uint8)
    >>> marked[:, :20], marked[:, 50:] = REST, THING
    >>> found = cut(image, marked)
    >>> bool(found[:, 45:].all()), bool(found[:, :25].any())
    (True, False)
    """
    known = marked != OPEN
    if not (marked == THING).any() or not (marked == REST).any():
        raise ValueError("Seeds of the thing and of the rest are needed, at least one pixel each.")
    pixels, labels = np.ascontiguousarray(image), marked.copy()
    rest, thing, unused = np.zeros((1, MODEL)), np.zeros((1, MODEL)), (0, 0, 1, 1)  # no rectangle is asked for below
    cv2.setRNGSeed(0)  # of this thread: the Gaussians begin with k-means
    alone = np.ascontiguousarray(pixels[known][None])
    cv2.grabCut(alone, labels[known][None], unused, rest, thing, 0, cv2.GC_INIT_WITH_MASK)
    cv2.grabCut(pixels, labels, unused, rest, thing, 1, cv2.GC_EVAL_FREEZE_MODEL)
    if rounds:
        cv2.grabCut(pixels, labels, unused, rest, thing, rounds, cv2.GC_EVAL)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def segment(
    image: UInt8[np.ndarray, "h w 3"],
    heat: Float[Tensor | np.ndarray, "h w"],
    foreground: float = FOREGROUND,
    background: float = BACKGROUND,
    rounds: int = 0,
) -> Bool[np.ndarray, "h w"]:
    """All steps: seeds, cut, and the largest connected piece of what was found.

    >>> column = np.arange(60.0)[None].repeat(20, axis=0)
    >>> found = segment((column * 4).astype(np.uint8)[..., None].repeat(3, axis=2), column, background=0.6)
    >>> bool(found[:, -3:].all()), bool(found[:, :36].any())
    (True, False)
    """
    return largest_component(cut(image, seeds(heat, foreground, background), rounds))


def mask_iou(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> float:
    """Pixels in both masks over pixels in either, 0 to 1; 0 if both are empty.

    >>> mask_iou(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    """
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0
