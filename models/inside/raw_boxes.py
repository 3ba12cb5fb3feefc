"""What any detector of the lab says before score threshold and non-maximum suppression, in one form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import clip_boxes_to_image

from models.inside import detector_cache
from models.networks.detector import LoadedDetector
from models.networks.yolo import YoloDetection

MOST = 200  # of all the raw boxes of a picture, the best: those above 0.05 are fewer


@dataclass(frozen=True, eq=False)
class Raw:
    """The raw boxes of one picture, best score first: `boxes` float32 (C, 4) inside the picture, `labels` int64 (C,)
    from 1, `scores` float32 (C,) in 0 to 1; `total`: how many there were before only the best were kept."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    total: int
    seconds: float
    device: str


def raw_boxes(network: Any, image: np.ndarray, most: int = MOST) -> Raw:
    """The best raw boxes of a detector's run on a uint8 RGB picture (H, W, 3)."""
    found = detector_cache.look(network, image) if isinstance(network, LoadedDetector) else network(image)
    return raw_of(found, image.shape[:2], most)


def raw_of(found: Any, size: tuple[int, int], most: int = MOST) -> Raw:
    """The best raw boxes of a detector's result on a picture of this (height, width)."""
    boxes, scores = spread(found)
    classes = scores.shape[1]
    boxes = clip_boxes_to_image(boxes.reshape(-1, 4), size)
    scores = scores.reshape(-1)
    labels = torch.arange(1, classes + 1).repeat(len(scores) // classes)
    proper = ((boxes[:, 2:] - boxes[:, :2]) >= 0.01).all(1)
    boxes, scores, labels = boxes[proper], scores[proper], labels[proper]
    best = torch.argsort(scores, descending=True, stable=True)[:most]
    return Raw(boxes[best], labels[best], scores[best], len(scores), found.seconds, found.device)


def spread(found: Any) -> tuple[Tensor, Tensor]:
    """A box for every place and class (M, C, 4), and its score (M, C), of any detector's result.

    Faster R-CNN has a box for every class; R-FCN, SSD, RetinaNet and YOLO have one box for all of them.
    """
    if isinstance(found, YoloDetection):
        scores = found.prediction.scores.flatten(0, -2)
        boxes = found.prediction.boxes.reshape(-1, 4)
    elif hasattr(found, "raw_boxes"):
        scores, boxes = found.raw_scores[:, 1:], found.raw_boxes  # without background
    else:
        scores, boxes = found.logits.sigmoid(), found.decoded  # one yes or no for every class
    return boxes if boxes.ndim == 3 else boxes[:, None].expand(-1, scores.shape[1], -1), scores
