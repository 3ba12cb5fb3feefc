"""One axis: the convolution matrix and its transpose, in letters and in numbers."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
import torch.nn.functional as F
from torch import Tensor

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from pages.transposed_convolution.shared import CUT, agree, arguments, bounded, options, slots
from ui import page
from ui.components import Grid, live_slider, matrices, words

EXAMPLES = {
    "Two inputs, stride 2": {"size": 2, "kernel": 3, "stride": 2, "padding": 0, "dilation": 1, "extra": 0},
    "Stride 1, padding 1": {"size": 4, "kernel": 3, "stride": 1, "padding": 1, "dilation": 1, "extra": 0},
    "Stride 2, padding 1": {"size": 2, "kernel": 3, "stride": 2, "padding": 1, "dilation": 1, "extra": 1},
}


def take_example() -> None:
    for control, value in EXAMPLES.get(st.session_state["line_example"], {}).items():
        st.session_state[f"line_{control}"] = value


def shown_example(now: dict[str, int]) -> str | None:
    """The example that the sliders stand at."""
    return next((name for name, example in EXAMPLES.items() if example == now), None)


@st.fragment
@page.guard()
@page.alike
def matrix() -> None:
    examples = st.container()
    with ExitStack() as sliders:
        columns = slots(6, 150)
        with columns[0]:
            size = sliders.enter_context(
                live_slider("Small side", 1, 4, 2, key="line_size", window=2,
                            help="Outputs of the convolution, inputs of its transpose.")
            )  # fmt: skip
        with columns[1]:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 4, 3, key="line_kernel", window=2))
        with columns[2]:
            stride = sliders.enter_context(live_slider("Stride", 1, 3, 2, key="line_stride", window=2))
        with columns[3]:
            dilation = sliders.enter_context(live_slider("Dilation", 1, 2, 1, key="line_dilation", window=2))
        with columns[4]:
            extra = sliders.enter_context(bounded("Output padding", stride - 1, 1, "line_extra"))
        with columns[5]:
            reach = dilation * (kernel - 1) + 1
            room = (stride * (size - 1) + reach + extra - 1) // 2
            padding = sliders.enter_context(bounded("Padding", min(room, reach - 1, 3), 1, "line_padding"))
        now = dict(size=size, kernel=kernel, stride=stride, padding=padding, dilation=dilation, extra=extra)
        st.session_state["line_example"] = shown_example(now)
        examples.segmented_control(
            "Example of the lectures", list(EXAMPLES), key="line_example", on_change=take_example
        )
        draw_matrix(size, kernel, Geometry(stride, padding, extra, dilation))


def draw_matrix(size: int, kernel: int, g: Geometry) -> None:
    length = g.transposed_size(size, kernel)
    names = tc.filter_letters(kernel), tc.input_letters(length), tc.input_letters(size)
    defaults = {
        f"filter {kernel}": np.array([1.0, 2, 3, 4][:kernel]),
        f"u {length}": np.arange(length) % 5 - 1.0,
        f"v {size}": np.array([2.0, -1, 1, 3][:size]),
    }
    top = st.container()
    numbers = matrices("line_numbers", defaults, minimum=-99, maximum=99, window=2)
    weight, u, v = (torch.from_numpy(numbers[name][0]) for name in defaults)
    titles = ("filter", "u, into the convolution", "v, into its transpose")
    cells = [
        Grid(name, numbers[name], title=title, editable=True, columns=letters, cell=34)
        for name, title, letters in zip(defaults, titles, names, strict=True)
    ]
    taps = tc.tap_matrix(kernel, length, g, padded=True)
    x = tc.convolution_matrix(weight, length, g, padded=True)
    digits = st.toggle("The same in numbers", key="line_digits", bind="query-params")
    padded = f", with {g.padding} zeros of the padding at each end" if g.padding else ""
    left, right = (st.container(), st.container()) if digits else st.columns([3, 2], gap="medium")
    with left:
        words(f"**Convolution, X u:** X is {x.shape[0]}×{x.shape[1]}, {length} inputs{padded} become {size}.",
              "line_forward_title")  # fmt: skip
        letters = tc.input_letters(length, g.padding)
        product("line_forward", "X", taps, x, letters, F.pad(u, (g.padding, g.padding)), 0, digits)
    with right:
        words(f"**Transposed, Xᵀ v:** {size} inputs become {length}"
              + (f"; {g.padding} cut at each end ({CUT})." if g.padding else "."), "line_backward_title")  # fmt: skip
        product("line_backward", "Xᵀ", taps.T, x.T, tc.input_letters(size), v, g.padding, digits)
    with top:
        numbers.show(cells, caption="Type your own numbers here.")
    forward = tc.convolution_matrix(weight, length, g) @ u
    backward = tc.transposed_convolution_matrix(weight, size, g) @ v
    plain = {key: value for key, value in options(g).items() if key != "output_padding"}
    agree(
        "matrix_agrees_1",
        f"F.conv1d(u, w, {arguments(g, transposed=False)})",
        forward,
        F.conv1d(u[None, None], weight[None, None], **plain)[0, 0],
    )
    agree(
        "matrix_agrees_2",
        f"F.conv_transpose1d(v, w, {arguments(g)})",
        backward,
        F.conv_transpose1d(v[None, None], weight[None, None], **options(g))[0, 0],
    )
    words(
        f"**Adjoint.** ⟨X u, v⟩ = {forward @ v:g}, ⟨u, Xᵀ v⟩ = {u @ backward:g}: equal for every u and v, which is "
        "what *transposed* means.",
        "line_adjoint",
    )


def factor(value: Tensor) -> str:
    """A number as it stands in a product: negative ones in brackets."""
    return f"{value:g}" if value >= 0 else f"({value:g})"


def product(
    key: str, name: str, taps: Tensor, matrix: Tensor, letters: list[str], vector: Tensor, cut: int, digits: bool
) -> None:
    """matrix × vector = result in letters, with `digits` in numbers too, linked: hover a row and the filter slides."""
    symbols, result = tc.symbolic_matrix(taps), matrix @ vector
    words = tc.symbolic_product(symbols, letters)
    rows = [CUT if not cut <= r < len(words) - cut else "" for r in range(len(words))] if cut else None
    every, explain = {}, {}
    for r, row in enumerate(taps.tolist()):
        used = [c for c, tap in enumerate(row) if tap >= 0 and letters[c] != "0"]
        sources = [(grid, c, 0, matrix[r, c].item()) for c in used for grid in ("letters", "vector")]
        sources += [(grid, r, c, matrix[r, c].item()) for c in used for grid in (name, "matrix")]
        arithmetic = " + ".join(f"{factor(vector[c])}·{factor(matrix[r, c])}" for c in used) or "0"
        whole_row = [(grid, r, c) for c in range(len(row)) for grid in (name, "matrix")]
        for cell in [("words", r, 0), ("result", r, 0), *whole_row]:
            every[cell] = [source for source in sources if source[:3] != cell]
            explain[cell] = f"{words[r]} = {arithmetic} = {result[r]:g}"
    cell = 28
    top = float(max(matrix.abs().max(), 1))
    column = {"cell": cell, "colour": "none"}
    items = [
        Grid(name, matrix.numpy(), text=symbols, vmin=-top, vmax=top, rows=rows, cell=cell),
        "×",
        Grid("letters", vector[:, None].numpy(), title="", text=[[letter] for letter in letters], **column),
        "=",
        Grid("words", result[:, None].numpy(), title="in letters", text=[[word] for word in words], **column),
    ]
    if digits:
        items += [
            "⇒",
            Grid("matrix", matrix.numpy(), title=f"{name} in numbers", vmin=-top, vmax=top, cell=cell),
            "×",
            Grid("vector", vector[:, None].numpy(), title="", **column),
            "=",
            Grid("result", result[:, None].numpy(), title="in numbers", rows=rows, **column),
        ]
    there = {item.name for item in items if isinstance(item, Grid)}
    matrices(key, window=2).show(
        items,
        links={
            cell: [source for source in sources if source[0] in there]
            for cell, sources in every.items()
            if cell[0] in there
        },
        explain={cell: told for cell, told in explain.items() if cell[0] in there},
        caption=f"Point at a row of {name}: the filter slides along, and the arithmetic of its output is written out.",
    )
