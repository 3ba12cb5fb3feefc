"""What the mask head makes of any boxes of a picture: features, layers, logits, on a trunk that has already run."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from models.inside.pooling_swap import Regions, levels_of
from models.networks import rcnn_taps
from models.networks.detector import LEVELS, LoadedDetector
from models.networks.mask_heads import SoftmaxMaskPredictor


@dataclass(frozen=True, eq=False)
class MaskedRegions:
    """Float32 tensors on the CPU, one row a box.

    Attributes:
        levels: the level of the pyramid that each box is pooled from, "P2" to "P5".
        pooled (N, 64, 14, 14): what RoI Align hands to the head.
        layers: after each of its convolutions and ReLUs, (N, 64, 14, 14).
        upsampled (N, 64, 28, 28): after the transposed convolution and its ReLU.
        logits (N, 9, 28, 28): one mask a class, background first, before sigmoid or softmax.
        scores (N, 9): what the box head says of the boxes, softmax over background and classes.
    """

    levels: list[str]
    pooled: Tensor
    layers: list[Tensor]
    upsampled: Tensor
    logits: Tensor
    scores: Tensor


def look(network: LoadedDetector, regions: Regions, boxes: Tensor) -> MaskedRegions:
    """Ask the heads about boxes (N, 4) xyxy in pixels of the picture that `regions` were made of."""
    heads = rcnn_taps.heads_of(network.module)
    height, width = regions.picture
    scale = boxes.new_tensor([regions.resized[1] / width, regions.resized[0] / height] * 2)
    here = next(iter(regions.features.values())).device
    with network._lock, torch.inference_mode():
        asked = (boxes * scale).to(here)
        pooled = _module(heads.mask_roi_pool)(regions.features, [asked], [regions.resized])
        layers, x = [], pooled
        for layer in cast(nn.Sequential, heads.mask_head):
            layers.append(x := layer(x))
        predictor = cast(nn.Sequential, heads.mask_predictor)
        upsampled = predictor[1](predictor[0](x))
        logits = predictor[2](upsampled)
        seen = heads.box_head(heads.box_roi_pool(regions.features, [asked], [regions.resized]))
        classes, _ = heads.box_predictor(seen)
        return MaskedRegions(
            [LEVELS[level] for level in levels_of(asked).tolist()],
            *(pooled.float().cpu(), [each.float().cpu() for each in layers], upsampled.float().cpu()),
            logits.float().cpu(),
            classes.softmax(-1).float().cpu(),
        )


def is_softmax(network: LoadedDetector) -> bool:
    """Whether its mask logits go through one softmax over the classes, and not through a sigmoid each."""
    return isinstance(rcnn_taps.heads_of(network.module).mask_predictor, SoftmaxMaskPredictor)


def _module(part: nn.Module | None) -> nn.Module:
    assert part is not None, "The network has a mask head."
    return part
