"""Transposed convolution: the transpose of convolution's matrix, the stamp-and-add view, and zero insertion.

A convolution (in deep learning's sense, a cross-correlation) is a matrix X: conv(u) = X u. Transposed convolution
multiplies by Xᵀ. One axis at a time everything follows from one picture, `tap_matrix`: which tap of the filter sits at
which place of X. Numbers and symbols are both read from it.

Functions take one map and one filter without batch and channel axes, float tensors of shape (N,) or (H, W).
Sources: Dumoulin & Visin 2016, sections 2 and 4; Zeiler 2010; Long et al. 2015, section 3.3.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Geometry:
    """How the filter moves, in pixels, the same on every axis: the arguments torch's functions take.

    stride, dilation >= 1; padding, output_padding >= 0. `output_padding` only matters to the transposed direction and
    is smaller than the stride or the dilation. Errors: ValueError outside these ranges.
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
    stamp: Tensor  # (kh, kw): the filter times the input value
    canvas: Tensor  # the sum of all stamps so far, before trimming


# --- the matrix, one axis -------------------------------------------------------------------------------------------


def tap_matrix(kernel: int, length: int, geometry: Geometry, padded: bool = False) -> Tensor:
    """Which tap of the filter stands where in X: int64 (outputs, length), -1 where X is zero.

    Row o is the filter moved by o*stride. `padded` keeps the columns that meet the padding zeros: (outputs, length+2p),
    the matrix as textbooks write it. Errors: ValueError when the filter does not fit into the padded input.
    """
    rows = torch.arange(geometry.convolved_size(length, kernel))
    columns = torch.arange(length + 2 * geometry.padding)
    offset = columns - geometry.stride * rows[:, None]
    tap = offset // geometry.dilation
    taps = torch.where((offset % geometry.dilation == 0) & (tap >= 0) & (tap < kernel), tap, -1)
    return taps if padded else taps[:, geometry.padding : geometry.padding + length]


def convolution_matrix(weight: Tensor, length: int, geometry: Geometry, padded: bool = False) -> Tensor:
    """X with conv1d(u, weight) = X u for u of `length`; weight (k,) -> (outputs, length), length + 2p if `padded`."""
    return _fill(weight, tap_matrix(len(weight), length, geometry, padded))


def transposed_convolution_matrix(weight: Tensor, size: int, geometry: Geometry, padded: bool = False) -> Tensor:
    """Xᵀ with conv_transpose1d(v, weight) = Xᵀ v for v of `size`; weight (k,) -> (outputs, size).

    X is the convolution that maps `transposed_size` inputs back to `size`; of its rows the first `size` are kept (there
    are more only if output_padding >= stride, which a dilation allows). `padded` keeps the 2p rows that get trimmed.
    """
    length = geometry.transposed_size(size, len(weight))
    return convolution_matrix(weight, length, geometry, padded)[:size].T


def _fill(weight: Tensor, taps: Tensor) -> Tensor:
    return torch.where(taps >= 0, weight[taps.clamp(min=0)], weight.new_zeros(()))


# --- the same in letters --------------------------------------------------------------------------------------------


def filter_letters(kernel: int) -> list[str]:
    """x, y, z for up to three taps; longer filters end at z: w, x, y, z."""
    return list("xyz"[:kernel] if kernel <= 3 else string.ascii_lowercase[-kernel:])


def input_letters(size: int, padding: int = 0) -> list[str]:
    """a, b, c, ... with `padding` times '0' on both sides. At most 20 letters, so that filters keep theirs."""
    if size > 20:
        raise ValueError("There are letters for at most 20 inputs.")
    return ["0"] * padding + list(string.ascii_lowercase[:size]) + ["0"] * padding


def symbolic_matrix(taps: Tensor) -> list[list[str]]:
    """`tap_matrix` in letters, '0' where X is zero; give `taps.T` for Xᵀ. The filter's length is read off the taps."""
    letters = filter_letters(int(taps.max()) + 1)
    return [[letters[tap] if tap >= 0 else "0" for tap in row] for row in taps.tolist()]


def symbolic_product(matrix: Sequence[Sequence[str]], vector: Sequence[str]) -> list[str]:
    """Matrix times vector, spelled out: 'ay+bz' (input letter first), '0' where nothing is left."""
    rows = ([v + m for m, v in zip(row, vector, strict=True) if "0" not in (m, v)] for row in matrix)
    return ["+".join(terms) or "0" for terms in rows]


# --- two axes -------------------------------------------------------------------------------------------------------


def convolution_matrix_2d(weight: Tensor, size: tuple[int, int], geometry: Geometry) -> Tensor:
    """X with conv2d(u, weight).flatten() = X u.flatten() for u of `size` (H, W); weight (kh, kw) -> (oh*ow, H*W).

    Doubly blocked: oh × H blocks of ow × W, and block (i, j) is the 1-D matrix of the filter row that output row i
    applies to input row j (zero if none).
    """
    down = tap_matrix(weight.shape[0], size[0], geometry)
    across = tap_matrix(weight.shape[1], size[1], geometry)
    taps = down[:, None, :, None] * weight.shape[1] + across[None, :, None, :]
    taps = torch.where((down[:, None, :, None] >= 0) & (across[None, :, None, :] >= 0), taps, -1)
    return _fill(weight.flatten(), taps.reshape(len(down) * len(across), -1))


def transposed_convolution_matrix_2d(weight: Tensor, size: tuple[int, int], geometry: Geometry) -> Tensor:
    """Xᵀ with conv_transpose2d(v, weight).flatten() = Xᵀ v.flatten() for v of `size` (h, w) -> (H*W, h*w)."""
    large = tuple(geometry.transposed_size(n, k) for n, k in zip(size, weight.shape, strict=True))
    rows, columns = (geometry.convolved_size(n, k) for n, k in zip(large, weight.shape, strict=True))
    blocks = convolution_matrix_2d(weight, large, geometry).reshape(rows, columns, -1)
    return blocks[: size[0], : size[1]].reshape(size[0] * size[1], -1).T


def scatter_steps(x: Tensor, weight: Tensor, geometry: Geometry) -> list[Step]:
    """Weight the filter by each input value, copy it `stride` further for every pixel, add where copies overlap.

    x (h, w), weight (kh, kw). One step per pixel, in reading order; the canvas (s(h-1)+reach, s(w-1)+reach) is whole.
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


def trim(canvas: Tensor, geometry: Geometry) -> Tensor:
    """Cut `padding` off every side, then give back `output_padding` at the end of each axis; (N,) or (H, W).

    Stride 2, filter 3: 5×5 with padding 1 and output padding 1 loses its first row and column and leaves 4×4.
    """
    longer = F.pad(canvas, (0, geometry.output_padding) * canvas.ndim)
    return F.pad(longer, (-geometry.padding, -geometry.padding) * canvas.ndim)


# --- zero insertion -------------------------------------------------------------------------------------------------


def insert_zeros(x: Tensor, stride: int) -> Tensor:
    """stride - 1 zeros between neighbours on every axis: (N,) -> (s(N-1)+1,), (H, W) likewise."""
    out = x.new_zeros([stride * (size - 1) + 1 for size in x.shape])
    out[(slice(None, None, stride),) * x.ndim] = x
    return out


def border(kernel: int, geometry: Geometry) -> tuple[int, int]:
    """Zeros the equivalent normal convolution needs before and after: reach-1-p and that plus output_padding.

    Negative numbers mean cutting instead.
    """
    before = geometry.reach(kernel) - 1 - geometry.padding
    return before, before + geometry.output_padding


def as_normal_convolution(x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Transposed convolution as: insert zeros, pad, convolve at stride 1 with the filter flipped on every axis.

    x and weight both (n,), or both 2-D. Equal to conv_transpose for every stride (Dumoulin & Visin 2016, section 4.6).
    """
    pads = [pad for kernel in reversed(weight.shape) for pad in border(kernel, geometry)]
    spread = F.pad(insert_zeros(x, geometry.stride), [max(pad, 0) for pad in pads])
    spread = F.pad(spread, [min(pad, 0) for pad in pads])  # cut last: a cut may reach into zeros added at the far end
    convolve = F.conv1d if x.ndim == 1 else F.conv2d
    return convolve(spread[None, None], weight.flip(*range(weight.ndim))[None, None], dilation=geometry.dilation)[0, 0]
