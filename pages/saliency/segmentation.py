"""A segmentation by a network that never saw a mask: seeds from its saliency, and a cut by colour."""

from contextlib import ExitStack

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import grab_cut_seeds as lab
from models.inside.saliency import METHODS
from pages.saliency.shared import Focus
from pages.shared.heat_maps import BLUE, VERMILION
from ui import page
from ui.components import Labels, following, live_slider, stage, words
from ui.pictures import KEPT

QUANTILES = (0.80, 0.85, 0.90, 0.95, 0.98)  # of the thing's seeds, tried by the question
SEEDED = [BLUE, VERMILION, None]  # by lab.REST, lab.THING, lab.OPEN
CUT_OUT = ["#202020", None]


@st.cache_data(max_entries=256, show_spinner=False)
def segmented(
    network: str, image: np.ndarray, target: int, method: str, _heat, thing: float, rest: float, rounds: int
) -> np.ndarray:
    """Bool (224, 224): what the cut finds, at quantiles in hundredths so that a drag meets what it has left behind."""
    return lab.segment(image, _heat, thing, rest, rounds)


@st.fragment
@page.guard()
def segmentation(focus: Focus) -> None:
    page.section(
        "From saliency to a segmentation",
        "The network never saw an outline. Its most salient pixels seed the thing's colours, and a cut finds the rest.",
    )
    method = st.segmented_control("Map", METHODS, default=METHODS[0], required=True, key="cut_method", **KEPT)
    heat = focus.map_of(method).abs()  # what speaks against a class is salient, too
    columns, below = st.columns(3, gap="medium"), st.container()
    with ExitStack() as sliders:
        with columns[0]:
            thing = sliders.enter_context(live_slider("The thing: above this quantile", 0.5, 0.99, lab.FOREGROUND,
                                                      step=0.01, key="cut_thing", format="%.2f"))  # fmt: skip
        with columns[1]:
            rest = sliders.enter_context(live_slider("The rest: up to this quantile", 0.05, 0.45, lab.BACKGROUND,
                                                     step=0.01, key="cut_rest", format="%.2f"))  # fmt: skip
        with columns[2]:
            rounds = sliders.enter_context(live_slider("Rounds of GrabCut", 0, 5, 0, key="cut_rounds"))
        sliders.enter_context(below)
        marked = lab.seeds(heat, thing, rest)
        found = segmented(
            focus.network, focus.image, focus.target, method, heat, round(thing, 2), round(rest, 2), rounds
        )
        left, right = st.columns(2, gap="medium")
        with left:
            stage("cut_seeds", width=400, zoom=False).show(
                focus.image, [Labels(marked, SEEDED, 0.7)], alt=f"Seeds from the {method} of {focus.name}",
                caption="Vermilion seeds the thing, blue the rest; between them the cut decides.",
            )  # fmt: skip
        with right:
            stage("cut_found", width=400, zoom=False).show(
                focus.image, [Labels(found.astype(np.uint8), CUT_OUT, 0.8)], alt=f"What the cut takes for {focus.name}",
                caption="Bright: the largest piece that the cut gives to the thing.",
            )  # fmt: skip
        words(sentence(focus, marked, found), "cut_said")
    if not following():
        question(focus, method, heat, rest, rounds)
        st.caption(
            "In the paper the colours of the seeds are cut once (GraphCut): that is 0 rounds here. GrabCut then fits "
            "the colours to what was found and cuts again. Colours are all it has: a thing of many colours, or one "
            "that looks like its ground, is found in part."
        )


def sentence(focus: Focus, marked: np.ndarray, found: np.ndarray) -> str:
    """How well seeds and cut cover the truth, where it is known."""
    if focus.mask is None:
        return f"The cut takes **{found.mean():.0%}** of the picture. Nobody has outlined a {focus.name} in it."
    seeds = marked == lab.THING
    hit = float(focus.mask[seeds].mean())
    return (
        f"IoU with the exact mask **{lab.mask_iou(found, focus.mask):.2f}**; the seeds alone reach "
        f"{lab.mask_iou(seeds, focus.mask):.2f}, and {hit:.0%} of them lie on the {focus.name}"
    )


def question(focus: Focus, method: str, heat, rest: float, rounds: int) -> None:
    """Fewer and surer seeds, or more of them? The cut's IoU for several quantiles."""
    with page.predict(
        "cut-quantile",
        f"Rest at {rest:.2f}, {rounds} rounds: above which quantile must seeds lie for the best IoU?",
        [f"{each:.2f}" for each in QUANTILES] if focus.mask is not None else [],
    ) as prediction:
        if focus.mask is None:
            prediction.outcome("", "")
            return
        overlaps = {}
        for each in QUANTILES:
            found = segmented(focus.network, focus.image, focus.target, method, heat, each, round(rest, 2), rounds)
            overlaps[f"{each:.2f}"] = lab.mask_iou(found, focus.mask)
        figure = go.Figure(go.Bar(x=list(overlaps), y=list(overlaps.values()), marker_color=BLUE))
        figure.update_layout(
            xaxis={"title": "quantile above which pixels seed the thing", "type": "category"}, yaxis_title="IoU",
            yaxis_range=[0, 1], margin={"t": 10, "b": 40, "l": 50, "r": 10},
        )  # fmt: skip
        page.figure(figure, "cut_curve", height=240, alt="IoU of the cut against the quantile of the thing's seeds")
        best = max(overlaps, key=lambda each: overlaps[each])
        prediction.outcome(
            best, f"There the IoU is {overlaps[best]:.2f}, at {lab.FOREGROUND:.2f} {overlaps['0.95']:.2f}. "
            "More seeds know more of the thing's colours, and more of them lie beside it.",
        )  # fmt: skip
