"""What the lab's networks share: pictures normalised, and the encoder that segmenters, detector and YOLO stand on."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from labs import upsampling

WIDTHS = (16, 32, 64, 128)
MIDDLE = 192
# Lab World's mean colour and its deviation, RGB in 0 to 1.
MEAN, STD = (0.45, 0.48, 0.45), (0.25, 0.24, 0.26)


def normalised(images: Tensor) -> Tensor:
    """Float images (N, 3, H, W) in 0 to 1, per channel minus Lab World's mean over its standard deviation."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (images - mean) / std


class Encoder(nn.Module):
    """Normalised images (N, 3, H, W) to features at a sixteenth of the size, and what the decoder may want: the
    features before each of the four pools, and the positions of each pool's maxima."""

    def __init__(self):
        super().__init__()
        a, b, c, d = WIDTHS
        self.stages = nn.ModuleList([block(3, a), block(a, b, b), block(b, c, c), block(c, d, d)])
        self.middle = nn.Sequential(
            block(d, MIDDLE), *(Residual(MIDDLE, dilation) for dilation in (1, 2, 1)), nn.Conv2d(MIDDLE, d, 1)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        skips, positions = [], []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
            x, where = upsampling.max_pool(x, 2)
            positions.append(where)
        return self.middle(x), skips, positions


class Residual(nn.Module):
    """Two 3x3 convolutions around which the input is carried (He et al. 2016)."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.first = block(width, width, dilation=dilation)
        self.second = block(width, width)[:2]

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


def block(*widths: int, dilation: int = 1) -> nn.Sequential:
    """3x3 convolutions from width to width, each with batch normalisation and ReLU; the size stays."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [
            nn.Conv2d(n_in, n_out, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
