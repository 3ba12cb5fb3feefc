"""Upsampling inside a network: fixed interpolation, bed of nails, and max unpooling.

The batched functions work on the last two axes, are differentiable and call torch's own kernels. `weights_1d` opens up
the separable linear methods as matrices: out = W_y X W_xᵀ.

Sources: Noh et al. 2015 (max unpooling), Keys 1981 (cubic convolution), Odena et al. 2016 (resize, then convolve).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int64
from torch import Tensor

CUBIC_A = -0.75  # torch's and OpenCV's; Pillow and Keys' paper take -0.5
METHODS = ("nearest", "bed of nails", "bilinear", "bicubic")
INTERPOLATIONS = ("bilinear", "bicubic")


class Contribution(NamedTuple):
    """One input cell and its share of an output cell: output = sum of weight times input."""

    row: int
    column: int
    weight: float


def nearest(x: Float[Tensor, "*batch h w"], factor: int) -> Float[Tensor, "*batch {factor}*h {factor}*w"]:
    """Repeat every value in a factor by factor block.

    >>> nearest(torch.tensor([[1.0, 2.0]]), factor=2)
    tensor([[1., 1., 2., 2.],
            [1., 1., 2., 2.]])
    """
    return _interpolate(x, factor, mode="nearest")


def bed_of_nails(x: Float[Tensor, "*batch h w"], factor: int) -> Float[Tensor, "*batch {factor}*h {factor}*w"]:
    """Every value in the upper left corner of its block, zeros elsewhere.

    >>> bed_of_nails(torch.tensor([[1.0, 2.0]]), factor=2)
    tensor([[1., 0., 2., 0.],
            [0., 0., 0., 0.]])
    """
    _check(x, factor)
    *leading, height, width = x.shape
    out = x.new_zeros(*leading, height * factor, width * factor)
    out[..., ::factor, ::factor] = x
    return out


def bilinear(
    x: Float[Tensor, "*batch h w"], factor: int, align_corners: bool = False
) -> Float[Tensor, "*batch {factor}*h {factor}*w"]:
    """Mix the two closest inputs per axis, weighted by closeness.

    f(x, y) = Σ f(i, j) max(0, 1-|x-i|) max(0, 1-|y-j|), with (x, y) from `sample_positions`.

    >>> bilinear(torch.tensor([[0.0, 4.0]]), factor=2)
    tensor([[0., 1., 3., 4.],
            [0., 1., 3., 4.]])
    """
    return _interpolate(x, factor, mode="bilinear", align_corners=align_corners)


def bicubic(
    x: Float[Tensor, "*batch h w"], factor: int, align_corners: bool = False
) -> Float[Tensor, "*batch {factor}*h {factor}*w"]:
    """Mix the four closest inputs per axis (16 in all) by `cubic_kernel`.

    The outer two weights are negative, so the result can leave the range of the input.

    >>> bicubic(torch.tensor([[0.0, 4.0]]), factor=2)[0]
    tensor([-0.4219,  0.9062,  3.0938,  4.4219])
    """
    return _interpolate(x, factor, mode="bicubic", align_corners=align_corners)


def max_pool(
    x: Float[Tensor, "*batch H W"], size: int, stride: int | None = None
) -> tuple[Float[Tensor, "*batch h w"], Int64[Tensor, "*batch h w"]]:
    """Maximum of every size by size window, and where it stood: flat indices row*W + column.

    Ties go to the first cell in reading order. `stride` defaults to `size`; a smaller one makes windows overlap.

    >>> max_pool(torch.tensor([[1.0, 2.0, 0.0, 5.0], [4.0, 3.0, 0.0, 0.0]]), size=2)
    (tensor([[4., 5.]]), tensor([[4, 3]]))
    """
    _check(x, size)
    if min(x.shape[-2:]) < size:
        raise ValueError(f"A {size}x{size} window does not fit into a {x.shape[-2]}x{x.shape[-1]} map.")
    values, positions = F.max_pool2d(_planes(x), size, stride, return_indices=True)
    shape = (*x.shape[:-2], *values.shape[-2:])
    return values.reshape(shape), positions.reshape(shape)


def max_unpool(
    x: Float[Tensor, "*batch h w"],
    positions: Int64[Tensor, "*batch h w"],
    output_size: tuple[int, int],
    distinct: bool = False,
) -> Float[Tensor, "*batch {output_size[0]} {output_size[1]}"]:
    """Put every value where the paired max pool found its maximum, zeros elsewhere.

    `positions` are flat indices into the last two axes of an `output_size` = (H, W) map. Where several values have the
    same position (overlapping pooling windows) only one of them survives: the one of the last window in reading order.
    `torch.nn.functional.max_unpool2d` leaves open which, and may differ from run to run. `distinct` says that no two
    positions are the same, as after pooling without overlap: torch's kernel is ten times as fast and gives the same
    then. Errors: ValueError for a position outside the map, or positions of another shape.

    >>> max_unpool(torch.tensor([[4.0, 5.0]]), torch.tensor([[4, 3]]), output_size=(2, 4))
    tensor([[0., 0., 0., 5.],
            [4., 0., 0., 0.]])
    """
    height, width = output_size
    if distinct:
        # torch checks output_size against a kernel and stride; these are the ones that make it exact for any pooling
        kernel = (height - x.shape[-2] + 1, width - x.shape[-1] + 1)
        out = F.max_unpool2d(_planes(x), _planes(positions), kernel_size=kernel, stride=(1, 1))
        return out.reshape(*x.shape[:-2], height, width)
    if x.shape != positions.shape:
        raise ValueError(f"Values {tuple(x.shape)} and positions {tuple(positions.shape)} must have one shape.")
    if positions.numel() and not (int(positions.min()) >= 0 and int(positions.max()) < height * width):
        raise ValueError(f"A position lies outside the {height}x{width} map.")
    values, places = x.flatten(-2), positions.flatten(-2)
    windows = torch.arange(places.shape[-1], device=x.device).expand_as(places)
    empty = windows.new_full((*x.shape[:-2], height * width), -1)
    winner = empty.scatter_reduce(-1, places, windows, "amax")  # the last window, whatever order the threads take
    out = torch.where(winner < 0, 0, values.gather(-1, winner.clamp(min=0)))
    return out.reshape(*x.shape[:-2], height, width)


def shared_positions(positions: Int64[Tensor, "h w"]) -> dict[int, list[tuple[int, int]]]:
    """Positions that won more than one pooling window: {flat position: [(window row, window column), ...]}.

    Empty when windows do not overlap. Unpooling loses all but one value of every entry.

    >>> shared_positions(torch.tensor([[5, 5], [5, 8]]))
    {5: [(0, 0), (0, 1), (1, 0)]}
    """
    winners: dict[int, list[tuple[int, int]]] = {}
    for row, line in enumerate(positions.tolist()):
        for column, position in enumerate(line):
            winners.setdefault(position, []).append((row, column))
    return {position: windows for position, windows in winners.items() if len(windows) > 1}


def sample_positions(size: int, factor: int, align_corners: bool = False) -> Float64[Tensor, " {factor}*{size}"]:
    """Where each output reads, in input pixels (input i has its centre at i).

    align_corners=False: pixels are squares, x = (o + ½)/factor - ½. True: first and last centres coincide,
    x = o (size-1)/(factor*size-1).

    >>> sample_positions(2, factor=2), sample_positions(2, factor=2, align_corners=True)
    (tensor([-0.2500, 0.2500, 0.7500, 1.2500], dtype=torch.float64),
     tensor([0.0000, 0.3333, 0.6667, 1.0000], dtype=torch.float64))
    """
    outputs = torch.arange(size * factor, dtype=torch.float64)
    if align_corners:
        return outputs * ((size - 1) / max(size * factor - 1, 1))
    return (outputs + 0.5) / factor - 0.5


def tent(distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Linear interpolation's weight at a distance in pixels: max(0, 1 - |d|).

    >>> tent(torch.tensor([0.0, -0.25, 0.75, 2.0]))
    tensor([1.0000, 0.7500, 0.2500, 0.0000])
    """
    return (1 - distance.abs()).clamp(min=0)


def cubic_kernel(distance: Float[Tensor, "*shape"], a: float = CUBIC_A) -> Float[Tensor, "*shape"]:
    """Cubic convolution's weight at a distance in pixels (Keys 1981, eq. 15); zero from 2 on, negative from 1 to 2.

    >>> cubic_kernel(torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0]))
    tensor([ 1.0000,  0.5938,  0.0000, -0.0938,  0.0000])
    """
    d = distance.abs()
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return torch.where(d <= 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def weights_1d(
    method: str, size: int, factor: int, align_corners: bool = False
) -> Float64[Tensor, "{factor}*{size} {size}"]:
    """The matrix W of one axis, so that out = W_y X W_xᵀ.

    Errors: ValueError for a method that is not in METHODS (max unpooling depends on the data, so it has no such
    matrix), or for align_corners with a method that does not interpolate.

    >>> weights_1d("bilinear", size=2, factor=2)
    tensor([[1.0000, 0.0000],
            [0.7500, 0.2500],
            [0.2500, 0.7500],
            [0.0000, 1.0000]], dtype=torch.float64)
    """
    if method not in METHODS:
        raise ValueError(f"No weight matrix for {method!r}: choose one of {', '.join(METHODS)}.")
    if align_corners and method not in INTERPOLATIONS:
        raise ValueError(f"align_corners means nothing for {method}: it applies to bilinear and bicubic.")
    outputs = torch.arange(size * factor)
    weights = torch.zeros(size * factor, size, dtype=torch.float64)
    if method == "nearest":
        weights[outputs, outputs // factor] = 1
    elif method == "bed of nails":
        weights[outputs[::factor], torch.arange(size)] = 1
    elif method == "bilinear":
        # beyond the outer centres the nearest edge pixel is repeated
        centres = sample_positions(size, factor, align_corners).clamp(0, size - 1)
        weights = tent(centres[:, None] - torch.arange(size))
    else:
        centres = sample_positions(size, factor, align_corners)
        for offset in (-1, 0, 1, 2):
            tap = centres.floor() + offset
            inside = tap.clamp(0, size - 1).long()  # a tap outside the image reads the edge pixel
            weights.scatter_add_(1, inside[:, None], cubic_kernel(centres - tap)[:, None])
    return weights


def contributions(
    method: str, shape: tuple[int, int], factor: int, row: int, column: int, align_corners: bool = False
) -> list[Contribution]:
    """Input cells with a weight in output cell (row, column), for an input of shape (H, W), in reading order.

    >>> contributions("bilinear", shape=(1, 2), factor=2, row=0, column=1)
    [Contribution(row=0, column=0, weight=0.75), Contribution(row=0, column=1, weight=0.25)]
    """
    return contribution_table(method, shape, factor, align_corners)[row, column]


def contribution_table(
    method: str, shape: tuple[int, int], factor: int, align_corners: bool = False
) -> dict[tuple[int, int], list[Contribution]]:
    """The `contributions` of every output cell: {(row, column): [...]}, empty lists for bed of nails' zeros.

    >>> table = contribution_table("bed of nails", shape=(1, 2), factor=2)
    >>> table[0, 2], table[0, 3]
    ([Contribution(row=0, column=1, weight=1.0)], [])
    """
    rows = _nonzero(weights_1d(method, shape[0], factor, align_corners))
    columns = _nonzero(weights_1d(method, shape[1], factor, align_corners))
    return {
        (r, c): [Contribution(i, j, from_row * from_column) for i, from_row in down for j, from_column in across]
        for r, down in enumerate(rows)
        for c, across in enumerate(columns)
    }


def _nonzero(weights: Float64[Tensor, "outputs inputs"]) -> list[list[tuple[int, float]]]:
    """Per output of a `weights_1d` matrix, its (input, weight) pairs that are not zero."""
    return [[(index, weight) for index, weight in enumerate(row) if abs(weight) > 1e-12] for row in weights.tolist()]


def _interpolate(
    x: Float[Tensor, "*batch h w"], factor: int, **options
) -> Float[Tensor, "*batch {factor}*h {factor}*w"]:
    _check(x, factor)
    out = F.interpolate(_planes(x), size=(x.shape[-2] * factor, x.shape[-1] * factor), **options)
    return out.reshape(*x.shape[:-2], *out.shape[-2:])


def _planes(x: Tensor) -> Tensor:
    """The (N, C, H, W) that torch's kernels want; a 4-D tensor passes untouched."""
    return x if x.ndim == 4 else x.reshape(1, -1, *x.shape[-2:])


def _check(x: Tensor, factor: int) -> None:
    if x.ndim < 2 or 0 in x.shape:
        raise ValueError(f"Expected a non-empty map of shape (..., height, width), got {tuple(x.shape)}.")
    if factor < 1:
        raise ValueError(f"Expected a whole number of at least 1, got {factor}.")
