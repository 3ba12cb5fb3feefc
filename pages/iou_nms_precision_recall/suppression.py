"""The detector's raw boxes on one picture: who suppresses whom, and what becomes of the rest."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch

from labs import nms
from labs.matching import KINDS, RULES, Judgement, Truths, judge
from models.recipes.coco_metrics import IGNORED_BELOW
from pages.iou_nms_precision_recall.shared import (
    BLUE,
    GRAY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Raw,
    as_detections,
    because,
    named,
    raw_boxes,
    truths_of,
    verdict_box,
    xyxy,
)  # fmt: skip
from scenes import THINGS
from ui import outside_lab_world, page, pictures
from ui.components import Box, Boxes, Lines, address, following, live_slider, stage, words
from ui.pictures import Picture

GREEDY, LINEAR, GAUSSIAN = "greedy", "soft, linear", "soft, Gaussian"
SIGMA = 0.5  # of Gaussian soft-NMS, as in its paper
MOST_LINES = 80
COUNTED = tuple(kind for kind in KINDS if kind != "ignored")  # in precision
EVERYWHERE = (1.0, 2.0)  # px: a box can be clicked anywhere
NAMED, SIGNED = 12, 40  # so many boxes bear their class and score, so many a sign; the others say it when pointed at


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
        "The detector gives every proposal a box per class. A score threshold cuts, NMS thins out, the truth judges.",
    )
    picture = pictures.choose("nms", seed=35)
    outside_lab_world.warn(picture, ["detector"])
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
        stepwise = st.toggle("Step by step", key="nms_stepwise", bind="query-params")
    raw = raw_boxes(picture.image)
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
        left, right = st.columns(2, gap="medium")
        with left:
            words(f"**{outcome.before} raw boxes → {len(outcome.kept)} kept**", "nms_count")
            if stepwise and len(outcome.steps) > 0:
                with live_slider("After step", 0, len(outcome.steps), 1, key="nms_step", play=True) as step:
                    before(picture, raw, outcome, step)
            else:
                before(picture, raw, outcome, None)
        with right:
            after(picture, raw, outcome, match_iou, rule)
        extremes(raw, method, nms_threshold, score_threshold)
    page.footer("detector", raw.device, raw.seconds * 1000)
    if method != GAUSSIAN and not following():
        nms_question(raw, method, nms_threshold, score_threshold, len(outcome.kept))


def before(picture: Picture, raw: Raw, outcome: Outcome, step: int | None) -> None:
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
        caption="Blue: kept. Dashed vermilion: suppressed, with a line to the box that did it. Click a box.",
    )  # fmt: skip
    if focus is None:
        words(":gray[Click a box to see what it suppressed, or what suppressed it.]", "nms_focus")
    else:
        words(focus_words(raw, outcome, focus, gone), "nms_focus")


def focus_words(raw: Raw, outcome: Outcome, focus: int, gone: dict) -> str:
    name = named(int(raw.labels[focus]), float(raw.scores[focus]))
    if focus not in outcome.kept:
        return f"**{name}** is still waiting for its turn."
    losers = [(overlap, loser) for loser, (winner, overlap) in gone.items() if winner == focus]
    if not losers:
        return f"Step {outcome.kept.index(focus) + 1}: **{name}** is kept and suppresses nothing."
    overlap, closest = min(losers)
    others = "one box" if len(losers) == 1 else f"{len(losers)} boxes"
    return (
        f"Step {outcome.kept.index(focus) + 1}: **{name}** is kept and suppresses {others} of its class; the closest "
        f"call is {named(int(raw.labels[closest]), float(raw.scores[closest]))} with IoU {overlap:.2f}."
    )


def after(picture: Picture, raw: Raw, outcome: Outcome, match_iou: float, rule: str) -> None:
    """What NMS left, each box in the colour of its verdict, and every missed truth."""
    detections = as_detections(raw.boxes[outcome.kept], raw.labels[outcome.kept], outcome.scores)
    view = stage("judge_stage", window=2)
    if picture.view is None:
        words(f"**{len(detections.scores)} detections, nobody to judge them**", "judge_count")
        found = zip(detections.boxes, detections.labels, detections.scores, strict=True)
        names = [(xyxy(box), named(label, score)) for box, label, score in found]
        boxes = [Box(f"found-{i}", place, name if i < NAMED else "", BLUE, width=3, note=name)
                 for i, (place, name) in enumerate(names)]  # fmt: skip
        view.show(
            picture.image,
            [Boxes(boxes[::-1])],
            alt=f"{len(boxes)} detections",
            caption="The detector only knows Lab World: on other pictures it finds little, and much of it wrong.",
        )
        words("This picture has no known truth. Choose Lab World to have its detections judged.", "judge_why")
        return
    truths = truths_of(picture.view)
    judgement = judge(detections, truths, match_iou, rule)
    kinds = [verdict.kind for verdict in judgement.verdicts]
    counts = tally(kinds, len(judgement.missed))
    words(f"**{counts}**", "judge_count")
    boxes = [Box(f"missed-{g}", xyxy(truths.boxes[g]), f"missed: {THINGS[truths.labels[g] - 1]}", PURPLE, dash=True,
                 width=3, note="no detection found this truth") for g in judgement.missed]  # fmt: skip
    hidden = np.flatnonzero(truths.crowd).tolist()
    boxes += [Box(f"hidden-{g}", xyxy(truths.boxes[g]), f"hardly seen: {THINGS[truths.labels[g] - 1]}", GRAY, dash=True,
                  note=f"less than {IGNORED_BELOW:.0%} visible: neither found nor missed") for g in hidden]  # fmt: skip
    order = sorted(range(len(kinds)), key=lambda i: (kinds[i] == "true", -i))  # the best true ones on top
    verdicts = [verdict_box(f"found-{i}", detections, i, judgement.verdicts[i]) for i in range(len(kinds))]
    boxes += [shortened(verdicts[i], i) for i in order]
    view.show(
        picture.image, [Boxes(boxes)], pick=EVERYWHERE,
        alt=f"Detections in the colours of their verdicts: {counts}",
        caption="✓ true, 2× duplicate, ✗ false; dashed purple: a missed truth. Click a detection to see why.",
    )  # fmt: skip
    chosen = picked(view, "nms_found", "found-", len(kinds))
    if chosen is None:  # the surest mistake is the interesting one
        chosen = next((i for i, kind in enumerate(kinds) if kind != "true"), 0 if kinds else None)
    why = [] if chosen is None else [because(judgement.verdicts[chosen], chosen, detections, truths, match_iou)]
    words("\n\n".join([*shares(judgement, truths), *why]), "judge_why")


def tally(kinds: list[str], missed: int) -> str:
    """How many verdicts of which kind: a duplicate is one way of being false; what does not count is neither."""
    hits, twice, neither = (kinds.count(kind) for kind in ("true", "duplicate", "ignored"))
    false = len(kinds) - hits - neither
    repeated = f" ({twice} duplicate{'s' if twice > 1 else ''})" if twice else ""
    skipped = f" · {neither} not counted" if neither else ""
    return f"{hits} true · {false} false{repeated}{skipped} · {missed} missed"


def shortened(box: Box, rank: int) -> Box:
    """The sign of its verdict alone for a box that many others come before, so that labels do not hide the picture."""
    if rank < NAMED:
        return box
    return replace(box, label=box.label.split()[0] if rank < SIGNED else "")


def shares(judgement: Judgement, truths: Truths) -> list[str]:
    """Precision and recall of this picture as fractions, or why there is none."""
    hits, found = (sum(v.kind in kinds for v in judgement.verdicts) for kinds in (("true",), COUNTED))
    there = int((~truths.crowd).sum())
    precision = f"{hits} / {found} = **{hits / found:.2f}**" if found else "undefined"
    recall = f"{hits} / {there} = **{hits / there:.2f}**" if there else "undefined"
    said = [f"Precision = true / all detections = {precision}", f"Recall = true / ground truths = {recall}"]
    if not there:
        said.append("No object is in this scene: every detection is false, and there is no recall.")
    elif not found:
        said.append(
            "Nothing reaches the score threshold: no mistake is made and nothing is found, so no precision either."
        )
    return said


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


def nms_question(raw: Raw, method: str, nms_threshold: float, score_threshold: float, now: int) -> None:
    other = 0.9 if nms_threshold <= 0.7 else 0.3
    then = len(suppress(raw, method, other, score_threshold).kept)
    page.quiz(
        "nms_count",
        f"Now {now} boxes are kept. How many with NMS threshold {other:g} and the score threshold as it is?",
        sorted({now, then, max(0, now - 1), now + 2, 2 * now}),
        then,
        "A higher threshold suppresses less: more boxes, more duplicates. A lower one loses neighbours of a class.",
    )


def picked(view, key: str, prefix: str, count: int) -> int | None:
    """The index behind the id of the box clicked last, kept in the address under `key`, while there is such a box."""
    if view.clicked:
        name = view.click.what or ""
        address.keep(key, name.removeprefix(prefix) if name.startswith(prefix) else None)
    try:
        found = address.numbers(key, 1, int)
    except ValueError:
        return None
    return found[0] if found is not None and 0 <= found[0] < count else None


def centre(raw: Raw, index: int) -> tuple[float, float]:
    x1, y1, x2, y2 = xyxy(raw.boxes[index])
    return (x1 + x2) / 2, (y1 + y2) / 2
