"""What a t-SNE plot does not say: clouds whose truth is known, and what becomes of their widths and distances."""

import math
from contextlib import ExitStack

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from labs import known_clouds, t_sne
from labs.principal_components import principal_components, project
from pages.feature_space.thumbnails import fitted
from ui import page
from ui.components import Points, live_slider, stage, words
from ui.pictures import KEPT

GAUSSIAN, WIDTHS, DISTANCES = "One cloud", "Two widths", "Two distances"
CLOUDS = (GAUSSIAN, WIDTHS, DISTANCES)
PERPLEXITIES = (2, 3, 5, 10, 20, 30, 40, 49)
SIDE = 400  # pixels of a plot
COLOURS = ("#0072B2", "#E69F00", "#009E73")
TIMES = {"the same": 1.0, "twice": 2.0, "5 times": 5.0, "10 times": 10.0}

EVEN = {"in clumps": 0.92, "as thrown": 1.03, "evenly apart": math.inf}  # below which evenness


@st.fragment
@page.guard()
def clusters() -> None:
    page.section(
        "What the plot does not say",
        "Points whose truth is known: are the groups of the plot real, and do widths and distances mean anything?",
    )
    with ExitStack() as sliders:
        choice, first, second = st.columns([5, 3, 3], gap="medium")
        with choice:
            kind = st.segmented_control("Points", CLOUDS, default=WIDTHS, required=True, key="clouds_kind", **KEPT)
        with first:
            perplexity = sliders.enter_context(
                live_slider("Perplexity", options=PERPLEXITIES, value=30, key="clouds_perplexity")
            )
        ratio = 1.0
        if kind != GAUSSIAN:
            with second:
                ratio = sliders.enter_context(
                    live_slider("Times as wide", 1.0, 10.0, 10.0, step=0.5, key="clouds_wide") if kind == WIDTHS else
                    live_slider("Times as far", 1.0, 10.0, 5.0, step=0.5, key="clouds_far")
                )  # fmt: skip
        points, groups = cloud(kind, ratio)
        places = plotted(kind, ratio, perplexity)
        question, options, answer, explain = asked(kind, points, groups, places)
        with page.predict(f"space-clouds-{CLOUDS.index(kind)}", question, options) as prediction:
            left, right = st.columns(2, gap="medium")
            with left:
                show(
                    "clouds_truth",
                    truth_of(points),
                    groups,
                    "**In truth**" + (": its first two principal components" if points.shape[1] > 2 else ""),
                    f"{kind}, in truth",
                )
            with right:
                show("clouds_plot", places, groups, f"**t-SNE**, perplexity {perplexity}", f"{kind}, by t-SNE")
            words(measured(kind, points, groups, places), "clouds_measured")
            prediction.outcome(answer, explain)


@st.cache_data(max_entries=64, show_spinner=False)
def cloud(kind: str, ratio: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if kind == GAUSSIAN:
        return known_clouds.one_gaussian()
    return (known_clouds.two_widths if kind == WIDTHS else known_clouds.two_distances)(ratio)


@st.cache_data(max_entries=256, show_spinner=False)
def plotted(kind: str, ratio: float, perplexity: float) -> NDArray[np.float64]:
    """Where t-SNE puts them in the end."""
    points, _ = cloud(kind, ratio)
    *_, last = t_sne.descend(points, t_sne.Settings(perplexity, iterations=500, exaggerated=100), every=100)
    return last.places


def truth_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of the plane as they are, others by their principal components."""
    return points if points.shape[1] == 2 else project(points, principal_components(points))


def show(key: str, places: NDArray[np.float64], groups: NDArray[np.int64], title: str, alt: str) -> None:
    words(title, f"{key}_title")
    dots = Points(fitted(places, SIDE, 14), radius=3.5, colours=[COLOURS[group] for group in groups])
    stage(key, zoom=False, width=SIDE).show(None, [dots], size=(SIDE, SIDE), alt=alt)


def asked(
    kind: str, points: NDArray[np.float64], groups: NDArray[np.int64], places: NDArray[np.float64]
) -> tuple[str, list[str], str, str]:
    """Question, options, answer and why, of these points."""
    if kind == GAUSSIAN:
        even = known_clouds.evenness(places)
        return (
            f"{len(points)} points of one Gaussian in {points.shape[1]} dimensions, so no groups. How do they lie on "
            "the plot?",
            list(EVEN), next(name for name, most in EVEN.items() if even < most),
            f"Their evenness is {even:.2f}. With few neighbours to keep, t-SNE pulls chance pairs together; with many, "
            "it spreads all evenly.",
        )  # fmt: skip
    measure = known_clouds.widths if kind == WIDTHS else known_clouds.steps
    true, seen = (float(found[1] / found[0]) for found in (measure(points, groups), measure(places, groups)))
    nearest = min(TIMES, key=lambda name: abs(math.log(max(seen, 1e-9) / TIMES[name])))
    if kind == WIDTHS:
        return (
            f"The orange group is {true:.1f} times as wide as the blue one. And on the plot?", list(TIMES), nearest,
            f"It is {seen:.2f} times as wide there: every point has a Gaussian of its own width, so a thin cloud and a "
            "dense one look alike.",
        )  # fmt: skip
    return (
        f"Green is {true:.1f} times as far from orange as orange is from blue. And on the plot?", list(TIMES), nearest,
        f"It is {seen:.2f} times as far there: between groups the p_ij are almost 0, whether they are far or very far.",
    )  # fmt: skip


def measured(kind: str, points: NDArray[np.float64], groups: NDArray[np.int64], places: NDArray[np.float64]) -> str:
    """The numbers of both pictures, in a sentence."""
    if kind == GAUSSIAN:
        return (
            f"How evenly they lie (Clark and Evans): **{known_clouds.evenness(truth_of(points)):.2f}** on the "
            f"principal components, **{known_clouds.evenness(places):.2f}** by t-SNE. At 1 they lie as thrown, below "
            "in clumps, above they keep apart."
        )
    if kind == WIDTHS:
        true, seen = known_clouds.widths(points, groups), known_clouds.widths(places, groups)
        what = "Width of orange over blue"
    else:
        true, seen = known_clouds.steps(points, groups), known_clouds.steps(places, groups)
        what = "Distance orange to green over blue to orange"
    return f"{what}: **{true[1] / true[0]:.2f}** in truth, **{seen[1] / seen[0]:.2f}** on the plot."
