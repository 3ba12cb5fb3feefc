"""A patch for every pixel, or one pass: the same labels' worth of looking, at very different prices."""

from time import perf_counter

import numpy as np
import streamlit as st

from labs import sliding_window
from models import catalog
from pages.shared.amounts import duration, millions
from ui import page
from ui.pictures import Picture

PATCH, PATCHES = 64, 24  # side of the patch around a pixel, and how many of them are timed


@st.fragment
@page.guard()
def windows(picture: Picture) -> None:
    page.section(
        "From a sliding window to a fully convolutional network",
        "A pixel can be labelled by the patch around it. A network of convolutions alone labels all pixels in one "
        "pass, and neighbours share the work.",
    )
    st.markdown(
        "A classifier for 28 × 28 pixels becomes such a network when its fully connected layers are written as "
        "convolutions: the weights stay the same, and the picture may have any size. The page below lets you slide it "
        "by hand and compare both ways, number by number."
    )
    page.remind("Sliding window")
    slot = measurement(picture.image)
    if st.button("Label by patches", icon=":material/play_arrow:", key="segmentation_measure", disabled=bool(slot)):
        bar = st.progress(0.0)
        slot[:] = measure(picture.image, lambda share, text: bar.progress(share, text))
        bar.empty()
    if not slot:
        st.caption(
            f"{PATCHES} patches of {PATCH} × {PATCH} px through the lab's segmenter, as if every pixel were labelled "
            "by looking at the patch around it; then one pass over the picture."
        )
        return
    st.markdown("\n".join(slot))


@st.cache_resource(max_entries=32, show_spinner=False)
def measurement(image: np.ndarray) -> list[str]:
    """Where the table of a picture lies, once somebody has measured it."""
    return []


def measure(image: np.ndarray, tell) -> list[str]:
    """The table, as lines of Markdown."""
    segmenter = catalog.load("segmenter-bilinear")
    whole, at_once = timed(lambda: segmenter(image), repeats=3)
    rng = np.random.default_rng(0)
    corners = rng.integers(0, min(image.shape[:2]) - PATCH + 1, (PATCHES, 2))
    seconds = []
    for done, (top, left) in enumerate(corners.tolist(), start=1):
        patch = np.ascontiguousarray(image[top : top + PATCH, left : left + PATCH])
        seconds.append(timed(lambda patch=patch: segmenter(patch))[1])
        tell(done / PATCHES, f"Patch {done} of {PATCHES}")
    pixels = whole.labels.size
    slid = pixels * float(np.median(seconds))
    by_pixel, in_one = (price(size) for size in (PATCH, image.shape[0]))
    return [
        "| | passes | multiply-adds | time here |",
        "| --- | ---: | ---: | ---: |",
        f"| a patch for every pixel | {pixels:,} | {millions(by_pixel * pixels)} | about {duration(slid)} |",
        f"| at once | 1 | {millions(in_one)} | {duration(at_once)} |",
        f"| *times cheaper* | | {by_pixel * pixels / in_one:,.0f} | {slid / at_once:,.0f} |",
        "",
        f"*About*: {PATCHES} patches were timed, and all would take so long. The patches see less around each pixel "
        "than the whole picture does, and still cost more.",
    ]


@st.cache_data(show_spinner=False)
def price(side: int) -> int:
    module = catalog.family("segmenter-bilinear").build("segmenter-bilinear").eval()  # one of our own: torch hooks it
    return sliding_window.multiply_adds(module, 1, 3, side, side)


def timed(call, repeats: int = 1) -> tuple:
    """What the call returns, and the seconds of its quickest run."""
    best = float("inf")
    for _ in range(repeats):
        start = perf_counter()
        result = call()
        best = min(best, perf_counter() - start)
    return result, best
