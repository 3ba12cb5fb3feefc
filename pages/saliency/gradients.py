"""The gradient of a class's score at every pixel of the picture."""

from time import perf_counter

import numpy as np
import streamlit as st

from labs import heat_map_quality
from labs.saliency import fewest_pixels
from models.inside.saliency import GRADIENT
from pages.saliency.shared import STEP, Focus, end_of
from pages.shared.heat_maps import POSITIVE, colour_bar, number, positive_layer
from ui import page
from ui.components import Labels, stage


@st.fragment
@page.guard()
def play(focus: Focus) -> None:
    """The picture beside the map of the class."""
    start = perf_counter()
    heat = focus.map_of(GRADIENT)
    took = perf_counter() - start
    end = end_of(heat)
    left, right = st.columns(2, gap="medium")
    with left:
        stage("saliency_picture", width=400, zoom=False).show(
            focus.image, alt="The picture, as the network sees it", caption=guesses(focus)
        )
    with right:
        stage("saliency_map", width=400, zoom=False).show(
            focus.image, [positive_layer(heat, end)], alt=f"Gradient saliency of {focus.name}",
            caption=f"{focus.name}: bright pixels move its score S = {number(float(focus.said.logits[focus.target]))}.",
        )  # fmt: skip
    colour_bar(POSITIVE, end, STEP, most="moves the score")
    page.footer(focus.network, focus.model.device, took * 1000)


def guesses(focus: Focus) -> str:
    """The three most probable classes."""
    best = focus.said.probabilities.argsort(descending=True)[:3].tolist()
    return "Probabilities: " + ", ".join(f"{focus.classes[i]} {float(focus.said.probabilities[i]):.2f}" for i in best)


@st.fragment
@page.guard()
def spread(focus: Focus) -> None:
    page.section("Where does it lie?", "A handful of pixels can hold half of all that a map says.")
    heat = focus.map_of(GRADIENT)
    half = fewest_pixels(heat)
    with page.predict(
        "saliency-half", f"Which share of all pixels holds half of the sensitivity of {focus.name}?",
        page.Number(0, 50, 1, "%"),
    ) as prediction:  # fmt: skip
        stage("saliency_half", width=400, zoom=False).show(
            focus.image, [Labels((~half).numpy().astype(np.uint8), [None, "#202020"], 0.85)],
            alt="The fewest pixels that hold half of the sensitivity",
            caption=f"What is left: {float(half.float().mean()):.1%} of the pixels, and half of the sum of the map.",
        )  # fmt: skip
        prediction.outcome(
            round(100 * float(half.float().mean())),
            f"{int(half.sum())} of {half.numel()} pixels. The rest shares the other half.",
        )
    options = ["Yes", "No"] if focus.mask is not None else []
    with page.predict("saliency-peak", f"Does the pixel that matters most lie on the {focus.name}?", options) as asked:
        row, column = divmod(int(heat.argmax()), heat.shape[1])
        on = None if focus.mask is None else bool(focus.mask[row, column])
        st.markdown(f"The largest value, **{number(float(heat.max()))}**, is at row {row}, column {column}.")
        share = heat_map_quality.energy_share(heat, focus.mask) if on is not None else 0.0
        asked.outcome(
            "Yes" if on else "No",
            "" if on is None else f"{share:.0%} of the sensitivity lies on the {focus.name}, which covers "
            f"{focus.mask.mean():.0%} of the picture. What lies beside it would move the score too: the network sees "
            "a thing with its surroundings.",
        )
