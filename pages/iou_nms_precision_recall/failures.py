"""Where does it fail? Two detectors on the same scenes: confusion matrix, AP lost by kind of error, slices."""

import numpy as np
import streamlit as st

from labs import detection_errors
from labs.average_precision import mean_of_defined
from pages.iou_nms_precision_recall import failure_bars, failure_matrix
from pages.iou_nms_precision_recall.shared import choose_detector, evaluation_scenes
from pages.iou_nms_precision_recall.stored_errors import sorted_errors
from pages.shared.detectors import NAMES
from scenes import THINGS
from ui import page
from ui.components import live_slider, words

COUNTS = (10, 20, 30, 50)
VIEWS = {
    "Confusion matrix": failure_matrix.matrix,
    "AP lost": failure_bars.lost,
    "Slices": failure_bars.slices,
}


@st.fragment
@page.guard()
def where_it_fails() -> None:
    page.section(
        "Where does it fail?",
        "One number hides how a detector errs. Two detectors on the same scenes: click a cell or a bar to see the "
        "pictures behind it.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.segmented_control(
            "Scenes", COUNTS, default=20, required=True, key="fails_scenes", bind="query-params"
        )
        first = choose_detector("fails_first", "First detector", "ssd")
        second = choose_detector("fails_second", "Second detector", "yolo-cell")
    networks = list(dict.fromkeys((first, second)))
    for network in networks:
        held = evaluation_scenes(count, network)
    seeds = tuple(each.seed for each in held)
    columns, body = st.columns(2), st.container()
    with (
        columns[0],
        live_slider("Score threshold", 0.0, 1.0, 0.3, step=0.01, key="fails_score", format="%.2f", play=True,
                    help="Detections that score at least this count. The heads have dropped all up to 0.05.") as score,
        columns[1],
        live_slider("IoU for a match", detection_errors.BACKGROUND_BELOW, 1.0, 0.5, step=0.05, key="fails_iou",
                    format="%.2f", play=True,
                    help="TIDE's t_f. A detection whose IoU with every truth is below t_b = 0.1 is on background.")
        as iou,
        body,
    ):  # fmt: skip
        for place, network in zip(st.columns(len(networks)), networks, strict=True):
            with place:
                words(summary(seeds, network, score, iou), f"fails_sum_{networks.index(network)}")
        controls = st.container(horizontal=True, vertical_alignment="bottom")
        with controls:
            view = st.segmented_control(
                "Look at", list(VIEWS), default="Confusion matrix", required=True, key="fails_view",
                bind="query-params",
            )  # fmt: skip
        VIEWS[view](seeds, networks, score, iou, controls)
    st.caption(
        "Detections after NMS at IoU 0.5, at most 40 a scene. AP (COCO 101-point, mean over the classes) is that of "
        "the detections above the score threshold; TIDE itself takes all of them: move it to 0. Things of which less "
        "than 15% is visible do not count."
    )


def summary(seeds: tuple[int, ...], network: str, score: float, iou: float) -> str:
    """AP and the counts of one detector in a line."""
    errors = detection_errors.above(sorted_errors(seeds, network, iou), score)
    ap = mean_of_defined(detection_errors.average_precisions(errors, len(THINGS)))
    true = int((errors.kind == "true").sum())
    false = int((~np.isin(errors.kind, ("true", "ignored"))).sum())
    truths = int((errors.truth_kind != "ignored").sum())
    told = "undefined (no truth)" if np.isnan(ap) else f"**{ap:.3f}**"
    return f"**{NAMES[network]}**: AP {told} · {true} true, {false} false, {truths - true} of {truths} truths not found"
