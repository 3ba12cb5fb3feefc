"""What a region proposal network's own layers see of a picture: the pyramid's maps, and its 3×3 convolution on them."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.rpn import RPNHead

from models.networks import rcnn_taps
from models.networks.detector import LEVELS, LoadedDetector


@dataclass(frozen=True, eq=False)
class Maps:
    """One pyramid level: `features` (C, h, w) as the backbone gives them, and `hidden` (C, h, w), what the head's 3×3
    convolution and its ReLU make of them. Float32 on the CPU."""

    features: Tensor
    hidden: Tensor


def walk(detector: LoadedDetector, image: np.ndarray) -> dict[str, Maps]:
    """The maps of a uint8 RGB picture (H, W, 3), by level, finest first."""
    network = detector.module
    head = cast(RPNHead, rcnn_taps.proposer_of(network).head)
    with detector._lock, torch.inference_mode():
        images, _ = rcnn_taps.transform_of(network)([detector._tensor(image)])
        pyramid = network.backbone(images.tensors).values()
        return {
            name: Maps(each[0].float().cpu(), head.conv(each)[0].float().cpu())
            for name, each in zip(LEVELS, pyramid, strict=True)
        }
