"""Panoptic FPN: a branch for stuff on the trunk of `detector`, so that one network gives every pixel a segment.

Trunk, proposals and heads are those of `detector`, as they are. The branch brings every level of the pyramid to the
size of the finest, adds them up and classifies each place as one kind of stuff, or as "other", which is all things
(Kirillov, Girshick, He, Dollár 2019, section 3). The paper stops at stride 4. These pictures are small, so two steps
more go to every pixel, with the trunk's own features of stride 2 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from labs import panoptic
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import FEATURES, LEVELS, build_detector
from models.networks.encoder import WIDTHS
from scenes import STUFF

OTHER = len(STUFF)  # the class of the branch that is all things
FIRST_THING = len(STUFF) - 1  # added to a detector's label, from 1, it is a class of `scenes.CLASSES`
GROUPS = 8  # of channels that are normalised together
LEAST_SCORE, MOST_TAKEN, LEAST_AREA, MASK = 0.5, 0.5, 128, 0.5  # of the merge


class Things(Protocol):
    """What the merge wants of a detector's answer: the fields of `detector.Detection`."""

    @property
    def masks(self) -> Tensor | None: ...

    @property
    def labels(self) -> Tensor: ...

    @property
    def scores(self) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class PanopticFound:
    """What Panoptic FPN said of one picture, before the merge. Float32 tensors on the CPU.

    Attributes:
        boxes (N, 4) xyxy in pixels of the picture, labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in
            0 to 1, masks (N, H, W) in 0 to 1: the things, best first; `detector` says the same of this picture.
        semantic: uint8 (H, W), the likeliest class of the branch: an index of `scenes.STUFF`, or OTHER.
        logits (6, H, W): what the branch says of each class.
        summands: per level of the pyramid its name and features (64, h, w) at stride 4; their sum is classified.
        seconds: wall-clock time of the forward pass; stuff_seconds: that of the branch alone. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor
    semantic: np.ndarray
    logits: Tensor
    summands: list[tuple[str, Tensor]]
    seconds: float
    stuff_seconds: float
    device: str


class StuffBranch(nn.Module):
    """P2 to P5 (N, 64, h, w), and the trunk's features of stride 2 (N, 32, H/2, W/2) and 1 (N, 16, H, W), to logits
    (N, 6, H, W)."""

    def __init__(self):
        super().__init__()
        self.rise = nn.ModuleList(_rise(steps) for steps in (0, 1, 2, 3))
        self.steps = nn.ModuleList([FinerStep(FEATURES, WIDTHS[1]), FinerStep(WIDTHS[1], WIDTHS[0])])
        self.classify = nn.Conv2d(WIDTHS[0], OTHER + 1, 1)

    def forward(self, levels: Sequence[Tensor], finer: Sequence[Tensor]) -> Tensor:
        return self.classified(torch.stack(self.summands(levels)).sum(0), finer)

    def summands(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Every level at the size of the finest."""
        return [rise(level) for rise, level in zip(self.rise, levels, strict=True)]

    def classified(self, summed: Tensor, finer: Sequence[Tensor]) -> Tensor:
        """Logits of the sum, at the size of the last of `finer`."""
        for step, features in zip(self.steps, finer, strict=True):
            summed = step(summed, features)
        return self.classify(summed)


class FinerStep(nn.Module):
    """Features (N, `wide`, h, w) and finer ones of the trunk (N, `narrow`, H, W) to (N, `narrow`, H, W)."""

    def __init__(self, wide: int, narrow: int):
        super().__init__()
        self.narrow = nn.Conv2d(wide, narrow, 1)
        self.fine = nn.Conv2d(narrow, narrow, 1)
        self.mix = nn.Sequential(*_normalised(narrow))

    def forward(self, x: Tensor, fine: Tensor) -> Tensor:
        x = F.interpolate(self.narrow(x), fine.shape[-2:], mode="bilinear")
        return self.mix(torch.relu(x + self.fine(fine)))


def _rise(steps: int) -> nn.Sequential:
    """A convolution and a doubling for every step; without a step the convolution alone."""
    layers: list[nn.Module] = []
    for _ in range(max(steps, 1)):
        layers += _normalised(FEATURES)
        if steps:
            layers.append(nn.Upsample(scale_factor=2, mode="bilinear"))
    return nn.Sequential(*layers)


def _normalised(width: int) -> list[nn.Module]:
    return [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(GROUPS, width), nn.ReLU(inplace=True)]


class PanopticFpn(nn.Module):
    """The detector, and the branch for stuff on its trunk."""

    def __init__(self):
        super().__init__()
        self.detector = build_detector()
        self.stuff = StuffBranch()


class LoadedPanopticFpn(LoadedNetwork):
    """Panoptic FPN with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: PanopticFpn, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._lock = Lock()  # hooks on a shared module are not thread-safe

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> PanopticFound:
        """Find things and stuff in a uint8 RGB picture (H, W, 3) of any size."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        detector: FasterRCNN = self.module.detector
        heads = rcnn_taps.heads_of(detector)
        points = ("transform", "backbone.encoder", "backbone")
        with (
            self._lock,
            torch.inference_mode(),
            rcnn_taps.attributes_set(heads, {"keypoint_roi_pool": None}),
            rcnn_taps.taps(detector, points) as tapped,
        ):
            start = perf_counter()
            things = detector([x])[0]
            _wait(x)
            between = perf_counter()
            pictures, (_, skips, _), pyramid = (tapped[point] for point in ("transform", *points[1:]))
            summands = self.module.stuff.summands([pyramid[name] for name in LEVELS[:4]])
            logits = self.module.stuff.classified(torch.stack(summands).sum(0), [skip.float() for skip in skips[1::-1]])
            logits = on_the_picture(logits, pictures[0].image_sizes[0], image.shape[:2])[0].float()
            semantic = logits.argmax(0).to(torch.uint8).cpu().numpy()  # waits for the device
            end = perf_counter()
        with torch.inference_mode():
            return PanopticFound(
                **{key: things[key].float().cpu() for key in ("boxes", "scores")},
                labels=things["labels"].cpu(),
                masks=things["masks"][:, 0].float().cpu(),
                semantic=semantic,
                logits=logits.cpu(),
                summands=[(name, each[0].float().cpu()) for name, each in zip(LEVELS, summands, strict=False)],
                seconds=end - start,
                stuff_seconds=end - between,
                device=self.device,
            )


def on_the_picture(logits: Tensor, seen: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Logits (N, C, h, w) of what the network saw, (height, width) without its padding, brought to the `size` of the
    picture."""
    height, width = seen
    return F.interpolate(logits[..., :height, :width], size, mode="bilinear")


def merged(
    semantic: np.ndarray,
    things: Things,
    mask: float = MASK,
    least_score: float = LEAST_SCORE,
    most_taken: float = MOST_TAKEN,
    least_area: int = LEAST_AREA,
) -> panoptic.Panoptic:
    """The panoptic map of a semantic map (H, W), whose stuff has the numbers of `scenes.STUFF`, and of things with
    masks; classes are indices of `scenes.CLASSES`. A pixel is in a mask from `mask` on, 0 to 1."""
    assert things.masks is not None, "The merge wants masks."
    return panoptic.merge(
        semantic, range(len(STUFF)), things.masks.numpy() >= mask, things.labels.numpy() + FIRST_THING,
        things.scores.numpy(), least_score, most_taken, least_area,
    )  # fmt: skip


def _wait(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize()
