"""Occlusion: cover a part of the picture and look how far the class's score falls (Zeiler and Fergus 2014).

No gradient is needed, and the answer is a difference of two scores of pictures that exist. It depends on the patch's
size and on what it is filled with: the network has never seen a patch.
"""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Patch = tuple[int, int, int, int]  # x1, y1, x2, y2 in whole pixels, the ends outside


def occluded(x: Float[Tensor, "c h w"], patch: Patch, fill: Float[Tensor, "c #h #w"]) -> Float[Tensor, "c h w"]:
    """The picture with `patch` covered by `fill`, a colour (c, 1, 1) or a picture; what lies outside is left out.

    >>> occluded(torch.ones(1, 2, 3), (1, 0, 9, 1), torch.zeros(1, 1, 1))
    tensor([[[1., 0., 0.],
             [1., 1., 1.]]])
    """
    x1, y1, x2, y2 = (max(0, side) for side in patch)
    covered = x.clone()
    covered[:, y1:y2, x1:x2] = fill.expand_as(x)[:, y1:y2, x1:x2]
    return covered


def patch_starts(length: int, patch: int, stride: int) -> Int64[Tensor, " n"]:
    """Where patches of `patch` pixels begin along a side of `length`, every `stride` pixels until the end is covered;
    the last may reach beyond it.

    Errors: ValueError for a patch or stride of less than a pixel, and for a stride that leaves gaps.

    >>> patch_starts(length=10, patch=4, stride=3), patch_starts(length=11, patch=4, stride=3)
    (tensor([0, 3, 6]), tensor([0, 3, 6, 9]))
    """
    if not 1 <= stride <= patch:
        raise ValueError(f"A stride lies between 1 and the {patch} pixels of the patch, not at {stride}.")
    return torch.arange(1 + max(0, math.ceil((length - patch) / stride))) * stride


def patches_of(size: tuple[int, int], patch: int, stride: int) -> list[list[Patch]]:
    """The patches that cover a picture of `size` (height, width), row by row; those at the end are cut to it.

    >>> patches_of((2, 5), patch=3, stride=2)
    [[(0, 0, 3, 2), (2, 0, 5, 2)]]
    """
    height, width = size
    tops, lefts = (patch_starts(length, patch, stride).tolist() for length in size)
    return [[(x, y, min(x + patch, width), min(y + patch, height)) for x in lefts] for y in tops]


def falls(score: float, covered: Float[Tensor, "*places"]) -> Float[Tensor, "*places"]:
    """How far the score fell for every patch; negative where it rose.

    >>> falls(3.0, torch.tensor([1.0, 3.5]))
    tensor([ 2.0000, -0.5000])
    """
    return score - covered


def occlusion_map(
    fallen: Float[Tensor, "rows columns"], size: tuple[int, int], patch: int, stride: int
) -> Float[Tensor, "h w"]:
    """A value for every pixel: the mean fall of all patches that cover it. With a stride as long as the patch, no two
    cover one pixel, and its value is that of its patch.

    Args:
        fallen: of `patches_of(size, patch, stride)`.

    >>> occlusion_map(torch.tensor([[2.0, 4.0]]), (1, 5), patch=3, stride=2)
    tensor([[2., 2., 3., 4., 4.]])
    """
    total, covers = torch.zeros(size, dtype=fallen.dtype), torch.zeros(size, dtype=fallen.dtype)
    for row, values in zip(patches_of(size, patch, stride), fallen, strict=True):
        for (x1, y1, x2, y2), value in zip(row, values, strict=True):
            total[y1:y2, x1:x2] += value
            covers[y1:y2, x1:x2] += 1
    return total / covers
