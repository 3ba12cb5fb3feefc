"""SSD on Lab World: torchvision's network on the frozen trunk of `detector`, four grids of default boxes in one pass.

Grids of 28, 14, 7 and 4 cells a side (strides 8, 16, 32 and 64). The finest also sees the trunk's features of stride 4,
folded to its size. Four shared convolutions learn what the trunk, made for region proposals, does not say; then each
grid has one 3x3 convolution for its classes and one for its transforms, as in the paper (Liu et al. 2016).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD, SSDHead

from labs import default_boxes, hard_negative_mining
from labs.boxes import iou_matrix
from labs.default_boxes import DefaultBoxes
from labs.hard_negative_mining import MultiboxLoss
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import LEVELS, SIZE, Trunk
from models.networks.encoder import MEAN, STD
from models.networks.narrow_detector import NarrowTrunk
from scenes import THINGS, Instance

GRIDS = (28, 14, 7, 4)
SCALES = tuple(default_boxes.scales(len(GRIDS), smallest=0.16, largest=0.56, finest=0.08))
RATIOS = ((2, 3), (2, 3), (2,), (2,))
SHAPES = tuple(2 + 2 * len(each) for each in RATIOS)  # default boxes of a position
DEEP = 4  # shared convolutions
SCORE_THRESHOLD, NMS_OVERLAP, LARGEST_COUNT = 0.05, 0.45, 100


@dataclass(frozen=True, eq=False)
class SsdDetection:
    """What SSD said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in 0 to 1: the detections after
            score threshold and per-class NMS, best first.
        defaults: the M default boxes, and the grid of each.
        logits (M, 9), background first, and transforms (M, 4), divided by the variances: the network's numbers.
        raw_scores (M, 9): the softmax of the logits. raw_boxes (M, 4): the default boxes moved, clipped to the picture.
        masks, keypoints, keypoint_scores: None, this network has none.
        seconds: wall-clock time of the forward pass, NMS included. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    defaults: DefaultBoxes
    logits: Tensor
    transforms: Tensor
    raw_scores: Tensor
    raw_boxes: Tensor
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None
    keypoint_scores: None = None


class Maps(nn.Module):
    """Normalised images (N, 3, 224, 224) to the feature maps of the four grids, with as many channels as the trunk's
    pyramid, which stays as it is."""

    def __init__(self, trunk: Trunk | NarrowTrunk):
        super().__init__()
        self.trunk = trunk.requires_grad_(False)
        channels = self.out_channels = trunk.out_channels
        self.finer = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        # Groups, not batches: the four grids go through the same layers, and their features differ in size.
        self.shared = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                    nn.GroupNorm(channels // 8, channels),
                    nn.ReLU(inplace=True),
                )
                for _ in range(DEEP)
            )
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.of(self.trunk(images))

    def of(self, pyramid: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same from the trunk's five levels."""
        finest, *coarser = (pyramid[name] for name in LEVELS[1:])
        levels = (finest + self.finer(pyramid[LEVELS[0]]), *coarser)
        return OrderedDict((str(grid), self.shared(level)) for grid, level in zip(GRIDS, levels, strict=True))


def build_ssd(trunk: Trunk | NarrowTrunk) -> SSD:
    """The network on a trunk, freshly initialised."""
    maps = Maps(trunk)
    return SSD(
        maps,
        DefaultBoxGenerator([list(each) for each in RATIOS], scales=list(SCALES)),
        (SIZE, SIZE),
        len(THINGS) + 1,
        image_mean=list(MEAN), image_std=list(STD),
        head=SSDHead([maps.out_channels] * len(GRIDS), list(SHAPES), len(THINGS) + 1),
        score_thresh=SCORE_THRESHOLD, nms_thresh=NMS_OVERLAP, detections_per_img=LARGEST_COUNT,
    )  # fmt: skip


def numbers_of(module: SSD, pyramid: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Logits (N, M, 9) and transforms (N, M, 4) of N pictures of which the trunk has seen `pyramid`."""
    said = module.head(list(module.backbone.of(pyramid).values()))
    return said["cls_logits"], said["bbox_regression"]


def defaults_of(height: float = SIZE, width: float = SIZE) -> DefaultBoxes:
    """The default boxes of this network on a picture of that size in pixels."""
    return default_boxes.default_boxes(GRIDS, SCALES, RATIOS, height, width)


def losses_of(
    logits: Tensor, transforms: Tensor, defaults: Tensor, boxes: Tensor, labels: Tensor, ratio: float = 3.0
) -> MultiboxLoss:
    """The loss of one picture, its default boxes matched with truth boxes (T, 4) and labels (T,) from 1."""
    owner = default_boxes.match(iou_matrix(boxes, defaults)).owner
    return hard_negative_mining.multibox_loss(logits, transforms, defaults, owner, boxes, labels, ratio)


class LoadedSsd(LoadedNetwork):
    """SSD with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: torchvision's network, in eval mode.
    """

    def __init__(self, name: str, module: SSD, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._lock = Lock()  # hooks on a shared module are not thread-safe

    @out_of_memory_said
    def __call__(self, image: np.ndarray, threshold: float = SCORE_THRESHOLD) -> SsdDetection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size, which the network sees at 224x224."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        with (
            self._lock,
            torch.inference_mode(),
            rcnn_taps.attributes_set(self.module, {"score_thresh": threshold}),
            rcnn_taps.taps(self.module, ("head",)) as tapped,
        ):
            start = perf_counter()
            result = self.module([x])[0]
            if x.is_cuda:
                torch.cuda.synchronize()
            seconds = perf_counter() - start
        height, width = image.shape[:2]
        logits = tapped["head"]["cls_logits"][0].float().cpu()
        transforms = tapped["head"]["bbox_regression"][0].float().cpu()
        defaults = defaults_of(height, width)
        return SsdDetection(
            result["boxes"].float().cpu(), result["labels"].cpu(), result["scores"].float().cpu(),
            defaults, logits, transforms, logits.softmax(-1),
            default_boxes.moved(transforms, defaults.boxes, height, width), seconds, self.device,
        )  # fmt: skip


def truth_of(instances: Sequence[Instance]) -> tuple[Tensor, Tensor]:
    """Boxes (T, 4) and labels (T,) from 1 of the things of a picture."""
    boxes = torch.from_numpy(np.array([thing.box for thing in instances], np.float32).reshape(-1, 4))
    return boxes, torch.tensor([THINGS.index(thing.label) + 1 for thing in instances], dtype=torch.int64)
