"""The same result as zero insertion and a normal convolution with the flipped filter."""

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

SIZE = 2


@st.fragment
@page.guard()
@page.alike
def zeros() -> None:
    with ExitStack() as sliders:
        columns = slots(4, 160)
        with columns[0]:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 4, 3, key="zero_kernel", window=2))
        with columns[1]:
            stride = sliders.enter_context(live_slider("Stride", 1, 3, 2, key="zero_stride", window=2))
        with columns[2]:
            extra = sliders.enter_context(bounded("Output padding", stride - 1, 1, "zero_extra"))
        with columns[3]:
            leaves_one = (stride * (SIZE - 1) + kernel - 1 + extra) // 2  # more would trim away every output
            padding = sliders.enter_context(bounded("Padding", min(kernel - 1, leaves_one), 1, "zero_padding"))
        draw_zeros(kernel, Geometry(stride, padding, extra))


@st.fragment
@page.guard()
@page.alike
def draw_zeros(kernel: int, g: Geometry) -> None:
    """Its own fragment, so that the animation runs without the controls above."""
    last = g.transposed_size(SIZE, kernel) ** 2 - 1
    words = "In reading order; the filter stands where this pixel is computed."
    with live_slider(
        "Output pixel", 0, max(last, 1), min(5, last), key="zero_place", play=True, play_seconds=8, window=2, help=words
    ) as place:
        draw_window(kernel, g, min(place, last))


def draw_window(kernel: int, g: Geometry, place: int) -> None:
    x = torch.tensor([[1.0, 2], [3, 4]], dtype=torch.float64)
    weight = torch.from_numpy(np.arange(1.0, kernel**2 + 1).reshape(kernel, kernel))
    flipped = weight.flip(0, 1)
    before, after = tc.border(kernel, g)
    spread = F.pad(tc.insert_zeros(x, g.stride), (before, after, before, after))
    inputs = F.pad(tc.insert_zeros(torch.ones_like(x), g.stride), (before, after, before, after)) > 0
    output = tc.as_normal_convolution(x, weight, g)
    side = len(output)
    row, column = divmod(place, side)
    window = [("spread", row + r, column + c) for r in range(kernel) for c in range(kernel)]
    walk = tc.convolution_matrix_2d(flipped, tuple(spread.shape), Geometry())
    matrices("zero_grids", window=2).show(
        [
            Grid("input", x.numpy(), colour="sequential", vmin=0, cell=34),
            "→",
            Grid("spread", spread.numpy(), title=f"zeros: {g.stride - 1} between, {before} before, {after} after",
                 text=[[None if real else "·" for real in line] for line in inputs.tolist()],
                 colour="sequential", vmin=0, vmax=4, cell=34 if len(spread) < 8 else 28),
            "∗",
            Grid("flipped", flipped.numpy(), title="flipped filter", colour="none", cell=34),
            "=",
            Grid("output", output.numpy(), colour="sequential", vmin=0, cell=34 if side < 7 else 28),
        ],
        links=links(walk, "output", side, "spread", len(spread)),
        highlight=[*window, ("output", row, column)],
        caption="The flipped filter moves one pixel at a time, whatever the stride: a normal convolution. "
        "Dots are zeros put in. Press play, or point at an output.",
    )  # fmt: skip
    theirs = F.conv_transpose2d(x[None, None], weight[None, None], **options(g))[0, 0]
    agree("zeros_agrees_1", f"F.conv_transpose2d(x, w, {arguments(g)})", output, theirs)
