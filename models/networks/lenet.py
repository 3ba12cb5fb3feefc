"""LeNet-5 as its paper draws it, for handwritten digits: 120 numbers per digit stand before its last two layers.

As in the paper: sizes and numbers of maps, the table that says which maps of S2 each map of C3 sees, subsampling with a
weight and a bias per map, the scaled tanh, 60,000 weights up to F6, digits of 20×20 in the middle of 32×32. Other than
in the paper: ten logits under softmax and cross-entropy instead of distances to drawn bitmaps.

Source: LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning Applied to Document Recognition, section II.B.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE, INK = 32, 20  # pixels: of the input, and of the digit in it
PAPER, BLACK = -0.1, 1.175  # values of white and black: mean about 0, variance about 1
SIGNATURE = 120
# Table I of the paper: the maps of S2 that each of the 16 maps of C3 sees.
SEEN = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5), (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5),
    (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


def squash(values: Tensor) -> Tensor:
    """1.7159 tanh(2a / 3), so that ±1 stays ±1."""
    return 1.7159 * torch.tanh(values * (2 / 3))


class Subsample(nn.Module):
    """The sum of 2×2 values times a weight of the map, plus its bias."""

    def __init__(self, maps: int):
        super().__init__()
        self.weight = nn.Parameter(torch.full((maps,), 0.25))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, maps: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(maps, 2) * self.weight[:, None, None] + self.bias[:, None, None]


class Tabled(nn.Module):
    """C3: 16 convolutions of 5×5, each over its own maps of S2; begun as torch begins a convolution over so many."""

    def __init__(self):
        super().__init__()
        begun = [nn.Conv2d(len(seen), 1, 5) for seen in SEEN]
        self.weight = nn.Parameter(torch.cat([each.weight[0] for each in begun]).detach())
        self.bias = nn.Parameter(torch.cat([each.bias for each in begun if each.bias is not None]).detach())

    def forward(self, maps: Tensor) -> Tensor:
        """As one convolution, whose weights are 0 for maps that are not seen."""
        rows = torch.tensor([row for row, seen in enumerate(SEEN) for _ in seen])
        columns = torch.tensor([column for seen in SEEN for column in seen])
        whole = maps.new_zeros(len(SEEN), 6, 5, 5).index_put((rows, columns), self.weight)
        return F.conv2d(maps, whole, self.bias)


class LeNet(nn.Module):
    """Float digits (N, 1, 32, 32) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = Tabled(), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, SIGNATURE, 5), nn.Linear(SIGNATURE, 84)
        self.output = nn.Linear(84, 10)

    def signature(self, digits: Tensor) -> Tensor:
        """What C5 says of each digit: (N, 120), from -1.72 to 1.72."""
        maps = squash(self.s2(squash(self.c1(digits))))
        return squash(self.c5(squash(self.s4(squash(self.c3(maps))))).flatten(1))

    def classify(self, signatures: Tensor) -> Tensor:
        """Logits (N, 10) from signatures (N, 120)."""
        return self.output(squash(self.f6(signatures)))

    def forward(self, digits: Tensor) -> Tensor:
        return self.classify(self.signature(digits))


def as_tensor(digits: np.ndarray) -> Tensor:
    """Digits (N, 8, 8) from 0 (paper) to 16 (ink), as in scikit-learn, at 20×20 in the middle of (N, 1, 32, 32)."""
    ink = torch.from_numpy(np.asarray(digits, np.float32))[:, None] / 16
    large = F.interpolate(ink, (INK, INK), mode="bilinear", align_corners=False)
    return PAPER + (BLACK - PAPER) * F.pad(large, [(SIDE - INK) // 2] * 4)
