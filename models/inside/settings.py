"""Detectors run at other settings than their own: larger or smaller pictures, more or fewer proposals.

Every network has a copy of its own here, so that what other pages ask of it meanwhile is not disturbed.
"""

from copy import deepcopy
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.ssd import SSD

from labs import selective_search
from labs.sliding_window import CLASSES
from models.device import out_of_memory_said
from models.networks.fast_rcnn import LoadedFastRCNN
from models.networks.rcnn import LoadedRcnn
from models.networks.spp import LoadedPyramidSVM
from models.networks.window import LoadedWindow
from scenes import THINGS

OWN_SIDE = 224


@dataclass(frozen=True)
class Setting:
    """A network by name, the side of the square picture that it sees in pixels, and how many proposals go on to its
    second stage, at most; None for a network without proposals."""

    network: str
    side: int = OWN_SIDE
    proposals: int | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What every detector says in the end: `boxes` (N, 4) xyxy in pixels of the picture, `labels` (N,) int64 of
    `scenes.THINGS` from 1, `scores` (N,) in 0 to 1, best first; `seconds` and `device` of the run."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None


class Adjustable:
    """A torchvision detector whose picture size and proposals can be set for one call. It finds boxes only."""

    def __init__(self, network: Any):
        self.name, self.device = network.name, network.device
        self.module: Any = deepcopy(network.module).eval()
        heads = getattr(self.module, "roi_heads", None)
        for part in ("mask_roi_pool", "keypoint_roi_pool"):  # without which torchvision's heads are not run
            if hasattr(heads, part):
                setattr(heads, part, None)
        self._shapes = list(self.module.anchor_generator._wh_pairs) if isinstance(self.module, SSD) else []
        # RetinaNet has no background among its classes.
        self._first_label = int(isinstance(self.module, RetinaNet))
        self._lock = Lock()

    def __call__(self, image: np.ndarray, setting: Setting) -> Found:
        """Detect things in a square uint8 RGB picture (H, H, 3), seen at the setting's side."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        with self._lock, torch.inference_mode():
            self._set(setting)
            start = perf_counter()
            result = self.module([x])[0]
            parts = {key: result[key].float().cpu() for key in ("boxes", "scores")}  # waits for the device
            return Found(
                **parts,
                labels=result["labels"].cpu() + self._first_label,
                seconds=perf_counter() - start,
                device=str(self.device),
            )

    def multiply_adds(self, image: np.ndarray, setting: Setting) -> int:
        """Multiply-adds of the convolutions and linear layers for this picture."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        counter = FlopCounterMode(display=False)
        with self._lock, torch.no_grad(), counter:
            self._set(setting)
            self.module([x])
        return counter.get_total_flops() // 2

    def _set(self, setting: Setting) -> None:
        transform = self.module.transform
        transform.min_size, transform.max_size = (setting.side,), setting.side
        if isinstance(self.module, SSD):  # its default boxes keep their size in pixels, as others' anchors do
            transform.fixed_size = (setting.side, setting.side)
            self.module.anchor_generator._wh_pairs = [each * (OWN_SIDE / setting.side) for each in self._shapes]
        if setting.proposals is not None:
            self.module.rpn._post_nms_top_n["testing"] = setting.proposals


_copies: WeakKeyDictionary[Any, Adjustable] = WeakKeyDictionary()
_copying = Lock()


def adjustable(network: Any) -> bool:
    """Whether the network is one of torchvision's, which looks at pictures of any size."""
    return isinstance(network.module, (GeneralizedRCNN, SSD, RetinaNet))


def has_proposals(network: Any) -> bool:
    """Whether it has two stages."""
    return isinstance(network.module, GeneralizedRCNN)


@out_of_memory_said
def detect(network: Any, image: np.ndarray, setting: Setting) -> Found:
    """What the network says of a square picture at the setting; boxes in pixels of that picture.

    Errors: ValueError for a setting that the network does not have.
    """
    if not adjustable(network):
        if setting.side != OWN_SIDE or setting.proposals is not None:
            raise ValueError(f"{network.name} looks at pictures of {OWN_SIDE} pixels, and makes no proposals.")
        if isinstance(network, LoadedWindow):  # it knows three of the things, by numbers of its own
            windows = network.detect(image)
            labels = torch.tensor([THINGS.index(name) + 1 for name in CLASSES[:-1]])[windows.labels]
            return Found(windows.boxes, labels, windows.scores, windows.seconds, windows.device)
        if isinstance(network, (LoadedRcnn, LoadedPyramidSVM, LoadedFastRCNN)):
            return _among_regions(network, image)
        said = network(image)
        return Found(said.boxes, said.labels, said.scores, said.seconds, said.device)
    return _copy(network)(image, setting)


def _among_regions(network: Any, image: np.ndarray) -> Found:
    """What a detector finds among selective search's boxes, whose search is part of the time."""
    start = perf_counter()
    regions = selective_search.by_opencv(image)
    said = network(image, torch.from_numpy(regions) if isinstance(network, LoadedRcnn) else regions)
    # The margin of an SVM is no share: its sigmoid keeps the order.
    scores = said.scores if isinstance(network, LoadedFastRCNN) else said.scores.sigmoid()
    return Found(said.boxes, said.labels, scores, perf_counter() - start, said.device)


def multiply_adds(network: Any, image: np.ndarray, setting: Setting) -> int:
    """Multiply-adds of the convolutions and linear layers for this picture, as PyTorch counts them."""
    if adjustable(network):
        return _copy(network).multiply_adds(image, setting)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        detect(network, image, setting)
    return counter.get_total_flops() // 2


def peak_bytes(network: Any, image: np.ndarray, setting: Setting) -> int:
    """The most that a run on this picture holds at once beside the network's own numbers, by PyTorch's profiler. To be
    asked where nothing else runs: the profiler hears the whole process."""
    detect(network, image, setting)  # what is made once is not the picture's
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        detect(network, image, setting)
    kineto = profiled.profiler
    assert kineto is not None and kineto.kineto_results is not None
    told = [event for event in kineto.kineto_results.events() if event.name() == "[memory]"]
    return int(np.cumsum([event.nbytes() for event in sorted(told, key=lambda event: event.start_ns())]).max())


def _copy(network: Any) -> Adjustable:
    with _copying:
        if network not in _copies:
            _copies[network] = Adjustable(network)
        return _copies[network]
