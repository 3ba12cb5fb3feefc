"""The last layer of both heads, opened: every score and every number of the box is a sum of 64 products."""

import streamlit as st

from labs import localization
from labs.localization import NUMBERS
from models.networks.localizer import HIDDEN, Head
from pages.localization.shared import SIZE, Focus
from scenes import THINGS
from ui import page
from ui.components import Grid, matrices
from ui.pictures import KEPT

SIDE = 8  # the 64 numbers of a hidden layer, as a square


@st.fragment
@page.guard()
def last_layer(focus: Focus) -> None:
    page.section(
        "Two heads, one trunk",
        "The trunk looks once; each head ends in a fully connected layer, a sum of 64 products for every output.",
    )
    with st.container(key="line-last", horizontal=True):
        name = st.segmented_control(
            "Output", [*NUMBERS, *THINGS], default="x", required=True, key="localization_output", **KEPT
        )
    head, index = opened(focus, name)
    terms = localization.last_layer(head.hidden, head.weights, head.bias, index)
    whole, rest = float(terms.output), float(terms.products.sum())
    with page.predict(
        "localization-share",
        f"How many of the {HIDDEN} products add something above 0 to {name}?",
        page.Number(0, HIDDEN, 1),
    ) as prediction:
        square = [each.reshape(SIDE, SIDE).numpy() for each in (head.hidden, head.weights[index], terms.products)]
        matrices("localization_last").show(
            [
                Grid("h", square[0], "hidden layer h", format="%.2f", cell=30), "×",
                Grid("w", square[1], f"weights of {name}", format="%.2f", cell=30), "=",
                Grid("wh", square[2], "products", format="%.2f", cell=30),
            ],
            caption="A ReLU has set the numbers below 0 of the hidden layer to 0. Blue is below 0, orange-red above.",
        )  # fmt: skip
        pixels = f" sides of the picture, **{whole * SIZE:.1f} px**" if name in NUMBERS else ", a score before softmax"
        st.markdown(
            f"Sum of the products **{rest:.4f}** + bias **{float(terms.bias):.4f}** = {name} = **{whole:.4f}**{pixels}."
        )
        prediction.outcome(
            int((terms.products > 0).sum()), "The others are 0 after the ReLU, or pull the sum down."
        )  # fmt: skip
    scores(focus)


def opened(focus: Focus, name: str) -> tuple[Head, int]:
    """The head that says this output, and which of its rows it is."""
    if name in NUMBERS:
        return focus.said.box_head, NUMBERS.index(name)
    return focus.said.class_head, THINGS.index(name)


def scores(focus: Focus) -> None:
    """All outputs of both heads."""
    said = focus.said
    rows = ["| class | score | softmax |", "|---|---:|---:|"]
    rows += [f"| {name} | {float(score):.2f} | {float(share):.3f} |"
             for name, score, share in zip(THINGS, said.scores, said.probabilities, strict=True)]  # fmt: skip
    st.markdown("\n".join(rows))
    st.caption(
        "Eight scores and four numbers: twelve outputs for one thing. Softmax shares out 1 among the classes, so it "
        "takes for granted that exactly one of them is there."
    )
