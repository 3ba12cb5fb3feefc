"""The detector's keypoint head on a box that is given, not found: one heat map a joint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints

from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector


@dataclass(frozen=True, eq=False)
class JointMaps:
    """`maps` float32 (14, h, w), logits of where each joint lies in the box; softmax over a map sums to 1. `joints`
    (14, 2): where torchvision's own decoding finds the maximum, in pixels of the picture. `box` (4,), xyxy."""

    maps: Tensor
    joints: Tensor
    box: Tensor


def heat_maps(model: LoadedDetector, image: np.ndarray, box: Tensor) -> JointMaps:
    """What the keypoint head says of the person in `box`, float (4,) xyxy in pixels of a uint8 RGB picture (H, W, 3).

    Nothing is hooked or changed: the parts are called one after the other, as `KeypointRCNN` does for its detections.
    """
    module = model.module
    heads: Any = rcnn_taps.heads_of(module)  # torchvision says that a detector may lack a keypoint head; ours has one
    x = torch.from_numpy(np.array(image)).to(model.device).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        images, _ = rcnn_taps.transform_of(module)([x])
        height, width = images.image_sizes[0]
        zoom = torch.tensor([width / image.shape[1], height / image.shape[0]] * 2)
        scaled = (box.float() * zoom).to(model.device)[None]
        features = module.backbone(images.tensors)
        regions = heads.keypoint_roi_pool(features, [scaled], images.image_sizes)
        maps = heads.keypoint_predictor(heads.keypoint_head(regions)).float()
        found, _ = heatmaps_to_keypoints(maps, scaled)
    return JointMaps(maps[0].cpu(), found[0, :, :2].cpu() / zoom[:2], box)
