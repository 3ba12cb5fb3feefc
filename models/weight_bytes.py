"""Weights in a byte each: every output channel of a layer in 255 steps of its own size (Jacob et al. 2018, without zero
points). Half the file of half precision; what that costs a network, its card says, whose figures come after it."""

import torch
from torch import Tensor

STEPS = 127  # on either side of 0
SCALE = ".scale"  # what is added to a weight's name
FEWEST = 4096  # values in a tensor; smaller ones and vectors stay as they are


def to_bytes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each large float tensor (out, ...) as int8 of the same shape; `NAME.scale` beside it, float32 (out, 1, ...)."""
    stored = {}
    for name, weight in state.items():
        if not weight.is_floating_point() or weight.dim() < 2 or weight.numel() < FEWEST:
            stored[name] = weight
            continue
        weight = weight.float()
        largest = weight.abs().amax(tuple(range(1, weight.dim())), keepdim=True)
        scale = torch.where(largest > 0, largest, 1.0) / STEPS
        stored[name] = (weight / scale).round().to(torch.int8)
        stored[name + SCALE] = scale
    return stored


def from_bytes(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights again, float32 where they were bytes; a state without bytes is given back as it is."""
    in_bytes = {name for name, value in stored.items() if value.dtype == torch.int8 and name + SCALE in stored}
    scales = {name + SCALE for name in in_bytes}
    return {
        name: value.float() * stored[name + SCALE] if name in in_bytes else value
        for name, value in stored.items()
        if name not in scales
    }
