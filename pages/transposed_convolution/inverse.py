"""Why transposed convolution does not undo a convolution."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry
from pages.transposed_convolution.shared import binomial, bounded, slots
from ui import page
from ui.components import Grid, live_slider, matrices

LENGTHS = range(4, 13)
# No ramp: a binomial filter, there and back, only scales what rises evenly, and that would look like an inverse.
NUMBERS = (3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8)


@st.fragment
@page.guard()
@page.alike
def inverse() -> None:
    with ExitStack() as sliders:
        columns = slots(4, 160)
        with columns[0]:
            length = sliders.enter_context(live_slider("Input size", 4, 12, 8, key="back_length", play=True, window=2))
        with columns[1]:
            kernel = sliders.enter_context(live_slider("Filter size", 1, 4, 3, key="back_kernel", window=2))
        with columns[2]:
            stride = sliders.enter_context(live_slider("Stride", 1, 3, 2, key="back_stride", window=2))
        with columns[3]:
            padding = sliders.enter_context(bounded("Padding", kernel - 1, 1, "back_padding"))
        there_and_back(length, kernel, Geometry(stride, padding))


def there_and_back(length: int, kernel: int, g: Geometry) -> None:
    weight, u = torch.from_numpy(binomial(kernel)), torch.tensor(NUMBERS[:length], dtype=torch.float64)
    reached = [g.convolved_size(n, kernel) for n in LENGTHS]
    output = g.convolved_size(length, kernel)
    same, smallest = list(g.sizes_with_output(output, kernel)), g.transposed_size(output, kernel)
    extra = length - smallest
    there = tc.convolution_matrix(weight, length, g) @ u
    back = tc.transposed_convolution_matrix(weight, output, Geometry(g.stride, g.padding, extra)) @ there
    together = {1: "Only {} gives", 2: "{} both give"}.get(len(same), "{} all give")
    need = ", ".join(f"{n - smallest} to reach {n}" for n in same)
    with page.predict(
        "sizes",
        f"Filter {kernel}, stride {g.stride}, padding {g.padding}: how many input sizes become {output}?",
        sorted({1, 2, 3, len(same)}),
    ) as prediction:
        matrices("back_sizes", window=2).show(
            [Grid("sizes", np.array([reached]), title="size after the convolution, for every input size",
                  columns=[str(n) for n in LENGTHS], colour="none")],
            highlight=[("sizes", 0, n - LENGTHS[0]) for n in same if n in LENGTHS],
            caption=f"{together.format(' and '.join(map(str, same)))} {output}. "
            f" Output padding says which one to go back to: {need}.",
        )  # fmt: skip
        prediction.outcome(
            len(same),
            f"because the size formula divides by the stride {g.stride} and rounds down: "
            f"{' and '.join(map(str, same))} {'become' if len(same) > 1 else 'becomes'} {output}.",
        )
    look = {"colour": "sequential", "vmin": 0, "cell": 34}
    matrices("back_values", window=2).show(
        [
            Grid("u", u.numpy(), **look),
            "→",
            Grid("Xu", there.numpy(), title="X u", **look),
            "→",
            Grid("back", back.numpy(), title="Xᵀ X u", **look),
        ],
        caption=f"There and back with output padding {extra}. "
        + (
            "Here the numbers return as well, because X is the identity: take a longer filter or a stride."
            if torch.equal(back, u)
            else "The size returns, the numbers do not: Xᵀ is the transpose of X, not its inverse."
        ),
    )
