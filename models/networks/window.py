"""The lectures' window classifier, trained: 28×28 pixels to four class scores, and to a box beside them.

Its layers are those of `labs.sliding_window.layers`: convolutions without padding, so one pass over a larger picture
gives exactly what every window would give on its own, one window at every fourth pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import boxes as box_lab
from labs import nms, sliding_window
from labs.sliding_window import CLASSES, WINDOW
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.encoder import normalised

SIDES = (40, 56, 80, 112, 160, 224)  # of the picture, for windows from all of its width down to an eighth
LOWEST_SCORE, NMS_OVERLAP = 0.05, 0.3


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What every window of one picture says. Float32 tensors on the CPU.

    Attributes:
        picture: uint8 (h, w, 3), the picture at the size that was looked at.
        logits, probabilities: (4, rows, columns), of `labs.sliding_window.CLASSES`; probabilities by softmax.
        windows: (rows, columns, 4) xyxy in pixels of the picture as it was given.
        boxes: (rows, columns, 4) the same, moved by the network's transforms; None where it has none.
        seconds: wall-clock time of the pass. device: where it ran.
    """

    picture: np.ndarray
    logits: Tensor
    probabilities: Tensor
    windows: Tensor
    boxes: Tensor | None
    seconds: float
    device: str


@dataclass(frozen=True, eq=False)
class WindowDetection:
    """Things found by windows of several sizes, after NMS, best first: `boxes` (N, 4) xyxy in pixels of the picture,
    `labels` (N,) indices into `labs.sliding_window.CLASSES`, `scores` (N,) in 0 to 1; `seconds` of all passes.
    It has no masks and no keypoints."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None


class WindowNetwork(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, at least 28 pixels a side, to (N, 4 or 8, rows, columns): four class scores,
    then, where it has them, the four numbers that move the window onto the thing (`labs.boxes.decode`)."""

    def __init__(self, box: bool = False, filters: int = 4, units: int = 100):
        super().__init__()
        self.box = box
        self.layers = sliding_window.layers(len(CLASSES) + 4 * box, filters, units)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(normalised(images))


class LoadedWindow(LoadedNetwork):
    """A window network with its weights, on a device, ready to be called with a picture.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: WindowNetwork, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(self, image: np.ndarray, side: int | None = None) -> WindowScores:
        """All windows of a uint8 RGB picture (H, W, 3), in one pass.

        Args:
            side: the picture's shorter side is brought to so many pixels first, at least 28, by default left as it is.
                The window stays 28 pixels wide, so on a smaller picture it shows more of the scene.

        Errors: ValueError for a side below 28.
        """
        small = resized(image, side)
        x = to_tensor(small)[None].to(self.device)
        with torch.inference_mode():
            start = perf_counter()
            raw = self.module(x)[0].float().cpu()  # waits for the device
            seconds = perf_counter() - start
            scale = [image.shape[axis] / small.shape[axis] for axis in (1, 0)]
            windows = sliding_window.window_boxes(*raw.shape[1:]) * torch.tensor(scale * 2)
            logits = raw[: len(CLASSES)]
            boxes = None
            if self.module.box:
                boxes = box_lab.decode(raw[len(CLASSES) :].permute(1, 2, 0), windows)
            return WindowScores(small, logits, logits.softmax(0), windows, boxes, seconds, self.device)

    @out_of_memory_said
    def classify(self, crop: np.ndarray) -> Tensor:
        """The class scores (4,), float32 on the CPU, of one window uint8 (28, 28, 3) on its own."""
        with torch.inference_mode():
            return self.module(to_tensor(crop)[None].to(self.device))[0, : len(CLASSES), 0, 0].float().cpu()

    def detect(
        self,
        image: np.ndarray,
        sides: Sequence[int] = SIDES,
        threshold: float = LOWEST_SCORE,
        overlap: float = NMS_OVERLAP,
        move: bool = True,
    ) -> WindowDetection:
        """Things in a picture (H, W, 3), by windows of several sizes and one NMS over all; each window is its own box,
        or where the network has one, and unless told not to `move` it, the box that it says."""
        seen = [self(image, side) for side in sides]
        size = torch.tensor([image.shape[1], image.shape[0]] * 2)
        parts = [
            sliding_window.above(each.probabilities, each.windows if each.boxes is None or not move else each.boxes,
                                 threshold) for each in seen
        ]  # fmt: skip
        boxes, labels, scores = (torch.cat(part) for part in zip(*parts, strict=True))
        boxes = torch.minimum(boxes.clamp(min=0), size)
        kept = nms.survivors(boxes, scores, overlap, labels)
        seconds = sum(each.seconds for each in seen)
        return WindowDetection(boxes[kept], labels[kept], scores[kept], seconds, self.device)


def resized(image: np.ndarray, side: int | None = None) -> np.ndarray:
    """A uint8 picture (H, W, 3) whose shorter side is `side` pixels, averaged by area where it shrinks.

    Errors: ValueError for a picture that no window fits into.
    """
    shorter = min(image.shape[:2])
    side = shorter if side is None else side
    if side < WINDOW:
        raise ValueError(f"A picture of {side} pixels has no room for a window of {WINDOW}.")
    if side == shorter:
        return image
    height, width = (round(each * side / shorter) for each in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if side < shorter else cv2.INTER_LINEAR)


def to_tensor(image: np.ndarray) -> Tensor:
    """A uint8 RGB picture (H, W, 3) as a float32 tensor (3, H, W) in 0 to 1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
