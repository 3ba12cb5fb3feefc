"""One class over many scenes: the precision-recall curve detection by detection, four rules for its area, and mAP."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from labs import average_precision as ap
from labs.average_precision import Ranking
from labs.matching import RULES, Detections, Truths, judge
from pages.iou_nms_precision_recall import judged_scenes, mean_ap, suppression
from pages.iou_nms_precision_recall.rankings import over_thresholds, ranked_at
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
    choose_detector,
    detections_of,
    evaluation_scenes,
    in_words,
    verdict_box,
    xyxy,
)  # fmt: skip
from scenes import THINGS
from ui import figures, page
from ui.components import Box, Boxes, following, live_slider, stage, words

COUNTS = (10, 20, 30, 50)
SHOWN = {
    "VOC07 11-point": ap.ELEVEN_RECALLS,
    "VOC all-point": None,
    "COCO 101-point": ap.COCO_RECALLS,
}


@st.fragment
@page.guard()
def ranking() -> None:
    page.section(
        "Precision and recall over many scenes",
        "One threshold on the score splits all detections of a class; where it lies is one point of the curve.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        thing = st.selectbox("Class", THINGS, index=THINGS.index("dog"), key="pr_class", bind="query-params", width=160)
        count = st.segmented_control("Scenes", COUNTS, default=20, required=True, key="pr_scenes", bind="query-params")
        rule = st.segmented_control(
            "Matching", list(RULES), default="COCO", required=True, key="pr_rule", bind="query-params",
            help="VOC here is the matching rule only: areas are without the development kit's extra pixel.",
        )  # fmt: skip
        network = choose_detector("pr_detector")
    held = evaluation_scenes(count, network)
    seeds, label = tuple(each.seed for each in held), THINGS.index(thing) + 1
    columns, body = st.columns(3), st.container()
    with (
        columns[0],
        live_slider("NMS threshold", 0.0, 1.0, 0.5, step=0.05, key="pr_nms", format="%.2f") as nms_threshold,
        columns[1],
        live_slider("IoU for a match", 0.5, 0.95, 0.85, step=0.05, key="pr_iou", format="%.2f", play=True) as iou,
        columns[2],
        live_slider("Score threshold", HEAD_SCORE, 1.0, 0.5, step=0.01, key="pr_score", format="%.2f", play=True,
                    help="Detections that score at least this count. AP does not depend on it.") as score,
        body,
    ):  # fmt: skip
        found = detections_of(seeds, nms_threshold, network)
        ranked = ranked_at(seeds, nms_threshold, label, iou, rule, network)
        if ranked.truths == 0:
            st.info(f"None of these {count} scenes has a {thing}: recall and AP are not defined. Take more scenes.")
        else:
            some = ap.above(ranked, score)
            words(counts(ap.confusion(ranked.true[:some], ranked.truths)), "pr_confusion")
            rules(ranked, over_thresholds(seeds, nms_threshold, label, network))
            if len(ranked) == 0:
                st.info(f"The detector never says {thing} here: AP and recall are 0, and there is no curve to draw.")
            else:
                under = split(ranked, some, found, held, label)
                words(fine_print(ranked, thing), "pr_counts")
                cut(ranked, some, score)
                opened(ranked, under, found, held, iou, rule)
    if following():  # the table of all classes waits until the hand lets go
        return
    mean_ap.over_classes(seeds, nms_threshold, iou, rule, network)


def counts(here: ap.Confusion) -> str:
    """What the detector does at this threshold: the three counts, and the three shares made of them."""
    shares = {
        "precision": (here.precision, f"{here.true} / {here.true + here.false}"),
        "recall": (here.recall, f"{here.true} / {here.true + here.missed}"),
        "F1": (here.f1, f"{2 * here.true} / {2 * here.true + here.false + here.missed}"),
    }
    told = [
        f"{name} {'undefined' if np.isnan(value) else f'{of} = **{value:.2f}**'}"
        for name, (value, of) in shares.items()
    ]
    return " · ".join([f"**TP {here.true} · FP {here.false} · FN {here.missed}**", *told])


def split(
    ranked: Ranking, some: int, found: list[Detections], held: list[Held], label: int
) -> int | None:  # fmt: skip
    """The curve with the threshold's point, and beside it the scenes with what the threshold lets through.

    Returns the detection of the ranking that the pointer is on, if any.
    """
    left, right = st.columns([3, 2], gap="large")
    precision, recall = ap.precision_recall(ranked.true, ranked.truths)
    touch = figures.touched("pr_curve")
    if touch.clicked is not None:
        st.session_state["pr_step"] = int(touch.clicked)
    under = None if touch.under is None else min(int(touch.under), len(ranked)) - 1
    with left:
        slot = st.container()
        drawn = st.segmented_control(
            "Draw the area of", list(SHOWN), default="VOC all-point", required=True, key="pr_area", bind="query-params"
        )
        here = f"precision {precision[some - 1]:.2f}, recall {recall[some - 1]:.2f}" if some else "nothing is detected"
        with slot:
            page.figure(
            curve(ranked, precision, recall, some, held, drawn), "pr_curve", height=360, points=True,
            alt=f"Precision-recall curve of {THINGS[label - 1]}: at the score threshold {here}",
        )  # fmt: skip
    with right:
        judged_scenes.show(ranked, some, found, held, label, under)
    return under


def cut(ranked: Ranking, some: int, score: float) -> None:
    """AP of all detections beside AP of those above the threshold."""
    part = ap.coco_101_point(*ap.precision_recall(ranked.true[:some], ranked.truths))
    whole = ap.average_precision(ranked)
    with page.predict(
        "pr-cut", f"Throw away all detections below the score threshold {score:.2f}. What does AP (COCO 101-point) do?",
        ["It rises", "It stays", "It falls"],
    ) as prediction:  # fmt: skip
        words(f"AP of all {len(ranked)} detections **{whole:.3f}**, of the {some} above the threshold **{part:.3f}**.",
              "pr_cut")  # fmt: skip
        prediction.outcome(
            "It stays" if abs(part - whole) < 5e-4 else "It falls" if part < whole else "It rises",
            "The tail of a ranking can only add recall: its false positives come after the true ones and cannot lower "
            "the envelope there. That is why AP needs no score threshold.",
        )


def opened(
    ranked: Ranking, under: int | None, found: list[Detections], held: list[Held], iou: float, rule: str
) -> None:  # fmt: skip
    """One detection of the ranking in its picture, with the reason of its verdict: that `under` the pointer first."""
    mistakes = np.flatnonzero(~ranked.true) + 1
    first = int(mistakes[0]) if len(mistakes) else len(ranked)
    st.subheader("One detection, opened", anchor="one-detection")
    left, right = st.columns([2, 3], gap="large")
    with right, live_slider("Detection", 1, max(2, len(ranked)), first, key="pr_step", play=True) as step:
        k = min(step, len(ranked)) - 1 if under is None else under
        scene, detections, index = held[ranked.image[k]], found[ranked.image[k]], int(ranked.detection[k])
        verdict = judge(detections, scene.truths, iou, rule).verdicts[index]
        nearest = (
            verdict.truth if verdict.truth is not None else verdict.same if verdict.same is not None else verdict.other
        )
        boxes = [] if nearest is None else [truth_box(scene.truths, nearest)]
        words(f"**Detection {k + 1} of {len(ranked)}**, on scene {scene.seed}", "pr_which")
        overlap = f" The IoU is {in_words(ranked.iou[k], iou)}." if verdict.kind == "true" else ""
        hits = int(ranked.true[: k + 1].sum())
        words(
            f"So far: precision = {hits} / {k + 1} = **{hits / (k + 1):.2f}**, recall = {hits} / {ranked.truths} = "
            f"**{hits / ranked.truths:.2f}**\n\n" + because(verdict, index, detections, scene.truths, iou) + overlap,
            "pr_why",
        )  # fmt: skip
        later = mistakes[mistakes > step]
        with st.container(horizontal=True):
            st.button(
                "Next false positive", icon=":material/skip_next:", key="pr_next", disabled=not len(mistakes),
                on_click=go_to, args=(int(later[0]) if len(later) else int(mistakes[0]) if len(mistakes) else 1,),
            )  # fmt: skip
            if st.button("Open the whole scene in section 3", icon=":material/arrow_upward:", key="pr_open",
                         on_click=suppression.open_scene, args=(scene.seed,)):  # fmt: skip
                st.rerun()  # that section is another fragment
        with left:
            stage("pr_detection", window=2, width=420).show(
                scene.image, [Boxes([*boxes, verdict_box("detection", detections, index, verdict)])],
                alt=f"Detection {k + 1}: {verdict.kind}",
                caption="A click on a point of the curve, or on a box of the scenes, comes here.",
            )  # fmt: skip


def go_to(step: int) -> None:
    st.session_state["pr_step"] = step


def truth_box(truths: Truths, index: int) -> Box:
    name = THINGS[truths.labels[index] - 1]
    return Box("truth", xyxy(truths.boxes[index]), f"truth: {name}", BLUE, dash=True, width=3)


def curve(ranked: Ranking, precision: NDArray, recall: NDArray, step: int, held: list[Held], drawn: str) -> go.Figure:
    """Every detection a point; what lies below the score threshold, after `step`, is faint; the ring is the threshold's
    point; the chosen rule's area or samples under the envelope."""
    fig = go.Figure()
    at = SHOWN[drawn]
    if at is None:
        y = ap.envelope(precision)
        steps_x, steps_y = np.concatenate([[0.0], recall]), np.concatenate([y[:1], y])
        fig.add_scatter(
            x=steps_x, y=steps_y, mode="lines", line=dict(shape="vh", color=BLUE, width=2), fill="tozeroy",
            fillcolor="rgba(86,180,233,0.35)", name="envelope", hoverinfo="skip",
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
        # The legend would take the opacity of the first point, which may be a faint one: it has a trace of its own.
        fig.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=dict(color=colour, symbol=symbol, size=9))
        some = np.flatnonzero(which)
        fig.add_scatter(
            x=recall[some], y=precision[some], mode="markers", name=name, showlegend=False,
            marker=dict(color=colour, symbol=symbol, size=9, opacity=np.where(some < step, 1.0, 0.4)),
            customdata=np.stack([some + 1, ranked.scores[some], ranked.iou[some],
                                 [held[i].seed for i in ranked.image[some]]], axis=1) if len(some) else None,
            hovertemplate="detection %{customdata[0]:.0f}, score %{customdata[1]:.2f}, " + name
            + "<br>IoU %{customdata[2]:.2f}, scene %{customdata[3]:.0f}<br>"
            "precision %{y:.2f}, recall %{x:.2f}<extra></extra>",
            hoverlabel=dict(align="left"),
        )  # fmt: skip
    ring = dict(size=18, color="rgba(0,0,0,0)", line=dict(color=ORANGE, width=4))
    fig.add_scatter(x=recall[step - 1 : step], y=precision[step - 1 : step], mode="markers",
                    name="threshold", hoverinfo="skip", marker=ring)  # fmt: skip
    fig.update_xaxes(title="Recall = true / ground truths", range=[-0.02, 1.03])
    fig.update_yaxes(title="Precision = true / all detections", range=[0, 1.06])
    return fig


def rules(ranked: Ranking, means: tuple[float, float]) -> None:
    """The four numbers on this very ranking, and AR."""
    figures_of = {name: ap.average_precision(ranked, name) for name in ap.AP_RULES}
    figures_of |= {"AP@[.5:.95]": means[0], "AR": means[1]}
    with st.container(horizontal=True, key="pr_rules"):
        for name, value in figures_of.items():
            with st.container(border=True, width=200 if page.lecture() else 148):  # each name in one line
                words(f":gray[{name.replace('[', '').replace(']', '')}]\n\n**{value:.3f}**", f"pr_{name}")


def fine_print(ranked: Ranking, thing: str) -> str:
    return (
        f":gray[One ranking, four answers for {thing}: eleven coarse samples, the exact area, 101 fine samples, and "
        f"the mean over ten IoU thresholds. AR: the recall of all detections, mean over the same thresholds. "
        f"{ranked.truths} truths, {len(ranked)} detections above {HEAD_SCORE} (at most {HEAD_MOST} per scene). "
        "A trap in COCO's 101 recall points: they are floating-point numbers, and 0.35 lies a hair above 7/20. So 7 "
        "perfect detections of 20 truths reach 35 points, 0 to 0.34: AP is 35/101 = 0.347, here and in pycocotools.]"
    )
