"""Two axes: the doubly blocked matrix, cell by cell."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
import torch.nn.functional as F

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from pages.transposed_convolution.shared import agree, arguments, bounded, links, options, slots
from ui import page
from ui.components import Grid, live_slider, matrices


@st.fragment
@page.guard()
@page.alike
def blocks() -> None:
    with ExitStack() as sliders:
        columns = slots(4, 160)
        with columns[0]:
            size = sliders.enter_context(live_slider("Input size", 2, 3, 3, key="block_size", window=2))
        with columns[1]:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 3, 3, key="block_kernel", window=2))
        with columns[2]:
            stride = sliders.enter_context(live_slider("Stride", 1, 2, 2, key="block_stride", window=2))
        with columns[3]:
            padding = sliders.enter_context(bounded("Padding", (kernel - 1) // 2, 1, "block_padding"))
        draw_blocks(size, kernel, Geometry(stride, padding))


def draw_blocks(size: int, kernel: int, g: Geometry) -> None:
    weight = torch.from_numpy(np.arange(1.0, kernel**2 + 1).reshape(kernel, kernel))
    x = torch.arange(1.0, size * size + 1, dtype=torch.float64).reshape(size, size)
    matrix = tc.transposed_convolution_matrix_2d(weight, (size, size), g)
    side = g.transposed_size(size, kernel)
    output = (matrix @ x.flatten()).reshape(side, side)
    every, explain = links(matrix, "output", side, "input", size), {}
    for r, c in matrix.nonzero().tolist():
        value = matrix[r, c].item()
        target, source = ("output", *divmod(r, side)), ("input", *divmod(c, size))
        tap = ("filter", *divmod(int(value) - 1, kernel))  # the filter counts 1, 2, 3, ..., so a value names its tap
        every["Xᵀ", r, c] = [(*target, 1.0), (*source, 1.0), (*tap, 1.0)]
        every[target].append(("Xᵀ", r, c, value))
        explain["Xᵀ", r, c] = (
            f"row {r}, column {c}: output {target[1:]} takes input {source[1:]} times filter {tap[1:]}"
        )
        term = f"{value:g}·{x[source[1:]]:g}"
        explain[target] = (
            f"{explain[target]} + {term}" if target in explain else f"row {r} of Xᵀ times the input: {term}"
        )
    for target in [cell for cell in explain if cell[0] == "output"]:
        explain[target] += f" = {output[target[1:]]:g}"
    blocks = matrix.reshape(side, side, size, size)  # (block row, row, block column, column)
    empty = (blocks == 0).all(dim=3, keepdim=True).all(dim=1, keepdim=True)
    picture = blocks.masked_fill(empty, torch.nan).reshape(matrix.shape)
    cell = 16 if len(matrix) > 16 else 24
    matrices("block_grids", window=2).show(
        [
            Grid("filter", weight.numpy(), colour="sequential", vmin=0, cell=34),
            "⇒",
            Grid("Xᵀ", picture.numpy(), colour="sequential", vmin=0, vmax=kernel**2, cell=cell),
            "×",
            Grid("input", x.numpy(), title="input, row by row", colour="none", cell=34),
            "=",
            Grid("output", output.numpy(), colour="none", cell=40 if side < 6 else 34),
        ],
        links=every,
        explain=explain,
        caption=f"Xᵀ is {len(matrix)}×{matrix.shape[1]}: {side}×{size} blocks of {side}×{size} cells, each one the "
        "1-D matrix of one row of the filter or empty. "
        + ("The lines that padding cuts, marked ✂ above, are left out. " if g.padding else "")
        + "Point at a cell of the matrix or of the output.",
    )
    theirs = F.conv_transpose2d(x[None, None], weight[None, None], **options(g))[0, 0]
    agree("blocks_agrees_1", f"F.conv_transpose2d(x, w, {arguments(g)})", output, theirs)
