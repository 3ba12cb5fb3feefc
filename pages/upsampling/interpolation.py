"""One editable matrix, five methods, and the two matrix products behind four of them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from labs import upsampling
from pages.upsampling.methods import METHODS, UNPOOLING, all_methods, apply, picture_view
from pages.upsampling.numbers import counting, encoder_map
from ui import figures, page
from ui.components import Grid, matrices

COLOURS = {"nearest": "#009E73", "bilinear": "#0072B2", "bicubic": "#D55E00"}  # Okabe-Ito
FORMULAS = {
    "bilinear": r"\begin{aligned} f(x, y) &= \sum_{i,j} f(i, j)\, w(x - i)\, w(y - j) \\ "
    r"w(d) &= \max(0, 1 - |d|) \end{aligned}",
    "bicubic": r"f(x, y) = \sum_{i,j} f(i, j)\, w(x - i)\, w(y - j), \qquad w: \text{the cubic curve}",
}
STARTS = {
    "1 2 3 4": np.array([[1.0, 2], [3, 4]]),
    "Step": np.repeat([[0.0, 0, 0, 0, 1, 1, 1, 1]], 3, axis=0),
    "Spike": np.pad([[1.0]], 2),
}


@st.fragment
@page.guard()
def enlarge() -> None:
    page.section("Play", "Choose a method, edit the input, and point at an output cell to see which inputs made it.")
    with st.container(key="line-up", horizontal=True):
        method = st.segmented_control(
            "Method", METHODS, default="bilinear", required=True, key="up_method", bind="query-params"
        )
        factor = st.segmented_control(
            "Factor", [2, 3, 4], default=2, required=True, key="up_factor", bind="query-params"
        )
        interpolates = method in upsampling.INTERPOLATIONS
        with st.popover("Input", icon=":material/grid_on:"):
            rows = st.number_input("Rows", 1, 8, 2, key="up_rows", bind="query-params")
            columns = st.number_input("Columns", 1, 8, 2, key="up_columns", bind="query-params")
            for name in STARTS:
                st.button(name, key=f"up_start_{name}", on_click=start_with, args=(name,))
        align = st.toggle("align_corners", key="up_align", bind="query-params", disabled=not interpolates)
    align = align and interpolates
    editable = {"input": counting(rows, columns)}
    if method == UNPOOLING:
        editable["encoder"] = encoder_map(rows * factor, columns * factor)
    grids = matrices("up", editable, window=2)
    values = grids["input"]
    left, right = st.columns([3, 2], gap="large")
    with right:
        picture_view(method, factor, align)
    if method == UNPOOLING:
        with left:
            by_positions(grids, factor)
        page.section("Look inside", "Max unpooling is no fixed matrix: where a value goes depends on the picture.")
        st.markdown(
            "The places come from the paired max pool in the encoder: another picture, other places. So there is no "
            "table of weights to show, as there is for the other methods."
        )
    else:
        output = apply(method, torch.from_numpy(values), factor, align).numpy()
        with left:
            row, column = by_weights(grids, method, output, factor, align)
        left, right = st.columns([3, 2], gap="large")
        with left:
            written_out(method, values, output, factor, row, column, align)
        if interpolates:
            with right:
                kernel_chart(method, values.shape[1], factor, column, align)
        page.section(
            "Look inside", f"On a whole map, {method} is two matrix products: one mixes rows, one mixes columns."
        )
        product(method, values, output, factor, align)
    all_methods(factor, align)
    overshoot(factor)


def by_weights(grids, method: str, output: np.ndarray, factor: int, align: bool) -> tuple[int, int]:
    """Draw input and output; returns the output cell whose arithmetic is to be written out."""
    values = grids["input"]
    table = upsampling.contribution_table(method, values.shape, factor, align)
    row, column = selected_cell(grids.selected, output.shape, method)
    scale = {"colour": "sequential", "vmin": min(values.min(), 0), "vmax": values.max()}
    grids.show(
        [
            Grid("input", values, editable=True, **scale),
            "→",
            Grid("output", output, title=method, format="%.3g", **scale),
        ],
        links={("output", *cell): [("input", *part) for part in parts] for cell, parts in table.items() if parts},
        explain={("output", *cell): "A gap between the nails: 0." for cell, parts in table.items() if not parts},
        highlight={("output", row, column): 1.0} | {("input", i, j): weight for i, j, weight in table[row, column]},
        caption="Point at a cell, or move with the arrow keys. Click an input to change it.",
    )
    return row, column


def start_with(name: str) -> None:
    values = STARTS[name]
    st.session_state["up_rows"], st.session_state["up_columns"] = values.shape
    st.session_state["up"] = {**st.session_state.get("up", {}), "input": values}


def selected_cell(chosen, shape: tuple[int, int], method: str) -> tuple[int, int]:
    """The output cell that the visitor chose, else the one beside the upper left corner, or there the first nail."""
    if chosen and chosen.grid == "output" and chosen.row < shape[0] and chosen.column < shape[1]:
        return chosen.row, chosen.column
    if method == "bed of nails":
        return 0, 0
    return min(1, shape[0] - 1), min(1, shape[1] - 1)


def written_out(method, values, output, factor, row, column, align) -> None:
    parts = upsampling.contributions(method, values.shape, factor, row, column, align)
    y, x = (
        upsampling.sample_positions(n, factor, align)[i].item()
        for n, i in zip(values.shape, (row, column), strict=True)
    )
    where = f" lies at row **{y:.4g}**, column **{x:.4g}** of the input" if method in upsampling.INTERPOLATIONS else ""
    count = f"{len(parts)} input{'s' if len(parts) != 1 else ''} made it"
    if method == "bicubic" and len(parts) < 16:
        count += ", though bicubic reads 4 × 4: beyond the rim it reads the pixels of the rim again"
    if method in FORMULAS:
        st.latex(FORMULAS[method])
    st.markdown(f"**Output cell ({row}, {column})**{where}; {count}. Click another cell to see its arithmetic.")
    terms = [rf"{part.weight:.4g} \cdot {number(values[part.row, part.column])}" for part in parts] or ["0"]
    lines = [" + ".join(terms[i : i + 4]) for i in range(0, len(terms), 4)]
    total = f"{output[row, column]:.5g}"
    st.latex(r"\begin{aligned} &" + r" \\ &+ ".join(lines) + rf" \\ &= \mathbf{{{total}}} \end{{aligned}}")


def number(value: float) -> str:
    return f"({value:.4g})" if value < 0 else f"{value:.4g}"


def kernel_chart(method: str, size: int, factor: int, column: int, align: bool) -> None:
    kernel = upsampling.tent if method == "bilinear" else upsampling.cubic_kernel
    centre = upsampling.sample_positions(size, factor, align)[column]
    reach = 1 if method == "bilinear" else 2
    at = torch.linspace(-reach - 0.5, reach + 0.5, 241, dtype=torch.float64)
    taps = torch.arange(centre.floor() - reach + 1, centre.floor() + reach + 1, dtype=torch.float64)
    weights = kernel(taps - centre)
    beyond = ["reads the edge pixel" if not 0 <= tap < size else "" for tap in taps.tolist()]
    figure = go.Figure()
    figure.add_scatter(x=(centre + at).tolist(), y=kernel(at).tolist(), mode="lines", line_color=COLOURS[method])
    figure.add_scatter(
        x=taps.tolist(), y=weights.tolist(), mode="markers+text", text=[f"{w:.3g}" for w in weights.tolist()],
        textposition="top center", hovertext=beyond,
        marker={"size": 11, "color": COLOURS[method], "symbol": ["circle-open" if b else "circle" for b in beyond]},
    )  # fmt: skip
    figures.across(figure, y=0, width=1, dash=None)
    figure.update_layout(
        showlegend=False, margin={"t": 30, "b": 40, "l": 40, "r": 10},
        xaxis_title=f"input column (read at {centre.item():.4g})", yaxis_title="weight",
        yaxis_range=[-0.25, 1.2],
    )  # fmt: skip
    page.figure(figure, key="up_kernel", height=260, alt=f"Weights of {method} interpolation along one row")


def product(method: str, values: np.ndarray, output: np.ndarray, factor: int, align: bool) -> None:
    """out = R X Cᵀ as grids: R mixes rows, C mixes columns."""
    down, across = (upsampling.weights_1d(method, n, factor, align).numpy() for n in values.shape)
    cells = list(np.ndindex(output.shape))
    grids = {
        "down": Grid("down", down, title="R, for rows", format="%.3g"),
        "x": Grid("x", values, title="X", format="%.3g", colour="sequential"),
        "across": Grid("across", across.T, title="Cᵀ, for columns", format="%.3g"),
        "product": Grid("product", output, title="output", format="%.3g", colour="sequential"),
    }
    matrices("up_product").show(
        [grids["down"], "×", grids["x"], "×", grids["across"], "=", grids["product"]],
        links={
            ("product", r, c): [("down", r, i, w) for i, w in enumerate(down[r]) if w]
            + [("across", j, c, w) for j, w in enumerate(across[c]) if w]
            for r, c in cells
        },
        explain={
            ("product", r, c): f"Row {r} of R, times X, times column {c} of Cᵀ = {output[r, c]:.4g}" for r, c in cells
        },
    )


def overshoot(factor: int) -> None:
    """What a hard edge becomes, and what slides say about it."""
    sees = len(upsampling.contributions("bicubic", (8, 8), factor, 4 * factor, 4 * factor))
    with page.predict(
        "upsampling-neighbours",
        f"Far from the border, how many inputs make one output of bicubic upsampling by {factor}?", [4, 9, 16, 36],
    ) as prediction:  # fmt: skip
        step_chart(factor)
        bicubic_erratum(factor)
        prediction.outcome(sees, "because there are four neighbours per axis, so 4 × 4, whatever the factor.")
    with st.container(border=True):
        st.markdown(
            "**It depends.** Bilinear doubling of 1 2 gives 1, 1.25, 1.75, 2 with `align_corners=False`, PyTorch's "
            "default, where pixels are little squares. With `align_corners=True` the outer centres stay in place and "
            "the row is 1, 1.33, 1.67, 2. Flip the switch above and see."
        )


def bicubic_erratum(factor: int) -> None:
    low, high = (f"{end:.3f}".replace("-", "−") for end in edge("bicubic", factor).aminmax())
    page.erratum(
        "Bicubic interpolation uses the three closest neighbours in x and y.",
        "Bicubic interpolation uses **four per axis, 4 × 4 = 16 pixels**. The outer two weigh less than zero, so it "
        f"can overshoot: a step from 0 to 1, upsampled by {factor}, comes out between **{low}** and **{high}**. "
        f"Here a = −{-upsampling.CUBIC_A}, as in PyTorch; Pillow takes −0.5 and its numbers differ.",
    )


def step_chart(factor: int) -> None:
    st.markdown(f"**A hard edge**: the step 0 0 0 0 1 1 1 1, upsampled by {factor}")
    at = upsampling.sample_positions(8, factor).tolist()
    figure = go.Figure()
    for method, colour in COLOURS.items():
        curve = edge(method, factor)
        label = f"{method}: {curve.min():.3f} to {curve.max():.3f}"
        figure.add_scatter(x=at, y=curve.tolist(), name=label, mode="lines+markers", line_color=colour,
                           line_shape="hvh" if method == "nearest" else "linear")  # fmt: skip
    for level in (0, 1):
        figures.across(figure, y=level, width=1)
    figure.update_layout(
        xaxis_title="input pixel", yaxis_title="value", margin={"t": 40, "b": 40, "l": 50, "r": 10},
    )  # fmt: skip
    page.figure(
        figure, key="up_step", height=330, alt="Nearest, bilinear and bicubic upsampling of a step; bicubic overshoots"
    )


def edge(method: str, factor: int) -> torch.Tensor:
    """The step 0 0 0 0 1 1 1 1, enlarged: (8 * factor,)."""
    return apply(method, torch.tensor([[0.0, 0, 0, 0, 1, 1, 1, 1]], dtype=torch.float64), factor, False)[0]


def by_positions(grids, factor: int) -> None:
    """Max unpooling of the edited input, paired with a pool of an editable encoder map."""
    values, before = grids["input"], grids["encoder"]
    _, positions = upsampling.max_pool(torch.from_numpy(before), factor)
    output = upsampling.max_unpool(torch.from_numpy(values), positions, before.shape).numpy()
    home = {divmod(p, before.shape[1]): divmod(i, values.shape[1]) for i, p in enumerate(positions.flatten().tolist())}
    grids.show(
        [
            Grid("encoder", before, title="encoder, before its pool: places", editable=True, colour="sequential"),
            "…",
            Grid("input", values, editable=True, colour="sequential"),
            "→",
            Grid("output", output, title="max unpooling", colour="sequential"),
        ],
        links={("output", *cell): [("input", *source, 1.0), ("encoder", *cell, 1.0)] for cell, source in home.items()},
        explain={
            ("output", r, c): f"The maximum of window {home[r, c]} stood here, so its value {output[r, c]:g} goes here."
            if (r, c) in home
            else "No window had its maximum here: 0."
            for r in range(output.shape[0])
            for c in range(output.shape[1])
        },
        highlight=[("encoder", *cell) for cell in home],
    )
