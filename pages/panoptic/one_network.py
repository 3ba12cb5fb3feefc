"""One network for things and stuff: the branch opened, beside two networks, with what each costs and reaches."""

import numpy as np
import streamlit as st

from labs import panoptic_quality
from labs.panoptic import Panoptic
from models import catalog
from pages.panoptic.shared import (
    DETECTOR,
    NETWORK,
    OF_SEMANTIC,
    ONE,
    SEGMENTER,
    TWO,
    Thresholds,
    drawn,
    masks_of,
    merged,
    seen,
    truth_pairs,
)
from scenes import CLASSES, STUFF
from ui import page
from ui.components import Heat, Labels, following, live_slider, stage, words
from ui.pictures import Picture

WRONG = "#D55E00"
THINGS = range(len(STUFF), len(CLASSES))
STRIDES = {"P2": 4, "P3": 8, "P4": 16, "P5": 32}
SAME = "both alike"


@st.fragment
@page.guard()
def branch(picture: Picture) -> None:
    page.section(
        "One network for both",
        "Panoptic FPN is the detector with one branch more: it brings every level of the pyramid to one size and "
        "classifies their sum.",
    )
    found = seen(picture.image, ONE).found
    assert found is not None, "Panoptic FPN was asked."
    maps = [each for _, each in found.summands]
    with live_slider("Feature map", 1, len(maps[0]), 1, key="panoptic_feature", play=True, window=2) as number:
        summed = sum(each[number - 1].numpy() for each in maps)
        limit = float(summed.max()) or 1.0
        with st.container(key="abreast-panoptic-branch"):
            places = st.columns(len(maps) + 2, gap="small")
        for place, (name, each) in zip(places, found.summands, strict=False):
            height, width = each.shape[1:]
            with place:
                stage(f"panoptic_{name}", zoom=False, window=2).show(
                    None, [Heat(each[number - 1].numpy(), "cividis", 0, limit, 1.0, smooth=False)],
                    size=(width, height), alt=f"Feature map {number} of {name}",
                    caption=f"{name}, stride {STRIDES[name]}",
                )  # fmt: skip
        with places[-2]:
            stage("panoptic_sum", zoom=False, window=2).show(
                None, [Heat(summed, "cividis", 0, limit, 1.0, smooth=False)], size=summed.shape[::-1],
                alt=f"The sum of the four maps {number}", caption="their sum",
            )  # fmt: skip
        with places[-1]:
            stage("panoptic_classified", zoom=False, window=2).show(
                None, [Labels(found.semantic, OF_SEMANTIC[ONE], 1.0)], size=found.semantic.shape[::-1],
                alt="The class of every pixel", caption="all sums, classified",
            )  # fmt: skip
    if not following():
        st.caption(
            "The paper stops at stride 4. These pictures have 224 pixels a side only, so the sum goes two steps "
            "further, to every pixel, with the trunk's own features of stride 2 and 1. All things are one class here, "
            "*other*: telling them apart is the work of the boxes."
        )
        page.footer(NETWORK, found.device, found.seconds * 1000)


@st.fragment
@page.guard()
def beside(picture: Picture) -> None:
    """Both on the same picture, merged as they are judged."""
    at = Thresholds()
    page.section(
        "Beside two networks",
        f"Things are the same in both, and only the stuff differs; here scores and masks count from {at.mask:g}, and "
        f"stuff from {at.least_area} pixels.",
    )
    made = {}
    for name in (ONE, TWO):
        found = seen(picture.image, name)
        made[name] = merged(found, masks_of(found, at.mask), at)
    if picture.view is None:
        show(picture, made)
        st.caption("Nobody has labelled the pixels of this picture, so there is no score.")
        return
    scores = {name: panoptic_score(picture, each) for name, each in made.items()}
    better = SAME if abs(scores[ONE] - scores[TWO]) < 0.0005 else max(scores, key=lambda name: scores[name])
    with page.predict(
        "panoptic-better", "Which of the two has the higher panoptic quality on this picture?", [ONE, TWO, SAME]
    ) as prediction:  # fmt: skip
        show(picture, made)
        words(" · ".join(f"{name}: PQ **{value:.3f}**" for name, value in scores.items()), "panoptic_beside_told")
        prediction.outcome(better, "PQ is here the mean over the classes of this picture.")
    costs()


def show(picture: Picture, made: dict[str, Panoptic]) -> None:
    """Both maps, and where a truth is known the wrong pixels on it."""
    with st.container(key="abreast-panoptic-beside"):
        places = st.columns(2 + (picture.view is not None), gap="small")
    for place, (name, each) in zip(places, made.items(), strict=False):
        layers = [drawn(each)]
        if picture.view is not None:
            wrong = each.pairs()[..., 0] != picture.view.semantic
            layers.append(Labels(wrong.astype(np.uint8), [None, WRONG], 1.0))
        with place:
            stage(f"panoptic_by_{'one' if name == ONE else 'two'}", zoom=False).show(
                None, layers, size=each.segments.shape[::-1], alt=f"The panoptic map by {name}",
                caption=name + (". Vermilion: a wrong class" if picture.view is not None else ""),
            )  # fmt: skip
    if picture.view is not None:
        with places[2]:
            stage("panoptic_scene", zoom=False).show(picture.image, alt="The picture", caption="The picture")


def panoptic_score(picture: Picture, found: Panoptic) -> float:
    """PQ of one picture, the mean over its classes."""
    judged = panoptic_quality.judge(truth_pairs(picture), found.pairs(), THINGS)
    return panoptic_quality.quality(panoptic_quality.tally(judged, len(CLASSES))).mean()[0]


def costs() -> None:
    """What the two cost and reach, from their cards."""
    card, two = catalog.card(NETWORK), [catalog.card(name) for name in (SEGMENTER, DETECTOR)]
    own, figures = card["parameters"] - two[1]["parameters"], card["metrics"]
    with page.predict(
        "panoptic-parameters", "How many parameters does the branch add to the detector, in per cent?",
        page.Number(0, 60, 1, "%"),
    ) as prediction:  # fmt: skip
        lines = [
            "| | parameters beside the detector’s | PQ | things | stuff |", "|---|---:|---:|---:|---:|",
            f"| {ONE} (`{NETWORK}`) | {own:,} | {figures['pq']:.3f} | {figures['pq_things']:.3f} | "
            f"{figures['pq_stuff']:.3f} |",
            f"| {TWO} (`{SEGMENTER}`) | {two[0]['parameters']:,} | {figures['pq_merged']:.3f} | "
            f"{figures['pq_things']:.3f} | {figures['pq_stuff_merged']:.3f} |",
        ]  # fmt: skip
        st.markdown("\n".join(lines))
        prediction.outcome(round(100 * own / two[1]["parameters"], 1), "because the trunk is there already.")
    recipe = card["recipe"]
    st.caption(
        f"On {figures['scenes']} held-out scenes. `{NETWORK}` stands on the frozen trunk and heads of `{DETECTOR}`: "
        f"its branch alone was trained, {recipe['steps']} steps of {recipe['batch']} scenes, while `{SEGMENTER}` is a "
        f"whole network. With the same things and perfect stuff, PQ would be {figures['pq_true_stuff']:.3f}: the rest "
        "is lost by the masks."
    )
    page.remind("IoU")
