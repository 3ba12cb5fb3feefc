"""The detector: torchvision's R-CNN on a small backbone, one trunk with a box, a mask and a keypoint head per region.

Trunk: the segmenters' encoder with a feature pyramid (Lin et al. 2017). Regions: RPN (Ren et al. 2015).
Heads on RoI-aligned features: classes and boxes, 28x28 masks (He et al. 2017), 14 joints of persons.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.encoder import MEAN, MIDDLE, STD, WIDTHS, Encoder, Residual, block
from models.networks.rcnn_taps import Level
from scenes import JOINTS, THINGS, Instance

SIZE = 224
FEATURES = 64
LEVELS = ("P2", "P3", "P4", "P5", "pool")
ANCHOR_SIZES = ((16,), (32,), (64,), (128,), (192,))  # side of a square anchor in pixels, per level
ANCHOR_RATIOS = (0.5, 1.0, 2.0)  # height over width
PROPOSALS = 300


@dataclass(frozen=True, eq=False)
class Detection:
    """What the detector said of one picture, and everything it saw on the way. Float32 tensors on the CPU, boxes xyxy
    in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order; 0 is background), scores (N,) in 0 to 1: the
            detections after score threshold and per-class NMS, best first.
        masks (N, H, W) in 0 to 1, or None; keypoints (N, 14, 3) and keypoint_scores (N, 14), meaningful for persons, or
            None: the heads that ran.
        proposals (P, 4), proposal_scores (P,): the RPN's best regions after its NMS, sorted by objectness in 0 to 1.
        raw_boxes (P, 8, 4), raw_scores (P, 9): per proposal, the box that each class would give it, and the softmax
            over background and classes, before threshold and NMS.
        levels: per pyramid level stride, objectness logits, transforms, anchors and features.
        anchors, decoded (M, 4), decoded_scores (M,), level_of (M,) int64: all anchors, the RPN's box for each before
            NMS, its objectness in 0 to 1, and its level.
        roi_features (P, C, 7, 7): what RoI Align handed to the box head.
        seconds: wall-clock time of the forward pass. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor | None
    keypoints: Tensor | None
    keypoint_scores: Tensor | None
    proposals: Tensor
    proposal_scores: Tensor
    raw_boxes: Tensor
    raw_scores: Tensor
    levels: list[Level]
    anchors: Tensor
    decoded: Tensor
    decoded_scores: Tensor
    level_of: Tensor
    roi_features: Tensor
    seconds: float
    device: str


class Trunk(nn.Module):
    """Normalised images (N, 3, H, W) to a dict of five pyramid levels with 64 channels, strides 4, 8, 16, 32 and 64.

    The encoder is the segmenters': what knows where the pixels of a dog are is half-way to its box.
    """

    def __init__(self, features: int = FEATURES):
        super().__init__()
        self.encoder = Encoder()
        self.coarse = nn.Sequential(nn.MaxPool2d(2), block(WIDTHS[3], MIDDLE), Residual(MIDDLE, 1))
        self.fpn = FeaturePyramidNetwork([*WIDTHS[2:], WIDTHS[3], MIDDLE], features, extra_blocks=LastLevelMaxPool())
        self.out_channels = features

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        deepest, skips, _ = self.encoder(images)
        levels = (*skips[2:], deepest, self.coarse(deepest))
        return self.fpn(OrderedDict(zip(LEVELS, levels, strict=False)))  # the pyramid adds the fifth


def build_detector(
    ratios: Sequence[float] = ANCHOR_RATIOS, sizes: Sequence[Sequence[int]] = ANCHOR_SIZES
) -> FasterRCNN:
    """The network with all three heads, freshly initialised. K = len(ratios) · len(sizes[level]) anchors a position."""
    trunk = Trunk()
    anchors = AnchorGenerator(tuple(map(tuple, sizes)), (tuple(ratios),) * len(sizes))
    module = FasterRCNN(
        trunk,
        min_size=SIZE, max_size=SIZE, image_mean=MEAN, image_std=STD,
        rpn_anchor_generator=anchors,
        rpn_pre_nms_top_n_train=600, rpn_pre_nms_top_n_test=600,
        rpn_post_nms_top_n_train=PROPOSALS, rpn_post_nms_top_n_test=PROPOSALS,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(list(LEVELS[:4]), 7, 2),
        box_head=TwoMLPHead(FEATURES * 7 * 7, 256),
        box_predictor=BoxPredictor(256, len(THINGS) + 1),
        box_batch_size_per_image=96, box_detections_per_img=40,
    )  # fmt: skip
    heads = rcnn_taps.heads_of(module)
    heads.mask_roi_pool = MultiScaleRoIAlign(list(LEVELS[:4]), 14, 2)
    heads.mask_head = MaskRCNNHeads(FEATURES, (FEATURES,) * 3, 1)
    heads.mask_predictor = MaskRCNNPredictor(FEATURES, FEATURES, len(THINGS) + 1)
    heads.keypoint_roi_pool = MultiScaleRoIAlign(list(LEVELS[:4]), 14, 2)
    heads.keypoint_head = KeypointRCNNHeads(FEATURES, (96,) * 4)
    heads.keypoint_predictor = _KeypointPredictor(96, len(JOINTS))
    return module


class BoxPredictor(nn.Module):
    """Class logits (P, classes) and box transforms (P, 4 · classes), as torchvision's FastRCNNPredictor."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.cls_score = nn.Linear(features, classes)
        self.bbox_pred = nn.Linear(features, classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(x), self.bbox_pred(x)


class _KeypointPredictor(KeypointRCNNPredictor):
    """torchvision's predictor; its loss wants plain memory layout, whatever the network runs in."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).contiguous()


class LoadedDetector(LoadedNetwork):
    """The detector with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: torchvision's network, in eval mode.
    """

    def __init__(self, name: str, module: FasterRCNN, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._lock = Lock()  # hooks and train mode on a shared module are not thread-safe

    @out_of_memory_said
    def __call__(self, image: np.ndarray, masks: bool = True, keypoints: bool = True) -> Detection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size; masks and keypoints where asked for, if the
        network has heads for them."""
        x = self._tensor(image)
        heads = rcnn_taps.heads_of(self.module)
        masks, keypoints = masks and heads.has_mask(), keypoints and heads.has_keypoint()
        off = [name for name, wanted in (("mask_roi_pool", masks), ("keypoint_roi_pool", keypoints)) if not wanted]
        with self._lock, torch.inference_mode(), rcnn_taps.attributes_set(heads, dict.fromkeys(off)):
            with rcnn_taps.taps(self.module, rcnn_taps.POINTS) as tapped:
                start = perf_counter()
                result = self.module([x])[0]
                if x.is_cuda:
                    torch.cuda.synchronize()
                seconds = perf_counter() - start
            seen = rcnn_taps.read(self.module, tapped, image.shape[:2], LEVELS)
        own = {key: result[key].float().cpu() for key in ("boxes", "scores")}
        return Detection(
            **own,
            labels=result["labels"].cpu(),
            masks=result["masks"][:, 0].float().cpu() if masks else None,
            keypoints=result["keypoints"].float().cpu() if keypoints else None,
            keypoint_scores=result["keypoints_scores"].float().cpu() if keypoints else None,
            **seen,
            seconds=seconds,
            device=self.device,
        )

    def label_anchors(self, detection: Detection, truth: Tensor) -> Tensor:
        """Labels int64 (M,) that training would give the anchors for truth boxes (T, 4): 1 positive, 0 negative, -1
        ignored, by torchvision's own matcher."""
        proposer = rcnn_taps.proposer_of(self.module)
        labels, _ = proposer.assign_targets_to_anchors([detection.anchors], [{"boxes": truth.float()}])
        return labels[0].to(torch.int64)

    @out_of_memory_said
    def losses(self, image: np.ndarray, instances: Sequence[Instance]) -> dict[str, float]:
        """The training losses of this picture for the given truth: RPN objectness and box, class and box of the heads,
        mask, keypoints. The random choice of anchors and proposals is seeded: the same input gives the same losses.
        """
        target = {key: value.to(self.device) for key, value in targets_of(instances).items()}
        with self._lock, torch.no_grad(), rcnn_taps.training_mode(self.module), torch.random.fork_rng():
            torch.manual_seed(0)
            losses = self.module([self._tensor(image)], [target])
        return {name: float(value) for name, value in losses.items()}

    def _tensor(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255


def targets_of(instances: Sequence[Instance]) -> dict[str, Tensor]:
    """torchvision's target dictionary for the truth of one picture; what has no joints gets ones that do not count."""
    joints = np.zeros((len(instances), len(JOINTS), 3), np.float32)
    for row, instance in zip(joints, instances, strict=True):
        if instance.keypoints is not None:
            row[:] = instance.keypoints
    boxes = np.array([i.box for i in instances], np.float32).reshape(-1, 4)
    return {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.tensor([THINGS.index(i.label) + 1 for i in instances], dtype=torch.int64),
        "masks": torch.from_numpy(np.array([i.mask for i in instances], np.uint8).reshape(-1, *_shape(instances))),
        "keypoints": torch.from_numpy(joints),
    }


def _shape(instances: Sequence[Instance]) -> tuple[int, int]:
    return instances[0].mask.shape if instances else (SIZE, SIZE)
