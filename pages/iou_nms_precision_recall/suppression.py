"""The detector's raw boxes on one picture: who suppresses whom, and what becomes of the rest."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from labs import nms
from labs.matching import RULES
from models.recipes.scene_cache import held_out_seeds
from pages.iou_nms_precision_recall.shared import (
    BLUE,
    GRAY,
    NAMED,
    ORANGE,
    SKY,
    VERMILION,
    Raw,
    choose_detector,
    named,
    picked,
    raw_boxes,
    xyxy,
)  # fmt: skip
from pages.iou_nms_precision_recall.verdicts import EVERYWHERE, after
from pages.shared import own_truth
from pages.shared.drawn_scores import Said
from pages.shared.photograph_found import LOWEST
from scenes import THINGS
from ui import outside_lab_world, page, pictures
from ui.components import Box, Boxes, Lines, address, following, live_slider, stage, words
from ui.pictures import Picture

GREEDY, LINEAR, GAUSSIAN = "greedy", "soft, linear", "soft, Gaussian"
SIGMA = 0.5  # of Gaussian soft-NMS, as in its paper
MOST_LINES = 80
HELD = "nms_held"  # in the address: a held-out scene, opened from the ranking over scenes
SHOWN_HELD = "_nms_held"  # in the session: the one that is shown, for the notebook
MOST_HELD = 50


@dataclass(frozen=True, eq=False)
class Outcome:
    """NMS on some boxes: `steps` of nms.greedy or nms.soft; `kept` indices and their `scores` after it, best first;
    `winner` of every box that lost: {box: (box that beat it, IoU)}; `before`: number of boxes that came in."""

    steps: list
    kept: list[int]
    scores: torch.Tensor
    winner: dict[int, tuple[int, float]]
    before: int


def suppress(raw: Raw, method: str, nms_threshold: float, score_threshold: float) -> Outcome:
    """NMS per class over the raw boxes that reach the score threshold; soft-NMS also drops what falls below it."""
    count = int((raw.scores >= score_threshold).sum())  # the best come first
    boxes, scores, labels = raw.boxes[:count], raw.scores[:count], raw.labels[:count]
    if method == GREEDY:
        steps = nms.greedy(boxes, scores, nms_threshold, labels)
        winner = {each.index: (step.kept, each.iou) for step in steps for each in step.suppressed}
        return Outcome(steps, [s.kept for s in steps], scores[nms.kept_indices(steps)], winner, count)
    factor = nms.linear(nms_threshold) if method == LINEAR else nms.gaussian(SIGMA)
    steps = nms.soft(boxes, scores, factor, max(score_threshold, 0.001), labels)
    kept = [step.kept for step in steps]
    winner = {}
    for step in steps:
        for each in step.decays:
            if each.index not in kept and each.iou > winner.get(each.index, (0, 0.0))[1]:
                winner[each.index] = (step.kept, each.iou)  # the one that cut the score most
    return Outcome(steps, kept, torch.tensor([step.score for step in steps]), winner, count)


@st.fragment
@page.guard()
def suppression() -> None:
    page.section(
        "On a real network: from raw boxes to verdicts",
        "The detector gives every place a box per class. A score threshold cuts, non-maximum suppression (NMS) "
        "thins out, the truth judges.",
    )
    picture = opened_scene(pictures.choose("nms", seed=3147))
    warned = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "NMS", [GREEDY, LINEAR, GAUSSIAN], default=GREEDY, required=True, key="nms_method", bind="query-params"
        )
        rule = st.segmented_control(
            "Matching", list(RULES), default="COCO", required=True, key="judge_rule", bind="query-params",
            help="COCO: the best truth still free. VOC: the best truth; if it is taken, the detection is false. VOC "
            "here is the matching rule only: the development kit also adds one pixel to every side of a box before it "
            "counts areas, and this page does not.",
        )  # fmt: skip
        network = choose_detector("nms_detector")
        stepwise = st.toggle("Step by step", key="nms_stepwise", bind="query-params")
    with warned:
        outside_lab_world.warn(picture, [network])
    raw = raw_boxes(picture.image, network)
    columns, body = st.columns(3), st.container()
    with (
        columns[0],
        live_slider("NMS threshold", 0.0, 1.0, 0.5, step=0.01, key="nms_threshold", format="%.2f", play=True,
                    help="A box is suppressed when its IoU with a better one of its class is above this. At exactly "
                    "this IoU it stays, as far as its digits are exact: 1/5 is 0.200000003 here and in torchvision.",
                    disabled=method == GAUSSIAN) as nms_threshold,
        columns[1],
        live_slider("Score threshold", 0.0, 1.0, 0.3, step=0.01, key="score_threshold", format="%.2f",
                    play=True) as score_threshold,
        columns[2],
        live_slider("IoU for a match", 0.05, 0.95, 0.5, step=0.05, key="match_iou", format="%.2f",
                    help="A detection fits a truth when their IoU is at least this: equal is enough.") as match_iou,
        body,
    ):  # fmt: skip
        outcome = suppress(raw, method, nms_threshold, score_threshold)
        if stepwise and len(outcome.steps) > 0:  # above both pictures, so that they stay side by side
            with live_slider("After step", 0, len(outcome.steps), 1, key="nms_step", play=True) as step:
                both(picture, raw, outcome, step, match_iou, rule, method)
        else:
            both(picture, raw, outcome, None, match_iou, rule, method)
        extremes(raw, method, nms_threshold, score_threshold)
    page.footer(network, raw.device, raw.seconds * 1000)
    if following():
        return
    if method != GAUSSIAN:
        elsewhere(picture, raw, method, nms_threshold, score_threshold, len(outcome.kept))
    if own_truth.opened("nms", picture, "Draw the truth, and NMS is judged"):
        own_truth.draw("nms_truth", picture, [said(raw, method, nms_threshold, network)])


def said(raw: Raw, method: str, nms_threshold: float, network: str) -> Said:
    """What NMS as it is set leaves of the raw boxes, down to the lowest score that counts anywhere."""
    outcome = suppress(raw, method, nms_threshold, LOWEST)
    names = [THINGS[label - 1] for label in raw.labels[outcome.kept].tolist()]
    return Said(f"{network} after this NMS", raw.boxes[outcome.kept].numpy(), names, outcome.scores.numpy())


def open_scene(seed: int) -> None:
    """Shows a held-out scene here, until one of the scenes above is asked for again."""
    address.keep(HELD, str(seed))


def opened_scene(chosen: Picture) -> Picture:
    """The held-out scene that the address names, with the way back from it; else the chosen picture."""
    st.session_state[SHOWN_HELD] = None
    try:
        seed = (address.numbers(HELD, 1, int) or (-1,))[0]
    except ValueError:
        return chosen
    if seed not in held_out_seeds(MOST_HELD):
        address.keep(HELD, None)
        return chosen
    st.session_state[SHOWN_HELD] = seed
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Scene {seed}**, from the ranking over many scenes below.")
        st.button("Back to the scene chosen above", key="nms_held_back", on_click=address.keep, args=(HELD, None))
    return pictures.from_lab_world(seed)


def both(
    picture: Picture, raw: Raw, outcome: Outcome, step: int | None, match_iou: float, rule: str, method: str
) -> None:  # fmt: skip
    """All raw boxes on the left, what NMS left of them on the right."""
    left, right = st.columns(2, gap="medium")
    with left:
        words(f"**{outcome.before} raw boxes → {len(outcome.kept)} kept**", "nms_count")
        before(picture, raw, outcome, step, method)
    with right:
        after(picture, raw, outcome.kept, outcome.scores, match_iou, rule)


def before(picture: Picture, raw: Raw, outcome: Outcome, step: int | None, method: str) -> None:
    """All raw boxes: solid blue kept, dashed vermilion suppressed, a line to the winner; `step`: only so many turns."""
    view = stage("nms_stage", window=2)
    chosen = picked(view, "nms_raw", "raw-", outcome.before)
    boxes, lines = [], []
    done = len(outcome.steps) if step is None else step
    kept = outcome.kept[:done]
    turns = {index: turn for turn, index in enumerate(kept)}
    gone = {loser: by for loser, by in outcome.winner.items() if by[0] in turns}
    focus = chosen
    if step:
        focus = kept[-1]
    if focus is not None and focus in gone:
        focus = gone[focus][0]
    for index in reversed(range(outcome.before)):
        name, label = f"raw-{index}", named(int(raw.labels[index]), float(raw.scores[index]))
        place = xyxy(raw.boxes[index])
        if index in turns:
            turn = turns[index]
            bold = index == focus
            shown = bold or turn < NAMED
            score = named(int(raw.labels[index]), float(outcome.scores[turn])) if shown else ""
            boxes.append(Box(name, place, score, BLUE if bold or focus is None else SKY, width=4 if bold else 3,
                             note=f"{label}: kept in step {turn + 1}"))  # fmt: skip
        elif index in gone:
            winner, overlap = gone[index]
            mine = focus is None or winner == focus
            note = f"{label}: beaten by {named(int(raw.labels[winner]), float(raw.scores[winner]))}, IoU {overlap:.2f}"
            colour = VERMILION if mine else GRAY
            boxes.append(
                Box(name, place, "", colour, dash=True, width=2 if mine and focus is not None else 1, note=note)
            )
            if mine and len(lines) < MOST_LINES:
                lines.append([*centre(raw, index), *centre(raw, winner)])
        else:
            boxes.append(Box(name, place, "", ORANGE if step is not None else GRAY, width=1, note=f"{label}: waiting"))
    # Kept boxes lie on top, so that their labels can be read.
    boxes.sort(key=lambda box: box.colour in (BLUE, SKY))
    drawn = [Boxes(boxes)]
    if lines:
        drawn.append(Lines(np.array(lines), VERMILION, width=1.5))
    view.show(
        picture.image, drawn, pick=EVERYWHERE,
        alt=f"{outcome.before} raw boxes of the detector; {len(kept)} kept, {len(gone)} suppressed",
        caption="Blue: kept. Dashed vermilion: suppressed, with a line to the box that did it."
        + (" Click a box." if step is None else " Orange: waiting."),
    )  # fmt: skip
    if focus is None:
        words(":gray[Click a box to see what it suppressed, or what suppressed it.]", "nms_focus")
    else:
        words(focus_words(raw, outcome, focus, gone, method), "nms_focus")


def focus_words(raw: Raw, outcome: Outcome, focus: int, gone: dict, method: str) -> str:
    name = named(int(raw.labels[focus]), float(raw.scores[focus]))
    if focus not in outcome.kept:
        return f"**{name}** is still waiting for its turn."
    does = "suppresses" if method == GREEDY else "drops"
    losers = [(overlap, loser) for loser, (winner, overlap) in gone.items() if winner == focus]
    if not losers:
        return f"Step {outcome.kept.index(focus) + 1}: **{name}** is kept and {does} nothing."
    overlap, closest = min(losers)
    others = "one box" if len(losers) == 1 else f"{len(losers)} boxes"
    how = "" if method == GREEDY else ": it lowers their scores most, and they end below the score threshold"
    return (
        f"Step {outcome.kept.index(focus) + 1}: **{name}** is kept and {does} {others} of its class{how}; the closest "
        f"call is {named(int(raw.labels[closest]), float(raw.scores[closest]))} with IoU {overlap:.2f}."
    )


def extremes(raw: Raw, method: str, nms_threshold: float, score_threshold: float) -> None:
    """What the ends of the sliders mean."""
    said = []
    if method == GREEDY and nms_threshold == 0:
        said.append("NMS threshold 0: one shared pixel is enough to be suppressed, so neighbours of a class are lost.")
    if method == GREEDY and nms_threshold == 1:
        said.append(
            "NMS threshold 1: no overlap is too much, nothing is suppressed, and every object is found many times."
        )
    if score_threshold == 0:
        said.append(f"Score threshold 0: all {raw.total:,} raw boxes would count; the best {len(raw.scores)} are here.")
    if score_threshold == 1:
        said.append("Score threshold 1: only a detector that is entirely sure may speak.")
    if method == GAUSSIAN:
        said.append(f"Gaussian soft-NMS has no threshold: a score is multiplied by exp(−IoU²/{SIGMA}).")
    words(f":gray[{' '.join(said)}]" if said else "", "nms_extremes")


def elsewhere(
    picture: Picture, raw: Raw, method: str, nms_threshold: float, score_threshold: float, now: int
) -> None:  # fmt: skip
    """The same boxes at an NMS threshold far from the one that is set."""
    other = 0.9 if nms_threshold <= 0.7 else 0.3
    outcome = suppress(raw, method, other, score_threshold)
    then = len(outcome.kept)
    with page.predict(
        "nms-elsewhere",
        f"Now {now} boxes are kept. How many are kept with NMS threshold {other:g}, and the score threshold as it is?",
        sorted({then, max(0, then - 2), then + 3, now, now + 2}),
    ) as prediction:
        left, right = st.columns(2, gap="medium")
        with left:
            losers = [Box(f"lost-{i}", xyxy(raw.boxes[i]), "", VERMILION, dash=True, width=1) for i in outcome.winner]
            scored = zip(outcome.kept, outcome.scores.tolist(), strict=True)
            kept = [Box(f"left-{i}", xyxy(raw.boxes[i]), "", BLUE, width=3, note=named(int(raw.labels[i]), score))
                    for i, score in scored]  # fmt: skip
            stage("nms_elsewhere", zoom=False).show(
                picture.image, [Boxes([*losers, *kept[::-1]])], alt=f"{then} boxes kept at NMS threshold {other:g}",
                caption=f"At NMS threshold {other:g}. Blue: kept. Dashed vermilion: suppressed.",
            )  # fmt: skip
        with right:
            prediction.outcome(
                then,
                "A higher threshold suppresses less: more duplicates. A lower one loses neighbours of a class.",
            )


def centre(raw: Raw, index: int) -> tuple[float, float]:
    x1, y1, x2, y2 = xyxy(raw.boxes[index])
    return (x1 + x2) / 2, (y1 + y2) / 2
