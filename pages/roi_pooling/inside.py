"""The region enlarged: how a method makes its outputs step by step, and the arithmetic of one."""

from contextlib import ExitStack

import streamlit as st

from labs import roi_pooling as rp
from pages.roi_pooling.rounded import open_pool
from pages.roi_pooling.sampled import open_samples
from pages.roi_pooling.shared import (
    ALIGN,
    CROP,
    METHODS,
    POOL,
    Choice,
    Settings,
    output_grids,
)
from pages.roi_pooling.window import ground, window_of
from ui.components import live_slider, matrices, stage
from ui.pictures import KEPT

STEPS = {
    POOL: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4, snap: every edge is rounded to whole cells. Red is what RoI Pool now believes the box to be.",
        "divide": "3 of 4, divide: bins of whole cells again, the second rounding.",
        "read": "4 of 4, maximum: a dot on the largest value of each bin. All others count nothing. Click a bin.",
    },
    ALIGN: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4: nothing is snapped. What is sampled is the box itself (without *aligned*, half a cell off).",
        "divide": "3 of 4, divide: equal bins that fit no grid.",
        "read": "4 of 4, sample and mean: white are the sampling points. Click one: orange are the four cells it is "
        "mixed from, with their weights. A value lies in the middle of its cell.",
    },
    CROP: {
        "project": "1 of 4, project: the box on the map, between the cells.",
        "snap": "2 of 4: nothing is snapped. What is sampled is the box, a little smaller.",
        "divide": "3 of 4: no bins: one sample for each output.",
        "read": "4 of 4, sample: corner to corner, one sample an output. Click one: orange are the four cells it is "
        "mixed from, with their weights.",
    },
}  # fmt: skip
ORDER = tuple(STEPS[POOL])


def controls(sliders: ExitStack, output: int) -> tuple[str, Settings, str]:
    """Which method is opened, how it is set, and up to which step it is drawn; every method's setting also holds in
    the outputs beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control("Open", METHODS, default=POOL, required=True, key="roi_method", **KEPT)
        split = st.segmented_control(
            "RoI Pool's bins", rp.SPLITS, default=rp.SPLITS[0], required=True, key="roi_split", **KEPT,
            help="Overlapping: torchvision and Fast R-CNN's code. Disjoint: as textbooks draw it.",
        )  # fmt: skip
        aligned = st.toggle(
            "RoI Align: aligned", value=True, key="roi_aligned", **KEPT,
            help="Subtract half a cell, so that values stand in the middles of their cells.",
        )  # fmt: skip
        with st.container(width=220):
            ratio = sliders.enter_context(
                live_slider("RoI Align: sampling ratio", options=("adaptive", 1, 2, 3, 4), value=2, key="roi_ratio",
                            window=2)
            )  # fmt: skip
    with st.container(width=420):
        step = sliders.enter_context(
            live_slider("Step", options=ORDER, value=ORDER[-1], key="roi_step", play=True, play_seconds=6, window=2)
        )
    return method, Settings(output, split, 0 if ratio == "adaptive" else ratio, aligned), step


def draw(choice: Choice, method: str, step: str) -> tuple[int, int]:
    """The enlarged region up to a step, all outputs, the arithmetic of one; row and column of the chosen bin."""
    left, right = st.columns([1, 1], gap="medium")
    window = window_of(choice)
    view = stage("roi_region", window=2, zoom=False)
    opened = open_pool if method == POOL else open_samples
    stages, lines, bin_ = opened(choice, method, window, view)
    layers = stages[ORDER.index(step)]
    with left:
        view.show(
            None, [*ground(choice, window), *layers], size=(window.side, window.side),
            alt=f"{method} on the region, cell by cell", caption=f"Dashed orange: the box. {STEPS[method][step]}",
            pick=(0.125, 0.25),  # finer than any bin or sample
        )  # fmt: skip
    with right:
        outputs(choice, bin_)
        st.code("\n".join(lines), language=None, wrap_lines=True)
    return bin_


def outputs(choice: Choice, chosen: tuple[int, int]) -> None:
    """What each method hands on, P×P numbers."""
    size = choice.settings.output
    matrices("roi_outputs", window=2).show(
        output_grids(choice, METHODS, {2: 46, 7: 23, 14: 12}[size]), highlight=[(name, *chosen) for name in METHODS],
        caption="The outputs of all three on this channel, in the colours of the map; marked: the chosen bin.",
    )  # fmt: skip
