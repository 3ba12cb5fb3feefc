"""Scrub through the merges: regions in their mean colours, the next pair, its similarities, the boxes so far."""

from contextlib import ExitStack

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import region_tree
from labs.region_tree import Hierarchy
from labs.selective_search import COLOUR_SPACES, SIMILARITIES
from pages.selective_search.shared import (
    BLUE,
    FOUND,
    GREEN,
    NAMES,
    ORANGE,
    PURPLE,
    SCALE,
    SIGMA,
    SKY,
    dashed,
    fits,
    mean_colours,
    outlines,
    things_of,
    tree_of,
    xyxy,
)
from ui import figures, page
from ui.components import Box, Boxes, Grid, following, live_slider, matrices, stage, words
from ui.pictures import KEPT, Picture

MERGES, DEFAULT = "selective_merges", "_selective_merges_default"  # in the session; the first in the address, too
LEFT = 8  # regions that are left at first
NEWEST = 30  # boxes that are drawn
MORE, FEWER, SAME = "more", "fewer", "as many"
SMALL = 100  # pixels below which a region is small
Way = tuple[str, int, float, tuple[str, ...]]  # colour space, k, σ, similarities


def merging(picture: Picture) -> Hierarchy:
    """The controls, the regions, and the questions; returns the tree that they show."""
    page.section(
        "Merge what is alike",
        "The two neighbours that are most alike become one region, until one is left: the picture.",
    )
    above = st.container()
    left, middle, right = st.columns([6, 6, 5], gap="small")
    with right:
        numbers = st.container()
        chosen = st.pills(
            "What makes regions alike", list(NAMES), selection_mode="multi", default=list(NAMES), key="selective_alike",
            **KEPT,
        )  # fmt: skip
        space = st.selectbox("Colour space", COLOUR_SPACES, key="selective_space", **KEPT)
    with ExitStack() as sliders:
        with right:
            scale = sliders.enter_context(
                live_slider("Scale k of the start", 20, 500, SCALE, step=10, key="selective_scale",
                            help="The larger, the larger the regions of the start.")
            )  # fmt: skip
            sigma = sliders.enter_context(
                live_slider("Blur σ before it", 0.0, 2.0, SIGMA, step=0.1, unit="px", key="selective_sigma",
                            format="%.1f")
            )  # fmt: skip
        way = (space, scale, sigma, tuple(name for shown, name in NAMES.items() if shown in chosen))
        tree, seconds = tree_of(picture.image, *way)
        last = len(tree.children)
        with above:
            merges = 0
            if last:
                begin_at(max(last + 1 - LEFT, 0))
                merges = sliders.enter_context(
                    live_slider("Merges done", 0, last, st.session_state[DEFAULT], key=MERGES, play="once",
                                play_seconds=8.0, window=2)
                )  # fmt: skip
        with left:
            regions(tree, merges)
        with middle:
            boxes_so_far(picture, tree, merges)
        with numbers:
            words(told(tree, merges), "selective_told")
            next_pair(tree, merges, way)
    if following():
        return tree
    st.caption(
        "The start is Felzenszwalb's: pixels of one colour, no region below 20 pixels. Selective search was never "
        "trained, so a photograph is as good to it as a drawn scene: choose one under *Picture*."
    )
    page.footer("Selective search, one hierarchy", "cpu", seconds * 1000)
    how_many(picture, tree)
    by_size(picture, way)
    return tree


def begin_at(default: int) -> None:
    """Who has not moved the slider sees the last regions of another start as well."""
    if st.session_state.get(MERGES) == st.session_state.get(DEFAULT, default):
        st.session_state[MERGES] = default
    st.session_state[DEFAULT] = default


def told(tree: Hierarchy, merges: int) -> str:
    """How far it is."""
    if tree.start == 1:
        return "The start has **one** region, the picture itself: there is nothing to merge, and one box."
    after = f"**{tree.start - merges}** region{'s' * (tree.start - merges > 1)} left"
    return (
        f"**{tree.start}** regions at the start, {after} after {merges} of {len(tree.children)} merges, "
        f"**{tree.start + merges}** boxes so far."
    )


def regions(tree: Hierarchy, merges: int) -> None:
    """The mean colours, and the outlines of the two regions that are merged next."""
    layers = []
    if merges < len(tree.children):
        pair = [region_tree.mask(tree, region) for region in tree.children[merges].tolist()]
        layers = [outlines(pair, [BLUE, ORANGE])]
    stage("selective_regions", zoom=False, window=2).show(
        mean_colours(tree, merges), layers, smooth=False, alt=f"{tree.start - merges} regions in their mean colours",
        caption="Blue and orange: the next pair." if layers else "One region is left.",
    )  # fmt: skip


def boxes_so_far(picture: Picture, tree: Hierarchy, merges: int) -> None:
    """The newest boxes, and for each thing the one that fits it best."""
    things, names = things_of(picture)
    there = tree.start + merges
    newest = range(max(there - NEWEST, 0), there)
    drawn = [Box(f"region-{i}", xyxy(tree.boxes[i]), "", SKY, width=1, note=f"region {i}") for i in newest]
    best = fits(tree.boxes[:there], things)
    for number, name in enumerate(names):
        fit, at = best[:, number].max(0)
        if fit >= FOUND:
            drawn.append(Box(f"best-{number}", xyxy(tree.boxes[int(at)]), f"{name} {float(fit):.2f}", GREEN, width=3))
    count = f"{NEWEST} newest of {there}" if there > NEWEST else f"{there}"
    stage("selective_boxes", zoom=False, window=2).show(
        picture.image, [Boxes([*dashed(things, names), *drawn])], alt=f"The {count} boxes so far",
        caption=f"Boxes so far, the {count}." + (f" Green: IoU ≥ {FOUND:g} with a thing." if names else ""),
    )  # fmt: skip


def next_pair(tree: Hierarchy, merges: int, way: Way) -> None:
    """The four similarities of the next pair, and their sum; blank after the last merge."""
    pair = tree.similarities[merges] if merges < len(tree.children) else np.full(len(SIMILARITIES), np.nan)
    counted = [name in way[3] for name in SIMILARITIES]
    column = np.append(pair, pair[counted].sum())
    shade = [[SKY if each else None] for each in counted] + [[None]]
    matrices("selective_pair", window=2).show(
        [Grid("pair", column[:, None], title="the next pair", rows=[*NAMES, "Sum"], format="%.2f", cell=34,
              colour=shade)],
    )  # fmt: skip
    if merges < len(tree.children):
        a, b = tree.children[merges].tolist()
        words(f"Blue {tree.sizes[a]:,} px, orange {tree.sizes[b]:,} px. The sum is of what is switched on.",
              "selective_pair_told")  # fmt: skip
    else:
        words("Nothing is left to merge.", "selective_pair_told")


def how_many(picture: Picture, tree: Hierarchy) -> None:
    """How many boxes does the whole tree give, and how many of them differ?"""
    start, total = tree.start, len(tree.sizes)
    with page.predict(
        "selective-boxes", f"{start} regions at the start: how many boxes are there once all is merged?",
        [f"{each:,}" for each in sorted({start, total, start * (start - 1) // 2, 2**10 * start})] if start > 2 else [],
    ) as prediction:  # fmt: skip
        differ = len(region_tree.ranked([tree], 0))
        height, width = picture.image.shape[:2]
        st.markdown(
            f"{start:,} + {total - start:,} = **{total:,}** regions, each with its box; **{differ:,}** boxes differ, "
            f"for a region inside another's box may have the same one. A {width} × {height} picture has "
            f"{height * (height + 1) // 2 * (width * (width + 1) // 2):,} boxes."
        )
        prediction.outcome(
            f"{total:,}" if start > 2 else "",
            "because every merge leaves one region less and adds one box." if start > 2 else "",
        )


def by_size(picture: Picture, way: Way) -> None:
    """What the similarity of size is good for: how many small regions are left after each merge, with and without."""
    others = tuple(name for name in way[3] if name != "size")
    trees = [tree_of(picture.image, *way[:3], use)[0] for use in ((*others, "size"), others)] if others else []
    if trees and len(trees[0].children) < 4:
        trees = []
    counts = [small_left(tree) for tree in trees]
    half = len(trees[0].children) // 2 if counts else 0
    with page.predict(
        "selective-size",
        f"After half of the merges {counts[0][half]} regions are smaller than {SMALL} px. Leave the size out of the "
        "sum: how many are so small then?" if counts else f"How many regions below {SMALL} px are left without size?",
        [FEWER, SAME, MORE] if counts else [],
    ) as prediction:  # fmt: skip
        if not counts:
            st.caption("Switch on another similarity beside the size, on a picture of several regions, to compare.")
            prediction.outcome("")
            return
        figure = go.Figure()
        for left, name, colour, dash in zip(
            counts, ("with size", "without"), (BLUE, ORANGE), ("solid", "dot"), strict=True
        ):
            figure.add_scatter(x=np.arange(len(left)), y=left, name=name, mode="lines",
                               line={"color": colour, "dash": dash}, hovertemplate="%{y} after %{x}")  # fmt: skip
        figures.across(figure, x=half, color=PURPLE, dash="dash", width=2)
        figure.update_layout(xaxis={"title": "merges done"}, yaxis={"title": f"regions below {SMALL} px"})
        page.figure(figure, "selective_sizes", height=320, alt="Small regions that are left after each merge")
        with_size, without = int(counts[0][half]), int(counts[1][half])
        prediction.outcome(
            MORE if without > with_size else FEWER if without < with_size else SAME,
            f"{without} without, {with_size} with it. Size lets small regions go first, everywhere in the picture. "
            "Without it one region can swallow its neighbours one by one, and their boxes say little new.",
        )


def small_left(tree: Hierarchy) -> np.ndarray:
    """Regions below SMALL pixels after 0, 1, ... merges."""
    small = tree.sizes < SMALL
    change = small[tree.start :].astype(int) - small[tree.children].sum(1)
    return small[: tree.start].sum() + np.concatenate([[0], change.cumsum()])
