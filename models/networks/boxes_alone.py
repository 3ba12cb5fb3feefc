"""A detector asked for no more than boxes, which is faster where it has heads for masks and keypoints."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def boxes_alone(network: Callable[..., Any], picture: np.ndarray) -> Any:
    """What the network says of a picture, uint8 (H, W, 3) RGB, without the masks and keypoints that it could tell."""
    known = inspect.signature(network).parameters
    return network(picture, **{name: False for name in ("masks", "keypoints") if name in known})
