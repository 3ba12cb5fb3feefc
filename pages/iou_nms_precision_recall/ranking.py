"""One class over many scenes: the precision-recall curve detection by detection, four rules for its area, and mAP."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from labs import average_precision as ap
from labs.average_precision import Ranking
from labs.matching import RULES, Detections, Truths, judge
from pages.iou_nms_precision_recall.shared import (
    BLUE,
    GRAY,
    GREEN,
    HEAD_MOST,
    HEAD_SCORE,
    ORANGE,
    VERMILION,
    Held,
    because,
    detections_of,
    evaluation_scenes,
    in_words,
    truths_of_scenes,
    verdict_box,
    xyxy,
)  # fmt: skip
from scenes import THINGS
from ui import figures, page
from ui.components import Box, Boxes, following, live_slider, stage, words

COUNTS = (10, 20, 30, 50)
NARROW = {"class": 90, "truths": 60, "detections": 85}  # px: with five bars they fit beside the side bar
SHOWN = {
    "VOC07 11-point": ap.ELEVEN_RECALLS,
    "VOC all-point": None,
    "COCO 101-point": ap.COCO_RECALLS,
}


@st.cache_resource(max_entries=500, show_spinner=False)
def comparisons_of(seeds: tuple[int, ...], nms_threshold: float, label: int) -> list[ap.Comparison]:
    """The scenes of this class, each detection beside each truth: what no IoU threshold changes."""
    return ap.compare(detections_of(seeds, nms_threshold), truths_of_scenes(seeds), label)


@st.cache_resource(max_entries=3000, show_spinner=False)
def ranked_at(seeds: tuple[int, ...], nms_threshold: float, label: int, iou: float, rule: str) -> Ranking:
    return ap.rank(comparisons_of(seeds, nms_threshold, label), iou, rule)


def over_thresholds(seeds: tuple[int, ...], nms_threshold: float, label: int) -> tuple[float, float]:
    """COCO's AP@[.5:.95] and AR of one class; NaN without a truth."""
    rankings = [ranked_at(seeds, nms_threshold, label, float(each), "COCO") for each in ap.IOU_THRESHOLDS]
    means = [np.mean([figure(each) for each in rankings]) for figure in (ap.average_precision, ap.final_recall)]
    return float(means[0]), float(means[1])


@st.fragment
@page.guard()
def ranking() -> None:
    page.section(
        "Precision and recall over many scenes",
        "All detections of a class, surest first. Each one moves the curve: a true one to the right, a false one down.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        thing = st.selectbox("Class", THINGS, index=THINGS.index("dog"), key="pr_class", bind="query-params", width=160)
        count = st.segmented_control("Scenes", COUNTS, default=20, required=True, key="pr_scenes", bind="query-params")
        rule = st.segmented_control(
            "Matching", list(RULES), default="COCO", required=True, key="pr_rule", bind="query-params",
            help="VOC here is the matching rule only: areas are without the development kit's extra pixel.",
        )  # fmt: skip
        drawn = st.segmented_control(
            "Draw the area of", list(SHOWN), default="VOC all-point", required=True, key="pr_area", bind="query-params"
        )
    held = evaluation_scenes(count)
    seeds, label = tuple(each.seed for each in held), THINGS.index(thing) + 1
    columns, body = st.columns(3), st.container()
    with (
        columns[0],
        live_slider("NMS threshold", 0.0, 1.0, 0.5, step=0.05, key="pr_nms", format="%.2f") as nms_threshold,
        columns[1],
        live_slider("IoU for a match", 0.5, 0.95, 0.75, step=0.05, key="pr_iou", format="%.2f", play=True) as iou,
        body,
    ):
        found = detections_of(seeds, nms_threshold)
        ranked = ranked_at(seeds, nms_threshold, label, iou, rule)
        if ranked.truths == 0:
            st.info(f"None of these {count} scenes has a {thing}: recall and AP are not defined. Take more scenes.")
        elif len(ranked) == 0:
            st.info(f"The detector never says {thing} here: AP and recall are 0, and there is no curve to draw.")
        else:
            mistakes = np.flatnonzero(~ranked.true) + 1
            first = int(mistakes[0]) if len(mistakes) else len(ranked)
            most = max(2, len(ranked))
            touch = figures.touched("pr_curve")
            if touch.clicked is not None:
                st.session_state["pr_step"] = int(touch.clicked)
            with columns[2], live_slider("Detection", 1, most, first, key="pr_step", play=True) as step, body:
                under = min(int(touch.under or step), len(ranked))
                stepping(ranked, min(step, len(ranked)), under, found, held, iou, rule, drawn, thing)
        if ranked.truths:
            rules(ranked, over_thresholds(seeds, nms_threshold, label), thing, drawn)
    if following():  # the table of all classes waits until the hand lets go
        return
    cut_question(ranked)
    page.section(
        "Mean AP over the classes",
        f"The same {count} scenes, every class by every rule; the last row is the mean. The first three columns are at "
        f"**IoU ≥ {iou:.2f}**, the slider above; AP@[.5:.95] and AR are means over ten thresholds.",
    )
    table(seeds, nms_threshold, iou, rule)


def stepping(
    ranked: Ranking, step: int, under: int, found: list[Detections], held: list[Held], iou: float, rule: str,
    drawn: str, thing: str,
) -> None:  # fmt: skip
    """The curve as far as detection `step` (from 1), and detection `under`, the one pointed at, else `step`."""
    left, right = st.columns([3, 2], gap="large")
    precision, recall = ap.precision_recall(ranked.true, ranked.truths)
    with left:
        page.figure(
            curve(ranked, precision, recall, step, held, drawn), "pr_curve", height=430, points=True,
            alt=f"Precision-recall curve of {thing}: after {step} detections precision {precision[step - 1]:.2f}, "
            f"recall {recall[step - 1]:.2f}",
        )  # fmt: skip
    k = under - 1
    scene, detections, index = held[ranked.image[k]], found[ranked.image[k]], int(ranked.detection[k])
    verdict = judge(detections, scene.truths, iou, rule).verdicts[index]
    nearest = (
        verdict.truth if verdict.truth is not None else verdict.same if verdict.same is not None else verdict.other
    )
    boxes = [] if nearest is None else [truth_box(scene.truths, nearest)]
    with right:
        words(f"**Detection {under} of {len(ranked)}**, on scene {scene.seed}", "pr_which")
        stage("pr_detection", window=2).show(
            scene.image, [Boxes([*boxes, verdict_box("detection", detections, index, verdict)])],
            alt=f"Detection {under}: {verdict.kind}",
            caption="Point at a detection of the curve to see it here; click it to go there.",
        )  # fmt: skip
        overlap = f" The IoU is {in_words(ranked.iou[k], iou)}." if verdict.kind == "true" else ""
        hits = int(ranked.true[:under].sum())
        words(
            f"Precision = {hits} / {under} = **{precision[k]:.2f}**\n\n"
            f"Recall = {hits} / {ranked.truths} = **{recall[k]:.2f}**\n\n"
            + because(verdict, index, detections, scene.truths, iou) + overlap,
            "pr_why",
        )  # fmt: skip
        mistakes = np.flatnonzero(~ranked.true) + 1
        later = mistakes[mistakes > step]
        st.button(
            "Next false positive", icon=":material/skip_next:", key="pr_next", disabled=not len(mistakes),
            on_click=go_to, args=(int(later[0]) if len(later) else int(mistakes[0]) if len(mistakes) else 1,),
        )  # fmt: skip


def go_to(step: int) -> None:
    st.session_state["pr_step"] = step


def truth_box(truths: Truths, index: int) -> Box:
    name = THINGS[truths.labels[index] - 1]
    return Box("truth", xyxy(truths.boxes[index]), f"truth: {name}", BLUE, dash=True, width=3)


def curve(ranked: Ranking, precision: NDArray, recall: NDArray, step: int, held: list[Held], drawn: str) -> go.Figure:
    """Every detection a point; the part after `step` is faint; the chosen rule's area or samples under the envelope."""
    fig = go.Figure()
    at = SHOWN[drawn]
    if at is None:
        y = ap.envelope(precision)
        steps_x, steps_y = np.concatenate([[0.0], recall]), np.concatenate([y[:1], y])
        fig.add_scatter(
            x=steps_x, y=steps_y, mode="lines", line=dict(shape="vh", color=BLUE, width=2), fill="tozeroy",
            fillcolor="rgba(0,114,178,0.16)", name="best precision from here on", hoverinfo="skip",
        )  # fmt: skip
    else:
        fig.add_bar(
            x=at, y=ap.sampled(precision, recall, at), width=0.02 if len(at) < 20 else 0.004, marker_color=BLUE,
            opacity=0.6, name=f"{len(at)} samples", hovertemplate="recall ≥ %{x:.2f}: %{y:.2f}<extra></extra>",
        )  # fmt: skip
    fig.add_scatter(x=recall, y=precision, mode="lines", line=dict(color=GRAY, width=1, dash="dot"), showlegend=False,
                    hoverinfo="skip")  # fmt: skip
    fig.add_scatter(x=recall[:step], y=precision[:step], mode="lines", line=dict(color=GRAY, width=2.5),
                    showlegend=False, hoverinfo="skip")  # fmt: skip
    for name, which, colour, symbol in (
        ("true", ranked.true, GREEN, "circle"),
        ("false", ~ranked.true, VERMILION, "x"),
    ):
        some = np.flatnonzero(which)
        fig.add_scatter(
            x=recall[some], y=precision[some], mode="markers", name=name,
            marker=dict(color=colour, symbol=symbol, size=9, opacity=np.where(some < step, 1.0, 0.25)),
            customdata=np.stack([some + 1, ranked.scores[some], ranked.iou[some],
                                 [held[i].seed for i in ranked.image[some]]], axis=1) if len(some) else None,
            hovertemplate="detection %{customdata[0]:.0f}, score %{customdata[1]:.2f}, " + name
            + "<br>IoU %{customdata[2]:.2f}, scene %{customdata[3]:.0f}<br>"
            "precision %{y:.2f}, recall %{x:.2f}<extra></extra>",
        )  # fmt: skip
    ring = dict(size=20, color="rgba(0,0,0,0)", line=dict(color=ORANGE, width=4))
    fig.add_scatter(x=recall[step - 1 : step], y=precision[step - 1 : step], mode="markers", showlegend=False,
                    hoverinfo="skip", marker=ring)  # fmt: skip
    fig.update_xaxes(title="Recall = true / ground truths", range=[-0.02, 1.03])
    fig.update_yaxes(title="Precision = true / all detections", range=[0, 1.06])
    return fig


def rules(ranked: Ranking, means: tuple[float, float], thing: str, drawn: str) -> None:
    """The four numbers on this very ranking, and AR."""
    figures_of = {name: ap.average_precision(ranked, name) for name in ap.AP_RULES}
    figures_of |= {"AP@[.5:.95]": means[0], "AR": means[1]}
    colour = {True: "blue", False: "gray"}
    with st.container(horizontal=True, key="pr_rules"):
        for name, value in figures_of.items():
            with st.container(border=True, width=148):
                words(f":{colour[name == drawn]}[{name}]\n\n**{value:.3f}**", f"pr_{name}")
    words(
        f":gray[One ranking, four answers for {thing}: eleven coarse samples, the exact area, 101 fine samples, and "
        f"the mean over ten IoU thresholds. AR: the recall of all detections, mean over the same thresholds. "
        f"{ranked.truths} truths, {len(ranked)} detections above {HEAD_SCORE} (at most {HEAD_MOST} per scene). "
        "A trap in COCO's 101 recall points: they are floating-point numbers, and 0.35 lies a hair above 7/20. So 7 "
        "perfect detections of 20 truths reach 35 points, 0 to 0.34: AP is 35/101 = 0.347, here and in pycocotools.]",
        "pr_counts",
    )


def cut_question(ranked: Ranking) -> None:
    if not ranked.truths or not len(ranked):
        return
    keep = ranked.scores >= 0.5
    cut = ap.coco_101_point(*ap.precision_recall(ranked.true[keep], ranked.truths))
    whole = ap.average_precision(ranked)
    page.quiz(
        "pr_cut",
        "Throw away all detections below score 0.5. What does this AP (COCO 101-point) do?",
        ["rises", "stays", "falls"],
        "stays" if abs(cut - whole) < 5e-4 else "falls" if cut < whole else "rises",
        f"From {whole:.3f} to {cut:.3f}. The tail of a ranking can only add recall: its false positives come after the "
        "true ones and cannot lower the envelope there. That is why AP needs no score threshold.",
    )


@st.cache_data(max_entries=200, show_spinner=False)
def per_class(seeds: tuple[int, ...], nms_threshold: float, iou: float, rule: str) -> list[dict]:
    """One row per class: counts, AP at this IoU by the three rules, COCO's AP@[.5:.95] and AR."""
    rows = []
    for label, thing in enumerate(THINGS, start=1):
        ranked = ranked_at(seeds, nms_threshold, label, iou, rule)
        means = over_thresholds(seeds, nms_threshold, label)
        rows.append(
            {"class": thing, "truths": ranked.truths, "detections": len(ranked)}
            | {name: ap.average_precision(ranked, name) for name in ap.AP_RULES}
            | dict(zip(("AP@[.5:.95]", "AR"), means, strict=True))
        )
    return rows


def table(seeds: tuple[int, ...], nms_threshold: float, iou: float, rule: str) -> None:
    rows = per_class(seeds, nms_threshold, iou, rule)
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
