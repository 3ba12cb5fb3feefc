"""One class, one picture, many methods: every map of a lab classifier at the picture's size, to be compared."""

import numpy as np
from torch import Tensor

from models.inside import attribution, saliency
from models.inside.attribution import GRAD_CAM
from models.networks.classifier import LoadedClassifier

OCCLUSION = "occlusion"
METHODS = (*saliency.METHODS, OCCLUSION, GRAD_CAM)


def explain(model: LoadedClassifier, image: np.ndarray, target: int, method: str) -> Tensor:
    """A map of what mattered for a class, float32 (h, w) of the picture, on the CPU, in the method's own units.

    - Of `saliency.METHODS`: `saliency.saliency`, at its standard settings.
    - "Grad-CAM": at the last layer, signed, enlarged bilinearly. After average pooling it is CAM over its cells.
    - "occlusion": how much the score falls, signed; squares of 32 pixels every 16.

    Args:
        model: from `catalog.load`, or a copy by `attribution.randomised`.
        image: uint8 RGB (224, 224, 3).
        target: the class, an index into `scenes.THINGS`.
        method: one of METHODS.

    Raises:
        ValueError: no such method or class.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    if method == OCCLUSION:
        return attribution.attribute(model, image, target, method)
    if method == GRAD_CAM:
        coarse = attribution.attribute(model, image, target, method, relu=False)
        return attribution.enlarged(coarse, (image.shape[0], image.shape[1]))
    return saliency.saliency(model, image, target, method)
