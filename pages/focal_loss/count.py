"""Who makes up the loss? All anchors of this scene by difficulty: how many there are, and what they pay together."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs.focal_loss import ALPHA, GAMMA
from pages.focal_loss.shared import (
    BLUE,
    FAMILY,
    UNTRAINED,
    VERMILION,
    Asked,
    Chart,
    asked_of,
    look,
    shipped,
    truths,
    xyxy,
)
from pages.shared.swatches import swatches
from ui import page
from ui.components import Box, Boxes, Stage, address, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

LOWEST, HIGHEST, PER_DECADE = -4, 1.5, 4  # decades of difficulty, in nats
BARS = int((HIGHEST - LOWEST) * PER_DECADE)
MOST_DRAWN = 60
TICKS = {-4.0: ".0001", -3.0: ".001", -2.0: ".01", -1.0: ".1", 0.0: "1", 1.0: "10"}
EASY = 0.1  # nats: all eight sigmoids together are right with p > 0.9
COUNTED = Chart((LOWEST, HIGHEST), (0.0, 4.0), (9.0, 3.0, 98.0, 27.0))
PAID = Chart((LOWEST, HIGHEST), (0.0, 1.0), (9.0, 37.0, 98.0, 66.0))
CURVE = Chart((0.0, 1.0), (0.0, 1.0), (9.0, 3.0, 97.0, 52.0))
QUARTERS = {"under a quarter": 0.25, "a quarter to a half": 0.5, "a half to three quarters": 0.75, "more": 1.0}


@st.fragment
@page.guard()
def count(picture: Picture) -> None:
    page.section("The count is what matters", "Thousands of anchors show nothing. Who makes up the loss of this scene?")
    page.remind("Anchor", "IoU")
    if picture.view is None:
        st.info("Nobody has boxed the things in this picture, so it has no loss: choose Lab World above.")
        return
    with ExitStack() as sliders:
        left, right = st.columns(2, gap="large")
        with left:
            names = {**shipped(), UNTRAINED: UNTRAINED}
            chosen = st.selectbox("Anchors as they are said by", list(names), key="focal_said_by", **KEPT)
        with right:
            gamma = sliders.enter_context(
                live_slider("γ of the loss", 0.0, 5.0, GAMMA, step=0.1, key="focal_count_gamma", format="%.1f",
                            play=True, window=2)
            )  # fmt: skip
        anchors = asked_of(names[chosen], picture)
        losses = anchors.losses(gamma, ALPHA)
        easy = (~anchors.positive) & (anchors.difficulty < EASY)
        share = part(losses, easy)
        with page.predict(
            "focal-easy",
            f"{int(easy.sum()):,} negatives are easy: right in all 8 classes with p > {np.exp(-EASY):.1f}. Which part "
            f"of the classes' loss do they make up at γ = {gamma:g}?",
            list(QUARTERS),
        ) as prediction:
            words(sentence(anchors, losses, easy, gamma), "focal_count_words")
            drawn, chart = st.columns([2, 3], gap="large")
            with chart:
                view = stage("focal_bars", hover=True, zoom=False, window=2)
                bar = chosen_bar(view, anchors, losses)
                bars(view, anchors, losses, bar)
            with drawn:
                picked(picture, names[chosen], anchors, bar)
            shares(anchors, gamma)
            prediction.outcome(
                next(name for name, most in QUARTERS.items() if share <= most),
                f"It is {share:.1%}; with cross-entropy it would be {part(anchors.losses(0.0, ALPHA), easy):.1%}.",
            )
    if not following():
        found = look(names[chosen], picture.image)
        page.footer(names[chosen], found.device, found.seconds * 1000)


def part(losses: Tensor, which: Tensor) -> float:
    """The share, 0 to 1, of all losses that these anchors pay."""
    return float(losses[which].sum() / losses.sum()) if losses.sum() > 0 else 0.0


def sentence(anchors: Asked, losses: Tensor, easy: Tensor, gamma: float) -> str:
    positives = int(anchors.positive.sum())
    hard = ~anchors.positive & ~easy
    paid = " · ".join(
        f"{name} **{part(losses, which):.1%}**"
        for name, which in (("positives", anchors.positive), ("easy negatives", easy), ("other negatives", hard))
    )
    return (
        f"**{positives}** positive anchors, **{int(easy.sum()):,}** easy and **{int(hard.sum()):,}** other negatives; "
        f"{anchors.ignored} are ignored.\n\nOf the loss at γ = {gamma:.1f}, α = {ALPHA:g}: {paid}"
    )


def bar_of(difficulty: Tensor) -> Tensor:
    """The bar (A,) that each anchor belongs to; beyond the ends the last ones."""
    return ((difficulty.clamp(min=1e-12).log10() - LOWEST) * PER_DECADE).floor().clamp(0, BARS - 1).long()


def chosen_bar(view: Stage, anchors: Asked, losses: Tensor) -> int:
    """The bar under the pointer, else the one clicked last, which stands in the address, else the one that pays most.
    A bar without anchors cannot be hit."""
    if view.clicked and view.click.what:
        address.keep("focal_bar", view.click.what.split("-")[1])
    if view.hover and view.hover.what:
        return int(view.hover.what.split("-")[1])
    try:
        (kept,) = address.numbers("focal_bar", 1, int) or (None,)
    except ValueError:
        kept = None
        page.problem("The link's focal_bar is no number of a bar: click on a bar instead.")
    if kept is not None:
        return min(max(kept, 0), BARS - 1)
    return int(torch.bincount(bar_of(anchors.difficulty), losses, minlength=BARS).argmax())


def bars(view: Stage, anchors: Asked, losses: Tensor, chosen: int) -> None:
    """How many anchors are so difficult, and their share of the loss; negatives and, on top of them, positives."""
    place, positive = bar_of(anchors.difficulty), anchors.positive
    total = max(float(losses.sum()), 1e-12)
    layers, boxes = [], []
    layers += COUNTED.frame(TICKS, {1.0: "10", 2.0: "100", 3.0: "1,000"})
    layers += PAID.frame(TICKS, {0.25: "25 %", 0.5: "50 %", 0.75: "75 %", 1.0: "100 %"})
    members = [torch.bincount(place[which], minlength=BARS) for which in (~positive, positive)]
    paid = [torch.bincount(place[which], losses[which], minlength=BARS) / total for which in (~positive, positive)]
    for index in range(BARS):
        low, high = LOWEST + index / PER_DECADE, LOWEST + (index + 1) / PER_DECADE
        many = [int(each[index]) for each in members]
        if not sum(many):
            continue
        share = [float(each[index]) for each in paid]
        note = f"{many[0]:,} negatives and {many[1]} positives pay {sum(share):.1%}"
        look = {"note": note, "width": 3.0 if index == chosen else 1.0, "fill": 0.85 if index == chosen else 0.55}
        boxes.append(Box(f"bar-{index}-n", rectangle(COUNTED, low, high, 0.0, log(sum(many))),
                         colour=VERMILION if many[0] else BLUE, **look))  # fmt: skip
        if all(many):
            boxes.append(Box(f"bar-{index}-p", rectangle(COUNTED, low, high, 0.0, log(many[1])), colour=BLUE, **look))
        boxes.append(Box(f"bar-{index}-l", rectangle(PAID, low, high, 0.0, share[0]), colour=VERMILION, **look))
        boxes.append(Box(f"bar-{index}-q", rectangle(PAID, low, high, share[0], sum(share)), colour=BLUE, **look))
    view.show(
        None, [*layers, Boxes([box for box in boxes if box.xyxy[3] - box.xyxy[1] > 1e-3])], size=(100.0, 71.0),
        alt="Anchors by difficulty: how many, and their share of the loss",
        caption="Above: how many anchors. Below: their share of the loss. To the right: difficulty, the cross-entropy "
        "of an anchor's eight sigmoids in nats.",
    )  # fmt: skip
    if not following():
        st.html(swatches([(VERMILION, "negatives"), (BLUE, "positives")]))


def log(many: int) -> float:
    """Height of a count: 0 for none, then a decade each; a single anchor is seen."""
    return np.log10(many) + 0.15 if many else 0.0


def rectangle(chart: Chart, low: float, high: float, bottom: float, top: float) -> tuple[float, float, float, float]:
    (x1, y2), (x2, y1) = chart.at([low, high], [bottom, top]).tolist()
    return x1 + 0.2, y1, x2 - 0.2, y2


def picked(picture: Picture, name: str, anchors: Asked, bar: int) -> None:
    """The anchors of the bar on the picture, an even sample of them."""
    inside = (bar_of(anchors.difficulty) == bar).nonzero()[:, 0]
    some = inside[torch.linspace(0, len(inside) - 1, min(len(inside), MOST_DRAWN)).long()] if len(inside) else inside
    boxes = look(name, picture.image).anchors[anchors.index[some]]
    drawn = [
        Box(f"anchor-{i}", xyxy(box), colour=BLUE if plus else VERMILION, width=3.0 if plus else 1.2, dash=not plus,
            note=f"{'positive' if plus else 'negative'}, {float(hard):.3g} nats")
        for i, (box, plus, hard) in enumerate(
            zip(boxes, anchors.positive[some].tolist(), anchors.difficulty[some], strict=True))
    ]  # fmt: skip
    low, high = (10 ** (LOWEST + (bar + each) / PER_DECADE) for each in (0, 1))
    stage("focal_anchors", zoom=False, window=2).show(
        picture.image, [Boxes([*drawn, *truths(picture)])], alt="The anchors of the bar",
        caption=f"{len(inside):,} anchors with {low:.2g} to {high:.2g} nats"
        + (f", {len(some)} of them drawn." if len(some) < len(inside) else ".") + " Blue: positive.",
    )  # fmt: skip


def shares(anchors: Asked, gamma: float) -> None:
    """Figure 4 of the paper: the share of the negatives' loss that the easiest of them pay together."""
    count = int((~anchors.positive).sum())
    x = np.linspace(0, 1, count)
    kept = np.linspace(0, count - 1, 48).round().astype(int)
    kept = np.union1d(kept, np.arange(count - 40, count, 4))  # the last ones make the step
    layers = CURVE.frame({0.0: "0", 0.25: "25 %", 0.5: "50 %", 0.75: "75 %", 1.0: "100 %"},
                         {0.5: "50 %", 1.0: "100 %"})  # fmt: skip
    for value, colour in FAMILY.items():
        layers.append(CURVE.line(x[kept], anchors.family[value].numpy()[kept], colour, 1.5))
    layers.append(CURVE.line(x[kept], anchors.share(gamma).numpy()[kept], BLUE, 3.5))
    with st.container(key="focal_curve_box"):
        stage("focal_shares", zoom=False, window=2, width=620).show(
            None, layers, size=(100.0, 58.0), alt="Cumulative share of the negatives' loss, easiest first",
            caption="Negatives from the easiest to the hardest, to the right; the share of the negatives' loss that "
            "they pay together, upwards.",
        )  # fmt: skip
    if not following():
        st.html(swatches([*((colour, f"γ = {value:g}") for value, colour in FAMILY.items()), (BLUE, "your γ, thick")]))
        st.caption(
            "The anchors and their answers stay as they are: the slider weighs them anew. In the paper's figure 4 the "
            "hardest negatives make up nearly all of the negatives' loss at γ = 2."
        )
