"""Does a map tell about the network, or about the picture? Forget the network layer by layer, and compare."""

import math

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from labs import heat_map_quality
from models import catalog
from models.inside import attribution, explanations
from models.inside.attribution import GRAD_CAM
from models.inside.saliency import METHODS as OF_PIXELS
from models.networks.classifier import LoadedClassifier
from pages.saliency.shared import DRAWINGS, Focus, end_of
from pages.shared.heat_maps import BLUE, GREEN, ORANGE, SKY, VERMILION, positive_layer
from scenes import THINGS
from ui import figures, page
from ui.components import following, live_slider, stage, words

SEED = 0  # of the new weights
EDGES = "edges (no network)"
ALL = (*OF_PIXELS, GRAD_CAM, EDGES)
AT_HAND = tuple(each for each in ("gradient", "guided backpropagation", GRAD_CAM, EDGES) if each in ALL)  # quick ones
COLOURS = (BLUE, SKY, GREEN, ORANGE, VERMILION, "#CC79A7", "#707070")
KEEPS = 0.5  # a rank correlation from which on a map has kept its order, for the verdict in words


@st.cache_resource(max_entries=24, show_spinner=False)
def forgetful(count: int) -> LoadedClassifier:
    """The lab's network after so many layers from the top were drawn anew; a copy of its own."""
    return attribution.randomised(catalog.load(DRAWINGS), SEED, count)


@st.cache_resource(max_entries=512, show_spinner=False)  # shared and only read
def map_of(image: np.ndarray, target: int, method: str, count: int) -> Tensor:
    """The map (224, 224) of a method when so many layers are forgotten. Signed ones by magnitude: the sign of a
    random network's answer says nothing."""
    if method == EDGES:
        return heat_map_quality.sobel_map(image)
    return explanations.explain(forgetful(count), image, target, method).abs()


@st.cache_data(max_entries=512, show_spinner=False)
def likeness(image: np.ndarray, target: int, method: str, count: int) -> tuple[float, float]:
    """Spearman's rank correlation and SSIM with the map of the trained network; NaN for a map that is constant."""
    pair = map_of(image, target, method, 0).numpy(), map_of(image, target, method, count).numpy()
    return heat_map_quality.rank_correlation(*pair), heat_map_quality.similarity(*pair)


@st.fragment
@page.guard()
def randomised(focus: Focus) -> None:
    page.section(
        "Does it tell the truth?",
        "Draw the network's layers anew, one by one from the top. A map that stays was not about the network.",
    )
    if focus.network != DRAWINGS:
        st.info(f"This section forgets the layers of {DRAWINGS}, which knows drawings: choose a Lab World scene.")
        return
    names = ["head", *reversed(attribution.layers(catalog.load(DRAWINGS)))]
    image, target = focus.image, focus.target
    with live_slider(
        "Layers drawn anew, from the top", 0, len(names), 3, key="randomised_count", play="once", play_seconds=8
    ) as count:
        forgotten = ", ".join(names[:count]) or "none"
        said = float(forgetful(count)(image).probabilities[target])
        words(f"Forgotten: **{forgotten}**. The network says {focus.name} with {said:.2f}.", "randomised_said")
        panels(focus, count)
    if not following():
        question(focus, count)
        measured(focus, names, count)


def panels(focus: Focus, count: int) -> None:
    """The quick methods, of the trained network above and of the forgetful one below."""
    for column, method in zip(st.columns(len(AT_HAND), gap="small"), AT_HAND, strict=True):
        with column:
            st.markdown(f"**{method}**")
            for name, forgotten in (("trained", 0), ("anew", count)):
                heat = map_of(focus.image, focus.target, method, forgotten)
                caption = "trained" if name == "trained" else alike(*likeness(focus.image, focus.target, method, count))
                stage(f"randomised_{name}_{AT_HAND.index(method)}", zoom=False).show(
                    focus.image, [positive_layer(heat, end_of(heat))],
                    alt=f"{method} of {focus.name}, {'trained network' if not forgotten else 'layers drawn anew'}",
                    caption=caption,
                )  # fmt: skip


def alike(rho: float, ssim: float) -> str:
    return "the same everywhere: nothing to compare" if math.isnan(rho) else f"ρ = {rho:.2f}, SSIM = {ssim:.2f}"


def question(focus: Focus, count: int) -> None:
    """Which of the methods that ask the network is the least disturbed?"""
    asking = [method for method in AT_HAND if method != EDGES]
    with page.predict(
        "randomised-stays",
        f"{count} layers drawn anew, and {focus.name} is asked for: which map keeps the order of its pixels best?",
        asking if count else [],
    ) as prediction:
        rhos = {method: likeness(focus.image, focus.target, method, count)[0] for method in AT_HAND}
        told = ", ".join(f"{method} {'–' if math.isnan(rho) else f'{rho:.2f}'}" for method, rho in rhos.items())
        st.markdown(f"Rank correlation with the trained network's map: {told}.")
        best = max(asking, key=lambda method: np.nan_to_num(rhos[method], nan=-1.0))
        prediction.outcome(best, f"The edges of the picture keep {rhos[EDGES]:.2f}, for they never asked the network.")


def measured(focus: Focus, names: list[str], count: int) -> None:
    """All methods after every number of forgotten layers, once somebody asks."""
    key = f"randomised_{focus.picture.name}_{focus.target}"
    steps = [(method, depth) for method in ALL for depth in range(len(names) + 1)]
    if not st.session_state.get(key):
        slot = st.empty()
        if not slot.button(f"Measure all {len(ALL) - 1} methods", icon=":material/play_arrow:",
                           key="randomised_measure"):  # fmt: skip
            return
        slot.empty()
        page.work_through(
            key, steps, lambda step: likeness(focus.image, focus.target, *step), "Maps of ever more forgetful networks"
        )
    found = {method: [likeness(focus.image, focus.target, method, depth) for depth in range(len(names) + 1)]
             for method in ALL}  # fmt: skip
    for column, which, title in zip(st.columns(2), (0, 1), ("Spearman's rank correlation ρ", "SSIM"), strict=True):
        figure = go.Figure()
        for colour, (method, pairs) in zip(COLOURS, found.items(), strict=False):
            figure.add_scatter(
                x=list(range(len(names) + 1)), y=[pair[which] for pair in pairs], name=method, mode="lines+markers",
                line={"color": colour, "dash": "dot" if method == EDGES else "solid"}, showlegend=which == 0,
            )  # fmt: skip
        figures.across(figure, x=count, dash="dash")
        figure.update_layout(
            xaxis={"title": "layers drawn anew", "tickvals": list(range(len(names) + 1))}, yaxis_title=title,
            yaxis_range=[-0.35, 1.05], margin={"t": 90, "b": 40, "l": 50, "r": 10}, legend={"font": {"size": 12}},
        )  # fmt: skip
        with column:
            page.figure(figure, f"randomised_curve_{which}", height=360, alt=f"{title} against layers drawn anew")
    st.markdown(verdict({method: pairs[-1][0] for method, pairs in found.items() if method != EDGES}))
    st.caption(
        "Each map is compared with the one of the trained network, signed maps by magnitude. One picture and one seed: "
        f"{THINGS[focus.target]} in {focus.picture.name}."
    )


def verdict(last: dict[str, float]) -> str:
    """What the correlations with everything forgotten say, method by method."""
    kept = [f"{method} ({rho:.2f})" for method, rho in last.items() if rho >= KEEPS]
    least = min(last, key=lambda method: np.nan_to_num(last[method], nan=2.0))
    if not kept:
        strongest = max(last, key=lambda method: np.nan_to_num(last[method], nan=-1.0))
        return (
            f"With all layers drawn anew **no map keeps its order** (ρ below {KEEPS:g} everywhere): here every method "
            f"depends on what was learned, {least} the most and {strongest} the least ({last[strongest]:.2f})."
        )
    return (
        f"With all layers drawn anew, **{', '.join(kept)} still order the pixels much as before**: there a map "
        f"explains the picture more than the network. The one that changed most is {least} ({last[least]:.2f})."
    )
