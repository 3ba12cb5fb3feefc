"""RetinaNet on Lab World: torchvision's, on the detector's frozen trunk; every anchor says class and box at once.

One stage: two small networks of four convolutions slide over the pyramid, one for C sigmoids an anchor, one for its
four transforms. Trained by the focal loss of `labs.focal_loss` (Lin et al. 2017), or by what it replaced.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from time import perf_counter
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.retinanet import RetinaNetClassificationHead, RetinaNetHead
from torchvision.ops import box_iou

from labs import boxes as box_lab
from labs import focal_loss
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import ANCHOR_RATIOS, FEATURES, LEVELS, SIZE, Trunk, targets_of
from models.networks.encoder import MEAN, STD
from scenes import THINGS, Instance

PYRAMID = LEVELS[1:4]  # P3 and up: as in the paper, P2 would cost three times all others
STRIDES = (8, 16, 32)
ANCHOR_SIZES = ((20, 28), (40, 57), (80, 113))  # side of a square anchor in pixels, two to an octave
PER_POSITION = len(ANCHOR_SIZES[0]) * len(ANCHOR_RATIOS)
GROUPS = 8  # of the heads' normalisation
BOX_LOSS = "giou"
LOWEST_SCORE, NMS_OVERLAP = 0.01, 0.5  # AP wants the doubtful ones as well


@dataclass(frozen=True, eq=False)
class RetinaDetection:
    """What the network said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in 0 to 1: the detections after
            score threshold and per-class NMS, best first.
        anchors (M, 4), level_of (M,) int64: all anchors and their level in `PYRAMID`.
        logits (M, 8), transforms (M, 4), decoded (M, 4): what the heads say of each anchor, and the box that makes.
        features: per level (64, h, w), what the trunk said.
        masks, keypoints, keypoint_scores: None, this network has none.
        seconds: wall-clock time of the forward pass, NMS included. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    anchors: Tensor
    level_of: Tensor
    logits: Tensor
    transforms: Tensor
    decoded: Tensor
    features: list[Tensor]
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None
    keypoint_scores: None = None


@dataclass(frozen=True)
class Objective:
    """How an anchor's classes are asked for: `gamma` and `alpha` of the focal loss, and how many `negatives` are drawn
    for each positive anchor; None: all of them count."""

    gamma: float
    alpha: float | None
    negatives: int | None = None


OBJECTIVES = {
    "retinanet": Objective(focal_loss.GAMMA, focal_loss.ALPHA),
    "retinanet-cross-entropy": Objective(0.0, focal_loss.ALPHA),
    "retinanet-sampled": Objective(0.0, None, negatives=3),
}


class PyramidWithoutP2(Trunk):
    """The detector's trunk, and of its pyramid what lies above P2: strides 8, 16 and 32."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        levels = super().forward(images)
        return OrderedDict((name, levels[name]) for name in PYRAMID)


class ClassificationHead(RetinaNetClassificationHead):
    """torchvision's head for the classes, trained by an `Objective`. Labels count from 1, its sigmoids from 0: there is
    none for background. Which negatives are drawn hangs on torch's random state."""

    def __init__(self, objective: Objective):
        super().__init__(
            FEATURES, PER_POSITION, len(THINGS), focal_loss.PRIOR, norm_layer=partial(nn.GroupNorm, GROUPS)
        )
        self.objective = objective

    def compute_loss(
        self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], matched_idxs: list[Tensor]
    ) -> Tensor:
        losses = []
        for logits, target, match in zip(head_outputs["cls_logits"], targets, matched_idxs, strict=True):
            right = focal_loss.wanted(match, target["labels"] - 1, len(THINGS))
            asked = match != self.BETWEEN_THRESHOLDS
            if self.objective.negatives is not None:
                seed = int(torch.randint(2**31, ()))
                asked = focal_loss.sampled(match, self.objective.negatives, seed)
            paid = focal_loss.focal_loss(logits[asked], right[asked], self.objective.gamma, self.objective.alpha)
            losses.append(paid.sum() / max(1, int((match >= 0).sum())))
        return torch.stack(losses).mean()


def build_retinanet(objective: Objective) -> RetinaNet:
    """The network, freshly initialised."""
    head = RetinaNetHead(FEATURES, PER_POSITION, len(THINGS), norm_layer=partial(nn.GroupNorm, GROUPS))
    head.classification_head = ClassificationHead(objective)
    head.regression_head._loss_type = BOX_LOSS
    return RetinaNet(
        PyramidWithoutP2(), len(THINGS),
        min_size=SIZE, max_size=SIZE, image_mean=MEAN, image_std=STD,
        anchor_generator=AnchorGenerator(ANCHOR_SIZES, (ANCHOR_RATIOS,) * len(ANCHOR_SIZES)),
        head=head, fg_iou_thresh=focal_loss.POSITIVE, bg_iou_thresh=focal_loss.NEGATIVE,
        score_thresh=LOWEST_SCORE, nms_thresh=NMS_OVERLAP, detections_per_img=40, topk_candidates=300,
    )  # fmt: skip


def match_of(module: RetinaNet, truth: Tensor, anchors: Tensor) -> Tensor:
    """int64 (M,): which of the truth boxes (T, 4) each anchor (M, 4) must find; -1 none, -2 ignored."""
    if not len(truth):
        return torch.full((len(anchors),), -1, device=anchors.device)
    return module.proposal_matcher(box_iou(truth, anchors))


class LoadedRetinaNet(LoadedNetwork):
    """A RetinaNet with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: torchvision's network, in eval mode. objective: how its classes were asked for.
    """

    def __init__(self, name: str, module: RetinaNet, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self.objective = cast(ClassificationHead, module.head.classification_head).objective
        self._lock = Lock()  # hooks and train mode on a shared module are not thread-safe

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> RetinaDetection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size."""
        x = self._tensor(image)
        points = ("transform", "backbone", "head", "anchor_generator")
        with self._lock, torch.inference_mode(), rcnn_taps.taps(self.module, points) as tapped:
            start = perf_counter()
            result = self.module([x])[0]
            if x.is_cuda:
                torch.cuda.synchronize()
            seconds = perf_counter() - start
        return RetinaDetection(
            boxes=result["boxes"].float().cpu(),
            labels=result["labels"].cpu() + 1,
            scores=result["scores"].float().cpu(),
            **self._read(tapped, image.shape[:2]),
            seconds=seconds,
            device=self.device,
        )

    def match(self, found: RetinaDetection, truth: Tensor) -> Tensor:
        """int64 (M,): which of the truth boxes (T, 4) each anchor must find in training; -1 none, -2 ignored; by
        torchvision's own matcher."""
        return match_of(self.module, truth.float(), found.anchors)

    @out_of_memory_said
    def losses(self, image: np.ndarray, instances: Sequence[Instance]) -> dict[str, float]:
        """The training losses of this picture for the given truth, `classification` and `bbox_regression`. The same
        input gives the same losses: the draw of the negatives is seeded."""
        target = {key: value.to(self.device) for key, value in targets_of(instances).items()}
        with self._lock, torch.no_grad(), rcnn_taps.training_mode(self.module), torch.random.fork_rng():
            torch.manual_seed(0)
            losses = self.module([self._tensor(image)], [target])
        return {name: float(value) for name, value in losses.items()}

    def _tensor(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255

    def _read(self, tapped: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
        height, width = tapped["transform"][0].image_sizes[0]
        scale = torch.tensor([size[1] / width, size[0] / height] * 2)
        anchors = tapped["anchor_generator"][0].cpu()
        transforms = tapped["head"]["bbox_regression"][0].float().cpu()
        features = [level[0].float().cpu() for level in tapped["backbone"].values()]
        counts = torch.tensor([level.shape[1] * level.shape[2] * PER_POSITION for level in features])
        return {
            "logits": tapped["head"]["cls_logits"][0].float().cpu(),
            "transforms": transforms,
            "anchors": anchors * scale,
            "decoded": box_lab.decode(transforms, anchors) * scale,
            "level_of": torch.repeat_interleave(torch.arange(len(features)), counts),
            "features": features,
        }
