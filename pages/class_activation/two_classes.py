"""Two classes asked of one picture: one network, one forward pass, two maps."""

import streamlit as st

from pages.class_activation.shared import (
    GAP,
    SIGNED,
    Focus,
    activation,
    classified,
    colour_bar,
    evidence,
    limit_of,
    number,
    signed_layer,
    truth_of,
)  # fmt: skip
from scenes import THINGS
from ui import page
from ui.components import Boxes, GridLines, stage
from ui.pictures import KEPT, Picture

FIRST, SECOND = "most probable", "second"


def choose(picture: Picture) -> Focus:
    """Draw the choice of two classes; the first is what the rest of the page opens."""
    page.section("Play", "Ask one network about two classes: the same feature maps, weighed differently.")
    seen = classified(GAP, picture.image)
    ranked = seen.logits.argsort(descending=True).tolist()
    with st.container(key="line-cam", horizontal=True):
        first = st.segmented_control("Class", [FIRST, *THINGS], default=FIRST, required=True, key="cam_class", **KEPT)
        second = st.selectbox("Beside it", [SECOND, *THINGS], key="cam_other", width=240, **KEPT)
    target = ranked[0] if first == FIRST else THINGS.index(first)
    other = ranked[1] if second == SECOND else THINGS.index(second)
    return Focus(picture, target, other, seen)


@st.fragment
@page.guard()
def play(focus: Focus) -> None:
    seen = focus.seen
    maps = [activation(seen, target) for target in (focus.target, focus.other)]
    limit = limit_of(*maps)
    panels, below = st.columns(3, gap="medium"), st.container()
    with below:
        show = st.segmented_control(
            "Cells", ["smooth", "as they are"], default="smooth", required=True, key="cam_cells",
            help=f"The map has {maps[0].shape[0]} × {maps[0].shape[1]} cells; enlarged bilinearly it covers all.",
            **KEPT,
        )  # fmt: skip
    with panels[0]:
        st.markdown("**Picture**")
        stage("cam_picture", zoom=False).show(focus.picture.image, alt="The picture, as the network sees it")
        st.caption(guesses(focus))
    for panel, target, heat, key in zip(
        panels[1:], (focus.target, focus.other), maps, ("cam_map", "cam_other_map"), strict=True
    ):
        name = THINGS[target]
        truth = truth_of(focus.picture, target)
        layers = [signed_layer(heat, limit, smooth=show == "smooth")]
        if show != "smooth":
            layers.append(GridLines(*heat.shape, colour="#00000030"))
        if truth:
            layers.append(Boxes(truth.drawn()))
        with panel:
            st.markdown(f"**{name}** · probability {float(seen.probabilities[target]):.3f}")
            stage(key, zoom=False).show(focus.picture.image, layers, alt=f"Class activation map of {name}")
            st.caption(
                f"M: {evidence(heat, name)} · its mean is **{number(float(heat.mean()), 4)}**, "
                f"the score S is **{number(float(seen.logits[target]), 4)}**"
            )
    colour_bar(SIGNED, limit, "logit per cell, M(x, y)")
    gap = max(abs(float(heat.mean() - seen.logits[t])) for heat, t in zip(maps, (focus.target, focus.other)))
    st.markdown(
        f"Each map is Σ wₖ fₖ over {len(seen.features)} feature maps, and **its mean is the class's score**: largest "
        f"difference here {number(gap, 2)}, rounding. The head has no bias; with one, S would be the mean plus the "
        f"bias. Lectures write sums for means: S is then Σ M, {maps[0].numel()} times as much, and trained weights "
        f"absorb the factor. White boxes: truth. The sections below open **{focus.name}**."
    )
    page.footer(GAP, seen.device, seen.seconds * 1000)


def guesses(focus: Focus) -> str:
    """The three most probable classes, each asked by itself."""
    best = focus.seen.probabilities.argsort(descending=True)[:3].tolist()
    named = " · ".join(f"{THINGS[i]} {float(focus.seen.probabilities[i]):.2f}" for i in best)
    return f"{named}. Each class by itself (sigmoid): they need not add up to 1."
