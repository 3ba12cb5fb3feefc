"""Selective search (Uijlings et al. 2013): boxes that may hold a thing, from regions that are merged step by step."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

OPENCV_MODES = ("single", "fast", "quality")


def by_opencv(picture: UInt8[np.ndarray, "h w 3"], mode: str = "fast") -> Float[np.ndarray, "n 4"]:
    """The boxes of OpenCV's selective search, xyxy in pixels, roughly from the large regions to the small ones.

    The set is a function of the picture; the order is not: OpenCV multiplies each region's place in the hierarchy by a
    random number, as the paper does, from a generator that nobody can set.

    Args:
        picture: RGB.
        mode: "single" (one colour space, one start), "fast" (two colour spaces, two starts) or "quality" (four colour
            spaces, four starts).
    """
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(np.ascontiguousarray(picture[:, :, ::-1]))
    if mode == "single":
        search.switchToSingleStrategy()
    elif mode == "fast":
        search.switchToSelectiveSearchFast()
    else:
        search.switchToSelectiveSearchQuality()
    boxes = np.asarray(search.process(), float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]  # from width and height
    return boxes
