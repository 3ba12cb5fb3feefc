"""Average precision by hand: five detections, three truths, matched one by one, each a point of the curve."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import average_precision as ap
from labs.matching import Detections, Judgement, Truths, judge
from pages.iou_nms_precision_recall.shared import BLUE, GRAY, GREEN, MARKS, ORANGE, VERMILION, xyxy
from scenes import THINGS
from ui import page, pictures, rounding
from ui.components import Box, Boxes, Stage, address, following, live_slider, resting, stage, words

SCENE = 31
KNOBS = {
    "objects": (3, 3),
    "classes": ("dog",),
    "occlusion": 0.0,
    "light": 1.0,
    "fog": 0.0,
    "noise": 0.0,
    "truncation": 0.0,
}
LINK = "hand_boxes"  # in the address: x1, y1, x2, y2 of the five, surest first
DOG = THINGS.index("dog") + 1
IOU = 0.5
SCORES = (0.99, 0.95, 0.90, 0.50, 0.10)
# Which dog each detection is at first drawn for (from the left), and how far it lies beside it, in sizes of the dog.
AIMS = ((1, (0.06, 0.0)), (2, (-0.04, 0.08)), (1, (-0.14, 0.08)), (0, (0.05, -0.6)), (0, (0.1, 0.08)))


def truths() -> Truths:
    """The three dogs of the scene, from left to right."""
    boxes = np.array(sorted((each.box for each in pictures.from_lab_world(SCENE, **KNOBS).view.instances), key=min_x))
    return Truths(boxes, np.full(len(boxes), DOG))


def min_x(box: np.ndarray) -> float:
    return float(box[0])


def start_boxes() -> list[Box]:
    """Two good detections, a second one of the same dog, one badly placed, and one that is right but unsure."""
    boxes = truths().boxes
    places = []
    for dog, (right, down) in AIMS:
        x1, y1, x2, y2 = boxes[dog]
        dx, dy = right * (x2 - x1), down * (y2 - y1)
        places.append((x1 + dx, y1 + dy, x2 + dx, y2 + dy))
    return placed(places)


def placed(places) -> list[Box]:
    """The five detections at these places, to a tenth of a pixel, which is as fine as a hand can set them."""
    rows = zip(SCORES, places, strict=True)
    return [Box(f"detection-{i + 1}", tuple(round(float(at), 1) for at in place), f"{i + 1}: {score:.2f}", ORANGE,
                editable=True, width=3) for i, (score, place) in enumerate(rows)]  # fmt: skip


def linked_boxes() -> list[Box] | None:
    """The boxes that the address names; None if what it says are no five boxes."""
    try:
        found = address.numbers(LINK, 4 * len(SCORES)) or ()
        places = np.array(found, float).reshape(-1, 4).clip(0, 224)
    except ValueError:
        return None
    return placed(places.tolist()) if len(places) and bool((places[:, :2] <= places[:, 2:]).all()) else None


def mirror(boxes: list[Box]) -> None:
    """Once the hand rests, the boxes stand in the address, unless they are where they started."""
    text = ",".join(f"{at:g}" for box in boxes for at in box.xyxy)
    address.keep(LINK, None if boxes == start_boxes() else text)


def put_back() -> None:
    st.session_state["hand_stage"] = start_boxes()


@st.fragment
@page.guard()
def by_hand() -> None:
    page.section(
        "By hand: five detections, three truths",
        "Surest first: each detection takes the truth that it fits best and no other has taken, and adds one point.",
    )
    if "hand_stage" not in st.session_state and address.linked(LINK) is not None:
        st.session_state["hand_stage"] = linked_boxes() or start_boxes()
    left, right = st.columns([4, 5], gap="large")
    with left:
        view = stage("hand_stage", start_boxes(), window=2, width=520)
    if resting("hand_stage") and not following():
        mirror(view.boxes)
    there = truths()
    boxes = np.array([box.xyxy for box in view.boxes], float)
    found = Detections(boxes, np.full(len(boxes), DOG), np.array(SCORES))
    judgement = judge(found, there, IOU)
    ranked = ap.rank(ap.compare([found], [there], DOG), IOU)
    with (
        left,
        live_slider(
            "Detections matched so far", 0, len(SCORES), len(SCORES), key="hand_step", play=True, window=2
        ) as step,
    ):
        with right:
            veiled = account(judgement, ranked, step)
        draw(view, there, judgement, 0 if veiled else step)
        st.button("Boxes as at first", icon=":material/undo:", key="hand_back", on_click=put_back)


def account(judgement: Judgement, ranked: ap.Ranking, step: int) -> bool:
    """The five line by line, their curve and its area; returns whether all that is still veiled."""
    hits = int(ranked.true.sum())
    with page.predict(
        "hand-true", f"Match them in your head at IoU ≥ {IOU:g}. How many of the five are true?",
        list(range(max(0, hits - 2), min(len(SCORES), hits + 2) + 1)),
    ) as prediction:  # fmt: skip
        prediction.outcome(hits, "A second box on a dog that is taken is false, however well it fits.")
        for i in range(len(SCORES)):
            words(line(i, judgement, ranked) if i < step else f":gray[{i + 1}. score {SCORES[i]:.2f}]", f"hand_{i}")
        chart(ranked, step)
        words(area(ranked, step), "hand_area")
    return prediction.veiled


def draw(view: Stage, there: Truths, judgement: Judgement, step: int) -> None:
    """The detections matched so far in the colours of their verdicts; a truth that is taken is green."""
    taken = {judgement.verdicts[i].truth for i in range(step)}
    dogs = [
        Box(
            f"truth-{g}",
            xyxy(box),
            "",
            GREEN if g in taken else BLUE,
            dash=True,
            note="taken" if g in taken else "truth",
        )
        for g, box in enumerate(there.boxes)
    ]
    drawn = []
    for i, box in enumerate(view.boxes):
        kind = judgement.verdicts[i].kind
        colour = GREEN if kind == "true" else VERMILION
        drawn.append(replace(box, label=f"{MARKS.get(kind, '✗')} {box.label}", colour=colour) if i < step else box)
    if 0 < step < len(drawn) + 1:
        drawn[step - 1] = replace(drawn[step - 1], width=5)
    view.show(
        pictures.from_lab_world(SCENE, **KNOBS).image, [Boxes([*dogs, *drawn])],
        alt=f"Three dogs and five detections, {step} of them matched",
        caption="Dashed: the truths, green once taken. Orange: a detection that waits. Drag a box: its match follows.",
    )  # fmt: skip


def line(i: int, judgement: Judgement, ranked: ap.Ranking) -> str:
    """One detection: its verdict, and precision and recall after it, short enough for one line."""
    verdict = judgement.verdicts[i]
    rival = (verdict.rival or 0) + 1
    why = {"true": "true", "duplicate": f"false, taken by {rival}"}.get(verdict.kind, f"false, below {IOU:g}")
    hits = int(ranked.true[: i + 1].sum())
    return (
        f"**{i + 1}. {why}** · IoU {rounding.beside(verdict.same_iou, IOU)} · precision {hits}/{i + 1} · "
        f"recall {hits}/{ranked.truths}"
    )


def chart(ranked: ap.Ranking, step: int) -> None:
    """The points so far, and the envelope whose area is AP."""
    precision, recall = (each[:step] for each in ap.precision_recall(ranked.true, ranked.truths))
    fig = go.Figure()
    if step:
        top = ap.envelope(precision)
        fig.add_scatter(
            x=np.concatenate([[0.0], recall]), y=np.concatenate([top[:1], top]), mode="lines", fill="tozeroy",
            line=dict(shape="vh", color=BLUE, width=2), fillcolor="rgba(0,114,178,0.28)", name="envelope",
            hoverinfo="skip",
        )  # fmt: skip
        fig.add_scatter(x=recall, y=precision, mode="lines", line=dict(color=GRAY, width=2), showlegend=False)
        fig.add_scatter(
            x=recall, y=precision, mode="markers+text", text=[str(i + 1) for i in range(step)],
            textposition="bottom left", showlegend=False, cliponaxis=False,
            marker=dict(size=13, color=[GREEN if hit else VERMILION for hit in ranked.true[:step]],
                        symbol=["circle" if hit else "x" for hit in ranked.true[:step]]),
        )  # fmt: skip
    fig.update_xaxes(
        title="Recall", range=[-0.02, 1.05], tickvals=[0, 1 / 3, 2 / 3, 1], ticktext=["0", "1/3", "2/3", "1"]
    )
    fig.update_yaxes(title="Precision", range=[0, 1.1])
    page.figure(fig, "hand_curve", height=260, alt=f"Precision and recall after {step} of five detections")


def area(ranked: ap.Ranking, step: int) -> str:
    """AP of what has been matched so far, written out as the sum of its steps."""
    if not step:
        return ":gray[No detection yet: no precision, recall 0.]"
    precision, recall = (each[:step] for each in ap.precision_recall(ranked.true, ranked.truths))
    top = ap.envelope(precision)
    gains = np.diff(recall, prepend=0.0)
    terms = [f"{gains[i]:.2f} · {top[i]:.2f}" for i in range(step) if gains[i] > 0]
    value = ap.voc_all_point(precision, recall)
    return f"**AP** (area, VOC all-point) = {' + '.join(terms) or '0'} = **{value:.3f}**"
