"""Weight the filter by an input value, copy it, add where copies overlap: step by step, on numbers one can type."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
import torch.nn.functional as F

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from pages.transposed_convolution.forward import at_stride_one, draw_convolution
from pages.transposed_convolution.shared import (
    CUT,
    agree,
    arguments,
    binomial,
    bounded,
    links,
    options,
    size_sum,
    strip,
)
from ui import page
from ui.components import Grid, live_slider, matrices, words

DIRECTIONS = ("Convolution", "Transposed convolution")


@st.fragment
@page.guard()
@page.alike
def stamp() -> None:
    with st.container(key="controls-stamp"):
        line = st.container(horizontal=True)
    direction = line.segmented_control(
        "Direction", DIRECTIONS, default=DIRECTIONS[1], required=True, key="stamp_direction", bind="query-params",
        help="The same filter, stride and padding, there and back.",
    )  # fmt: skip
    with ExitStack() as sliders:
        columns = [line.container(width=140) for _ in range(5)]
        with columns[0]:
            size = sliders.enter_context(live_slider("Input size", 1, 3, 2, key="stamp_size", window=2))
        with columns[1]:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 4, 3, key="stamp_kernel", window=2))
        with columns[2]:
            stride = sliders.enter_context(live_slider("Stride", 1, 3, 2, key="stamp_stride", window=2))
        with columns[3]:
            extra = sliders.enter_context(bounded("Output padding", stride - 1, 1, "stamp_extra"))
        with columns[4]:
            room = (stride * (size - 1) + kernel + extra - 1) // 2
            padding = sliders.enter_context(bounded("Padding", min(room, kernel - 1), 1, "stamp_padding"))
        g = Geometry(stride, padding, extra)
        if direction == DIRECTIONS[0]:
            draw_convolution(size, kernel, g)
        else:
            draw_stamp(size, kernel, g)
        at_stride_one(size, kernel, g)
        truth = Geometry(stride).stamped_size(5, kernel)
        with page.predict(
            "stamped",
            f"A 5×5 input is stamped with a {kernel}×{kernel} filter at stride {stride}. How wide is that, untrimmed?",
            sorted({5 * stride, 5 + kernel - 1, truth, 5 * kernel}),
        ) as prediction:
            strip("stamp_strip", 5, kernel, stride, "One axis of it: every copy starts one stride after the last.")
            prediction.outcome(
                truth,
                f"because the first stamp is {kernel} wide, and each of the 4 others starts {stride} further on: "
                f"4·{stride} + {kernel} = {truth}.",
            )


@st.fragment
@page.guard()
@page.alike
def draw_stamp(size: int, kernel: int, g: Geometry) -> None:
    """Its own fragment, so that the animation runs without the controls above."""
    last = size * size
    with (
        st.container(key="short-stamp"),
        live_slider(
            "Copies stamped", 0, last, 0, key="stamp_step", play="once", play_seconds=1.2 * last, window=2
        ) as n,
    ):
        draw_step(size, kernel, g, n)


def draw_step(size: int, kernel: int, g: Geometry, done: int) -> None:
    source, stamp_name = f"input {size}×{size}", f"filter {kernel}×{kernel}"
    outer = np.outer(binomial(kernel), binomial(kernel))
    defaults = {source: np.arange(1.0, size * size + 1).reshape(size, size), stamp_name: outer}
    grids = matrices("stamp_grids", defaults, minimum=-99, maximum=99, window=2)
    x, weight = torch.from_numpy(grids[source]), torch.from_numpy(grids[stamp_name])
    written = tc.scatter_steps(torch.ones_like(x), torch.ones_like(weight), g)
    steps = tc.scatter_steps(x, weight, g)
    blank = torch.full_like(steps[0].canvas, torch.nan)
    canvas = torch.where(written[done - 1].canvas > 0, steps[done - 1].canvas, torch.nan) if done else blank
    output = tc.trim(canvas, g)
    span, side = len(canvas), len(output)
    kept = range(g.padding, g.padding + side)
    heading = ["" if index in kept else CUT for index in range(span)]
    highlight, landed = [], "Nothing is stamped yet: press play."
    if done:
        now = steps[done - 1]
        landed = (f"{x[now.row, now.column]:g} × filter is added, its upper left corner at row {now.top + 1}, column "
                  f"{now.left + 1}.")  # fmt: skip
        highlight = [(source, now.row, now.column)] + [
            ("sum of copies", now.top + r, now.left + c) for r in range(kernel) for c in range(kernel)
        ]
    loose = Geometry(g.stride)
    every = links(tc.transposed_convolution_matrix_2d(weight, (size, size), loose), "sum of copies", span, source, size)
    every |= links(tc.transposed_convolution_matrix_2d(weight, (size, size), g), "output", side, source, size)
    cell = 40 if span <= 5 else 34 if span <= 7 else 28
    final = steps[-1].canvas
    scale = {"colour": "sequential", "vmin": min(0.0, float(final.min())), "vmax": float(final.max()), "cell": cell}
    copies = int(written[done - 1].canvas.max()) if done else 0
    if copies > 1:
        landed += f" Up to {copies} of {done} copies overlap."
    elif done > 1:
        landed += f" None of the {done} copies overlap."
    grids.show(
        [
            Grid(source, grids[source], title="input", editable=True, colour="sequential", vmin=0, cell=cell),
            "⊛",
            Grid(stamp_name, grids[stamp_name], title="filter", editable=True, colour="sequential", vmin=0, cell=cell),
            "→",
            Grid("sum of copies", canvas.numpy(), rows=heading, columns=heading, **scale),
            "→",
            Grid("output", output.numpy(), title="output", **scale),
        ],
        links=every,
        highlight=highlight,
        caption=f"{landed} Untrimmed {span}×{span}"
        + (f", without the lines marked {CUT} {side}×{side}." if CUT in heading else f", output {side}×{side}.")
        + " Point at an output: who made it? Point at an input: whom does it make?",
    )
    words(f"Size of the output: {size_sum(size, kernel, g)}.", "stamp_size_sum")
    theirs = F.conv_transpose2d(x[None, None], weight[None, None], **options(g))[0, 0]
    agree("stamping_agrees_1", f"F.conv_transpose2d(x, w, {arguments(g)})", tc.trim(steps[-1].canvas, g), theirs)
