"""What the views of the transposed convolution page share."""

from contextlib import AbstractContextManager

import numpy as np
import streamlit as st
from torch import Tensor

from labs import checkerboard
from labs.transposed_convolution import Geometry
from ui.components import Grid, live_slider, matrices, words

CUT = "✂"  # heads a row or column that trimming removes


def binomial(kernel: int) -> np.ndarray:
    """(k,) 1, 2, 1 or 1, 3, 3, 1: at stride 2 the filter that interpolates linearly, times a constant."""
    return np.array([1.0]) if kernel == 1 else np.convolve(binomial(kernel - 1), [1, 1])


MEANING = {
    "Padding": "Cuts so many lines off every side of the output. The same number adds lines in a convolution.",
    "Output padding": "Gives back so many of the lines cut at the end. It is smaller than the stride.",
}


def bounded(label: str, high: int, default: int, key: str) -> AbstractContextManager[int]:
    """Slider "Padding" or "Output padding" from 0 to the largest legal value; where only 0 is legal it stands still,
    with the same head, so that nothing beside it moves."""
    if high >= 1:
        return live_slider(label, 0, high, min(default, high), key=key, window=2, help=MEANING[label])
    st.session_state[key] = 0
    told = f"{MEANING[label]} Only 0 is possible with these numbers."
    return live_slider(label, 0, 1, 0, key=key, disabled=True, help=told)


def size_sum(size: int, kernel: int, g: Geometry) -> str:
    """The output size of a transposed convolution as a sum with the numbers of now."""
    reach = f"{kernel}" if g.dilation == 1 else f"({g.dilation}·{kernel - 1} + 1)"
    return (
        f"stride·(input − 1) + filter − 2·padding + output padding = {g.stride}·{size - 1} + {reach} − 2·{g.padding} + "
        f"{g.output_padding} = **{g.transposed_size(size, kernel)}**"
    )


def slots(count: int, width: int) -> list:
    """`count` slots for controls side by side, `width` CSS pixels each; a phone gets two a line instead of one."""
    line = st.container(horizontal=True)
    return [line.container(width=width) for _ in range(count)]


def links(matrix: Tensor, output: str, across: int, source: str, source_across: int) -> dict:
    """Hover links of output = matrix @ source for maps that are `across` cells wide."""
    found = {}
    for r, c in matrix.nonzero().tolist():
        sources = found.setdefault((output, *divmod(r, across)), [])
        sources.append((source, *divmod(c, source_across), matrix[r, c].item()))
    return found


def agree(key: str, call: str, ours: Tensor, theirs: Tensor) -> None:
    """One line: the library's result for the numbers on the page, and how far ours is from it."""
    gap = float((ours - theirs).abs().max())
    values = "" if theirs.ndim > 1 else " = " + ", ".join(f"{value:g}" for value in theirs.tolist())
    badge = ":green-badge[✓ equal]" if gap < 1e-9 else ":red-badge[different]"
    words(f"`{call}`{values} {badge} :gray[difference {gap:g}]", key)


def arguments(g: Geometry, *, transposed: bool = True) -> str:
    parts = [f"stride={g.stride}", f"padding={g.padding}"]
    parts += [f"output_padding={g.output_padding}"] if transposed else []
    return ", ".join(parts + ([f"dilation={g.dilation}"] if g.dilation > 1 else []))


def options(g: Geometry) -> dict:
    return {"stride": g.stride, "padding": g.padding, "output_padding": g.output_padding, "dilation": g.dilation}


def strip(key: str, inputs: int, kernel: int, stride: int, caption: str) -> None:
    """One axis: the copies that `inputs` pixels write, one under the other, and how many land on every output."""
    length = Geometry(stride).stamped_size(inputs, kernel)
    copies = np.full((inputs + 1, length), np.nan)
    for i in range(inputs):
        copies[i, stride * i : stride * i + kernel] = 1
    copies[inputs] = checkerboard.overlap_counts(inputs, kernel, stride).numpy()
    matrices(key, window=2).show(
        [
            Grid("copies", copies, title=f"{inputs} inputs, {length} outputs, copies on each of them", vmin=0, vmax=4,
                 colour="sequential", rows=[*(f"input {i + 1}" for i in range(inputs)), "sum"], cell=26)
        ],
        highlight=[("copies", inputs, column) for column in range(length)],
        caption=caption,
    )  # fmt: skip
