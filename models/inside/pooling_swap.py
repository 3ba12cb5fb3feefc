"""The trained detector with another pooling in front of its box and mask heads: RoI Align, RoI Pool, crop and resize.

The shared network is never changed: what differs is a second set of heads, made of the same layers, that one call owns.
So any number of sessions may swap at once, and one that fails leaves nothing behind.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import MultiScaleRoIAlign, roi_align, roi_pool
from torchvision.ops.poolers import LevelMapper

from labs.roi_align import crop_samples
from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector

FINEST, COARSEST = 2, 5  # P2 to P5: strides 4 to 32


def _roi_align(features: Tensor, boxes: Tensor, size: tuple[int, int], scale: float, ratio: int) -> Tensor:
    return roi_align(features[None], [boxes], size, scale, ratio)  # aligned=False, as in MultiScaleRoIAlign


def _roi_align_aligned(features: Tensor, boxes: Tensor, size: tuple[int, int], scale: float, ratio: int) -> Tensor:
    return roi_align(features[None], [boxes], size, scale, ratio, aligned=True)


def _roi_pool(features: Tensor, boxes: Tensor, size: tuple[int, int], scale: float, ratio: int) -> Tensor:
    return roi_pool(features[None], [boxes], size, scale)


def _crop_and_resize(features: Tensor, boxes: Tensor, size: tuple[int, int], scale: float, ratio: int) -> Tensor:
    """torch's grid_sample at the lab's places. Proposals are cut to the picture, so none lies outside."""
    height, width = features.shape[1:]
    y, x = crop_samples(boxes, size, scale, (height, width))
    grid = torch.stack(
        [
            (2 * x / max(width - 1, 1) - 1)[:, None, :].expand(-1, size[0], -1),
            (2 * y / max(height - 1, 1) - 1)[:, :, None].expand(-1, -1, size[1]),
        ],
        -1,
    )
    found = F.grid_sample(features[None], grid.flatten(0, 1)[None], padding_mode="border", align_corners=True)
    return found[0].unflatten(1, (len(boxes), size[0])).transpose(0, 1)


# (features (C, H, W), boxes (N, 4), output size, spatial scale, sampling ratio) → (N, C, P, Q). The first is what the
# detector was trained with. The libraries' operators run, which tests hold equal to the lab's.
POOLINGS: dict[str, Callable[..., Tensor]] = {
    "RoI Align": _roi_align,
    "RoI Align, aligned": _roi_align_aligned,
    "RoI Pool": _roi_pool,
    "crop and resize": _crop_and_resize,
}


@dataclass(frozen=True, eq=False)
class Regions:
    """The half of the detector that no pooling changes, run once per picture; tensors on the detector's device.

    `features`: level name to (1, 64, h, w). `proposals` (P, 4) float32 xyxy in pixels of the resized picture.
    `picture`, `resized`: (height, width) as given and as the network saw it. `seconds`: wall-clock time.
    """

    features: dict[str, Tensor]
    proposals: Tensor
    picture: tuple[int, int]
    resized: tuple[int, int]
    seconds: float


@dataclass(frozen=True, eq=False)
class SwappedDetection:
    """What the heads said. Float32 on the CPU, boxes xyxy in pixels of the picture; fields as in
    `models.networks.detector.Detection`: boxes (N, 4), labels (N,) int64, scores (N,), masks (N, H, W) or None.
    `keypoints` is None: that head did not run. `seconds`: of the heads alone."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor | None
    keypoints: None
    seconds: float


class MultiScalePooling(nn.Module):
    """torchvision's MultiScaleRoIAlign with another operator: same levels, output size, and choice of level.

    Called with the pyramid, boxes [(N, 4)] of one picture and its size [(H, W)]; returns (N, C, P, Q).
    """

    def __init__(self, original: MultiScaleRoIAlign, pool: Callable[..., Tensor]):
        super().__init__()
        self.names, self.size = original.featmap_names, original.output_size
        self.ratio, self.pool = original.sampling_ratio, pool

    def forward(self, features: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]) -> Tensor:
        maps = [features[name][0] for name in self.names]
        levels = levels_of(boxes[0])
        pooled = maps[0].new_zeros(len(boxes[0]), maps[0].shape[0], *self.size)
        for level, each in enumerate(maps):
            chosen = levels == level
            if chosen.any():
                scale = 2.0 ** -(FINEST + level)
                pooled[chosen] = self.pool(each, boxes[0][chosen], self.size, scale, self.ratio)
        return pooled


def levels_of(boxes: Tensor) -> Tensor:
    """Index (N,) int64 of the pyramid level that pools each box (N, 4): 0 for P2 to 3 for P5.

    floor(4 + log2(√area / 224)), in pixels of the resized picture (Lin et al. 2017, equation 1).
    """
    return LevelMapper(FINEST, COARSEST)([boxes])


def find_regions(detector: LoadedDetector, image: np.ndarray) -> Regions:
    """Trunk and region proposals of a uint8 RGB picture (H, W, 3): what every pooling shares."""
    network = detector.module
    with detector._lock, torch.inference_mode():
        start = perf_counter()
        images, _ = network.transform([detector._tensor(image)])
        features = network.backbone(images.tensors)
        proposals, _ = network.rpn(images, features)
        _wait(images.tensors)
        return Regions(
            dict(features), proposals[0], tuple(image.shape[:2]), images.image_sizes[0], perf_counter() - start
        )


def swapped_heads(heads: RoIHeads, pooling: str, masks: bool = True) -> RoIHeads:
    """A second set of heads that shares every layer with `heads` but the poolings; without keypoints.

    Raises:
        ValueError: there is no such pooling.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"There is no pooling {pooling!r}: choose one of {', '.join(POOLINGS)}.")
    own = copy.copy(heads)
    own._modules = dict(heads._modules)  # a shallow copy shares this table too, and assigning would write into it
    own.box_roi_pool = MultiScalePooling(heads.box_roi_pool, POOLINGS[pooling])
    own.mask_roi_pool = None
    if masks:
        assert heads.mask_roi_pool is not None, "The lab's detector has a mask head."
        own.mask_roi_pool = MultiScalePooling(heads.mask_roi_pool, POOLINGS[pooling])
    own.keypoint_roi_pool = None
    return own


def detect_with(detector: LoadedDetector, regions: Regions, pooling: str, masks: bool = True) -> SwappedDetection:
    """Classes, boxes and masks of these regions by the trained heads behind another pooling.

    Raises:
        ValueError: there is no such pooling.
    """
    # The lock keeps out training mode and switched-off heads, which other calls set on the shared network for a while.
    with detector._lock, torch.inference_mode():
        heads = swapped_heads(rcnn_taps.heads_of(detector.module), pooling, masks)
        start = perf_counter()
        found, _ = heads(regions.features, [regions.proposals], [regions.resized])
        _wait(regions.proposals)
        seconds = perf_counter() - start
        result = rcnn_taps.transform_of(detector.module).postprocess(found, [regions.resized], [regions.picture])[0]
        return SwappedDetection(
            boxes=result["boxes"].float().cpu(),
            labels=result["labels"].cpu(),
            scores=result["scores"].float().cpu(),
            masks=result["masks"][:, 0].float().cpu() if masks else None,
            keypoints=None,
            seconds=seconds,
        )


def _wait(tensor: Tensor) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize()
