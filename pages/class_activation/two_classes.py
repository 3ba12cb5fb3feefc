"""Two classes asked of one picture: one network, one forward pass, two maps."""

import streamlit as st

from labs.heat_map_quality import points_at
from pages.class_activation.shared import (
    GAP,
    Focus,
    activation,
    at_picture_size,
    classified,
    evidence,
    limit_of,
    signed_layer,
    truth_of,
)  # fmt: skip
from pages.shared.heat_maps import SIGNED, colour_bar, greyed, number
from scenes import THINGS
from ui import page
from ui.components import Boxes, GridLines, stage
from ui.pictures import KEPT, Picture

FIRST, SECOND = "most probable", "next best"


def choose(picture: Picture) -> Focus:
    """Draw the choice of two classes; the first is what the rest of the page opens."""
    page.section("Play", "Ask one network about two classes: the same feature maps, weighed differently.")
    seen = classified(GAP, picture.image)
    ranked = seen.logits.argsort(descending=True).tolist()
    with st.container(key="line-cam", horizontal=True):
        first = st.segmented_control("Class", [FIRST, *THINGS], default=FIRST, required=True, key="cam_class", **KEPT)
        second = st.selectbox("Beside it", [SECOND, *THINGS], key="cam_other", width=240, **KEPT)
    target = ranked[0] if first == FIRST else THINGS.index(first)
    other = next(each for each in ranked if each != target) if second == SECOND else THINGS.index(second)
    return Focus(picture, target, other, seen)


@st.fragment
@page.guard()
def play(focus: Focus) -> None:
    seen = focus.seen
    maps = [activation(seen, target) for target in (focus.target, focus.other)]
    limit = limit_of(*maps)
    with st.container(key="abreast-cam"):
        panels = st.columns(3, gap="medium")
    with st.container():
        show = st.segmented_control(
            "Cells", ["smooth", "as they are"], default="smooth", required=True, key="cam_cells",
            help=f"The map has {maps[0].shape[0]} × {maps[0].shape[1]} cells; enlarged bilinearly it covers all.",
            **KEPT,
        )  # fmt: skip
    with panels[0]:
        stage("cam_picture", zoom=False).show(focus.picture.image, alt="The picture, as the network sees it")
        st.markdown("**Picture**")
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
            stage(key, zoom=False).show(greyed(focus.picture.image), layers, alt=f"Class activation map of {name}")
            st.markdown(f"**{name}** · probability {float(seen.probabilities[target]):.3f}")
            st.caption(
                f"M: {evidence(heat, name)} · its mean is **{number(float(heat.mean()), 4)}**, "
                f"the score S is **{number(float(seen.logits[target]), 4)}**"
            )
    colour_bar(SIGNED, limit, "logit per cell, M(x, y)")
    st.markdown(
        f"Each map adds up the same {len(seen.features)} feature maps, weighed for its class, and **its mean is the "
        f"class's score**."
    )
    discriminates(focus, maps)
    page.footer(GAP, seen.device, seen.seconds * 1000)


def discriminates(focus: Focus, maps: list) -> None:
    """Where both classes are in the picture: what each map holds on the one thing and on the other."""
    classes = (focus.target, focus.other)
    truths = [truth_of(focus.picture, target) for target in classes]
    if focus.target == focus.other or not all(truths):
        return
    large = [at_picture_size(heat) for heat in maps]
    names = [THINGS[target] for target in classes]
    rows = [
        f"| map of | mean on the {names[0]} | mean on the {names[1]} | its largest value lies |",
        "|---|---:|---:|---|",
    ]
    for name, heat, own in zip(names, large, truths, strict=True):
        means = [number(float(heat.numpy()[truth.mask].mean())) for truth in truths]
        place = f"on the {name}" if points_at(heat, own.mask) else f"beside the {name}"
        rows.append(f"| **{name}** | {means[0]} | {means[1]} | {place} |")
    st.markdown("\n".join(rows))
    st.caption("In logits per cell. One picture, one forward pass: only the weights differ. White boxes: truth.")


def guesses(focus: Focus) -> str:
    """The three most probable classes, each asked by itself."""
    best = focus.seen.probabilities.argsort(descending=True)[:3].tolist()
    named = " · ".join(f"{THINGS[i]} {float(focus.seen.probabilities[i]):.2f}" for i in best)
    return f"{named}. Each class by itself (sigmoid): they need not add up to 1."
