"""Three classifiers that say which things are in a picture, made so that one can look where they looked.

A trunk of convolutions, one global pooling, one linear layer without bias: the architecture for which class activation
maps are exact (Zhou et al. 2016). `classifier-gap` and `classifier-gmp` (Oquab et al. 2015) differ in the pooling
alone; `classifier-gap-28` leaves the last stage out and pools the larger map before it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from time import perf_counter

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.device import LoadedNetwork, out_of_memory_said
from models.networks.encoder import MEAN, normalised
from scenes import THINGS

SIZE = 224
POOLINGS = ("average", "max")
STRIDES = (16, 8)
WIDTHS = (24, 48, 128, 192)  # of the maps of 112, 56, 28 and 14 pixels
# What a warped picture is filled with beyond its edges: normalised it is zero, which is what the convolutions see there
# anyway.
FILL = MEAN


@dataclass(frozen=True, eq=False)
class Classification:
    """What a classifier said of one picture.

    Attributes:
        logits: float32 tensor (8,) on the CPU, one score S_c per class of `scenes.THINGS`; there is no bias.
        probabilities: float32 tensor (8,), the sigmoid of each logit: the classes do not exclude each other.
        features: float32 tensor (C, h, w) on the CPU, the maps f_k ≥ 0 before the pooling, 14×14 or 28×28.
        weights: float32 tensor (8, C), w_k^c of the linear layer.
        seconds: wall-clock time of the forward pass.
        device: where it ran.
    """

    logits: Tensor
    probabilities: Tensor
    features: Tensor
    weights: Tensor
    seconds: float
    device: str


class Residual(nn.Module):
    """Two 3x3 convolutions, the first narrower and dilated, around which the input is carried (He et al. 2016)."""

    def __init__(self, width: int, between: int, dilation: int):
        super().__init__()
        self.first = convolution(width, between, dilation=dilation)
        self.second = convolution(between, width)[:2]
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.second(self.first(x)))


class Classifier(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, H and W multiples of 16, to logits (N, 8), a score for each of `THINGS`.

    Args:
        pooling: "average" (GAP) or "max" (GMP) over the whole map.
        stride: pixels of the picture to a cell of the last map: 16, or 8 to leave the last stage out.
    """

    def __init__(self, pooling: str = "average", stride: int = 16):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"There is no pooling {pooling!r}: choose {' or '.join(POOLINGS)}.")
        if stride not in STRIDES:
            raise ValueError(f"The last map has a stride of 16 or 8, not {stride}.")
        self.pooling, self.stride = pooling, stride
        self.trunk = trunk(stride)
        self.classify = nn.Linear(WIDTHS[3] if stride == 16 else WIDTHS[2], len(THINGS), bias=False)

    def features(self, images: Tensor) -> Tensor:
        """The last maps f_k ≥ 0, (N, C, H / stride, W / stride)."""
        return self.trunk(normalised(images))

    def pool(self, features: Tensor) -> Tensor:
        """One number a map, (N, C): its mean or its maximum."""
        return pool(features, self.pooling)

    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.pool(self.features(images)))


class LoadedClassifier(LoadedNetwork):
    """A classifier with its weights, on a device, ready to be called with a picture.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode. Nothing here or in `models.inside.attribution` hooks or changes it.
        lock: held while `models.inside.attribution` differentiates.
    """

    def __init__(self, name: str, module: Classifier, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self.lock = Lock()

    @property
    def pooling(self) -> str:
        """ "average" or "max"."""
        return self.module.pooling

    @property
    def stride(self) -> int:
        """Pixels of the 224×224 picture to a cell of the last map, 16 or 8."""
        return self.module.stride

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> Classification:
        """Classify a uint8 RGB picture (H, W, 3); any other size than 224×224 is resized to it."""
        x = to_tensor(image)[None].to(self.device)
        with torch.inference_mode():
            start = perf_counter()
            features = self.module.features(x)
            logits = self.module.classify(self.module.pool(features))[0].float().cpu()  # waits for the device
            seconds = perf_counter() - start
            maps, weights = features[0].float().cpu().contiguous(), self.module.classify.weight.float().cpu().clone()
            return Classification(logits, logits.sigmoid(), maps, weights, seconds, self.device)

    @out_of_memory_said
    def forward_batch(self, images: Tensor) -> Tensor:
        """Logits float32 (N, 8) on the CPU of float images (N, 3, 224, 224) in 0 to 1, in one pass: pass on at most
        some 32 at once."""
        with torch.inference_mode():
            return self.module(images.to(self.device)).float().cpu()

    @out_of_memory_said
    def features_of(self, images: Tensor) -> Tensor:
        """The last maps float32 (N, C, h, w) on the CPU of float images (N, 3, 224, 224) in 0 to 1, in one pass."""
        with torch.inference_mode():
            return self.module.features(images.to(self.device)).float().cpu().contiguous()


def to_tensor(image: np.ndarray) -> Tensor:
    """A uint8 RGB picture (H, W, 3) as a float32 tensor (3, 224, 224) in 0 to 1, resized if it must be (by area where
    it shrinks, bilinearly where it grows), without regard to its aspect."""
    if image.shape[:2] != (SIZE, SIZE):
        shrinks = max(image.shape[:2]) > SIZE
        image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def pool(features: Tensor, pooling: str) -> Tensor:
    """Maps (N, C, h, w) to their means or maxima (N, C)."""
    return (F.adaptive_avg_pool2d if pooling == "average" else F.adaptive_max_pool2d)(features, 1).flatten(1)


def trunk(stride: int) -> nn.Sequential:
    """Normalised images (N, 3, H, W) to features; each layer is named after the size of its map at 224 pixels."""
    a, b, c, d = WIDTHS
    layers = {
        "conv112": convolution(3, a, stride=2),
        "conv56": convolution(a, b, stride=2),
        "conv56b": convolution(b, b),
        "conv28": convolution(b, c, stride=2),
        "residual28": Residual(c, c // 2, dilation=2),
        "residual28b": Residual(c, c // 2, dilation=4),
    }
    if stride == 16:
        layers |= {
            "conv14": convolution(c, d, stride=2),
            "residual14": Residual(d, d * 2 // 3, dilation=1),
            "residual14b": Residual(d, d * 2 // 3, dilation=2),
            "residual14c": Residual(d, d * 2 // 3, dilation=1),
        }
    return nn.Sequential(OrderedDict(layers))


def convolution(n_in: int, n_out: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution with batch normalisation and ReLU. Nothing works in place: attributions look at every layer."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
    )
