"""What the detector said of a picture, remembered: all pages that want its boxes share one run of the network."""

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch

from models.networks.detector import Detection, LoadedDetector

MOST = 200  # pictures, about 1 MB each

_seen: WeakKeyDictionary[LoadedDetector, OrderedDict[bytes, Detection]] = WeakKeyDictionary()
_running = Lock()


def look(network: LoadedDetector, image: np.ndarray) -> Detection:
    """The `network`'s `Detection` of a uint8 RGB picture (H, W, 3), without masks and keypoints.

    The network runs once per picture and process, also when many ask at once; of the tensors that no box needs,
    `roi_features` and the `features` of the levels, nothing is kept (they are empty). Do not change what it returns.
    """
    name = blake2b(image.tobytes() + str(image.shape).encode(), digest_size=16).digest()
    known = _seen.setdefault(network, OrderedDict())
    found = known.get(name)  # who finds it does not wait for another picture's run
    if found is not None:
        return found
    with _running:
        found = known.get(name)
        if found is None:
            found = known[name] = _without_features(network(image, masks=False, keypoints=False))
        while len(known) > MOST:
            known.popitem(last=False)
    return found


def _without_features(found: Detection) -> Detection:
    empty = torch.empty(0)
    levels = [replace(level, features=empty) for level in found.levels]
    return replace(found, levels=levels, roi_features=empty)
