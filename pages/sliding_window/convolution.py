"""A fully connected layer is a convolution: the same weights reshaped, the same scores, each with its window."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor, nn

from labs import sliding_window
from labs.sliding_window import CLASSES, STRIDE, WINDOW
from models import catalog
from models.networks.encoder import normalised
from models.networks.window import to_tensor
from pages.sliding_window.shared import ORANGE, Look, small, window_at
from ui import page
from ui.components import Box, Boxes, Grid, Heat, address, following, live_slider, matrices, stage, words

AT = "window_at"
NAME = "window-classifier"  # the lectures' own numbers, whichever network the other sections ask
SIDES = (28, 32, 224)
UNITS, CHANNELS, KERNEL = 100, 4, 6


@st.cache_resource(max_entries=1, show_spinner=False)
def both() -> tuple[nn.Sequential, nn.Sequential]:
    """The trained layers as convolutions and with fully connected layers, in double precision: rounding stays far
    behind the digits that are printed."""
    trained = catalog.load(NAME).module.layers
    convolutions = sliding_window.layers()
    convolutions.load_state_dict({key: value.cpu() for key, value in trained.state_dict().items()})
    convolutions = convolutions.double().eval().requires_grad_(False)
    return convolutions, sliding_window.with_dense_layers(convolutions)


def pixels_of(image: np.ndarray) -> Tensor:
    """What the layers are given: (3, h, w), normalised, in double precision."""
    return normalised(to_tensor(image)[None])[0].double()


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def maps_of(image: np.ndarray, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of a picture at `side` pixels, as convolutions: after the pool (4, n, n), after the 100 units without ReLU
    (100, r, c), and the scores (4, r, c)."""
    first, relu, pool, hidden, other, last = both()[0]
    with torch.inference_mode():
        pooled = pool(relu(first(pixels_of(small(image, side))[None])))
        units = hidden(pooled)
        return pooled[0], units[0], last(other(units))[0]


@st.fragment
@page.guard()
def convolution(look: Look) -> None:
    page.section(
        "A fully connected layer is a convolution",
        "After the pool a map of 6 × 6 × 4 numbers is left of a window. A fully connected unit multiplies each with a "
        "weight of its own: that is one place of a 6 × 6 × 4 filter. On a larger picture the filter has more places.",
    )
    with live_slider("Unit of the hidden layer", 1, UNITS, 1, key="window_unit", window=2) as unit:
        row, column = mapped_back(look)
        unit_opened(look, unit - 1, row, column)
        same(look, row, column)
    if following():
        return
    with page.predict(
        "window-stride",
        "Two outputs are neighbours on the map of scores. How many pixels apart are their windows?", [1, 4, 6, 28],
    ) as prediction:  # fmt: skip
        table(look.side)
        prediction.outcome(STRIDE, "because strides are multiplied: 1 · 4 · 1 · 1 = 4. Only the pool has a stride.")
    last = sliding_window.map_sizes(224)[-1]
    page.erratum(
        "A 224 × 224 picture gives 50 × 50 = 4 sets of outputs.",
        f"A 224 × 224 picture gives {last} × {last} = {last * last} sets of outputs. Four is the 32 × 32 "
        f"picture's: 2 × 2. With a box for every window each set has 4 class scores and 4 coordinates, {4 + 4} "
        "channels.",
    )


def mapped_back(look: Look) -> tuple[int, int]:
    """The map of the surest class, and on the picture the window of the output under the pointer: its row, column."""
    scores = maps_of(look.picture.image, look.side)[2]
    rows, columns = scores.shape[1:]
    left, right = st.columns(2, gap="large")
    with right:
        score_view = stage("window_output", zoom=False, hover=True)
    row, column = output_of(score_view, look, rows, columns)
    index = int(scores[:3, row, column].argmax())
    with left:
        stage("window_of_output", zoom=False).show(
            look.image, [Boxes([Box("window", window_at(row, column), "", ORANGE, width=3)])],
            alt="The window of the chosen output",
            caption=f"Its window: columns {column * STRIDE} to {column * STRIDE + WINDOW - 1}, rows {row * STRIDE} to "
            f"{row * STRIDE + WINDOW - 1}. 4 · {column} = {column * STRIDE}, 4 · {row} = {row * STRIDE}.",
        )  # fmt: skip
    with right:
        score_view.show(
            None,
            [Heat(scores[index].numpy(), "cividis", opacity=1.0, smooth=False),
             Boxes([Box("cell", (column, row, column + 1, row + 1), "", ORANGE, width=3)])],
            size=(columns, rows), alt=f"The score of {CLASSES[index]} for every window", pick=(0.5, 1.0),
            caption=f"The score of {CLASSES[index]}, {rows} × {columns} outputs. Point at one, or click to keep it.",
        )  # fmt: skip
    return row, column


def output_of(view, look: Look, rows: int, columns: int) -> tuple[int, int]:
    """Row and column of the output: under the pointer, else the last click, from the address, cut to what there is."""
    if view.clicked:
        address.keep(AT, f"{int(view.click.y)},{int(view.click.x)}")
    left, top = look.start
    default = top // STRIDE, left // STRIDE
    try:
        row, column = address.numbers(AT, 2, int) or default
    except ValueError:
        page.problem(f"The link's {AT} is no output like 4,4: click on the map instead.")
        row, column = default
    if view.hover is not None:
        row, column = int(view.hover.y), int(view.hover.x)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)


def unit_opened(look: Look, unit: int, row: int, column: int) -> None:
    """The 144 weights of a unit as 6×6×4, the 144 numbers below them, and their sum."""
    pooled, units, _ = maps_of(look.picture.image, look.side)
    hidden = both()[0][3]
    assert isinstance(hidden, nn.Conv2d), "the fourth of the layers is the convolution with 100 filters"
    weights, bias = hidden.weight[unit], hidden.bias
    patch = pooled[:, row : row + KERNEL, column : column + KERNEL]
    products = (weights * patch).sum(dim=(1, 2))
    value = float(units[unit, row, column])
    offset = 0.0 if bias is None else float(bias[unit])
    most = float(weights.abs().max())
    matrices("window_unit_weights", window=2).show(
        [Grid(f"w{k}", weights[k].numpy(), title=f"weights, map {k + 1}", vmin=-most, vmax=most,
              format="%.2f", cell=27) for k in range(CHANNELS)],
        caption=f"Row {unit + 1} of the fully connected layer has {CHANNELS * KERNEL**2} weights. Reshaped they are "
        "one filter of 6 × 6 × 4.",
    )  # fmt: skip
    top = float(patch.max())
    matrices("window_unit_patch", window=2).show(
        [Grid(f"x{k}", patch[k].numpy(), title=f"numbers, map {k + 1}", colour="sequential", vmin=0.0,
              vmax=max(top, 1e-9), format="%.2f", cell=27) for k in range(CHANNELS)],
        caption="After convolution, ReLU and pool: what the filter lies on, for the window above.",
    )  # fmt: skip
    terms = " ".join(f"{'+' if each >= 0 else '−'} {abs(float(each)):.4f}" for each in products).removeprefix("+ ")
    words(
        f"Unit {unit + 1}: {terms} {'+' if offset >= 0 else '−'} {abs(offset):.4f} (bias) = **{value:.4f}**, after "
        f"ReLU {max(value, 0):.4f}. Each of the four terms is the sum of one map's 36 products.",
        "window_unit_words",
    )


@st.cache_data(max_entries=512, show_spinner=False)
def compared(image: np.ndarray, side: int, row: int, column: int) -> np.ndarray:
    """(4, 2): the scores of one window, from its crop through fully connected layers, and from the map."""
    left, top = column * STRIDE, row * STRIDE
    crop = pixels_of(small(image, side))[:, top : top + WINDOW, left : left + WINDOW]
    with torch.inference_mode():
        alone = both()[1](crop[None])[0]
    return torch.stack([alone, maps_of(image, side)[2][:, row, column]], dim=1).numpy()


def same(look: Look, row: int, column: int) -> None:
    """The scores of one window both ways, to six digits."""
    scores = compared(look.picture.image, look.side, row, column)
    matrices("window_same", window=2).show(
        [Grid("scores", scores, title="this window", rows=CLASSES, columns=["crop, dense", "map, conv"],
              format="%.6f", cell=88, colour="none")],
        caption=f"Left: the crop alone, through fully connected layers. Right: one place of the maps of the whole "
        f"picture. Largest difference {np.abs(scores[:, 0] - scores[:, 1]).max():.0e}, in double precision.",
    )  # fmt: skip


def table(side: int) -> None:
    """The lectures' inputs layer by layer, and what the sliding window is on every map."""
    shown = sorted({*SIDES, side})
    rows = [f"| map | window, stride on it | {' | '.join(f'{each}² input' for each in shown)} |",
            "| --- | --- |" + " --- |" * len(shown)]  # fmt: skip
    found = [sliding_window.map_sizes(each) for each in shown]
    on_maps = sliding_window.window_on_each_map()
    for depth, name in enumerate(("picture", *(f"after {layer}" for layer in sliding_window.NAMES))):
        seen = f"{on_maps[depth][0]} × {on_maps[depth][0]}, {on_maps[depth][1]}" if depth < len(on_maps) else "scores"
        rows.append(f"| {name} | {seen} | " + " | ".join(f"{sizes[depth]}²" for sizes in found) + " |")
    st.markdown("\n".join(rows))
    st.caption(
        "The window moves by 4 on the picture and by 1 after the pool. "
        + " ".join(f"{each}² gives {sizes[-1]} × {sizes[-1]} = {sizes[-1] ** 2:,} windows."
                   for each, sizes in zip(shown, found, strict=True))
    )  # fmt: skip
