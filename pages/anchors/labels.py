"""What training tells each anchor of the picture to be."""

from contextlib import ExitStack

import streamlit as st
import torch
from torch import Tensor

from labs import anchors, region_proposal_loss
from labs.anchors import Labelling
from labs.boxes import iou_matrix
from pages.anchors.layout import Layout
from pages.anchors.shared import (
    BLUE,
    ORANGE,
    PURPLE,
    VERMILION,
    exact_pyramid,
    pyramid,
    sample,
    size_of,
    truth_boxes,
    truths_of,
    xyxy,
)  # fmt: skip
from ui import page, rounding
from ui.components import Box, Boxes, Points, Stage, address, following, live_slider, stage, words
from ui.pictures import Picture

SETS = ("The grid above", "The detector's pyramid")
SHOWN = {"positive": 120, "best": 40, "ignored": 30, "negative": 30}
NAMES = {1: "positive", -1: "ignored", 0: "negative"}
RATIOS = {"fewer than 10": 10, "10 to 100": 100, "100 to 1,000": 1000, "more than 1,000": float("inf")}
NEAR = 4.0  # px: how far from an outline a click still means it
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
        which, positive, negative, shown, draw_number = controls(sliders)
        bases, boxes = ([layout.base], layout.boxes) if which == SETS[0] else pyramid()
        exact = [layout.exact] if which == SETS[0] else exact_pyramid()
        iou = iou_matrix(truths, boxes)
        view = stage("anchors_labels", width=620)
        if negative > positive:
            draw(picture, [], "Only the truth is drawn: no label can be given.", view)
            page.problem(
                f"An anchor cannot be positive from IoU {positive:.2f} and negative below {negative:.2f}: "
                "lower the negative threshold or raise the positive one."
            )
            return
        given = anchors.label_anchors(iou, positive, negative)
        drawn = torch.ones(len(boxes), dtype=torch.bool)
        if draw_number is not None:
            drawn = torch.zeros_like(drawn)
            drawn[region_proposal_loss.draw_batch(given.label, BATCH, 0.5, draw_number)] = True
        alone = chosen_anchor(view, boxes, given, shown, drawn)
        plus, minus = given.count(1), given.count(0)
        asked = f"Positive from IoU {positive:.2f}, negative below {negative:.2f}: how many negatives a positive?"
        with page.predict("anchors_imbalance", asked, list(RATIOS) if plus and minus else []) as prediction:
            left, right = st.columns([3, 2], gap="large")
            with left:
                layers, notes = layers_of(given, boxes, shown, drawn, alone)
                draw(picture, layers, notes, view)
            with right:
                said = [*counts(given), *meaning(given, len(truths), positive, negative)]
                if draw_number is not None:
                    taken = given.label[drawn]
                    counted = f"{int((taken == 1).sum())} positive and {int((taken == 0).sum())} negative"
                    said.insert(0, f"**The mini-batch: {counted}.** All others wait for a later step.")
                if alone is not None:
                    said.insert(0, told(picture, alone, boxes, iou, given))
                words("\n\n".join(said), "anchors_counts")
            reach(picture, truths, given, (bases, exact), positive)
            if plus and minus:
                prediction.outcome(
                    next(name for name, limit in RATIOS.items() if minus / plus < limit),
                    f"{minus:,} negatives and {plus:,} positives: {minus / plus:,.1f} to 1. So each training step "
                    "draws a small sample with enough positives; RetinaNet's focal loss keeps all anchors and lets "
                    "the easy ones count less.",
                )  # fmt: skip
            else:
                prediction.outcome(None)
    if len(truths) and not following():
        neutral_erratum(given, iou, positive, negative)


def controls(sliders: ExitStack) -> tuple[str, float, float, list[str], int | None]:
    """Which anchors, both thresholds, what to draw, and which mini-batch, or None for all."""
    left, right = st.columns(2, gap="large")
    with left:
        which = st.segmented_control(
            "Anchors of", SETS, default=SETS[0], required=True, key="anchors_of", bind="query-params"
        )
        shown = st.pills("Draw", list(SHOWN), selection_mode="multi", default=list(SHOWN)[:3],
                         key="anchors_draw", bind="query-params")  # fmt: skip
        draw_number = step_number()
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
    with right:
        positive = slide("Positive from IoU", 0.0, 1.0, 0.7, step=0.01, key="anchors_positive", format="%.2f")
        negative = slide("Negative below IoU", 0.0, 1.0, 0.3, step=0.01, key="anchors_negative", format="%.2f")
    return which, positive, negative, shown, draw_number


def step_number() -> int | None:
    """Which draw of a mini-batch is shown; None for all anchors."""
    with st.container(horizontal=True, vertical_alignment="center"):
        on = st.toggle("Only a mini-batch", key="anchors_batch", bind="query-params",
                       help=f"The {BATCH} anchors that one training step of the lab's detector looks at.")  # fmt: skip
        st.button("Draw again", key="anchors_draw_again", on_click=draw_again, disabled=not on)
    return st.session_state.get("_anchors_drawn", 0) if on else None


def draw_again() -> None:
    st.session_state["_anchors_drawn"] = st.session_state.get("_anchors_drawn", 0) + 1


def groups_of(given: Labelling) -> dict[str, Tensor]:
    """Masks (anchors,) of what is drawn in one look, the first at the bottom."""
    return {
        "negative": given.label == 0,
        "ignored": given.label == -1,
        "positive": (given.label == 1) & ~given.best,
        "best": given.best,
    }


def members_of(name: str, given: Labelling, drawn: Tensor) -> tuple[Tensor, int]:
    """The anchors of a group that are drawn, evenly spread, and how many it has."""
    members = (groups_of(given)[name] & drawn).nonzero()[:, 0]
    return sample(members, SHOWN[name] if drawn.all() else BATCH), len(members)


def chosen_anchor(view, boxes: Tensor, given: Labelling, shown: list[str], drawn: Tensor) -> int | None:
    """The anchor that is shown alone: that with the outline nearest to the last click; kept in the address."""
    if view.clicked:
        found = None
        every = [members_of(name, given, drawn)[0] for name in SHOWN if name in shown]
        if every and len(every := torch.cat(every)):
            from_edges = boxes[every] - torch.tensor([view.click.x, view.click.y] * 2)
            inside = ((from_edges[:, :2] <= NEAR) & (from_edges[:, 2:] >= -NEAR)).all(1)
            distance = torch.where(inside, from_edges.abs().amin(1), torch.inf)
            if float(distance.min()) <= NEAR:
                found = int(every[int(distance.argmin())])
        address.keep("anchors_alone", None if found is None else str(found))
    try:
        at = address.numbers("anchors_alone", 1, int)
    except ValueError:
        at = None
    return int(at[0]) if at and 0 <= at[0] < len(boxes) else None


def told(picture: Picture, at: int, boxes: Tensor, iou: Tensor, given: Labelling) -> str:
    """One anchor and its label, in words."""
    label = int(given.label[at])
    name = "positive, only as the best of its truth" if given.best[at] else NAMES[label]
    near = f" with the {picture.view.instances[int(iou[:, at].argmax())].label}" if len(iou) else ""
    return (f"**This anchor ({size_of(boxes[at])}): IoU {float(given.overlap[at]):.3f}{near}, {name}.** Click beside "
            "all outlines to see the others again.")  # fmt: skip


def layers_of(given: Labelling, boxes: Tensor, shown: list[str], drawn: Tensor, alone: int | None) -> tuple[list, str]:
    """Boxes for the chosen groups, and a sentence on what was left out. `drawn` (anchors,): which may be; `alone`: the
    one that is."""
    looks = {
        "negative": {"colour": VERMILION, "width": 1.0},
        "ignored": {"colour": PURPLE, "width": 1.25, "dash": True},
        "positive": {"colour": BLUE, "width": 3.0, "fill": 0.06},
        "best": {"colour": ORANGE, "width": 3.0},
    }
    layers, left_out = [], []
    for name, look in looks.items():
        if alone is not None:
            taken = torch.tensor([alone])[groups_of(given)[name][alone, None]]
        elif name in shown:
            taken, members = members_of(name, given, drawn)
            if len(taken) < members:
                left_out.append(f"{len(taken)} of {members:,} {name}")
        else:
            continue
        if not len(taken):
            continue
        marked = [
            Box(f"{name}-{i}", xyxy(boxes[i]), "best" if name == "best" and len(taken) < 9 else "",
                note=f"{name}: IoU {given.overlap[i]:.2f}", **look)
            for i in taken.tolist()
        ]  # fmt: skip
        layers.append(Boxes(marked))
        if name == "negative":  # crosses would need lines; a dot in the middle tells negatives from all others
            middle = (boxes[taken, :2] + boxes[taken, 2:]) / 2
            layers.append(Points(middle.numpy(), colour=VERMILION, radius=3, ids=[f"at-{i}" for i in taken.tolist()]))
    look = "Thick blue: positive. Orange with a tag: positive only as the best of its truth. Dashed pink: ignored. "
    look += "Thin red with a dot: negative. White: truth. Click an outline to see that anchor alone."
    return layers, look + (f" An even sample is drawn: {', '.join(left_out)}." if left_out else "")


def draw(picture: Picture, layers: list, caption: str, view: Stage) -> None:
    view.show(
        picture.image, [*layers, Boxes(truth_boxes(picture))], alt="Anchors by their label", caption=caption,
        pick=(0.0, NEAR),
    )  # fmt: skip


def counts(given: Labelling) -> list[str]:
    """One line per label, with a bar of ten parts."""
    only_best, lines = int(given.best.sum()), []
    for name, label in (("Positive", 1), ("Ignored", -1), ("Negative", 0)):
        number = given.count(label)
        share = number / max(len(given.label), 1)
        full = round(10 * share)
        extra = f" :gray[({only_best} only as best of a truth)]" if label == 1 and only_best else ""
        bar = "█" * full or "▏" * (number > 0)  # a share too small for a tenth is a thin line
        lines.append(f"`{bar}{'·' * (10 - len(bar))}`")
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


def neutral_erratum(given: Labelling, iou: Tensor, positive: float, negative: float) -> None:
    ignored = given.label == -1
    literally = int((ignored & ((iou >= negative) & (iou < positive)).all(0)).sum())
    page.erratum(
        "Neutral anchors have an IoU between 0.3 and 0.7 with all truths.",
        "An anchor is neutral when the **largest** of its IoUs lies between both thresholds, and the best anchor of a "
        f"truth is positive however low its IoU is. Of the {int(ignored.sum()):,} anchors ignored here, {literally:,} "
        f"{'lies' if literally == 1 else 'lie'} between with *every* truth.",
    )
