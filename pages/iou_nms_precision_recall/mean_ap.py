"""Every class over the same scenes: its AP by every rule, and the mean of all, mAP."""

import numpy as np
import streamlit as st

from labs import average_precision as ap
from pages.iou_nms_precision_recall.rankings import over_thresholds, ranked_at
from pages.iou_nms_precision_recall.shared import DETECTOR
from scenes import THINGS
from ui import page

NARROW = {"class": 90, "truths": 60, "detections": 85}  # px: with five bars they fit beside the side bar


def over_classes(seeds: tuple[int, ...], nms_threshold: float, iou: float, rule: str, network: str = DETECTOR) -> None:
    page.section(
        "Mean AP over the classes",
        f"The same {len(seeds)} scenes, every class by every rule; the last row is the mean. The first three columns "
        f"are at **IoU ≥ {iou:.2f}**, the slider above; AP@[.5:.95] and AR are means over ten thresholds.",
    )
    rows = per_class(seeds, nms_threshold, iou, rule, network)
    there = {row["class"]: row["AP@[.5:.95]"] for row in rows if row["truths"]}
    lowest = min(there, key=there.__getitem__, default="none")
    with page.predict(
        "map-lowest", "Which class has the lowest AP@[.5:.95] in these scenes?", list(there) or [lowest]
    ) as prediction:
        table(rows)
        told = (
            f"because its AP is {there[lowest]:.3f}, and the mean over the classes counts it like any other."
            if there
            else ""
        )
        prediction.outcome(lowest, told)


@st.cache_data(max_entries=200, show_spinner=False)
def per_class(
    seeds: tuple[int, ...], nms_threshold: float, iou: float, rule: str, network: str = DETECTOR
) -> list[dict]:
    """One row per class: counts, AP at this IoU by the three rules, COCO's AP@[.5:.95] and AR."""
    rows = []
    for label, thing in enumerate(THINGS, start=1):
        ranked = ranked_at(seeds, nms_threshold, label, iou, rule, network)
        means = over_thresholds(seeds, nms_threshold, label, network)
        rows.append(
            {"class": thing, "truths": ranked.truths, "detections": len(ranked)}
            | {name: ap.average_precision(ranked, name) for name in ap.AP_RULES}
            | dict(zip(("AP@[.5:.95]", "AR"), means, strict=True))
        )
    return rows


def table(rows: list[dict]) -> None:
    """The rows of the classes, and the mean of all below them."""
    numbers = [name for name in rows[0] if name not in ("class", "truths", "detections")]
    mean = {
        "class": "mean (mAP)",
        "truths": sum(r["truths"] for r in rows),
        "detections": sum(r["detections"] for r in rows),
    }
    mean |= {name: ap.mean_of_defined(np.array([row[name] for row in rows])) for name in numbers}
    shown = [{k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()} for row in [*rows, mean]]
    st.dataframe(
        shown, hide_index=True, key="pr_table",
        column_config={name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.3f", width=110)
                       for name in numbers}
        | {name: st.column_config.Column(name, width=width) for name, width in NARROW.items()},
    )  # fmt: skip
    absent = [row["class"] for row in rows if not row["truths"]]
    if absent:
        st.caption(
            f"Without a truth in these scenes a class has no AP, and the mean leaves it out: {', '.join(absent)}."
        )
