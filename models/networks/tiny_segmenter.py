"""A segmenter small enough to learn while somebody watches: some hundred steps on Lab World, on one core."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.encoder import block, normalised
from scenes import CLASSES

WIDTHS = (12, 24, 48)
MIDDLE = 64


class TinySegmenter(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, H and W multiples of 8, to logits (N, 13, H, W); 83,000 parameters."""

    def __init__(self):
        super().__init__()
        a, b, c = WIDTHS
        self.down = nn.ModuleList([block(3, a), block(a, b), block(b, c)])
        self.middle = nn.Sequential(block(c, MIDDLE), block(MIDDLE, c, dilation=2))
        self.up = nn.ModuleList([block(c, b), block(b, a), block(a, a)])
        self.classify = nn.Conv2d(a, len(CLASSES), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Down three times, up three times, adding the features of the same size."""
        x, skips = normalised(images), []
        for stage in self.down:
            x = stage(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for stage in self.up:
            skip = skips.pop()
            x = stage(F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False) + skip)
        return self.classify(x)


def as_tensor(images: np.ndarray) -> Tensor:
    """Pictures uint8 (N, H, W, 3) as floats (N, 3, H, W) in 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
