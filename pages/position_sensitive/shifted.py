"""One map or nine? A box that is moved or shrunk, and the votes of 1, 9, 25 and 49 parts on maps without mistakes."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import position_sensitive as ps
from pages.position_sensitive.shared import ORANGE, SKY, Maps, xyxy
from ui import figures, page
from ui.components import Box, Boxes, Grid, live_slider, matrices, stage, words

PARTS = (1, 3, 5, 7)
LINES = dict(zip(PARTS, (("#D55E00", "solid"), ("#0072B2", "solid"), ("#009E73", "dash"), ("#CC79A7", "dot")),
                 strict=True))  # fmt: skip
SIDE, WIDTH, HEIGHT = 105, 224, 113  # 105 pixels have whole thirds, fifths and sevenths
THING = torch.tensor([4.0, 4.0, 109.0, 109.0])  # alone on a strip
SHIFTS = torch.tensor(sorted({*(step / 20 for step in range(21)), *(1 / parts for parts in PARTS)}))  # and the bends


@st.cache_resource(max_entries=len(PARTS), show_spinner=False)  # shared and only read
def alone(parts: int) -> Maps:
    """The maps of the thing that stands alone."""
    maps = ps.perfect_maps(THING[None], torch.tensor([1]), 2, parts, (HEIGHT, WIDTH))
    return Maps(maps[1].clone(), 1.0, samples=SIDE // parts)


def placed(shift: Tensor, width: float) -> Tensor:
    """(N, 4): the thing's own box, `width` times as wide around the same middle, moved aside by `shift` (N,) of it."""
    side, middle = THING[2] - THING[0], (THING[2] + THING[0]) / 2 + shift * (THING[2] - THING[0])
    reach, top, bottom = width * side / 2, THING[1].expand_as(shift), THING[3].expand_as(shift)
    return torch.stack([middle - reach, top, middle + reach, bottom], -1)


@st.cache_data(max_entries=200, show_spinner=False)
def curve(parts: int, width: float) -> list[float]:
    """The vote at every one of SHIFTS."""
    return ps.vote(alone(parts).read(placed(SHIFTS, width))).tolist()


@st.fragment
@page.guard()
def shifted() -> None:
    page.section(
        "One map or nine?",
        "A convolution answers the same wherever a thing stands; a box must notice when it is moved. Here one thing "
        "stands alone, on maps without mistakes.",
    )
    columns, body = st.columns(2, gap="large"), st.container()
    with (
        columns[0],
        live_slider("Moved aside, of the thing's width", 0.0, 1.0, 0.2, step=0.02, key="rfcn_shift", format="%.2f",
                    play=True, window=2) as shift,
        columns[1],
        live_slider("Width of the box, of the thing's", 0.2, 1.0, 1.0, step=0.02, key="rfcn_width", format="%.2f",
                    window=2) as width,
        body,
    ):  # fmt: skip
        boxes = placed(torch.tensor([shift]), width)
        votes = {parts: float(ps.vote(alone(parts).read(boxes))[0]) for parts in PARTS}
        stage("rfcn_alone", zoom=False, window=2, width=440).show(
            None,
            [Boxes([Box("thing", xyxy(THING), "", SKY, fill=0.5, width=2, note="the thing"),
                    Box("box", xyxy(boxes[0]), "", ORANGE, width=3, note="the box")])],
            size=(WIDTH, HEIGHT), alt="One thing and a box", caption="The thing, filled, and the box.",
        )  # fmt: skip
        asked(votes, shift, width)
        words(
            "With one map per class, a box on any part of a thing is as good as a box on all of it. More parts make "
            "the vote stricter. They also need more maps: k² (C + 1).", "rfcn_stricter",
        )  # fmt: skip


def asked(votes: dict[int, float], shift: float, width: float) -> None:
    """The votes behind the question how large that of nine parts is."""
    answer = f"{votes[3]:.1f}"
    options = sorted({answer, f"{max(0.0, 1 - shift):.1f}", f"{max(0.0, 1 - 5 * shift):.1f}", "0.0", "1.0"}, key=float)
    with page.predict(
        "rfcn-shift",
        f"The box is {width:.0%} as wide as the thing and moved aside by {shift:.0%} of the thing's width. About how "
        "large is the vote of 3 × 3 parts?", options,
    ) as prediction:  # fmt: skip
        left, right = st.columns([2, 3], gap="large")
        with left:
            matrices("rfcn_shift_votes", window=2).show(
                [Grid("votes", np.array([list(votes.values())]), title="vote", columns=[f"{k} × {k}" for k in PARTS],
                      vmin=0, vmax=1, colour="sequential", format="%.2f", cell=60)],
            )  # fmt: skip
            words(f"One map: **{votes[1]:.2f}**. Nine maps: **{votes[3]:.2f}**.", "rfcn_shift_said")
        with right:
            drawn(shift, width)
        theory = float(ps.vote_after_shift(torch.tensor(shift), 3))
        said = f"max(0, 1 − 3 · {shift:.2f}) = {theory:.2f}: each third leaves its own map three times as early."
        prediction.outcome(answer, said if width == 1 else f"One map alone says {votes[1]:.2f}.")


def drawn(shift: float, width: float) -> None:
    """The votes over all shifts."""
    figure = go.Figure()
    for parts, (colour, dash) in LINES.items():
        figure.add_scatter(
            x=(SHIFTS * 100).tolist(), y=curve(parts, width), name=f"{parts} × {parts}",
            line={"color": colour, "dash": dash}, hovertemplate="%{y:.2f} at %{x:.0f} %",
        )  # fmt: skip
    figures.across(figure, x=100 * shift)
    figure.update_layout(xaxis={"title": "moved aside, % of the width"},
                         yaxis={"title": "vote", "range": [-0.03, 1.05]})  # fmt: skip
    page.figure(figure, "rfcn_curves", height=280, alt="Vote over shift for 1, 9, 25 and 49 parts")
