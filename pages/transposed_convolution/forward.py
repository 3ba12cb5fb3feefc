"""The other direction on the same grids: a convolution, output by output, that a transposed one answers."""

import numpy as np
import streamlit as st
import torch
import torch.nn.functional as F

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from pages.transposed_convolution.shared import agree, arguments, binomial, links
from ui import page
from ui.components import Grid, live_slider, matrices, words


@st.fragment
@page.guard()
def draw_convolution(size: int, kernel: int, g: Geometry) -> None:
    """The convolution that makes size×size outputs of as many inputs as the transposed one gives for size×size.

    Its own fragment, so that the animation runs without the controls above.
    """
    last = size * size
    with live_slider("Outputs computed", 0, last, 0, key="forward_step", play="once", play_seconds=1.2 * last,
                     window=2) as done:  # fmt: skip
        draw_window(size, kernel, g, done)


def draw_window(size: int, kernel: int, g: Geometry, done: int) -> None:
    side, pad = g.transposed_size(size, kernel), g.padding
    rows, columns = np.indices((side, side))
    x = torch.from_numpy((3.0 * rows + 5 * columns) % 7)  # no ramp, so that neighbouring outputs differ
    weight = torch.from_numpy(np.outer(binomial(kernel), binomial(kernel)))
    spread = F.pad(x, (pad,) * 4)
    real = F.pad(torch.ones_like(x), (pad,) * 4) > 0
    plain = Geometry(g.stride)
    output = F.conv2d(spread[None, None], weight[None, None], stride=g.stride)[0, 0][:size, :size]
    shown = torch.where(torch.arange(size * size).reshape(size, size) < done, output, torch.nan)
    matrix = tc.convolution_matrix_2d(weight, tuple(spread.shape), plain)
    wide = plain.convolved_size(len(spread), kernel)  # more than `size` only where output padding reaches a stride
    kept = [r * wide + c for r in range(size) for c in range(size)]
    highlight = []
    told = "Nothing is computed yet: press play."
    if done:
        row, column = divmod(done - 1, size)
        top, left = row * g.stride, column * g.stride
        highlight = [("input", top + r, left + c) for r in range(kernel) for c in range(kernel)]
        highlight.append(("output", row, column))
        told = (f"The filter stands at row {top + 1}, column {left + 1}: the sum of its products is "
                f"{output[row, column]:g}.")  # fmt: skip
    cell = 40 if len(spread) <= 5 else 34 if len(spread) <= 7 else 28
    look = {"colour": "sequential", "vmin": 0, "cell": cell}
    matrices("forward_grids", window=2).show(
        [
            Grid("input", spread.numpy(), title=f"input {side}×{side}" + (f", {pad} zeros around" if pad else ""),
                 text=[[None if each else "·" for each in line] for line in real.tolist()], vmax=12, **look),
            "∗",
            Grid("filter", weight.numpy(), **look),
            "=",
            Grid("output", shown.numpy(), vmax=float(output.max()) or 1, **look),
        ],
        links=links(matrix[kept], "output", size, "input", len(spread)),
        highlight=highlight,
        caption=f"{told} The filter moves on by {g.stride}. Point at an output: who made it? Point at an input: whom "
        "does it make? The transposed convolution takes these ways back.",
    )  # fmt: skip
    theirs = F.conv2d(x[None, None], weight[None, None], stride=g.stride, padding=pad)[0, 0][:size, :size]
    agree("forward_agrees_1", f"F.conv2d(x, w, {arguments(g, transposed=False)})", output, theirs)


def at_stride_one(size: int, kernel: int, g: Geometry) -> None:
    """What the lecture says of stride 1, checked on a map of `size` with the numbers 1, 2, 3, ..."""
    if g.stride > 1:
        words(f"At stride 1 a transposed convolution is a convolution. At stride {g.stride} a step of one input pixel "
              f"is {g.stride} output pixels.", "stamp_stride_one")  # fmt: skip
        return
    x = torch.arange(1.0, size * size + 1, dtype=torch.float64).reshape(size, size)
    weight = torch.arange(1.0, kernel * kernel + 1, dtype=torch.float64).reshape(kernel, kernel)
    border = kernel - 1 - g.padding
    same = F.conv2d(x[None, None], weight.flip(0, 1)[None, None], padding=border)
    gap = float((same - F.conv_transpose2d(x[None, None], weight[None, None], padding=g.padding)).abs().max())
    words(f"**At stride 1 a transposed convolution is a convolution** :gray[(difference {gap:g})]: turn the filter by "
          f"180 degrees and pad by filter − 1 − padding = {kernel} − 1 − {g.padding} = {border}.",
          "stamp_stride_one")  # fmt: skip
