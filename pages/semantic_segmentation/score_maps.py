"""One score map per class before the argmax: all thirteen, and one of them enlarged with its scale."""

import numpy as np
import streamlit as st

from pages.semantic_segmentation.shared import PALETTE, Look
from scenes import CLASSES
from ui import page
from ui.components import Heat, Labels, stage, words
from ui.components.stage import heat_pixels


def maps(seen: Look, truth: np.ndarray) -> None:
    """The section; `seen` is what the network says of the scene as the knobs are."""
    page.section(
        "Thirteen score maps, then the argmax",
        "C × H × W numbers, one map per class: each pixel takes the class whose map is highest there.",
    )
    _maps(seen, truth)


@st.fragment
@page.guard()
def _maps(seen: Look, truth: np.ndarray) -> None:
    first = CLASSES[int(np.bincount(truth.ravel()[truth.ravel() >= 5], minlength=len(CLASSES)).argmax())]
    chosen = st.pills("Class", CLASSES, default=first, required=True, key="segmentation_class", bind="query-params")
    index, scores = CLASSES.index(chosen), seen.logits.numpy()
    low, high = float(scores[index].min()), float(scores[index].max())
    left, right = st.columns(2, gap="large")
    with left:
        stage("segmentation_class_scores", zoom=False).show(
            None, [Heat(scores[index], palette="cividis", opacity=1.0, smooth=False)], size=truth.shape[::-1],
            alt=f"The score of {chosen} at every pixel",
            caption=f"The score of “{chosen}” at every pixel, before the softmax.",
        )  # fmt: skip
        st.html(bar(low, high))
    with right:
        won = seen.labels == index
        stage("segmentation_class_won", zoom=False).show(
            None, [Labels(np.where(won, seen.labels, len(CLASSES)).astype(np.uint8), [*PALETTE, "#E8E6E1"], 1.0)],
            size=truth.shape[::-1], alt=f"The pixels at which {chosen} has the highest of the thirteen scores",
            caption=f"Argmax: where “{chosen}” has the highest of the 13 scores.",
        )  # fmt: skip
        words(f"**{int(won.sum()):,}** of {won.size:,} pixels become **{chosen}**; in truth it is "
              f"{int((truth == index).sum()):,}.", "segmentation_class_said")  # fmt: skip
    st.markdown(
        "The map has one answer per pixel and no borders between things of one class: **semantic segmentation merges "
        "instances**, so two touching cars are one region called *car*. *Things* can be counted (person, cat, car); "
        "*stuff* cannot (sky, grass, road, water, tree). For stuff nothing is lost, for things *how many* is."
    )


def bar(low: float, high: float) -> str:
    """The colours of the score map from its lowest to its highest score, as HTML."""
    colours = heat_pixels(Heat(np.linspace(0, 1, 9)[None], palette="cividis"))[0]
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b, _ in colours.tolist())
    ends = f"<span>{low:.1f}</span><span>{high:.1f}</span>".replace("-", "−")
    return (
        f'<div style="height:0.8rem;border-radius:4px;background:linear-gradient(to right, {stops})"></div>'
        f'<div style="display:flex;justify-content:space-between;font-size:0.9rem">{ends}</div>'
    )
