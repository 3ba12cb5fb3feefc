"""Hard negative mining: which background boxes stay in the loss, and what every grid adds to it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs.hard_negative_mining import MultiboxLoss, hardest_negatives, multibox_loss
from models.networks import ssd
from models.networks.ssd import SsdDetection
from pages.shared.known_truth import UNKNOWN, truth_of
from pages.ssd.shared import BLUE, NETWORK, VERMILION, counted, grid_name, look, match_of, truths_drawn
from scenes import THINGS
from ui import figures, page
from ui.components import Box, Boxes, Grid, following, live_slider, matrices, stage, words
from ui.pictures import Picture

MOST_DRAWN = 120
SHARES = {"under a quarter": 0.25, "a quarter to a half": 0.5, "a half to three quarters": 0.75, "more": 2.0}


@st.cache_resource(max_entries=100, show_spinner=False)
def paid(image: np.ndarray, boxes: np.ndarray, labels: np.ndarray, owner: np.ndarray) -> MultiboxLoss:
    """What every default box of the picture pays; no negative is chosen yet."""
    found = look(image)
    given = [torch.from_numpy(each) for each in (owner, boxes, labels)]
    return multibox_loss(found.class_logits, found.transforms, found.defaults.boxes, *given, ratio=0)


@st.fragment
@page.guard()
def mining(picture: Picture) -> None:
    page.section(
        "Hard negative mining",
        "Nearly all boxes are background, and most of it is easy: only the worst negatives stay in the loss, 3 for "
        "each positive.",
    )
    truth, found = truth_of(picture), look(picture.image)
    if truth is None:
        st.info(UNKNOWN.format("nothing says which boxes are background"))
        return
    matched = match_of(picture, truth)
    every = paid(picture.image, truth.boxes.numpy(), truth.labels.numpy(), matched.owner.numpy())
    with live_slider("Negatives for each positive", 0, 20, 3, key="ssd_ratio", play=True, window=2) as ratio:
        loss = replace(every, negative=hardest_negatives(every.classes, every.positive, ratio))
        kept, background = int(loss.negative.sum()), int((~loss.positive).sum())
        whole = float(every.classes[~every.positive].sum())
        share = float(loss.classes[loss.negative].sum()) / whole
        asked = (
            f"{kept} of {background:,} background boxes stay in the loss, {kept / background:.1%}. Which share of the "
            "background's whole loss do they hold?"
        )
        with page.predict("ssd-hard", asked, list(SHARES) if kept else []) as prediction:
            left, right = st.columns([3, 2], gap="large")
            with left:
                draw(picture, loss)
            with right:
                words(in_words(loss, share), "ssd_loss")
                curve(loss)
            if kept:
                prediction.outcome(
                    next(name for name, limit in SHARES.items() if share < limit),
                    f"{share:.0%} of {whole:.1f} nats. The other {background - kept:,} share the rest, "
                    f"{(1 - share) * whole / max(background - kept, 1):.4f} each: easy, but many.",
                )
            else:
                prediction.outcome(None)
        by_grid(loss, found.defaults.grid_of)
    st.caption(
        "The boxes are matched at IoU 0.5. The loss of the classes is a cross-entropy over background and "
        f"{len(THINGS)} classes, that of the move a smooth L1; their sum is divided by the number of positives."
    )
    page.footer(NETWORK, found.device, found.seconds * 1000)


def draw(picture: Picture, loss: MultiboxLoss) -> None:
    """The negatives that stay, the hardest on top, and the positives."""
    found = look(picture.image)
    hard = loss.negative.nonzero()[:, 0]
    hard = hard[loss.classes[hard].argsort(descending=True)][:MOST_DRAWN]
    negatives = [
        Box(f"negative-{i}", tuple(box), colour=VERMILION, width=1.5,
            note=f"background, {grid_name(ssd.GRIDS[grid])}: the network says {THINGS[said]} {score:.2f}, "
            f"loss {cost:.2f}")
        for i, box, grid, said, score, cost in rows_of(found, loss, hard.flip(0))
    ]  # fmt: skip
    positives = [
        Box(f"positive-{i}", tuple(box), colour=BLUE, width=2.5,
            note=f"positive, {grid_name(ssd.GRIDS[grid])}: loss {cost:.2f}")
        for i, box, grid, _, _, cost in rows_of(found, loss, loss.positive.nonzero()[:, 0])
    ]  # fmt: skip
    kept = int(loss.negative.sum())
    stage("ssd_mining", width=620, window=2).show(
        picture.image, [Boxes([*truths_drawn(truth_of(picture)), *positives, *negatives])],
        alt=f"{counted(len(positives), 'positive')} and {counted(kept, 'hard negative')} on the picture",
        caption="Thick blue: positives. Thin red: the negatives that stay. Dashed white: truth."
        + (f" The hardest {MOST_DRAWN} are drawn." if kept > MOST_DRAWN else ""),
    )  # fmt: skip


def rows_of(found: SsdDetection, loss: MultiboxLoss, which: Tensor) -> Iterator[tuple]:
    """Per box its index, its place, its grid, the class that the network would give it, that score, and its loss."""
    score, said = found.raw_scores[which, 1:].max(1)
    places, grids = found.defaults.boxes[which], found.defaults.grid_of[which]
    columns = (which, places, grids, said, score, loss.classes[which])
    return zip(*(column.tolist() for column in columns), strict=True)


def in_words(loss: MultiboxLoss, share: float) -> str:
    positives, kept = int(loss.positive.sum()), int(loss.negative.sum())
    if not positives:
        return "**No thing, no positive, no loss**: the number of negatives follows that of the positives."
    terms = (
        ("classes of the positives", float(loss.classes[loss.positive].sum()) / positives),
        ("classes of the negatives", float(loss.classes[loss.negative].sum()) / positives),
        ("moves of the positives", float(loss.moves.sum()) / positives),
    )
    return (
        f"**Loss {float(loss.total):.3f}** for {counted(positives, 'positive')} and {counted(kept, 'negative')}\n\n"
        + "\n\n".join(f"{value:.3f} {name}" for name, value in terms)
        + f"\n\nThe kept negatives hold **{share:.0%}** of the background's loss."
    )


def curve(loss: MultiboxLoss) -> None:
    """The background's losses, hardest first, and where the cut lies."""
    losses = loss.classes[~loss.positive].sort(descending=True).values.clamp(min=1e-6).numpy()
    ranks = np.unique(np.geomspace(1, len(losses), 120).round().astype(int))
    kept = int(loss.negative.sum())
    figure = go.Figure()
    figure.add_scatter(x=ranks, y=losses[ranks - 1], mode="lines", line={"color": VERMILION}, showlegend=False,
                       hovertemplate="rank %{x:,}: loss %{y:.4f}<extra></extra>")  # fmt: skip
    if kept:
        figures.across(figure, x=kept)
    figure.update_layout(
        xaxis={"title": "background box, hardest first", "type": "log"},
        yaxis={"title": "loss", "type": "log", "exponentformat": "power"}, margin={"t": 8},
    )  # fmt: skip
    page.figure(figure, "ssd_mining_curve", height=250, alt=f"Losses of the background boxes, the first {kept} stay")


def by_grid(loss: MultiboxLoss, grid_of: Tensor) -> None:
    """What every grid adds to the loss of this scene."""
    grids = len(ssd.GRIDS)
    per = lambda values: torch.zeros(grids).index_add(0, grid_of, values.float())  # noqa: E731
    positives = max(int(loss.positive.sum()), 1)
    numbers = torch.stack([per(torch.ones(len(grid_of))), per(loss.positive), per(loss.negative)], dim=1)
    terms = torch.stack(
        [per(torch.where(loss.positive, loss.classes, 0)), per(torch.where(loss.negative, loss.classes, 0)),
         per(loss.moves), per(loss.counted)], dim=1,
    ) / positives  # fmt: skip
    names = [grid_name(cells) for cells in ssd.GRIDS]
    matrices("ssd_by_grid", window=2).show(
        [
            Grid("boxes", numbers.numpy(), rows=names, columns=["boxes", "positive", "kept"], format="%.0f", cell=70,
                 colour="none"),
            Grid("loss", terms.numpy(), rows=names, columns=["classes +", "classes −", "moves", "all"], format="%.3f",
                 cell=70, colour="sequential", vmin=0, vmax=2 * max(float(loss.total), 1e-6)),
        ],
        caption=f"The loss of this scene by grid; the column “all” adds up to {float(loss.total):.3f}.",
    )  # fmt: skip
    if not following() and not bool(loss.positive.any()):
        st.caption("Without a positive nothing is divided: every entry is 0.")
