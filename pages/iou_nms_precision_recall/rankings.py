"""The rankings of a class over scenes, worked out once for all visitors: what no slider but its own changes."""

import numpy as np
import streamlit as st

from labs import average_precision as ap
from labs.average_precision import Ranking
from pages.iou_nms_precision_recall.shared import DETECTOR, detections_of, truths_of_scenes


@st.cache_resource(max_entries=500, show_spinner=False)
def comparisons_of(
    seeds: tuple[int, ...], nms_threshold: float, label: int, network: str = DETECTOR
) -> list[ap.Comparison]:
    """The scenes of this class, each detection beside each truth: what no IoU threshold changes."""
    return ap.compare(detections_of(seeds, nms_threshold, network), truths_of_scenes(seeds), label)


@st.cache_resource(max_entries=3000, show_spinner=False)
def ranked_at(
    seeds: tuple[int, ...], nms_threshold: float, label: int, iou: float, rule: str, network: str = DETECTOR
) -> Ranking:
    return ap.rank(comparisons_of(seeds, nms_threshold, label, network), iou, rule)


def over_thresholds(
    seeds: tuple[int, ...], nms_threshold: float, label: int, network: str = DETECTOR
) -> tuple[float, float]:
    """COCO's AP@[.5:.95] and AR of one class; NaN without a truth."""
    rankings = [ranked_at(seeds, nms_threshold, label, float(each), "COCO", network) for each in ap.IOU_THRESHOLDS]
    means = [np.mean([figure(each) for each in rankings]) for figure in (ap.average_precision, ap.final_recall)]
    return float(means[0]), float(means[1])
