"""Integrated gradients: from a plain picture to the picture, adding up slopes, until the parts make the score."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs.saliency import contribution, largest_magnitude
from models import catalog
from models.inside import saliency
from models.inside.saliency import INPUT, STEPS, Integrated
from pages.saliency.shared import BASELINES, GREY, STEP, Focus, asked, baseline_of, end_of, integrated_of
from pages.shared.heat_maps import (
    BLUE,
    SIGNED,
    VERMILION,
    colour_bar,
    greyed,
    number,
    positive_layer,
    signed_layer,
)
from ui import page
from ui.components import following, live_slider, stage, words
from ui.pictures import KEPT

COUNTS = (2, 4, 8, 16, 32, 64)
PLACES = 32  # on the way, where the score is looked at


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def scores_on_the_way(network: str, image: np.ndarray, baseline: str) -> Tensor:
    """Logits (PLACES + 1, classes) from the baseline to the picture."""
    x, start, model = asked(network, image).x, baseline_of(network, baseline), catalog.load(network)
    return torch.cat([saliency.scores(model, way(x, start, place)[None]) for place in range(PLACES + 1)])


@st.cache_resource(max_entries=264, show_spinner=False)  # shared and only read
def gradient_on_the_way(network: str, image: np.ndarray, target: int, baseline: str, place: int) -> Tensor:
    """∂S/∂x (3, 224, 224) at one place."""
    x, start = asked(network, image).x, baseline_of(network, baseline)
    return saliency.gradient(catalog.load(network), way(x, start, place), target)


def way(x: Tensor, baseline: Tensor, place: int) -> Tensor:
    """The picture at one of the places."""
    return baseline + place / PLACES * (x - baseline)


@st.fragment
@page.guard()
def integrated(focus: Focus) -> None:
    page.section(
        "All the way from grey",
        "Integrated gradients: walk from a plain picture to this one and add up the slopes on the way.",
    )
    with st.container(horizontal=True):
        baseline = st.segmented_control(
            "Begin at", list(BASELINES), default=GREY, required=True, key="saliency_baseline",
            help="Grey is the colour that the network's normalisation makes zero.", **KEPT,
        )  # fmt: skip
        steps = st.select_slider("Steps", COUNTS, STEPS, key="saliency_steps", width=320, **KEPT)
    with st.spinner(f"{steps} gradients on the way", show_time=True):
        found = integrated_of(focus.network, focus.image, focus.target, baseline, steps)
        scored = scores_on_the_way(focus.network, focus.image, baseline)[:, focus.target]
    walk(focus, baseline, scored)
    if following():
        return
    end = end_of(found.heat)
    left, right = st.columns([2, 3], gap="large")
    with left:
        stage("saliency_integrated", zoom=False).show(
            greyed(focus.image), [signed_layer(found.heat, end)], alt=f"Integrated gradients of {focus.name}",
            caption=f"Integrated gradients of {focus.name} from {baseline}, {steps} steps.",
        )  # fmt: skip
        colour_bar(SIGNED, end, "logit per pixel")
    with right:
        st.markdown("\n".join(table(focus, baseline, found)))
        st.markdown(completeness(found, steps))


def walk(focus: Focus, baseline: str, scored: Tensor) -> None:
    """A place on the way: its picture, its gradient, and the score of all places."""
    with live_slider(
        "Share of the way", 0, 100, 100, step=5, key="saliency_way", unit="%", play=True, play_seconds=4
    ) as share:
        place = round(share / 100 * PLACES)
        start = baseline_of(focus.network, baseline)
        here = way(focus.said.x, start, place)
        slope = gradient_on_the_way(focus.network, focus.image, focus.target, baseline, place)
        heat = largest_magnitude(slope)
        end = end_of(heat)
        picture = (here.clamp(0, 1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        rise = float(contribution(focus.said.x, start, slope).sum())
        words(
            f"Here S = **{number(float(scored[place]))}**, and all pixels together would move it by "
            f"**{number(rise)}** if this slope held all the way.", "saliency_way_words",
        )  # fmt: skip
        left, right = st.columns(2, gap="medium")
        with left:
            stage("saliency_way_picture", width=340, zoom=False).show(
                picture, alt="The picture on the way", caption=f"{place} of {PLACES} parts of the way from {baseline}."
            )
        with right:
            stage("saliency_way_map", width=340, zoom=False).show(
                picture, [positive_layer(heat, end)], alt="The gradient there",
                caption=f"The gradient there; its colours end at {number(end)} {STEP}.",
            )  # fmt: skip
    if following():
        return
    half = half_way(scored)
    with page.predict(
        "saliency-half-way", f"At which share of the way from {baseline} has S of {focus.name} gone half of its way?",
        page.Number(0, 100, 5, "%") if half is not None else [],
    ) as prediction:  # fmt: skip
        chart(scored, place, baseline)
        prediction.outcome(
            half if half is not None else 0,
            f"It goes from {number(float(scored[0]))} to {number(float(scored[-1]))}. The gradient of the picture "
            "itself is the slope at the right end, where the score may hardly move any more.",
        )


def half_way(scored: Tensor) -> int | None:
    """The first share of the way in percent where half of the score's change is reached; None if it does not change."""
    change = float(scored[-1] - scored[0])
    if abs(change) < 1e-6:
        return None
    reached = (scored - scored[0]) / change >= 0.5
    return round(100 * int(reached.int().argmax()) / PLACES)


def chart(scored: Tensor, place: int, baseline: str) -> None:
    shares = np.linspace(0, 100, PLACES + 1)
    figure = go.Figure()
    figure.add_scatter(x=shares, y=scored.numpy(), mode="lines", line_color=BLUE, name="S")
    figure.add_scatter(x=[shares[place]], y=[float(scored[place])], mode="markers", name="here",
                       marker={"size": 13, "color": VERMILION})  # fmt: skip
    figure.update_layout(
        xaxis_title=f"share of the way from {baseline}, %", yaxis_title="score S, logit", showlegend=False,
        margin={"t": 10, "b": 40, "l": 50, "r": 10},
    )  # fmt: skip
    page.figure(figure, "saliency_way_chart", height=240, alt="The score on the way from the baseline to the picture")


def table(focus: Focus, baseline: str, found: Integrated) -> list[str]:
    """What should be equal, beside what is only a slope."""
    plain = contribution(
        focus.said.x, baseline_of(focus.network, baseline),
        gradient_on_the_way(focus.network, focus.image, focus.target, baseline, PLACES),
    )  # fmt: skip
    return [
        "| | logits |",
        "|---|---:|",
        f"| S of the picture | {number(found.score, 5)} |",
        f"| S of plain {baseline} | {number(found.start, 5)} |",
        f"| **the difference** | **{number(found.score - found.start, 5)}** |",
        f"| **sum of integrated gradients** | **{number(float(found.heat.double().sum()), 5)}** |",
        f"| sum of {INPUT} | {number(float(plain.double().sum()), 5)} |",
    ]


def completeness(found: Integrated, steps: int) -> str:
    change = found.score - found.start
    share = f", {abs(found.missing / change):.1%} of the difference" if abs(change) > 1e-6 else ""
    return (
        f"**Completeness**: with {steps} steps the map misses the difference by "
        f"**{number(found.missing, 2)}**{share}. More steps, less missing. {INPUT.capitalize()} takes the last slope "
        "for the whole way, so nothing makes it add up."
    )
