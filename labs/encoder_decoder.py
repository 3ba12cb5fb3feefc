"""Why a segmenter goes down before it comes up: what a stack of 3×3 convolutions costs, and how far it sees.

Two networks of the same depth: one stays at full resolution, the other pools by two on the way down and repeats pixels
on the way up (Long et al. 2015; Noh et al. 2015). Sides are in pixels; nothing is padded but the convolutions' rim.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Step:
    """One layer: "conv" (3×3, padding 1, then ReLU), "pool" (2×2 maximum) or "upsample" (each pixel twice per axis).

    inputs and outputs are channels, size is the side of the map it makes.

    >>> step = Step("conv", inputs=3, outputs=8, size=32)
    >>> step.multiply_adds, step.activations
    (221184, 8192)
    """

    kind: str
    inputs: int
    outputs: int
    size: int

    @property
    def multiply_adds(self) -> int:
        """9 · inputs · outputs for each of size² positions; pooling and repeating multiply nothing."""
        return 9 * self.inputs * self.outputs * self.size**2 if self.kind == "conv" else 0

    @property
    def activations(self) -> int:
        """Numbers it puts out, which training must keep."""
        return self.outputs * self.size**2


def plan(convolutions: int, downsamplings: int, width: int, size: int, doubling: bool = False) -> list[Step]:
    """`convolutions` 3×3 convolutions in 2D + 1 groups: D on the way down, one at the bottom, D on the way up.

    Args:
        convolutions: at least 2D + 1; what does not divide evenly goes to the bottom.
        downsamplings: D; 0 is the network that stays at full resolution.
        width: channels at full resolution, at every resolution, or, with `doubling`, twice as many a level deeper.
        size: side of the picture, divisible by 2^D.

    Errors: ValueError where that cannot be built.

    >>> [(step.kind, step.size) for step in plan(convolutions=3, downsamplings=1, width=8, size=32)]
    [('conv', 32), ('pool', 16), ('conv', 16), ('upsample', 32), ('conv', 32)]
    """
    groups = 2 * downsamplings + 1
    if convolutions < groups or downsamplings < 0:
        raise ValueError(f"{downsamplings} downsamplings need at least {groups} convolutions, not {convolutions}.")
    if size < 1 or size % 2**downsamplings:
        raise ValueError(f"A side of {size} pixels cannot be halved {downsamplings} times.")
    each, extra = divmod(convolutions, groups)
    steps, channels = [], 3
    for group in range(groups):
        level = min(group, groups - 1 - group)
        wanted = width * 2**level if doubling else width
        if group:
            kind = "pool" if group <= downsamplings else "upsample"
            steps.append(Step(kind, channels, channels, size >> level))
        for _ in range(each + (extra if group == downsamplings else 0)):
            steps.append(Step("conv", channels, wanted, size >> level))
            channels = wanted
    return steps


def multiply_adds(steps: Sequence[Step]) -> int:
    """Of one picture through all steps.

    >>> multiply_adds(plan(3, downsamplings=0, width=8, size=32)), multiply_adds(plan(3, 1, 8, 32))
    (1400832, 958464)
    """
    return sum(step.multiply_adds for step in steps)


def field(steps: Sequence[Step], position: int, size: int) -> tuple[int, int]:
    """First and last pixel of the picture, along one axis, that output `position` depends on.

    Going back through the layers, an interval of pixels grows by one on each side of a convolution, doubles at a pool
    and halves at an upsampling. Without pools it spans 1 + 2L pixels, until the picture ends.

    >>> field(plan(3, downsamplings=0, width=8, size=32), 16, 32), field(plan(3, 1, 8, 32), 16, 32)
    ((13, 19), (11, 20))
    """
    first = last = position
    for step in reversed(steps):
        if step.kind == "conv":
            first, last = max(first - 1, 0), min(last + 1, step.size - 1)
        elif step.kind == "pool":
            first, last = 2 * first, 2 * last + 1
        else:
            first, last = first // 2, last // 2
    return max(first, 0), min(last, size - 1)


def build(steps: Sequence[Step]) -> nn.Sequential:
    """The plan as a network, (n, 3, size, size) to (n, outputs, size, size).

    >>> import torch
    >>> build(plan(convolutions=3, downsamplings=1, width=8, size=32))(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 8, 32, 32])
    """
    layers: list[nn.Module] = []
    for step in steps:
        if step.kind == "conv":
            layers += [nn.Conv2d(step.inputs, step.outputs, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        else:
            layers.append(nn.MaxPool2d(2) if step.kind == "pool" else nn.Upsample(scale_factor=2, mode="nearest"))
    return nn.Sequential(*layers).eval().requires_grad_(False)
