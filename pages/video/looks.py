"""What a network has found so far in the frames of a film: of Lab World, or a visitor's own."""

import time
from collections import deque
from typing import Any

import numpy as np

from labs.matching import Detections
from models.networks.boxes_alone import boxes_alone

MEASURED = 25  # looks over which the speed is told
NONE = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))


class Looks:
    """The looks of one network at one film of `frames` frames.

    Attributes:
        found: `labs.matching.Detections` of every frame, None where it has not looked.
        milliseconds: what the last looks took, at most MEASURED of them.
        device: where the network ran, once it has.
    """

    def __init__(self, frames: int):
        self.found: list[Detections | None] = [None] * frames
        self.milliseconds: deque[float] = deque(maxlen=MEASURED)
        self.device = ""

    @property
    def typical(self) -> float | None:
        """Milliseconds that a look takes, the median of the last ones; None before the first."""
        return float(np.median(list(self.milliseconds))) if self.milliseconds else None

    def done(self, every: int = 1) -> tuple[int, int]:
        """How many frames of the whole film have been looked at, and how many are to be: every `every`-th."""
        indices = looked_at(0, len(self.found), every)
        return sum(self.found[index] is not None for index in indices), len(indices)

    def _boxes(self, network, picture: np.ndarray) -> Any:
        """What the network says of a picture, uint8 (H, W, 3) RGB; how long that took is kept."""
        began = time.monotonic()
        said = boxes_alone(network, picture)
        self.milliseconds.append(1000 * (time.monotonic() - began))
        self.device = said.device
        return said


def looked_at(first: int, last: int, every: int) -> range:
    """The frames of first to last - 1 that are looked at, counted from frame 0."""
    return range(-(-first // every) * every, last, every)
