"""Transposed convolution: the transpose of convolution's matrix, the stamp-and-add view, and zero insertion.

A convolution (in deep learning's sense, a cross-correlation) is a matrix X: conv(u) = X u. Transposed convolution
multiplies by Xᵀ. One axis at a time everything follows from one picture, `tap_matrix`: which tap of the filter sits at
which place of X. Numbers and symbols are both read from it.

Functions take one map and one filter without batch and channel axes.
Sources: Dumoulin & Visin 2016, sections 2 and 4; Zeiler 2010; Long et al. 2015, section 3.3.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class Geometry:
    """How the filter moves, in pixels, the same on every axis: the arguments torch's functions take.

    stride, dilation >= 1; padding, output_padding >= 0. `output_padding` only matters to the transposed direction and
    is smaller than the stride or the dilation. Errors: ValueError outside these ranges.

    >>> geometry = Geometry(stride=2, padding=1)
    >>> geometry.convolved_size(5, kernel=3), geometry.convolved_size(6, kernel=3)  # one size from two
    (3, 3)
    >>> geometry.sizes_with_output(3, kernel=3), geometry.transposed_size(3, kernel=3)
    (range(5, 7), 5)
    """

    stride: int = 1
    padding: int = 0
    output_padding: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        if min(self.stride, self.dilation) < 1 or min(self.padding, self.output_padding) < 0:
            raise ValueError("Stride and dilation start at 1, padding and output padding at 0.")
        if self.output_padding >= max(self.stride, self.dilation):
            raise ValueError("Output padding must be smaller than the stride or the dilation: lower it.")

    def reach(self, kernel: int) -> int:
        """Extent of the dilated filter, dilation*(kernel-1) + 1."""
        return self.dilation * (kernel - 1) + 1

    def convolved_size(self, size: int, kernel: int) -> int:
        """Outputs of a convolution over `size` inputs: floor((size + 2p - reach) / s) + 1."""
        room = size + 2 * self.padding - self.reach(kernel)
        if size < 1 or room < 0:
            raise ValueError(f"A filter that spans {self.reach(kernel)} does not fit: lengthen the input or pad more.")
        return room // self.stride + 1

    def stamped_size(self, size: int, kernel: int) -> int:
        """Outputs of a transposed convolution before trimming: s (size - 1) + reach."""
        return self.stride * (size - 1) + self.reach(kernel)

    def transposed_size(self, size: int, kernel: int) -> int:
        """Outputs of a transposed convolution: s (size - 1) + reach - 2p + output_padding."""
        out = self.stamped_size(size, kernel) - 2 * self.padding + self.output_padding
        if size < 1 or out < 1:
            raise ValueError(f"Padding {self.padding} trims away every output: lower it or lengthen the input.")
        return out

    def sizes_with_output(self, output: int, kernel: int) -> range:
        """Every input size that a convolution turns into `output`: `stride` of them, hence output_padding."""
        first = self.stamped_size(output, kernel) - 2 * self.padding
        return range(max(first, 1), first + self.stride)


class Step(NamedTuple):
    """One step of the stamp-and-add view: input pixel (row, column) has just been written."""

    row: int
    column: int
    top: int  # of the stamp, on the untrimmed canvas
    left: int
    stamp: Float[Tensor, "kh kw"]  # the filter times the input value
    canvas: Float[Tensor, "height width"]  # the sum of all stamps so far, before trimming


# --- the matrix, one axis -------------------------------------------------------------------------------------------


def tap_matrix(kernel: int, length: int, geometry: Geometry, padded: bool = False) -> Int64[Tensor, "outputs inputs"]:
    """Which tap of the filter stands where in X, -1 where X is zero.

    Row o is the filter moved by o*stride. `padded` keeps the columns that meet the padding zeros, length+2p in all, the
    matrix as textbooks write it. Errors: ValueError when the filter does not fit into the padded input.

    >>> tap_matrix(kernel=3, length=5, geometry=Geometry(stride=2))
    tensor([[ 0,  1,  2, -1, -1],
            [-1, -1,  0,  1,  2]])
    """
    rows = torch.arange(geometry.convolved_size(length, kernel))
    columns = torch.arange(length + 2 * geometry.padding)
    offset = columns - geometry.stride * rows[:, None]
    tap = offset // geometry.dilation
    taps = torch.where((offset % geometry.dilation == 0) & (tap >= 0) & (tap < kernel), tap, -1)
    return taps if padded else taps[:, geometry.padding : geometry.padding + length]


def convolution_matrix(
    weight: Float[Tensor, " k"], length: int, geometry: Geometry, padded: bool = False
) -> Float[Tensor, "outputs inputs"]:
    """X with conv1d(u, weight) = X u for u of `length`; length + 2p columns if `padded`.

    >>> convolution_matrix(torch.tensor([1.0, 2.0, 3.0]), length=4, geometry=Geometry())
    tensor([[1., 2., 3., 0.],
            [0., 1., 2., 3.]])
    """
    return _fill(weight, tap_matrix(len(weight), length, geometry, padded))


def transposed_convolution_matrix(
    weight: Float[Tensor, " k"], size: int, geometry: Geometry, padded: bool = False
) -> Float[Tensor, "outputs {size}"]:
    """Xᵀ with conv_transpose1d(v, weight) = Xᵀ v for v of `size`.

    X is the convolution that maps `transposed_size` inputs back to `size`; of its rows the first `size` are kept (there
    are more only if output_padding >= stride, which a dilation allows). `padded` keeps the 2p rows that get trimmed.

    >>> transposed_convolution_matrix(torch.tensor([1.0, 2.0, 3.0]), size=2, geometry=Geometry(stride=2))
    tensor([[1., 0.],
            [2., 0.],
            [3., 1.],
            [0., 2.],
            [0., 3.]])
    """
    length = geometry.transposed_size(size, len(weight))
    return convolution_matrix(weight, length, geometry, padded)[:size].T


def _fill(weight: Float[Tensor, " k"], taps: Int64[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
    return torch.where(taps >= 0, weight[taps.clamp(min=0)], weight.new_zeros(()))


# --- the same in letters --------------------------------------------------------------------------------------------


def filter_letters(kernel: int) -> list[str]:
    """x, y, z for up to three taps; longer filters end at z.

    >>> filter_letters(2), filter_letters(4)
    (['x', 'y'], ['w', 'x', 'y', 'z'])
    """
    return list("xyz"[:kernel] if kernel <= 3 else string.ascii_lowercase[-kernel:])


def input_letters(size: int, padding: int = 0) -> list[str]:
    """a, b, c, ... with `padding` times '0' on both sides. At most 20 letters, so that filters keep theirs.

    >>> input_letters(3, padding=1)
    ['0', 'a', 'b', 'c', '0']
    """
    if size > 20:
        raise ValueError("There are letters for at most 20 inputs.")
    return ["0"] * padding + list(string.ascii_lowercase[:size]) + ["0"] * padding


def symbolic_matrix(taps: Int64[Tensor, "rows columns"]) -> list[list[str]]:
    """`tap_matrix` in letters, '0' where X is zero; give `taps.T` for Xᵀ. The filter's length is read off the taps.

    >>> symbolic_matrix(tap_matrix(2, 3, Geometry()))
    [['x', 'y', '0'], ['0', 'x', 'y']]
    """
    letters = filter_letters(int(taps.max()) + 1)
    return [[letters[tap] if tap >= 0 else "0" for tap in row] for row in taps.tolist()]


def symbolic_product(matrix: Sequence[Sequence[str]], vector: Sequence[str]) -> list[str]:
    """Matrix times vector, spelled out, the input's letter first; '0' where nothing is left.

    >>> symbolic_product([["x", "y", "0"], ["0", "x", "y"]], ["a", "b", "c"])
    ['ax+by', 'bx+cy']
    """
    rows = ([v + m for m, v in zip(row, vector, strict=True) if "0" not in (m, v)] for row in matrix)
    return ["+".join(terms) or "0" for terms in rows]


# --- two axes -------------------------------------------------------------------------------------------------------


def convolution_matrix_2d(
    weight: Float[Tensor, "kh kw"], size: tuple[int, int], geometry: Geometry
) -> Float[Tensor, "outputs {size[0]}*{size[1]}"]:
    """X with conv2d(u, weight).flatten() = X u.flatten() for u of `size` (H, W).

    Doubly blocked: oh × H blocks of ow × W, and block (i, j) is the 1-D matrix of the filter row that output row i
    applies to input row j (zero if none).

    >>> convolution_matrix_2d(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), (2, 3), Geometry())
    tensor([[1., 2., 0., 3., 4., 0.],
            [0., 1., 2., 0., 3., 4.]])
    """
    down = tap_matrix(weight.shape[0], size[0], geometry)
    across = tap_matrix(weight.shape[1], size[1], geometry)
    taps = down[:, None, :, None] * weight.shape[1] + across[None, :, None, :]
    taps = torch.where((down[:, None, :, None] >= 0) & (across[None, :, None, :] >= 0), taps, -1)
    return _fill(weight.flatten(), taps.reshape(len(down) * len(across), -1))


def transposed_convolution_matrix_2d(
    weight: Float[Tensor, "kh kw"], size: tuple[int, int], geometry: Geometry
) -> Float[Tensor, "outputs {size[0]}*{size[1]}"]:
    """Xᵀ with conv_transpose2d(v, weight).flatten() = Xᵀ v.flatten() for v of `size` (h, w).

    >>> transposed_convolution_matrix_2d(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), (1, 2), Geometry()).T
    tensor([[1., 2., 0., 3., 4., 0.],
            [0., 1., 2., 0., 3., 4.]])
    """
    height, width = (geometry.transposed_size(n, k) for n, k in zip(size, weight.shape, strict=True))
    rows, columns = (geometry.convolved_size(n, k) for n, k in zip((height, width), weight.shape, strict=True))
    blocks = convolution_matrix_2d(weight, (height, width), geometry).reshape(rows, columns, -1)
    return blocks[: size[0], : size[1]].reshape(size[0] * size[1], -1).T


def scatter_steps(x: Float[Tensor, "h w"], weight: Float[Tensor, "kh kw"], geometry: Geometry) -> list[Step]:
    """Weight the filter by each input value, copy it `stride` further for every pixel, add where copies overlap.

    One step per pixel, in reading order; the canvas is whole, s(h-1)+reach by s(w-1)+reach.

    >>> steps = scatter_steps(torch.tensor([[1.0, 10.0]]), torch.tensor([[1.0, 2.0, 3.0]]), Geometry(stride=2))
    >>> [step.canvas for step in steps]
    [tensor([[1., 2., 3., 0., 0.]]), tensor([[ 1.,  2., 13., 20., 30.]])]
    """
    canvas = x.new_zeros([geometry.stamped_size(n, k) for n, k in zip(x.shape, weight.shape, strict=True)])
    height, width = (geometry.reach(k) for k in weight.shape)
    steps = []
    for row, column in torch.cartesian_prod(*map(torch.arange, x.shape)).tolist():
        top, left = row * geometry.stride, column * geometry.stride
        stamp = x[row, column] * weight
        canvas = canvas.clone()
        canvas[top : top + height : geometry.dilation, left : left + width : geometry.dilation] += stamp
        steps.append(Step(row, column, top, left, stamp, canvas))
    return steps


def trim(canvas: Float[Tensor, "*canvas"], geometry: Geometry) -> Float[Tensor, "*output"]:
    """Cut `padding` off every side, then give back `output_padding` at the end of each axis.

    >>> canvas = torch.tensor([1.0, 2.0, 13.0, 20.0, 30.0])
    >>> trim(canvas, Geometry(stride=2, padding=1)), trim(canvas, Geometry(stride=2, padding=1, output_padding=1))
    (tensor([ 2., 13., 20.]), tensor([ 2., 13., 20., 30.]))
    """
    longer = F.pad(canvas, (0, geometry.output_padding) * canvas.ndim)
    return F.pad(longer, (-geometry.padding, -geometry.padding) * canvas.ndim)


# --- zero insertion -------------------------------------------------------------------------------------------------


def insert_zeros(x: Float[Tensor, "*size"], stride: int) -> Float[Tensor, "*spread"]:
    """stride - 1 zeros between neighbours on every axis: N values spread over s(N-1)+1.

    >>> insert_zeros(torch.tensor([1.0, 2.0, 3.0]), stride=2)
    tensor([1., 0., 2., 0., 3.])
    """
    out = x.new_zeros([stride * (size - 1) + 1 for size in x.shape])
    out[(slice(None, None, stride),) * x.ndim] = x
    return out


def border(kernel: int, geometry: Geometry) -> tuple[int, int]:
    """Zeros the equivalent normal convolution needs before and after: reach-1-p and that plus output_padding.

    Negative numbers mean cutting instead.

    >>> border(3, Geometry(stride=2, padding=1, output_padding=1))
    (1, 2)
    """
    before = geometry.reach(kernel) - 1 - geometry.padding
    return before, before + geometry.output_padding


def as_normal_convolution(
    x: Float[Tensor, "*size"], weight: Float[Tensor, "*kernel"], geometry: Geometry
) -> Float[Tensor, "*output"]:
    """Transposed convolution as: insert zeros, pad, convolve at stride 1 with the filter flipped on every axis.

    One axis or two. Equal to conv_transpose for every stride (Dumoulin & Visin 2016, section 4.6).

    >>> as_normal_convolution(torch.tensor([1.0, 10.0]), torch.tensor([1.0, 2.0, 3.0]), Geometry(stride=2))
    tensor([ 1.,  2., 13., 20., 30.])
    """
    pads = [pad for kernel in reversed(weight.shape) for pad in border(kernel, geometry)]
    spread = F.pad(insert_zeros(x, geometry.stride), [max(pad, 0) for pad in pads])
    spread = F.pad(spread, [min(pad, 0) for pad in pads])  # cut last: a cut may reach into zeros added at the far end
    convolve = F.conv1d if x.ndim == 1 else F.conv2d
    return convolve(spread[None, None], weight.flip(*range(weight.ndim))[None, None], dilation=geometry.dilation)[0, 0]
