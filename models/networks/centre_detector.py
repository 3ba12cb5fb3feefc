"""Objects as points (Zhou et al. 2019): each place says of which thing it is the middle, and how far its sides are.

A narrow trunk with a pyramid that ends in one fine map, for what walks through a film is small. A thing is a peak of
its class's heat map, and its box is read off where the peak is: no anchors, no regions, and so a look is short.
"""

from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from models.device import LoadedNetwork, out_of_memory_said
from models.networks.encoder import Residual, block, normalised
from scenes import THINGS

SIZE, STRIDE = 224, 4  # pixels a side that the network sees, and per place of its map
WIDTHS = (24, 32, 64, 96, 112, 112)  # channels at strides 2 (twice), 4, 8, 16 and 32
FEATURES, HIDDEN = 64, 64
RARE = 0.01  # heat of every place before training: most are nobody's middle
FARTHEST = 5.0  # logarithm of the distance of a side, in places of the map, at most
MOST, LEAST, OVERLAP = 100, 0.05, 0.7  # peaks of a picture, least score, and highest IoU of two of a class


@dataclass(frozen=True, eq=False)
class CentreDetection:
    """What the network said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in 0 to 1: the peaks, best first.
        heat (8, 56, 56) in 0 to 1: of which class each place is the middle.
        masks, keypoints, keypoint_scores: None, this network has none.
        seconds: wall-clock time of the forward pass and the peaks. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    heat: Tensor
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None
    keypoint_scores: None = None


class Trunk(nn.Module):
    """Normalised images (N, 3, H, W) to one map (N, 64, H/4, W/4), into which the coarser ones have been added."""

    def __init__(self):
        super().__init__()
        first, second, *deeper = WIDTHS
        edges = nn.Sequential(
            nn.Conv2d(3, first, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.stem = nn.Sequential(
            edges, block(first, second), nn.MaxPool2d(2), block(second, deeper[0]), Residual(deeper[0], 1)
        )
        self.coarser = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), block(n_in, n_out), Residual(n_out, 1)) for n_in, n_out in pairwise(deeper)
        )
        self.across = nn.ModuleList(nn.Conv2d(width, FEATURES, 1) for width in deeper)
        self.meet = nn.ModuleList(block(FEATURES, FEATURES) for _ in deeper[:-1])

    def forward(self, images: Tensor) -> Tensor:
        levels = [self.stem(images)]
        for stage in self.coarser:
            levels.append(stage(levels[-1]))
        *finer, x = [across(level) for across, level in zip(self.across, levels, strict=True)]
        for own, meet in zip(finer[::-1], self.meet, strict=True):
            x = meet(own + nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return x


class CentreDetector(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, H and W multiples of 32, to heat logits (N, 8, H/4, W/4) and to the
    distances in pixels from the middle of every place to the left, upper, right and lower side (N, 4, H/4, W/4)."""

    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.heat = nn.Sequential(block(FEATURES, HIDDEN), nn.Conv2d(HIDDEN, len(THINGS), 1))
        self.sides = nn.Sequential(block(FEATURES, HIDDEN), nn.Conv2d(HIDDEN, 4, 1))
        rarely = self.heat[-1].bias
        assert isinstance(rarely, Tensor), "A convolution has a bias unless told otherwise."
        nn.init.constant_(rarely, float(np.log(RARE / (1 - RARE))))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.trunk(normalised(images))
        return self.heat(seen).float(), STRIDE * self.sides(seen).float().clamp(max=FARTHEST).exp()


def boxes_everywhere(sides: Tensor) -> Tensor:
    """Distances (N, 4, h, w) in pixels to boxes (N, 4, h, w), xyxy in pixels.

    >>> boxes_everywhere(torch.ones(1, 4, 1, 2))[0, :, 0, 1]  # the middle of the second place is (6, 2)
    tensor([5., 1., 7., 3.])
    """
    across = STRIDE * (torch.arange(sides.shape[-1], device=sides.device) + 0.5)
    down = STRIDE * (torch.arange(sides.shape[-2], device=sides.device) + 0.5)[:, None]
    left, top, right, bottom = sides.unbind(1)
    return torch.stack([across - left, down - top, across + right, down + bottom], 1)


def peaks(heat: Tensor, sides: Tensor, least: float = LEAST, overlap: float = OVERLAP) -> tuple[Tensor, Tensor, Tensor]:
    """Heat (8, h, w) in 0 to 1 and distances (4, h, w) to boxes (N, 4), labels (N,) from 1 and scores (N,), best first.

    A peak is as warm as the warmest of its eight neighbours, and at least `least`. Of two peaks of a class whose boxes
    overlap by more than `overlap` the warmer one stays: a large thing may have two.
    """
    top = nn.functional.max_pool2d(heat[None], 3, 1, 1)[0] == heat
    scores, places = torch.where(top, heat, torch.zeros_like(heat)).flatten().topk(min(MOST, heat.numel()))
    scores, places = scores[scores >= least], places[scores >= least]
    labels = places // heat[0].numel()
    boxes = boxes_everywhere(sides[None])[0].flatten(1)[:, places % heat[0].numel()].T
    kept = batched_nms(boxes, scores, labels, overlap)
    return boxes[kept], labels[kept] + 1, scores[kept]


class LoadedCentreDetector(LoadedNetwork):
    """The network with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: CentreDetector, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(self, image: np.ndarray, least: float = LEAST) -> CentreDetection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size, which the network sees at 224x224."""
        height, width = image.shape[:2]
        seen = image
        if (height, width) != (SIZE, SIZE):
            seen = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(np.array(seen)).to(self.device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            start = perf_counter()
            heat, sides = (each[0].cpu() for each in self.module(x))  # waits for the device
            boxes, labels, scores = peaks(heat.sigmoid_(), sides, least)
            seconds = perf_counter() - start
        boxes = boxes.clamp(0, SIZE) * torch.tensor([width / SIZE, height / SIZE] * 2)
        return CentreDetection(boxes, labels, scores, heat, seconds, self.device)
