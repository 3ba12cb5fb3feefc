"""The first picture, and where in it half of a map lies."""

import numpy as np
import streamlit as st
from torch import Tensor

from labs import heat_map_quality
from labs.saliency import fewest_pixels
from models.inside.saliency import CONTRIBUTIONS, GRADIENT, GUIDED, INPUT, INTEGRATED, METHODS, SMOOTHGRAD
from pages.saliency.shared import STEP, Focus, end_of
from pages.shared.heat_maps import POSITIVE, SIGNED, colour_bar, greyed, number, positive_layer, signed_layer
from ui import page
from ui.components import Heat, Labels, stage
from ui.pictures import KEPT

MEANS = {
    GRADIENT: "max |∂S/∂x| of a pixel's channels: how much would S move if the pixel changed a little?",
    INPUT: "Σ (x − grey) · ∂S/∂x: what each pixel would have added, were the network linear.",
    SMOOTHGRAD: "The gradient, averaged over noisy copies of the picture.",
    INTEGRATED: "(x − grey) times the mean gradient on the way from grey: contributions that add up.",
    GUIDED: "A gradient that lets only positive parts back through every ReLU: sharp, and hardly of this class.",
}


@st.fragment
@page.guard()
def play(focus: Focus) -> None:
    """The picture beside the map of the class."""
    pictures, below = st.container(), st.container()
    with below:
        method = st.segmented_control("Method", METHODS, default=GRADIENT, required=True, key="saliency_method", **KEPT)
    with pictures:
        with st.spinner(f"{method} asks the network", show_time=True):
            heat = focus.map_of(method)
        with st.container(key="abreast-saliency"):
            left, right = st.columns(2, gap="medium")
        with left:
            stage("saliency_picture", width=305, zoom=False).show(
                focus.image, alt="The picture, as the network sees it", caption=guesses(focus)
            )
        end = end_of(heat)
        with right:
            stage("saliency_map", width=305, zoom=False).show(
                under(focus, method), [layer(method, heat, end)], alt=f"{method} of {focus.name}",
                caption=f"{focus.name}, S = {number(focus.score)}. {MEANS[method]}",
            )  # fmt: skip
    bar(method, end)
    page.footer(focus.network, focus.model.device, focus.said.seconds * 1000)


def layer(method: str, heat: Tensor, end: float) -> Heat:
    """A map as its kind is drawn: contributions signed over grey, sensitivities from black."""
    return signed_layer(heat, end) if method in CONTRIBUTIONS else positive_layer(heat, end)


def under(focus: Focus, method: str) -> np.ndarray:
    """The picture that lies under such a map."""
    return greyed(focus.image) if method in CONTRIBUTIONS else focus.image


def bar(method: str, end: float) -> None:
    """The colours of such a map, with its unit."""
    if method in CONTRIBUTIONS:
        colour_bar(SIGNED, end, "logit per pixel")
    else:
        colour_bar(POSITIVE, end, STEP, most="moves the score")


def guesses(focus: Focus) -> str:
    """The three most probable classes."""
    best = ((focus.classes[i], float(focus.said.probabilities[i])) for i in focus.said.ranked[:3])
    return "Probabilities: " + ", ".join(f"{name} {share:.2f}" for name, share in best)


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
        told = ""
        if on is not None:
            share = heat_map_quality.energy_share(heat, focus.mask)
            told = (
                f"{share:.0%} of the sensitivity lies on the {focus.name}, which covers {focus.mask.mean():.0%} of the "
                "picture. What lies beside it would move the score too: the network sees a thing with its surroundings."
            )
        asked.outcome("Yes" if on else "No", told)
