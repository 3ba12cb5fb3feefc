"""Two answers that do not fit together, the rule that makes one map of them, and its thresholds under the hand."""

from contextlib import ExitStack

import numpy as np
import streamlit as st

from labs.panoptic import VOID, Panoptic
from pages.panoptic.shared import (
    OF_CLASSES,
    Seen,
    Thresholds,
    drawn,
    instances,
    legend,
    masks_of,
    merged,
    seen,
)
from scenes import STUFF
from ui import page
from ui.components import Labels, following, live_slider, stage, words
from ui.pictures import Picture


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    page.section("Merge", "A map of classes and masks of things, left, become one map, right: each pixel gets one "
                 "segment at most.")  # fmt: skip
    found = seen(picture.image)
    with ExitStack() as sliders:
        at = thresholds(sliders)
        masks = masks_of(found, at.mask)
        result = merged(found, masks, at)
        with st.container(key="abreast-panoptic"):
            left, middle, right = st.columns(3)
        with left:
            stage("panoptic_semantic", zoom=False, window=2).show(
                None, [Labels(found.semantic, OF_CLASSES, 1.0)], size=found.semantic.shape[::-1],
                alt="The class that every pixel is given", caption="A class for every pixel",
            )  # fmt: skip
        with middle:
            chosen = np.flatnonzero(found.scores >= at.least_score).tolist()
            stage("panoptic_things", zoom=False, window=2).show(
                picture.image, instances(found, masks, chosen), alt=f"{len(chosen)} things with their masks",
                caption="Things, each with a mask",
            )  # fmt: skip
        with right:
            stage("panoptic_map", zoom=False, window=2).show(
                None, [drawn(result)], size=found.semantic.shape[::-1],
                alt=f"A panoptic map of {len(result.classes)} segments", caption="Merged: the panoptic map",
            )  # fmt: skip
        words(told(found, result, at), "panoptic_told")
    if not following():
        st.html(legend(result))
        page.footer(" and ".join(("segmenter-bilinear", "detector")), found.device, found.seconds * 1000)


def thresholds(sliders: ExitStack) -> Thresholds:
    """The four sliders, acknowledged when `sliders` closes."""
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, window=2, **settings))  # noqa: E731
    with st.container(key="abreast-panoptic-sliders"):
        columns = st.columns(4, gap="small")
    with columns[0]:
        score = slide("Least score", 0.05, 0.95, 0.5, step=0.05, key="panoptic_score", format="%.2f",
                      help="A thing below it has no turn.")  # fmt: skip
    with columns[1]:
        taken = slide("Most taken", 0.0, 1.0, 0.5, step=0.05, key="panoptic_taken", format="%.2f",
                      help="A thing of which surer ones took a larger share is dropped.")  # fmt: skip
    with columns[2]:
        area = slide("Smallest stuff", 0, 2000, 64, step=16, key="panoptic_area", unit="px",
                     help="Stuff with fewer pixels is dropped.")  # fmt: skip
    with columns[3]:
        mask = slide("Mask from", 0.05, 0.95, 0.5, step=0.05, key="panoptic_mask", format="%.2f",
                     help="A pixel is in a mask from this value on.")  # fmt: skip
    return Thresholds(mask, score, taken, area)


def told(found: Seen, result: Panoptic, at: Thresholds) -> str:
    """What became of things and stuff, in a line."""
    kept = sum(turn.segment != VOID for turn in result.turns)
    crowded = sum(turn.verdict == "too much taken" for turn in result.turns)
    empty = sum(turn.verdict == "mask empty" for turn in result.turns)
    void = int((result.segments == VOID).sum())
    kinds = sum(int(label) < len(STUFF) for label in result.classes)
    dropped = f", {crowded} dropped because too much of it was taken" if crowded else ""
    dropped += f", {empty} dropped because its mask is empty" if empty else ""
    small = f", {len(result.dropped)} too small" if result.dropped else ""
    return (
        f"**{kept}** {'thing' if kept == 1 else 'things'}{dropped} · **{kinds}** kinds of stuff{small} · void "
        f"**{void:,}** of {result.segments.size:,} pixels"
    )
