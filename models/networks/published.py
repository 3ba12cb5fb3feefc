"""Networks for photographs, behind interfaces like the lab models': a picture in, a typed result out.

One picture at a time per network: a detector at its full size holds a gigabyte of activations.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms._presets import ImageClassification

from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps

MOST_RAW = 100_000  # boxes of a picture before NMS; no network has that many


@dataclass(frozen=True, eq=False)
class TopClasses:
    """What a classifier said of one picture: `logits` and `probabilities` (softmax), float32 (C,) on the CPU, over
    `classes` (C names); `seconds` of the forward pass; `device` where it ran."""

    logits: Tensor
    probabilities: Tensor
    classes: tuple[str, ...]
    seconds: float
    device: str

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The most probable classes with their probabilities, best first."""
        values, indices = self.probabilities.topk(min(count, len(self.classes)))
        return [(self.classes[i], p) for i, p in zip(indices.tolist(), values.tolist())]


@dataclass(frozen=True, eq=False)
class Objects:
    """What a detector said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture; the fields
    are named as in `models.networks.detector.Detection`.

    Attributes:
        boxes (N, 4), labels (N,) int64, scores (N,) in 0 to 1: the detections, best first.
        names: the class of each detection in words.
        masks (N, H, W) in 0 to 1, or None: the network has none, or was not asked.
        keypoints (N, K, 3) as x, y, visibility, and keypoint_scores (N, K), or None likewise.
        seconds: wall-clock time of the forward pass. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    names: list[str]
    masks: Tensor | None
    keypoints: Tensor | None
    keypoint_scores: Tensor | None
    seconds: float
    device: str


@dataclass(frozen=True, eq=False)
class PixelClasses:
    """What a segmenter said of one picture: `labels` uint8 array (H, W), indices into `classes` (C names, 0 is
    background); `logits` float32 (C, H, W) on the CPU, bilinear from the size at which the network works; `seconds` of
    the forward pass; `device` where it ran."""

    labels: np.ndarray
    logits: Tensor
    classes: tuple[str, ...]
    seconds: float
    device: str


class PretrainedNetwork(LoadedNetwork):
    """A network with its weights, on a device. Safe to call from many threads, one after the other.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: torchvision's network, in eval mode and frozen.
        classes: names that labels and logits index.
        keypoint_names: of a network that finds keypoints, else ().
        lock: held during a call; hold it too around anything that hooks the module or differentiates.
        seconds: of the last forward pass, None before the first.
    """

    def __init__(self, name: str, module: nn.Module, device: torch.device, card: dict, preprocess: Callable):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.keypoint_names: tuple[str, ...] = tuple(card["keypoint_names"])
        self.lock = Lock()
        self.seconds: float | None = None
        self._preprocess = preprocess

    def tensor(self, image: np.ndarray) -> Tensor:
        """What the network is given for a uint8 RGB picture (H, W, 3): float32 (3, h, w) on its device, resized and
        normalised as its weights want it (classifiers also cut the middle out)."""
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).to(self.device)
        return self._preprocess(pixels)

    def _timed(self, *inputs: object, module: nn.Module | None = None) -> tuple[Any, float]:
        start = perf_counter()
        output = (module or self.module)(*inputs)
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()
        self.seconds = perf_counter() - start
        return output, self.seconds


class PretrainedClassifier(PretrainedNetwork):
    """A classifier of whole pictures."""

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> TopClasses:
        """Classify a uint8 RGB picture (H, W, 3) of any size."""
        with self.lock, torch.inference_mode():
            output, seconds = self._timed(self.tensor(image)[None])
            logits = output[0].float().cpu()
            return TopClasses(logits, logits.softmax(0), self.classes, seconds, self.device)

    def pixels(self, shown: Tensor) -> np.ndarray:
        """The colours of what the network is given, (n, 3, h, w) as by `tensor`: uint8 (n, h, w, 3)."""
        preset = cast(ImageClassification, self._preprocess)
        mean, std = (torch.tensor(value).view(3, 1, 1) for value in (preset.mean, preset.std))
        values = (shown.cpu() * std + mean).clamp(0, 1) * 255
        return values.round().byte().permute(0, 2, 3, 1).contiguous().numpy()

    def window(self, height: int, width: int) -> tuple[float, float, float, float]:
        """The part of a picture that the network is shown, xyxy in pixels: the shorter side is resized and the middle
        cut out, as torchvision's preset does."""
        preset = cast(ImageClassification, self._preprocess)  # as all of torchvision's classifiers have
        resized, side = preset.resize_size[0], preset.crop_size[0]
        short, long = min(height, width), max(height, width)
        lengths = {short: resized, long: int(resized * long / short)}
        spans = []
        for length in (width, height):
            scale = length / lengths[length]
            start = round((lengths[length] - side) / 2)
            spans.append((start * scale, (start + side) * scale))
        (x1, x2), (y1, y2) = spans
        return x1, y1, x2, y2


class PretrainedDetector(PretrainedNetwork):
    """A detector of objects, some with a mask or keypoints for each."""

    @out_of_memory_said
    def __call__(self, image: np.ndarray, masks: bool = True, keypoints: bool = True) -> Objects:
        """Detect in a uint8 RGB picture (H, W, 3) of any size; masks and keypoints where the network has them and they
        are asked for."""
        heads = getattr(self.module, "roi_heads", None)
        off = [name for name, wanted in (("mask_roi_pool", masks), ("keypoint_roi_pool", keypoints)) if not wanted]
        with self.lock, torch.inference_mode():
            if heads is None:  # one-stage
                found, seconds = self._timed([self.tensor(image)])
            else:
                with rcnn_taps.attributes_set(heads, dict.fromkeys(off)):
                    found, seconds = self._timed([self.tensor(image)])
            return self._objects(found[0], seconds)

    @property
    def own_nms(self) -> float:
        """The IoU above which the network's own NMS, per class, drops the weaker box."""
        heads: Any = getattr(self.module, "roi_heads", self.module)  # one-stage networks have no heads of their own
        return heads.nms_thresh

    @out_of_memory_said
    def before_nms(self, image: np.ndarray, lowest: float = 0.05) -> Objects:
        """All boxes that score above `lowest`, with the network's own NMS switched off; no masks, no keypoints.

        What the network returns is NMS per class over these at `own_nms`, and of that the best `detections_per_img`.
        The shared network is not touched: this runs a shallow copy with other settings around the same layers.
        """
        # No IoU is above 2, not even by rounding.
        settings = {"nms_thresh": 2.0, "score_thresh": lowest, "detections_per_img": MOST_RAW}
        heads = getattr(self.module, "roi_heads", None)
        if heads is None:
            module = _with(self.module, **settings)
        else:
            off = {name: None for name in ("mask_roi_pool", "keypoint_roi_pool") if getattr(heads, name) is not None}
            module = _with(self.module, roi_heads=_with(heads, **settings, **off))
        with self.lock, torch.inference_mode():
            found, seconds = self._timed([self.tensor(image)], module=module)
            return self._objects(found[0], seconds)

    def _objects(self, found: dict[str, Tensor], seconds: float) -> Objects:
        found = {key: value.cpu() for key, value in found.items()}
        return Objects(
            found["boxes"].float(),
            found["labels"],
            found["scores"].float(),
            [self.classes[label] for label in found["labels"].tolist()],
            found["masks"][:, 0].float() if "masks" in found else None,
            found["keypoints"].float() if "keypoints" in found else None,
            found["keypoints_scores"].float() if "keypoints_scores" in found else None,
            seconds,
            self.device,
        )


class PretrainedSegmenter(PretrainedNetwork):
    """A classifier of pixels."""

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> PixelClasses:
        """Segment a uint8 RGB picture (H, W, 3) of any size; the network works at its own size, 520 pixels or more."""
        with self.lock, torch.inference_mode():
            output, seconds = self._timed(self.tensor(image)[None])
            logits = F.interpolate(output["out"].float(), image.shape[:2], mode="bilinear", align_corners=False)[
                0
            ].cpu()
            labels = logits.argmax(0).to(torch.uint8).numpy()
            return PixelClasses(labels, logits, self.classes, seconds, self.device)


def _with(module: nn.Module, **changed: object) -> nn.Module:
    """A module with other attributes around the same parts; the given one stays as it is."""
    other = copy.copy(module)
    other._modules = dict(module._modules)  # copy.copy would share it, and assigning a part would change both
    for name, value in changed.items():
        setattr(other, name, value)
    return other
