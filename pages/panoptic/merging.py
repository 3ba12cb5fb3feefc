"""Two answers that do not fit together, the rule that makes one map of them, and its thresholds under the hand."""

from contextlib import ExitStack

import streamlit as st

from labs.panoptic import VOID, Panoptic
from pages.panoptic import turns
from pages.panoptic.shared import (
    NETWORKS,
    OF_SEMANTIC,
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
def play(picture: Picture, source: str) -> None:
    """The thresholds move both sections: the merge, and its turns."""
    page.section("Merge", "A map of classes and masks of things become one map: each pixel gets one segment at most.")
    found = seen(picture.image, source)
    height, width = found.semantic.shape
    with ExitStack() as sliders:
        at = thresholds(sliders)
        masks = masks_of(found, at.mask)
        result = merged(found, masks, at)
        with st.container(key="abreast-panoptic"):
            left, middle, right = st.columns(3)
        with left:
            stage("panoptic_things", zoom=False, window=2).show(
                picture.image, instances(found, masks, at.least_score), alt="The things, each with its mask",
                caption="Things, each with a mask",
            )  # fmt: skip
        with middle:
            stage("panoptic_map", zoom=False, window=2).show(
                None, [drawn(result)], size=(width, height),
                alt=f"A panoptic map of {len(result.classes)} segments", caption="Merged: the panoptic map",
            )  # fmt: skip
        with right:
            stage("panoptic_semantic", zoom=False, window=2).show(
                None, [Labels(found.semantic, OF_SEMANTIC[source], 1.0)], size=(width, height),
                alt="The class that every pixel is given", caption="A class for every pixel",
            )  # fmt: skip
        words(told(result), "panoptic_told")
        if not following():
            st.html(legend(source))
            page.footer(" and ".join(NETWORKS[source]), found.device, found.seconds * 1000)
        turns.by_turns(picture, found, masks, at, result)


def thresholds(sliders: ExitStack) -> Thresholds:
    """The four sliders, acknowledged when `sliders` closes."""
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, window=2, **settings))  # noqa: E731
    at = Thresholds()
    with st.container(key="abreast-panoptic-sliders"):
        columns = st.columns(4, gap="small")
    with columns[0]:
        score = slide("Least score", 0.05, 0.95, at.least_score, step=0.05, key="panoptic_score", format="%.2f",
                      help="A thing below it has no turn.")  # fmt: skip
    with columns[1]:
        taken = slide("Most taken", 0.0, 1.0, at.most_taken, step=0.05, key="panoptic_taken", format="%.2f",
                      help="A thing of which surer ones took a larger share is dropped.")  # fmt: skip
    with columns[2]:
        area = slide("Smallest stuff", 0, 4992, at.least_area, step=32, key="panoptic_area", unit="px",
                     help="Stuff with fewer pixels is dropped.")  # fmt: skip
    with columns[3]:
        mask = slide("Mask from", 0.05, 0.95, at.mask, step=0.05, key="panoptic_mask", format="%.2f",
                     help="A pixel is in a mask from this value on.")  # fmt: skip
    return Thresholds(mask, score, taken, area)


def told(result: Panoptic) -> str:
    """What became of things and stuff, in a line."""
    verdicts = [turn.verdict for turn in result.turns]
    kept, void = verdicts.count("kept"), int((result.segments == VOID).sum())
    dropped = [f"{count} dropped: {why}" for why in ("too much taken", "mask empty") if (count := verdicts.count(why))]
    small = f" ({len(result.dropped)} too small)" if result.dropped else ""
    kinds = sum(int(label) < len(STUFF) for label in result.classes)
    return (
        f"**{kept}** {'thing' if kept == 1 else 'things'}{' (' * bool(dropped)}{', '.join(dropped)}"
        f"{')' * bool(dropped)} · **{kinds}** {'kind' if kinds == 1 else 'kinds'} of stuff{small} · void **{void:,}** "
        f"of {result.segments.size:,} pixels"
    )
