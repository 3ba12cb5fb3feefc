"""A transposed convolution that learns to double pictures: one filter, plain gradient steps, nothing else.

The output is linear in the filter, so the mean squared error has one minimum, and what the filter should become can be
solved for (`best_filter`). Pictures are planes, one channel each; a filter of 3×3 needs padding 1 and output padding 1
to double the size exactly, one of 4×4 needs padding 1.

Sources: Long et al. 2015, section 3.3 (filters that start as bilinear and learn); Odena et al. 2016.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from labs.transposed_convolution import Geometry

GEOMETRY = {3: Geometry(stride=2, padding=1, output_padding=1), 4: Geometry(stride=2, padding=1)}


class Step(NamedTuple):
    """After one step: the `weight` and `velocity` (k, k), and the `loss` (mean squared error) before it."""

    weight: Tensor
    velocity: Tensor
    loss: float


def halve(planes: Float[Tensor, "n H W"]) -> Float[Tensor, "n H//2 W//2"]:
    """The mean of every 2×2 block: the small picture that is to be doubled.

    >>> halve(torch.tensor([[[1.0, 3.0], [5.0, 7.0]]]))
    tensor([[[4.]]])
    """
    return F.avg_pool2d(planes[None], 2)[0]


def bilinear_filter(kernel: int) -> Float[Tensor, "{kernel} {kernel}"]:
    """The filter that interpolates linearly at stride 2, as FCN's layers start: each output's weights sum to 1.

    Errors: ValueError for a kernel other than 3 or 4.

    >>> bilinear_filter(3)
    tensor([[0.2500, 0.5000, 0.2500],
            [0.5000, 1.0000, 0.5000],
            [0.2500, 0.5000, 0.2500]])
    >>> bilinear_filter(4)[0]
    tensor([0.0625, 0.1875, 0.1875, 0.0625])
    """
    _check(kernel)
    places = torch.arange(kernel) - (kernel - 1) / 2
    tent = 1 - places.abs() / 2
    return torch.outer(tent, tent)


def double(small: Float[Tensor, "n h w"], weight: Float[Tensor, "k k"]) -> Float[Tensor, "n 2*h 2*w"]:
    """Transposed convolution of every plane with one filter at stride 2, trimmed to twice the size.

    >>> double(torch.ones(1, 1, 2), bilinear_filter(3))
    tensor([[[1.0000, 1.0000, 1.0000, 0.5000],
             [0.5000, 0.5000, 0.5000, 0.2500]]])

    large: (n, 2h, 2w) in all functions below.
    """
    g = GEOMETRY[_check(len(weight))]
    return F.conv_transpose2d(
        small[:, None], weight[None, None], stride=g.stride, padding=g.padding, output_padding=g.output_padding
    )[:, 0]


def gradient(
    small: Float[Tensor, "n h w"], large: Float[Tensor, "n H W"], weight: Float[Tensor, "k k"]
) -> tuple[Float[Tensor, "k k"], float]:
    """Gradient of the mean squared error with respect to the filter, and that error.

    A tap wrote input times weight into one output per input. So its gradient adds up, over all inputs, the input times
    the error at that output: dL/dw[a, b] = 2/N Σ x[i, j] e[2i + a - p, 2j + b - p].

    >>> gradient(torch.ones(1, 1, 1), torch.zeros(1, 2, 2), torch.ones(4, 4))
    (tensor([[0.0000, 0.0000, 0.0000, 0.0000],
            [0.0000, 0.5000, 0.5000, 0.0000],
            [0.0000, 0.5000, 0.5000, 0.0000],
            [0.0000, 0.0000, 0.0000, 0.0000]]), 1.0)
    """
    kernel = len(weight)
    error = double(small, weight) - large
    under = _under_stamps(error, kernel)  # the k² errors under the stamp of every input
    summed = torch.einsum("nkl,nl->k", under, small.flatten(1))
    return 2 / error.numel() * summed.reshape(kernel, kernel), float(error.square().mean())


def step(
    small: Float[Tensor, "n h w"],
    large: Float[Tensor, "n H W"],
    weight: Float[Tensor, "k k"],
    velocity: Float[Tensor, "k k"],
    rate: float,
    momentum: float = 0.9,
) -> Step:
    """One step of gradient descent with momentum, as torch.optim.SGD takes it: v ← m v + gradient, w ← w - rate v.

    >>> step(torch.ones(1, 1, 1), torch.zeros(1, 2, 2), torch.ones(4, 4), torch.zeros(4, 4), rate=1.0).weight[1]
    tensor([1.0000, 0.5000, 0.5000, 1.0000])
    """
    slope, loss = gradient(small, large, weight)
    velocity = momentum * velocity + slope
    return Step(weight - rate * velocity, velocity, loss)


def best_filter(
    small: Float[Tensor, "n h w"], large: Float[Tensor, "n H W"], kernel: int
) -> Float[Tensor, "{kernel} {kernel}"]:
    """Where all steps lead: the filter of the least mean squared error, by the normal equations.

    >>> small = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> found = best_filter(small, double(small, bilinear_filter(3)), 3)  # it finds what made the large picture
    >>> torch.allclose(found, bilinear_filter(3), atol=1e-4)
    True
    """
    one_hot = torch.eye(_check(kernel) ** 2, dtype=small.dtype).reshape(-1, kernel, kernel)
    columns = torch.stack([double(small, tap).flatten() for tap in one_hot], 1)
    return torch.linalg.solve(columns.T @ columns, columns.T @ large.flatten()).reshape(kernel, kernel)


def phase_sums(weight: Float[Tensor, "k k"]) -> Float[Tensor, "2 2"]:
    """What the weights of one output sum to, by the parity of its row and column (untrimmed): on a flat picture the
    output is flat only where all four are equal.

    >>> phase_sums(bilinear_filter(3)), phase_sums(torch.ones(3, 3))
    (tensor([[1., 1.],
            [1., 1.]]), tensor([[4., 2.],
            [2., 1.]]))
    """
    return torch.stack([torch.stack([weight[row::2, column::2].sum() for column in range(2)]) for row in range(2)])


def _under_stamps(planes: Float[Tensor, "n H W"], kernel: int) -> Float[Tensor, "n {kernel}*{kernel} places"]:
    """For every input the k² values of `planes` that its stamp reaches; zero beyond the rim."""
    g = GEOMETRY[kernel]
    padded = F.pad(planes[:, None], (g.padding, kernel) * 2)
    height, width = (side // 2 for side in planes.shape[-2:])
    found = F.unfold(padded[..., : 2 * (height - 1) + kernel, : 2 * (width - 1) + kernel], kernel, stride=2)
    return found.reshape(len(planes), kernel**2, height * width)


def _check(kernel: int) -> int:
    if kernel not in GEOMETRY:
        raise ValueError(f"A filter of {kernel}×{kernel} cannot double a picture here: take 3 or 4.")
    return kernel
