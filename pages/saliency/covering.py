"""A picture with a patch over it, asked of the network: the one function behind the hand and the whole map."""

import numpy as np
import torch
from torch import Tensor

from labs.occlusion import Patch, occluded
from models import catalog
from models.inside import saliency
from pages.saliency.shared import asked

SIDE = 224  # pixels of the picture
MEAN = "the picture's mean"
VALUES = {"black": 0.0, "white": 1.0}
FILLS = ("grey", *VALUES, MEAN)


def fill_of(network: str, name: str, x: Tensor) -> Tensor:
    """(3, 1, 1) in 0 to 1, by one of FILLS; grey is what the network's normalisation makes zero."""
    if name in VALUES:
        return torch.full((3, 1, 1), VALUES[name])
    return x.mean((1, 2), keepdim=True) if name == MEAN else saliency.neutral(catalog.load(network))


def covered(network: str, image: np.ndarray, patch: Patch, fill: str) -> Tensor:
    """Logits (classes,) of the picture with the patch over it. One picture in a pass, under the hand and for the map:
    the last bits of a pass depend on how many pictures there are."""
    x = asked(network, image).x
    return saliency.scores(catalog.load(network), occluded(x, patch, fill_of(network, fill, x))[None])[0]
