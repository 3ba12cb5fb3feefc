"""The curves: what an answer costs by how right it is, and how many easy ones cost as much as one that is wrong."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch

from labs import focal_loss
from labs.focal_loss import ALPHA, GAMMA, down_weighted
from pages.focal_loss.shared import BLUE, GREY, VERMILION, Chart
from pages.shared.swatches import swatches
from ui import page
from ui.components import Grid, Points, following, live_slider, matrices, stage, words

HARD = 0.1  # probability of the right answer of an anchor that is wrong
MOST = 4.0  # nats, the top of the chart
GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)  # the paper's
CHART = Chart((0.0, 1.0), (0.0, MOST), (9.0, 3.0, 97.0, 49.0))
PROBABILITIES = torch.cat([torch.linspace(0.001, 0.1, 14), torch.linspace(0.12, 0.999, 30)]).double()


@st.fragment
@page.guard()
def play() -> None:
    page.section("Play", "Drag γ: what is already right gets cheap, what is wrong stays dear.")
    with ExitStack() as sliders:
        with st.container(key="beside-focal"):
            canvas, side = st.columns([3, 2], gap="large")
        with side:
            gamma = sliders.enter_context(
                live_slider("γ", 0.0, 5.0, GAMMA, step=0.1, key="focal_gamma", format="%.1f", play=True, window=2)
            )
            p = sliders.enter_context(
                live_slider("p, what the right answer gets", 0.001, 0.999, 0.9, step=0.001, key="focal_p",
                            format="%.3f", window=2)
            )  # fmt: skip
            alpha = sliders.enter_context(
                live_slider("α, the weight of positives", 0.0, 1.0, ALPHA, step=0.05, key="focal_alpha",
                            format="%.2f", window=2, help="Negatives weigh 1 − α.")
            )  # fmt: skip
            arithmetic(p, gamma, alpha)
        with canvas:
            draw(p, gamma, alpha)
        many(p, gamma)


def costs(p: torch.Tensor, gamma: float, alpha: float | None, positive: bool = True) -> torch.Tensor:
    """The focal loss of sigmoids that give their right answer the probabilities `p`."""
    logits = torch.logit(p) if positive else -torch.logit(p)
    return focal_loss.focal_loss(logits, torch.full(p.shape, positive), gamma, alpha)


def draw(p: float, gamma: float, alpha: float) -> None:
    """Cross-entropy, and the focal loss of a positive and of a negative, with a mark at p."""
    x = PROBABILITIES.numpy()
    curves = {
        "entropy": (costs(PROBABILITIES, 0.0, None).numpy(), GREY, 2.0, False),
        "negative": (costs(PROBABILITIES, gamma, alpha, False).numpy(), VERMILION, 2.5, True),
        "positive": (costs(PROBABILITIES, gamma, alpha).numpy(), BLUE, 3.0, False),
    }
    ticks = {0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}
    layers = CHART.frame(ticks, {1.0: "1", 2.0: "2", 3.0: "3", 4.0: "4"})
    layers += [CHART.line(x, *each) for each in curves.values()]
    here = torch.tensor([p], dtype=torch.float64)
    marks = [costs(here, 0.0, None), costs(here, gamma, alpha, False), costs(here, gamma, alpha)]
    layers.append(
        Points(np.concatenate([CHART.at([p], each.numpy()) for each in marks]), radius=6,
               colours=[GREY, VERMILION, BLUE])
    )  # fmt: skip
    stage("focal_curves", zoom=False, window=2).show(
        None, layers, size=(100.0, 56.0), alt=f"Loss against the probability of the right answer, γ = {gamma:g}",
        caption="Loss in nats, upwards, against the probability p of the right answer, to the right.",
    )  # fmt: skip
    if not following():
        st.html(swatches([(GREY, "cross-entropy, −log p"), (BLUE, "focal loss of a positive"),
                          (VERMILION, "focal loss of a negative, dashed")]))  # fmt: skip


def arithmetic(p: float, gamma: float, alpha: float) -> None:
    here = torch.tensor([p], dtype=torch.float64)
    entropy, plain = (float(costs(here, each, None)) for each in (0.0, gamma))
    words(
        f"−log {p:.3f} = **{entropy:.4f}** nats\n\n(1 − {p:.3f})^{gamma:.1f} · {entropy:.4f} = **{plain:.3g}** nats, "
        f"**{float(down_weighted(here, gamma)):,.3g} times less**\n\n× {alpha:.2f} for a positive: "
        f"**{alpha * plain:.3g}**, × {1 - alpha:.2f} for a negative: **{(1 - alpha) * plain:.3g}**",
        "focal_arithmetic",
    )


def many(p: float, gamma: float) -> None:
    """How many easy answers cost as much as a wrong one, for the paper's γ and for this one."""
    page.section("One against many", "One anchor is wrong, thousands are right: whose loss is larger?")
    rows = [*GAMMAS, gamma]
    here, wrong = (torch.tensor([each], dtype=torch.float64) for each in (p, HARD))
    counts = [equal(p, each) for each in rows]
    with page.predict(
        "focal-many",
        f"At γ = {gamma:g}, how many anchors that are right with p = {p:g} cost as much as one that is wrong, with "
        f"p = {HARD:g}?",
        list(dict.fromkeys(map(said, counts))),
    ) as prediction:
        table = [[float(costs(wrong, each, None)), float(costs(here, each, None)), float(down_weighted(here, each)),
                  count] for each, count in zip(rows, counts, strict=True)]  # fmt: skip
        matrices("focal_table", window=2).show(
            [Grid("costs", table, rows=[*(f"γ = {each:g}" for each in GAMMAS), f"yours, {gamma:.1f}"],
                  columns=[f"loss at p = {HARD:g}", f"loss at p = {p:g}", "times less", "so many for one"],
                  format="%.3g", cell=42, colour="none")],
            highlight=[("costs", len(GAMMAS), 3)],
            caption=f"Times less: than cross-entropy, at p = {p:g}. The lectures' numbers for γ = 2: 4 at p = 0.5, 100 "
            "at 0.9, 977 at 0.968.",
        )  # fmt: skip
        prediction.outcome(
            said(counts[-1]),
            f"With cross-entropy it is {said(counts[0])}: the thousands win whatever they say. γ moves the balance.",
        )


def equal(p: float, gamma: float) -> float:
    """How many answers with `p` cost as much as one with HARD."""
    here, wrong = (torch.tensor([each], dtype=torch.float64) for each in (p, HARD))
    return float(costs(wrong, gamma, None) / costs(here, gamma, None))


def said(count: float) -> str:
    return f"{count:.2g}" if count < 10 else f"{count:,.0f}" if count < 1e7 else f"{count:.1e}"
