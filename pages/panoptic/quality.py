"""PQ = SQ x RQ: what every segment adds to the sum, class by class, and what void and crowd excuse."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import panoptic_quality
from labs.panoptic_quality import VOID, Judged, Quality, Tally
from pages.panoptic.shared import Seen, Thresholds, masks_of, merged
from scenes import CLASSES, STUFF
from ui import page
from ui.components import Box, Boxes, Labels, address, following, resting, stage, words
from ui.pictures import Picture

THINGS = range(len(STUFF), len(CLASSES))
STAGE, LINK = "panoptic_truth", "panoptic_region"
MATCH, WRONG, MISSED, IGNORED = "#56B4E9", "#D55E00", "#E69F00", "#8A9099"
NOBODY = "#16181D"
PLAIN, IS_VOID, IS_CROWD = "Whole truth", "Void in the box", "Crowds in the box"
BOX = (20.0, 100.0, 120.0, 200.0)
SIZE = 224


def map_of(found: Seen) -> np.ndarray:
    """Class and identity of every pixel, (H, W, 2), from what was seen, merged with the usual thresholds."""
    return merged(found, masks_of(found, Thresholds.mask), Thresholds()).pairs()


@st.fragment
@page.guard()
def scored(picture: Picture, prediction: np.ndarray) -> None:
    """`prediction`: class and identity of every pixel, (H, W, 2)."""
    page.section("PQ = SQ × RQ", "Segments are matched, and every class is scored: how well do matches fit, and how "
                 "many segments have one?")  # fmt: skip
    if picture.view is None:
        st.caption("A photograph has no truth here, so nothing is scored: choose Lab World above, or paint one below.")
        return
    truth = np.stack([picture.view.semantic, picture.view.panoptic], -1).astype(np.int64)
    with st.container(key="line-panoptic-rule", horizontal=True, vertical_alignment="center"):
        rule = st.segmented_control("Truth", [PLAIN, IS_VOID, IS_CROWD], default=PLAIN, required=True,
                                    key="panoptic_rule", bind="query-params", label_visibility="collapsed")  # fmt: skip
        name = st.selectbox("Class", CLASSES, CLASSES.index("grass"), key="panoptic_class", bind="query-params",
                            label_visibility="collapsed", width=160)  # fmt: skip
    left, right = st.columns(2, gap="medium")
    view = stage(STAGE, [Box("region", linked(), "", NOBODY, editable=True, width=3)], zoom=False, window=2)
    box = inside(view.boxes[0].xyxy)
    if resting(STAGE):
        address.keep(LINK, None if box == BOX else ",".join(f"{value:g}" for value in box))
    judged = judge(truth, prediction, rule, box)
    counted = panoptic_quality.tally(judged, len(CLASSES))
    found = panoptic_quality.quality(counted)
    with left:
        fate = fate_of(judged.missed, judged.matches[:, 0], outside=0)
        draggable = [replace(view.boxes[0], xyxy=box, label="void" if rule == IS_VOID else "crowds")]
        canvas = stage("panoptic_truth_plain", zoom=False, window=2) if rule == PLAIN else view
        canvas.show(
            picture.image,
            [painted(fate, judged.truth.numbers, MISSED),
             Boxes([*outlines(picture), *(draggable if rule != PLAIN else [])])],
            alt="The truth: segments with a match, missed ones, and void",
            caption="Truth. Blue: a match. Orange: missed (FN). Grey: ignored. Black: void.",
        )  # fmt: skip
    with right:
        fate = fate_of(judged.wrong, judged.matches[:, 1], outside=0)
        stage("panoptic_judged", zoom=False, window=2).show(
            picture.image, [painted(fate, judged.prediction.numbers, WRONG)],
            alt="The prediction: segments with a match, and wrong ones",
            caption="Prediction. Blue: a match (TP). Vermilion: no match (FP). Grey: ignored. Black: void.",
        )  # fmt: skip
    opened(judged, counted, found, CLASSES.index(name))
    if not following():
        terms(judged, CLASSES.index(name))
    pq, sq, rq = (0.0 if np.isnan(value) else value for value in found.mean())
    with page.predict(
        "panoptic-pq", f"The matches of this scene fit with a mean SQ of {sq:.2f}. How high is the mean PQ?",
        page.Number(0.0, 1.0, 0.05),
    ) as asked:  # fmt: skip
        by_class(found)
        words(means(found), "panoptic_means")
        asked.outcome(
            round(pq, 2),
            f"because RQ is {rq:.2f}: "
            + ("every segment has a match." if rq == 1 else "PQ falls below SQ where segments have no match."),
        )


def linked() -> tuple[float, float, float, float]:
    """The box of the address, else BOX."""
    try:
        found = address.numbers(LINK, 4)
    except ValueError:
        page.problem(f"The link's {LINK} is no box like 20,100,120,200: drag the box on the picture instead.")
        found = None
    return inside(found or BOX)


def inside(place) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = np.clip(np.asarray(place, float), 0, SIZE).tolist()
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def judge(truth: np.ndarray, prediction: np.ndarray, rule: str, box) -> Judged:
    """The maps matched, with the box made void, or the things that lie mostly in it made crowds."""
    height, width = truth.shape[:2]
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    region = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])
    if rule == IS_VOID:
        truth = np.where(region[..., None], np.array([VOID, 0]), truth)
    crowd = None
    if rule == IS_CROWD:
        ids = truth[..., 1]
        mostly = np.bincount(ids[region], minlength=ids.max() + 1) > np.bincount(ids.ravel()) / 2
        crowd = mostly[ids] & np.isin(truth[..., 0], list(THINGS))
    return panoptic_quality.judge(truth, prediction, THINGS, crowd)


def fate_of(bad: np.ndarray, matched: np.ndarray, outside: int = 2) -> np.ndarray:
    """What became of every segment: 1 match, 2 ignored, 3 `bad` (missed or wrong); at the end of what is `outside` all
    of them, where 0 is void."""
    fate = np.full(len(bad) + 1, 2)
    fate[:-1][bad], fate[matched], fate[-1] = 3, 1, outside
    return fate


def painted(fate: np.ndarray, numbers: np.ndarray, bad: str) -> Labels:
    """Every segment in the colour of what became of it."""
    return Labels(fate[numbers].astype(np.uint8), [NOBODY, MATCH, IGNORED, bad], 0.62)


def outlines(picture: Picture) -> list[Box]:
    """Thin boxes around the true things, so that neighbours are told apart."""
    boxes = [(thing.id, thing.label, [float(value) for value in thing.box]) for thing in picture.view.instances]
    return [Box(f"thing-{number}", (x1, y1, x2, y2), "", "#FFFFFF", width=1, note=label)
            for number, label, (x1, y1, x2, y2) in boxes]  # fmt: skip


def opened(judged: Judged, counted: Tally, found: Quality, label: int) -> None:
    """The sum of one class with its numbers."""
    name = CLASSES[label]
    if np.isnan(found.pq[label]):
        words(f"No segment of *{name}* counts, neither in the truth nor in the prediction: the class has no PQ and is "
              "in no mean.", "panoptic_pq_sum")  # fmt: skip
        return
    each = " + ".join(
        f"{value:.2f}" for value in judged.matched_iou[judged.truth.labels[judged.matches[:, 0]] == label]
    )
    tp, fp, fn = (int(values[label]) for values in (counted.matches, counted.wrong, counted.missed))
    words(
        f"**PQ of {name}** = ({each or '0'}) / ({tp} + ½ · {fp} + ½ · {fn}) = **{found.pq[label]:.2f}** "
        f"= SQ {found.sq[label]:.2f} × RQ {found.rq[label]:.2f}", "panoptic_pq_sum",
    )  # fmt: skip


def terms(judged: Judged, label: int) -> None:
    """Every segment of a class: its pixels, its best IoU and what it counts as."""
    rows = ["| segment | pixels | IoU | counts as |", "| --- | ---: | ---: | --- |"]
    names = {int(t): f"{judged.iou[t, p]:.2f}" for t, p in judged.matches}
    for t in np.flatnonzero(judged.truth.labels == label):
        what = "TP" if int(t) in names else "FN, missed" if judged.missed[t] else "nothing: a crowd"
        best = names.get(int(t), f"{judged.iou[t].max(initial=0):.2f}")
        rows.append(f"| true {CLASSES[label]} {judged.truth.ids[t]} | {judged.truth.areas[t]:,} | {best} | {what} |")
    for p in np.setdiff1d(np.flatnonzero(judged.prediction.labels == label), judged.matches[:, 1]):
        what = "FP, no match" if judged.wrong[p] else "nothing: over half on void or crowd"
        best = judged.iou[:, p].max(initial=0)
        rows.append(f"| predicted {CLASSES[label]} | {judged.prediction.areas[p]:,} | {best:.2f} | {what} |")
    if len(rows) > 2:
        st.markdown("\n".join(rows))


def by_class(found: Quality) -> None:
    """PQ, SQ and RQ of the classes that the scene has."""
    there = np.flatnonzero(~np.isnan(found.pq))
    names = [CLASSES[k] for k in there]
    parts = (("PQ", found.pq, "#0072B2"), ("SQ", found.sq, "#56B4E9"), ("RQ", found.rq, "#E69F00"))
    bars = [go.Bar(name=name, x=names, y=values[there], marker_color=colour) for name, values, colour in parts]
    figure = go.Figure(bars)
    figure.update_layout(yaxis={"range": [0, 1.02]}, barmode="group")
    page.figure(figure, "panoptic_by_class", height=280, alt="PQ, SQ and RQ of every class of the scene")


def means(found: Quality) -> str:
    """Means over all classes, things, and stuff."""
    parts = (("all", None), ("things", THINGS), ("stuff", range(len(STUFF))))
    lines = [(name, found.mean(classes)) for name, classes in parts]
    return " · ".join(f"**{name}** PQ {pq:.2f}, SQ {sq:.2f}, RQ {rq:.2f}" for name, (pq, sq, rq) in lines
                      if not np.isnan(pq))  # fmt: skip
