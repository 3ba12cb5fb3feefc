"""Fast R-CNN (Girshick 2015): the regions are given, the whole picture is seen once, one head names and corrects them.

Trunk and head are those of the narrow detector. Where that asks its RPN for regions, this one is handed them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection.roi_heads import fastrcnn_loss

from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import LEVELS
from models.networks.narrow_detector import NarrowTrunk, build_narrow_detector


@dataclass(frozen=True, eq=False)
class FastDetection:
    """What Fast R-CNN said of one picture and its regions. Float32 tensors on the CPU, boxes xyxy in pixels.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in 0 to 1: the detections after
            score threshold and NMS of each class, best first.
        regions (R, 4): what it was given.
        raw_scores (R, 9): softmax over background and classes; raw_boxes (R, 8, 4): where each class would move the
            region.
        levels: the maps of the trunk by name, (48, h, w).
        level_of (R,) int64: which level the region was pooled from, 0 for P2.
        roi_features (R, 48, 7, 7): what the pooling handed to the head.
        trunk_seconds, head_seconds: wall-clock time of the part that sees the picture once, and of the part that is
            done for every region; seconds: both. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    regions: Tensor
    raw_scores: Tensor
    raw_boxes: Tensor
    levels: dict[str, Tensor]
    level_of: Tensor
    roi_features: Tensor
    trunk_seconds: float
    head_seconds: float
    device: str
    masks: None = None
    keypoints: None = None

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.trunk_seconds + self.head_seconds


@dataclass(frozen=True, eq=False)
class PictureGradient:
    """How the loss of some regions depends on the picture.

    Attributes:
        loss_class, loss_box: their two losses, averaged over the regions as in training.
        gradient: float32 (H, W, 3), the derivative of the sum by each pixel's colour in 0 to 1.
    """

    loss_class: float
    loss_box: float
    gradient: np.ndarray


class FastRCNN(nn.Module):
    """Pictures (3, H, W) in 0 to 1 and their regions to torchvision's result: losses in train mode, else detections."""

    def __init__(self):
        super().__init__()
        whole = build_narrow_detector()
        self.transform, self.backbone = rcnn_taps.transform_of(whole), cast(NarrowTrunk, whole.backbone)
        self.roi_heads = rcnn_taps.heads_of(whole)

    def forward(
        self, images: list[Tensor], regions: list[Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        seen, scaled, targets = rcnn_taps.resized(self.transform, images, regions, targets)
        maps = self.backbone(seen.tensors)
        detections, losses = self.roi_heads(maps, scaled, seen.image_sizes, targets)
        if self.training:
            return losses
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        return self.transform.postprocess(detections, seen.image_sizes, sizes)


class LoadedFastRCNN(LoadedNetwork):
    """Fast R-CNN with its weights, on a device, ready to be called with a picture and its regions.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: FastRCNN, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._lock = Lock()  # RoI heads keep the scales of the last picture

    @out_of_memory_said
    def __call__(self, image: np.ndarray, regions: np.ndarray) -> FastDetection:
        """Name and correct regions (R, 4), xyxy in pixels, of a uint8 RGB picture of any size; R may be 0."""
        x, boxes = self._tensor(image), torch.from_numpy(np.array(regions, np.float32)).reshape(-1, 4).to(self.device)
        heads = self.module.roi_heads
        with self._lock, torch.inference_mode():
            start = perf_counter()
            seen, scaled, _ = rcnn_taps.resized(self.module.transform, [x], [boxes])
            maps = self.module.backbone(seen.tensors)
            self._wait()
            between = perf_counter()
            pooled = heads.box_roi_pool(maps, scaled, seen.image_sizes)
            logits, transforms = heads.box_predictor(heads.box_head(pooled))
            found = heads.postprocess_detections(logits, transforms, scaled, seen.image_sizes)
            result = [dict(zip(("boxes", "scores", "labels"), (part[0] for part in found), strict=True))]
            result = self.module.transform.postprocess(result, seen.image_sizes, [image.shape[:2]])[0]
            self._wait()
            end = perf_counter()
            level_of = rcnn_taps.level_of_regions(heads, scaled)
            back = boxes.new_tensor(
                [image.shape[1] / seen.image_sizes[0][1], image.shape[0] / seen.image_sizes[0][0]] * 2
            )
            raw = heads.box_coder.decode(transforms, scaled).reshape(*logits.shape, 4)[:, 1:] * back
        return FastDetection(
            boxes=result["boxes"].float().cpu(), labels=result["labels"].cpu(), scores=result["scores"].float().cpu(),
            regions=boxes.cpu(), raw_scores=logits.softmax(-1).float().cpu(), raw_boxes=raw.float().cpu(),
            levels={name: level[0].float().cpu() for name, level in maps.items() if name in LEVELS[:4]},
            level_of=level_of.cpu(), roi_features=pooled.float().cpu(),
            trunk_seconds=between - start, head_seconds=end - between, device=self.device,
        )  # fmt: skip

    @out_of_memory_said
    def gradient(
        self,
        image: np.ndarray,
        regions: np.ndarray,
        labels: Sequence[int],
        truths: np.ndarray,
    ) -> PictureGradient:
        """Both losses of these regions and their derivative by the picture, through pooling and trunk.

        Args:
            regions: at least one.
            labels: what each should be called, from 1; 0 is background, which has no box loss.
            truths: the box that each should become; without meaning for background.
        """
        x = self._tensor(image).requires_grad_()
        to = lambda values: torch.from_numpy(np.array(values, np.float32)).reshape(-1, 4).to(self.device)  # noqa: E731
        heads = self.module.roi_heads
        with self._lock, torch.enable_grad():
            seen, (boxes, aims), _ = rcnn_taps.resized(self.module.transform, [x, x], [to(regions), to(truths)])
            maps = self.module.backbone(seen.tensors[:1])
            pooled = heads.box_roi_pool(maps, [boxes], seen.image_sizes[:1])
            logits, transforms = heads.box_predictor(heads.box_head(pooled))
            names = torch.tensor(labels, device=self.device)
            wanted = heads.box_coder.encode([aims], [boxes])
            loss_class, loss_box = fastrcnn_loss(logits, transforms, [names], list(wanted))
            slope = torch.autograd.grad(loss_class + loss_box, x)[0]
        return PictureGradient(
            float(loss_class.detach()), float(loss_box.detach()), slope.permute(1, 2, 0).float().cpu().numpy()
        )

    def _tensor(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255

    def _wait(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()
