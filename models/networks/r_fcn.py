"""R-FCN: score maps for every part of a thing, and a vote per region; no layer runs per region (Dai et al. 2016).

Trunk and RPN are those of `detector`, as they are. What is new: one map of features in which all levels of the pyramid
meet, and on it k² (C + 1) score maps for classes and 4 k² maps for boxes. A region's part (i, j) is read from its own
maps alone, and the parts' mean is what the region says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import ps_roi_align

from labs import position_sensitive
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import ANCHOR_RATIOS, ANCHOR_SIZES, FEATURES, LEVELS, PROPOSALS, SIZE, Trunk
from models.networks.encoder import MEAN, STD
from scenes import THINGS

PARTS = 3  # k: a region is cut into 3x3 parts
STRIDE = 4  # pixels of the picture per cell of the score maps
SAMPLES = 2  # per axis and part, at which a map is read
CLASSES = len(THINGS) + 1  # background first
UNITS = (10.0, 10.0, 5.0, 5.0)  # a vote of 10 moves a box by its width, one of 5 makes it e times as wide


@dataclass(frozen=True, eq=False)
class RfcnDetection:
    """What R-FCN said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order; 0 is background), scores (N,) in 0 to 1: the
            detections after score threshold and per-class NMS, best first.
        proposals (P, 4): the RPN's regions, best first.
        raw_boxes (P, 4), raw_scores (P, 9): per proposal, the box that it would give, and the softmax of its votes over
            background and classes, before threshold and NMS.
        score_maps (9, k, k, h, w): for every class and part, how much each place looks like that part of that class.
        box_maps (4, k, k, h, w): the same for the four numbers of the box transform.
        parts (P, 9, k, k): what each part of each proposal read from its own score map.
        scale (2,): cells of the maps per pixel of the picture, in x and y.
        seconds: wall-clock time of the forward pass. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    proposals: Tensor
    raw_boxes: Tensor
    raw_scores: Tensor
    score_maps: Tensor
    box_maps: Tensor
    parts: Tensor
    scale: Tensor
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None


class ScoreMaps(nn.Module):
    """The pyramid's first four levels (N, 64, h, w) to (N, k² (C + 1) + 4 k², H/4, W/4), for classes and boxes."""

    def __init__(self, features: int, parts: int):
        super().__init__()
        self.meet = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in LEVELS[:4])
        self.mix = nn.Conv2d(features, features, 3, padding=1)
        self.maps = nn.Conv2d(features, (CLASSES + 4) * parts**2, 1)
        nn.init.normal_(self.maps.weight, std=0.01)
        assert self.maps.bias is not None
        nn.init.zeros_(self.maps.bias)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        size = levels[0].shape[-2:]
        met = [conv(level) for conv, level in zip(self.meet, levels, strict=True)]
        met = [met[0], *(nn.functional.interpolate(each, size, mode="bilinear") for each in met[1:])]
        mixed = torch.relu(self.mix(torch.relu(torch.stack(met).sum(0))))
        return self.maps(mixed)


class PositionSensitivePool(nn.Module):
    """In place of RoI Align: the score maps of the whole picture once, then P regions to (P, C + 1 + 4, k, k)."""

    def __init__(self, features: int, parts: int):
        super().__init__()
        self.parts = parts
        self.score_maps = ScoreMaps(features, parts)

    def forward(self, features: dict[str, Tensor], proposals: list[Tensor], _sizes: list) -> Tensor:
        maps = self.score_maps([features[name] for name in LEVELS[:4]]).float()
        regions = torch.cat([nn.functional.pad(boxes, (1, 0), value=i) for i, boxes in enumerate(proposals)])
        return ps_roi_align(maps, regions, self.parts, 1 / STRIDE, SAMPLES)


class Vote(nn.Module):
    """In place of the box head: each region's parts (P, C + 1 + 4, k, k) to their mean. It has no weights."""

    def forward(self, parts: Tensor) -> Tensor:
        return position_sensitive.vote(parts)


class OneBoxForAll(nn.Module):
    """Votes (P, C + 1 + 4) to class logits (P, C + 1) and, the same for every class, transforms (P, 4 (C + 1))."""

    def forward(self, votes: Tensor) -> tuple[Tensor, Tensor]:
        return votes[:, :CLASSES], votes[:, CLASSES:].repeat(1, CLASSES)


def build_r_fcn(parts: int = PARTS) -> FasterRCNN:
    """The network, freshly initialised: torchvision's Faster R-CNN, its pooling and its heads replaced."""
    module = FasterRCNN(
        Trunk(),
        min_size=SIZE, max_size=SIZE, image_mean=MEAN, image_std=STD,
        rpn_anchor_generator=AnchorGenerator(ANCHOR_SIZES, (ANCHOR_RATIOS,) * len(ANCHOR_SIZES)),
        rpn_pre_nms_top_n_train=600, rpn_pre_nms_top_n_test=600,
        rpn_post_nms_top_n_train=PROPOSALS, rpn_post_nms_top_n_test=PROPOSALS,
        box_head=Vote(), box_predictor=OneBoxForAll(), bbox_reg_weights=UNITS,
        box_batch_size_per_image=128, box_positive_fraction=0.5, box_detections_per_img=40,
    )  # fmt: skip
    rcnn_taps.heads_of(module).box_roi_pool = PositionSensitivePool(FEATURES, parts)
    return module


def pool_of(module: FasterRCNN) -> PositionSensitivePool:
    """What makes the score maps and reads them."""
    return cast(PositionSensitivePool, rcnn_taps.heads_of(module).box_roi_pool)


class LoadedRfcn(LoadedNetwork):
    """R-FCN with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: torchvision's network, in eval mode.
    """

    def __init__(self, name: str, module: FasterRCNN, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._lock = Lock()  # hooks on a shared module are not thread-safe

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> RfcnDetection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        points = ("transform", "rpn", "roi_heads.box_roi_pool.score_maps", "roi_heads.box_roi_pool")
        with self._lock, torch.inference_mode(), rcnn_taps.taps(self.module, points) as tapped:
            start = perf_counter()
            result = self.module([x])[0]
            if x.is_cuda:
                torch.cuda.synchronize()
            seconds = perf_counter() - start
        with torch.inference_mode():
            return self._read(result, tapped, image.shape[:2], seconds)

    def _read(self, result: dict, tapped: dict, size: tuple[int, int], seconds: float) -> RfcnDetection:
        transform, rpn, maps, parts = tapped.values()
        proposals, parts = rpn[0][0], parts.float()
        height, width = transform[0].image_sizes[0]
        scale = torch.tensor([size[1] / width, size[0] / height])  # pixels of the picture per pixel that was seen
        votes = position_sensitive.vote(parts)
        boxes = rcnn_taps.heads_of(self.module).box_coder.decode(votes[:, CLASSES:], [proposals])[:, 0]
        k = parts.shape[-1]
        maps = maps[0].float().cpu().reshape(CLASSES + 4, k, k, *maps.shape[-2:])
        return RfcnDetection(
            **{key: result[key].float().cpu() for key in ("boxes", "scores")},
            labels=result["labels"].cpu(),
            proposals=proposals.cpu() * scale.repeat(2),
            raw_boxes=boxes.cpu() * scale.repeat(2),
            raw_scores=votes[:, :CLASSES].softmax(-1).cpu(),
            score_maps=maps[:CLASSES],
            box_maps=maps[CLASSES:],
            parts=parts[:, :CLASSES].cpu(),
            scale=1 / (scale * STRIDE),
            seconds=seconds,
            device=self.device,
        )
