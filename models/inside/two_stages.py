"""A two-stage detector step by step, each on the clock: trunk, region proposals, heads on the regions."""

from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector


@dataclass(frozen=True, eq=False)
class Stages:
    """What each step found and took. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        regions (R, 4): the RPN's boxes after its NMS, surest first.
        boxes (N, 4), labels (N,) int64 from 1, scores (N,) in 0 to 1: the detections, best first.
        trunk_seconds, proposal_seconds, head_seconds: wall-clock time of the steps; seconds: all of it.
        device: where it ran.
    """

    regions: Tensor
    boxes: Tensor
    labels: Tensor
    scores: Tensor
    trunk_seconds: float
    proposal_seconds: float
    head_seconds: float
    device: str
    masks: None = None
    keypoints: None = None

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.trunk_seconds + self.proposal_seconds + self.head_seconds


def walk(detector: LoadedDetector, image: np.ndarray) -> Stages:
    """Detect things in a uint8 RGB picture (H, W, 3), masks and joints left out: the boxes of the whole network."""
    module, x = detector.module, detector._tensor(image)
    resize, heads = rcnn_taps.transform_of(module), rcnn_taps.heads_of(module)
    only_boxes = {"mask_roi_pool": None, "keypoint_roi_pool": None}
    with detector._lock, torch.inference_mode(), rcnn_taps.attributes_set(heads, only_boxes):
        times = [_now(x)]
        pictures, _ = resize([x])
        features = module.backbone(pictures.tensors)
        times.append(_now(x))
        regions, _ = rcnn_taps.proposer_of(module)(pictures, features)
        times.append(_now(x))
        found, _ = heads(features, regions, pictures.image_sizes)
        found = resize.postprocess(found, pictures.image_sizes, [image.shape[:2]])[0]
        times.append(_now(x))
    height, width = pictures.image_sizes[0]
    back = regions[0].new_tensor([image.shape[1] / width, image.shape[0] / height] * 2)
    trunk, proposing, naming = (after - before for before, after in pairwise(times))
    return Stages(
        (regions[0] * back).float().cpu(), found["boxes"].float().cpu(), found["labels"].cpu(),
        found["scores"].float().cpu(), trunk, proposing, naming, detector.device,
    )  # fmt: skip


def _now(x: Tensor) -> float:
    """The clock, once the device has done what it was asked."""
    if x.is_cuda:
        torch.cuda.synchronize()
    return perf_counter()
