"""Recall and precision over many scenes: what a list of proposals finds, and how much of it is nothing."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import proposal_recall, region_proposals
from models.recipes.scene_cache import held_out_seeds
from pages.selective_search.searched import EIGHT, LENGTH, METHODS, WINDOW_SIZES, Scene, known, work
from pages.shared import offered
from ui import page
from ui.components import Grid, live_slider, matrices
from ui.pictures import KEPT

COUNTS = (4, 8, 16, 32)
ASKED = "OpenCV fast"
BANDS = {"under 2 %": 0.02, "2 to 10 %": 0.1, "10 to 30 %": 0.3, "over 30 %": 1.0}
TICKS = (1, 3, 10, 30, 100, 300, 1000)
STYLES = {
    "one search": ("#56B4E9", "dash", "square"),
    "eight searches": ("#0072B2", "solid", "circle"),
    "OpenCV fast": ("#009E73", "solid", "triangle-up"),
    "OpenCV quality": ("#009E73", "dash", "triangle-down"),
    "RPN": ("#CC79A7", "solid", "star"),
    "sliding windows": ("#E69F00", "dot", "diamond"),
    "random boxes": ("#D55E00", "dashdot", "x"),
}


@st.fragment
@page.guard()
def recall() -> None:
    page.section(
        "Very high recall, low precision?",
        "Recall: the share of things that some box fits. Precision: the share of boxes that fit some thing.",
    )
    count = st.segmented_control("Held-out scenes", COUNTS, default=8, required=True, key="selective_scenes", **KEPT)
    there, seeds = known(), held_out_seeds(count)
    if not all(seed in there for seed in seeds):
        st.info(
            f"Seven methods propose boxes on {count} scenes, in the background: a few seconds a scene.",
            icon=":material/info:",
        )  # fmt: skip
        offered.offer("selective_search_scenes", count, "Search the scenes", lambda: work(count, there))
        return
    found = [there[seed] for seed in seeds]
    with live_slider("Found means IoU at least", 0.0, 1.0, 0.5, step=0.01, key="selective_found", format="%.2f",
                     play=True) as threshold:  # fmt: skip
        measured(found, threshold)
    st.caption(
        "Precision counts every box that fits a thing, however many fit the same one. MABO: the mean of the things' "
        f"best IoU, averaged over the classes. Eight searches: {', '.join(dict.fromkeys(each[0] for each in EIGHT))}, "
        "with and without colour, k = 50 and 100. OpenCV ranks its boxes with a random factor that nobody can set, so "
        "its curve is a little different each time; its end is not. The RPN was trained on such scenes, the searches "
        f"on nothing. Sliding windows: {', '.join(map(str, WINDOW_SIZES))} px in three shapes, in random order."
    )


def measured(found: list[Scene], threshold: float) -> None:
    """The curves and the table, behind the question how precise such a list is."""
    overlaps = {name: torch.cat([scene.by_method[name].overlaps for scene in found]) for name in METHODS}
    share = proposal_recall.precision(overlaps[ASKED], threshold)
    with page.predict(
        "selective-precision",
        f"{ASKED} gives {len(overlaps[ASKED]) / len(found):,.0f} boxes a scene. What share of them fits a thing with "
        f"an IoU of {threshold:.2f} or more?", list(BANDS),
    ) as prediction:  # fmt: skip
        covered = {name: torch.cat([scene.by_method[name].covered for scene in found]) for name in METHODS}
        curves = {name: region_proposals.recall(each, threshold).numpy() for name, each in covered.items()}
        lengths = {name: max(len(scene.by_method[name].overlaps) for scene in found) for name in METHODS}
        page.figure(chart(curves, lengths, threshold), "selective_recall", height=400,
                    alt="Recall against the number of proposals of a picture")  # fmt: skip
        table(found, covered, curves, overlaps, threshold)
        reached, more = (float(curves[name][-1]) for name in (ASKED, "eight searches"))
        prediction.outcome(
            next(name for name, most in BANDS.items() if share <= most),
            f"Precision **{share:.1%}**, recall **{reached:.1%}**; eight searches reach **{more:.1%}**. "
            + ("Nearly all things have a box, and most boxes are nothing: a classifier must sort them out."
               if more >= 0.9 and share <= 0.1 else "How high and how low is a matter of this threshold: move it."),
        )  # fmt: skip


def table(found: list[Scene], covered: dict[str, Tensor], curves: dict[str, np.ndarray],
          overlaps: dict[str, Tensor], threshold: float) -> None:  # fmt: skip
    labels = torch.cat([scene.labels for scene in found])
    rows = [
        [len(overlaps[name]) / len(found), 100 * float(curves[name][-1]),
         100 * proposal_recall.precision(overlaps[name], threshold),
         proposal_recall.mean_average_best_overlap(covered[name][:, -1], labels),
         1000 * float(np.median([scene.by_method[name].seconds for scene in found]))]
        for name in METHODS
    ]  # fmt: skip
    text = [[f"{row[0]:,.0f}", f"{row[1]:.1f}", f"{row[2]:.1f}", f"{row[3]:.2f}", f"{row[4]:,.0f}"] for row in rows]
    matrices("selective_methods").show(
        [Grid("methods", np.array(rows), title=f"{len(labels)} things in {len(found)} scenes, IoU ≥ {threshold:.2f}",
              rows=list(METHODS), columns=["boxes", "recall", "precision", "MABO", "ms"], text=text, colour="none",
              cell=50)],
        caption=f"Recall and precision in %. Boxes: of a scene, at most {LENGTH:,}. ms: the middle of the scenes, on "
        "one core; what else this machine does makes it more.",
    )  # fmt: skip


def chart(curves: dict[str, np.ndarray], lengths: dict[str, int], threshold: float) -> go.Figure:
    """Each curve as far as its longest list."""
    counts = np.unique(np.geomspace(1, LENGTH, 60).astype(int))
    figure = go.Figure()
    for name, curve in curves.items():
        colour, dash, symbol = STYLES[name]
        x = np.unique(np.append(counts[counts < lengths[name]], lengths[name]))
        marked = np.array([tick for tick in TICKS if tick <= lengths[name]])
        figure.add_scatter(x=x, y=curve[x - 1], name=name, mode="lines", line={"color": colour, "dash": dash},
                           legendgroup=name, hovertemplate=f"{name}, %{{x}}: %{{y:.1%}}<extra></extra>")  # fmt: skip
        figure.add_scatter(x=marked, y=curve[marked - 1], mode="markers", marker={"color": colour, "symbol": symbol},
                           legendgroup=name, showlegend=False, hoverinfo="skip")  # fmt: skip
    figure.update_layout(
        xaxis={"title": "proposals a picture", "type": "log", "tickvals": TICKS, "range": [-0.03, 3.33]},
        yaxis={"title": f"recall at IoU ≥ {threshold:.2f}", "range": [-0.02, 1.03], "tickformat": ".0%"},
    )  # fmt: skip
    return figure
