"""How many proposals does it take? Recall of the RPN against random boxes and sliding windows, over many scenes."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

import scenes
from labs import region_proposals
from models import catalog
from models.inside import detector_cache
from models.networks.detector import ANCHOR_RATIOS, PROPOSALS, SIZE
from models.recipes.scene_cache import held_out_seeds
from ui import figures, page
from ui.components import live_slider, words

LENGTH = 1000
FEW = 10  # where suppression pays
WINDOW_SIZES = (32, 64, 128)
STYLES = {
    "RPN": ("#0072B2", "solid", "circle"),
    "RPN without suppression": ("#56B4E9", "dash", "square"),
    "sliding windows": ("#E69F00", "dot", "diamond"),
    "random boxes": ("#D55E00", "dashdot", "x"),
}
LIMITS = {"10 or fewer": 10, "11 to 100": 100, "101 to 1000": LENGTH, "more than 1000": np.inf}
TICKS = (1, 3, 10, 30, 100, 300, 1000)


def ranked_lists(seed: int, image: np.ndarray) -> dict[str, Tensor]:
    """Up to 1000 boxes (N, 4) of each method, best first where the method has an opinion."""
    found = detector_cache.look(catalog.load("detector"), image)
    left = region_proposals.filter_proposals(
        found.decoded, found.decoded_scores, found.level_of, image.shape[:2], LENGTH, 0.7, LENGTH
    )
    windows = region_proposals.sliding_windows(*image.shape[:2], WINDOW_SIZES, ANCHOR_RATIOS, 0.25)
    order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(seed))
    return {
        "RPN": left.boxes[left.kept],
        "RPN without suppression": left.boxes[left.top[:LENGTH]],
        "sliding windows": windows[order],
        "random boxes": region_proposals.random_boxes(LENGTH, *image.shape[:2], seed),
    }


@st.cache_resource(max_entries=512, show_spinner=False)
def coverage(seed: int) -> dict[str, Tensor]:
    """Best IoU of every truth of the scene with the first 1 ... 1000 boxes, (T, 1000) per method."""
    view = scenes.render(scenes.sample(seed), SIZE)
    truths = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32).reshape(-1, 4))
    ranked = ranked_lists(seed, view.image)
    return {name: region_proposals.coverage(boxes, truths, LENGTH) for name, boxes in ranked.items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def coverages(count: int) -> dict[str, Tensor]:
    """`coverage` of the first `count` held-out scenes, stacked."""
    parts = [coverage(seed) for seed in held_out_seeds(count)]
    return {name: torch.cat([part[name] for part in parts]) for name in STYLES}


def measure(count: int) -> None:
    """Fill the cache scene by scene with a progress bar, once per visitor; what somebody else filled costs nothing."""
    seeds = held_out_seeds(count)
    page.work_through("_anchors_measured", seeds, coverage, f"Running the detector on {count} held-out scenes")


@st.fragment
@page.guard()
def recall() -> None:
    page.section(
        "Recall", "A thing without a proposal is lost for good. How many proposals does it take to find them all?"
    )
    catalog.card("detector")  # without weights, say so before the controls
    count = st.segmented_control(
        "Held-out scenes", [8, 16, 32, 64], default=16, required=True, key="anchors_scenes", bind="query-params"
    )
    measure(count)
    covered = coverages(count)
    with live_slider("Found means IoU at least", 0.0, 1.0, 0.5, step=0.01, key="anchors_found", format="%.2f",
                     play=True) as found:  # fmt: skip
        curves = {name: region_proposals.recall(covered[name], found).numpy() for name in STYLES}
        goal = curves["RPN"][FEW - 1]
        reached = np.flatnonzero(curves["random boxes"] >= goal)
        needed = int(reached[0]) + 1 if len(reached) else np.inf
        with page.predict(
            "anchors_needed", f"How many random boxes find as much as the RPN's best {FEW} (IoU ≥ {found:.2f})?",
            list(LIMITS),
        ) as prediction:  # fmt: skip
            chart(curves, found)
            extreme = {
                0: "IoU 0 is met by boxes that touch nothing, so one proposal finds everything.",
                1: "IoU 1 asks for the exact box, to the last bit: nobody proposes that.",
            }.get(found, "")
            words(
                f"{len(covered['RPN'])} things in {count} scenes. "
                + "\n\n".join(f"Recall at {number} proposals: {shares(curves, number)}." for number in (PROPOSALS, FEW))
                + f" {extreme}",
                "anchors_recall_words",
            )  # fmt: skip
            prediction.outcome(
                next(name for name, limit in LIMITS.items() if needed <= limit),
                f"The RPN's best {FEW} have recall {goal:.1%}; random boxes need "
                + (f"{needed:,} for that." if np.isfinite(needed) else f"more than {LENGTH:,} for that."),
            )  # fmt: skip
    st.caption(
        f"Sliding windows: squares of {', '.join(map(str, WINDOW_SIZES))} px and their ½ and 2 shapes, a quarter of "
        "their side apart, in random order: no window knows that it is good. Random boxes: between two random points."
    )


def shares(curves: dict[str, np.ndarray], number: int) -> str:
    return ", ".join(f"{name} **{curve[number - 1]:.1%}**" for name, curve in curves.items())


def chart(curves: dict[str, np.ndarray], found: float) -> None:
    counts = np.unique(np.geomspace(1, LENGTH, 60).astype(int))
    figure = go.Figure()
    for name, curve in curves.items():
        colour, dash, symbol = STYLES[name]
        figure.add_scatter(x=counts, y=curve[counts - 1], name=name, mode="lines", line={"color": colour, "dash": dash},
                           legendgroup=name, hovertemplate="%{x} proposals: %{y:.1%}")  # fmt: skip
        marked = np.array(TICKS)
        figure.add_scatter(x=marked, y=curve[marked - 1], mode="markers", marker={"color": colour, "symbol": symbol},
                           legendgroup=name, showlegend=False, hoverinfo="skip")  # fmt: skip
    figures.across(figure, x=PROPOSALS, text=str(PROPOSALS), at="bottom right", color=None)
    figure.update_layout(
        xaxis={"title": "proposals", "type": "log", "tickvals": TICKS, "range": [-0.03, 3.03]},
        yaxis={"title": f"recall at IoU ≥ {found:.2f}", "range": [-0.02, 1.03], "tickformat": ".0%"},
    )  # fmt: skip
    page.figure(figure, key="anchors_recall", height=420, alt="Recall against number of proposals")
