"""What training tells each anchor of the picture to be."""

from contextlib import ExitStack

import streamlit as st
import torch
from torch import Tensor

from labs import anchors
from labs.anchors import Labelling
from labs.boxes import iou_matrix
from pages.anchors.layout import Layout
from pages.anchors.shared import (
    BLUE,
    ORANGE,
    VERMILION,
    YELLOW,
    exact_pyramid,
    pyramid,
    sample,
    size_of,
    truth_boxes,
    truths_of,
    xyxy,
)  # fmt: skip
from ui import page, rounding
from ui.components import Box, Boxes, Points, following, live_slider, stage, words
from ui.pictures import Picture

SETS = ("The grid above", "The detector's pyramid")
SHOWN = {"positive": 120, "best": 40, "ignored": 30, "negative": 30}
BATCH = 128  # anchors a training step of the lab's detector looks at, at most half of them positive


def labels(picture: Picture, layout: Layout) -> None:
    page.section(
        "Labels", "Training must tell every anchor whether it is an object. The overlap with the truth (IoU) decides."
    )
    truths = truths_of(picture)
    if truths is None:
        st.info("Nobody has boxed the things in this picture, so its anchors have no labels: choose Lab World above.")
        return
    with ExitStack() as sliders:
        left, right = st.columns([2, 3], gap="large")
        with left:
            which = st.segmented_control(
                "Anchors of", SETS, default=SETS[0], required=True, key="anchors_of", bind="query-params"
            )
            slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
            positive = slide("Positive from IoU", 0.0, 1.0, 0.7, step=0.01, key="anchors_positive", format="%.2f")
            negative = slide("Negative below IoU", 0.0, 1.0, 0.3, step=0.01, key="anchors_negative", format="%.2f")
            shown = st.pills("Draw", list(SHOWN), selection_mode="multi", default=list(SHOWN)[:3],
                             key="anchors_draw", bind="query-params")  # fmt: skip
        bases, boxes = ([layout.base], layout.boxes) if which == SETS[0] else pyramid()
        exact = [layout.exact] if which == SETS[0] else exact_pyramid()
        iou = iou_matrix(truths, boxes)
        if negative > positive:
            draw(right, picture, [], "Only the truth is drawn: no label can be given.")
            with left:
                page.problem(
                    f"An anchor cannot be positive from IoU {positive:.2f} and negative below {negative:.2f}: "
                    "lower the negative threshold or raise the positive one."
                )
            return
        given = anchors.label_anchors(iou, positive, negative)
        layers, notes = layers_of(given, boxes, shown)
        draw(right, picture, layers, notes)
        with left:
            words("\n\n".join([*counts(given), *meaning(given, len(truths), positive, negative)]), "anchors_counts")
        reach(picture, truths, given, (bases, exact), positive)
    if len(truths) and not following():
        imbalance_quiz(given)
        neutral_erratum(given, iou, positive, negative)


def layers_of(given: Labelling, boxes: Tensor, shown: list[str]) -> tuple[list, str]:
    """Boxes for the chosen groups, and a sentence on what was left out."""
    groups = {
        "negative": (given.label == 0, {"colour": VERMILION, "width": 1.0}),
        "ignored": (given.label == -1, {"colour": YELLOW, "width": 1.25, "dash": True}),
        "positive": ((given.label == 1) & ~given.best, {"colour": BLUE, "width": 3.0, "fill": 0.06}),
        "best": (given.best, {"colour": ORANGE, "width": 3.0}),
    }
    layers, left_out = [], []
    for name, (mask, look) in groups.items():
        members = mask.nonzero()[:, 0]
        if name not in shown or not len(members):
            continue
        drawn = sample(members, SHOWN[name])
        if len(drawn) < len(members):
            left_out.append(f"{len(drawn)} of {len(members):,} {name}")
        marked = [
            Box(f"{name}-{i}", xyxy(boxes[i]), "best" if name == "best" and len(drawn) < 9 else "",
                note=f"{name}: IoU {given.overlap[i]:.2f}", **look)
            for i in drawn.tolist()
        ]  # fmt: skip
        layers.append(Boxes(marked))
        if name == "negative":  # crosses would need lines; a dot in the middle tells negatives from all others
            middle = (boxes[drawn, :2] + boxes[drawn, 2:]) / 2
            layers.append(Points(middle.numpy(), colour=VERMILION, radius=3, ids=[f"at-{i}" for i in drawn.tolist()]))
    look = "Thick blue: positive. Orange with a tag: positive only as the best of its truth. Dashed yellow: ignored. "
    look += "Thin red with a dot: negative. White: truth."
    return layers, look + (f" An even sample is drawn: {', '.join(left_out)}." if left_out else "")


def draw(place, picture: Picture, layers: list, caption: str) -> None:
    with place:
        stage("anchors_labels", width=620).show(
            picture.image, [*layers, Boxes(truth_boxes(picture))], alt="Anchors by their label", caption=caption
        )


def counts(given: Labelling) -> list[str]:
    """One line per label, with a bar of ten parts."""
    only_best, lines = int(given.best.sum()), []
    for name, label in (("Positive", 1), ("Ignored", -1), ("Negative", 0)):
        number = given.count(label)
        share = number / max(len(given.label), 1)
        full = min(10, max(round(10 * share), number > 0))
        extra = f" :gray[({only_best} only as best of a truth)]" if label == 1 and only_best else ""
        lines.append(f"`{'█' * full}{'·' * (10 - full)}`")
        lines[-1] += f" **{name} {number:,}** of {len(given.label):,}, {share:.2%}{extra}"
    return lines


def meaning(given: Labelling, truths: int, positive: float, negative: float) -> list[str]:
    """What the numbers mean, also where they are extreme."""
    plus, minus, said = given.count(1), given.count(0), []
    if not truths:
        return ["No object in this scene: every anchor is negative, and no transform is learned from it."]
    if positive == 0:
        said.append("A threshold of 0 is met by every anchor, even one that touches nothing: all are positive.")
    elif negative == 0:
        said.append("No IoU is below 0, so there are no negatives: the network would never learn what background is.")
    elif positive == 1:
        said.append("Only an anchor that equals its truth reaches IoU 1: the best anchors keep truths from being lost.")
    untouched = int((given.reach == 0).sum())
    if untouched:
        said.append(
            f"{untouched} of the truths touch no anchor at all. Their best IoU is 0, and by torchvision's rule every "
            "anchor with that IoU is then their best: use larger sizes or a smaller stride."
        )
    if plus and minus:
        half = min(plus, BATCH // 2)
        blind = BATCH * plus / (plus + minus)
        said.append(
            f"**1 positive to {minus / plus:,.0f} negatives.** Drawn blindly, {BATCH} anchors would hold "
            f"{blind:.1f} positives, so an RPN draws its sample with up to half of it positive. The lab's detector "
            f"draws {BATCH}: here {half} and {min(BATCH - half, minus)}. Faster R-CNN, and torchvision by default, "
            "draw 256."
        )
    return said


def reach(picture: Picture, truths: Tensor, given: Labelling, shapes: tuple[list, list], positive: float) -> None:
    """One line per truth: can any anchor reach it, and if not, whose fault is it?

    `shapes`: the base anchors (K, 4) of every level as they are used, and with exact sides.
    """
    if not len(truths):
        return
    reached = given.reach >= positive
    lost = int((~reached).sum())
    words(
        f"**{lost} of {len(truths)} truths are out of reach**: no anchor has IoU ≥ {positive:.2f} with them."
        if lost else f"**Every truth is reached** by some anchor with IoU ≥ {positive:.2f}.", "anchors_reach",
    )  # fmt: skip
    if following():
        return
    bound, unrounded = (
        torch.stack([anchors.concentric_iou(truths, base) for base in bases]).amax(0) for bases in shapes
    )
    edge = torch.tensor(positive, dtype=bound.dtype)  # compared as the labels are, in single precision
    stands = lambda value: rounding.beside(value, float(edge))  # noqa: E731
    lines = ["| truth | best IoU | if centred on it | verdict |", "|---|---|---|---|"]
    for i, (thing, box) in enumerate(zip(picture.view.instances, truths, strict=True)):
        if reached[i]:
            verdict = f":material/check: reached, {int((given.match == i).sum())} positive"
        elif bound[i] >= positive:
            verdict = ":material/grid_on: shape fits, grid too coarse"
        elif unrounded[i] >= positive:
            verdict = f":material/straighten: fits with exact sides ({stands(unrounded[i])}), not as rounded"
        else:
            verdict = ":material/close: no size and ratio fits"
        best, ideal = stands(given.reach[i]), stands(bound[i])
        lines.append(f"| {thing.label} {size_of(box)} | {best} | {ideal} | {verdict} |")
    st.markdown("\n".join(lines))


def imbalance_quiz(given: Labelling) -> None:
    plus, minus = given.count(1), given.count(0)
    if not plus or not minus:
        return
    steps = {"fewer than 10": 10, "10 to 100": 100, "100 to 1,000": 1000, "more than 1,000": float("inf")}
    answer = next(name for name, limit in steps.items() if minus / plus < limit or limit == float("inf"))
    page.quiz(
        "anchors_imbalance", "How many negative anchors come on one positive here?", list(steps), answer,
        f"{minus:,} negatives and {plus:,} positives: {minus / plus:,.1f}. RetinaNet's focal loss answers the same "
        "imbalance without drawing a sample.",
    )  # fmt: skip


def neutral_erratum(given: Labelling, iou: Tensor, positive: float, negative: float) -> None:
    ignored = given.label == -1
    literally = int((ignored & ((iou >= negative) & (iou < positive)).all(0)).sum())
    page.erratum(
        "Neutral anchors have an IoU between 0.3 and 0.7 with all truths.",
        "It is the **largest** of an anchor's IoUs that must lie between, and the best anchor of a truth is positive "
        f"however low it is. Of the {int(ignored.sum()):,} anchors ignored here, {literally:,} "
        f"{'lies' if literally == 1 else 'lie'} between with *every* truth.",
    )
