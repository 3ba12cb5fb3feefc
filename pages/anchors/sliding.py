"""One anchor slides over one truth: its IoU and its label, and what it would cost, at every place on the way."""

from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import anchors
from labs.boxes import iou_matrix
from pages.anchors.shared import BLUE, ORANGE, VERMILION, exact_pyramid, size_of, truths_of, white, xyxy
from ui import figures, page
from ui.components import Box, Boxes, Lines, live_slider, stage, words
from ui.pictures import Picture

POSITIVE, NEGATIVE = 0.7, 0.3
STEPS = 200
LABELS = {1: ("positive", BLUE), -1: ("ignored", ORANGE), 0: ("negative", VERMILION)}
MEANING = {
    1: "It learns **object**, and the move to the truth.",
    -1: "It learns **nothing**: neither object nor background.",
    0: "It learns **background**, and no move.",
}


@dataclass(frozen=True, eq=False)
class Way:
    """`places` (S, 4): the anchor at every step from left to right; `offsets` (S,) in px of its middle from the
    truth's; `overlap` (S,) its IoU with the truth."""

    offsets: Tensor
    places: Tensor
    overlap: Tensor


def way_over(truth: Tensor, anchor: Tensor, steps: int = STEPS) -> Way:
    """The way of an anchor (4,), whose sides alone count, over a truth (4,): from touching it on the left to the
    right, at the height of its middle."""
    middle, half = (truth[:2] + truth[2:]) / 2, (anchor[2:] - anchor[:2]) / 2
    reach = float(half[0] + (truth[2] - truth[0]) / 2)
    offsets = torch.linspace(-reach, reach, steps + 1)
    at = torch.stack([middle[0] + offsets, middle[1].expand_as(offsets)], 1)
    places = torch.cat([at - half, at + half], 1)
    return Way(offsets, places, iou_matrix(truth[None], places)[0])


def fitting(truth: Tensor) -> Tensor:
    """Of the detector's anchor shapes, around the origin, the one that fits the truth (4,) best."""
    every = torch.cat(exact_pyramid())
    return every[int(torch.stack([anchors.concentric_iou(truth[None], each[None])[0] for each in every]).argmax())]


@st.fragment
@page.guard()
def slide(picture: Picture) -> None:
    page.section("One anchor over one thing", "Slide it, or press play: how far off may it be and still be positive?")
    truths = truths_of(picture)
    labels = [thing.label for thing in picture.view.instances] if picture.view else []
    if truths is None or not len(truths):
        st.caption("No boxed thing in this picture, so a square in its middle stands in for one.")
        height, width = picture.image.shape[:2]
        middle = torch.tensor([[width, height, width, height]]) / 2
        truths, labels = middle + torch.tensor([-32.0, -32, 32, 32]), ["box"]
    fits = [float(anchors.concentric_iou(truth[None], fitting(truth)[None])) for truth in truths]
    numbers = range(1, len(truths) + 1)
    chosen = st.pills("Truth", numbers, default=1 + fits.index(max(fits)), required=True, key="anchors_truth",
                      format_func=lambda n: f"{n} {labels[n - 1]}", bind="query-params")  # fmt: skip
    i = chosen - 1 if chosen in numbers else fits.index(max(fits))
    way = way_over(truths[i], fitting(truths[i]))
    wide = float(truths[i][2] - truths[i][0])
    with live_slider("Place on the way", 0.0, 1.0, 0.42, step=0.005, key="anchors_way", format="%.2f", play=True,
                     window=2) as share:  # fmt: skip
        at = round(share * STEPS)
        label = label_of(way, at)
        with page.predict(
            "anchors_off", f"How far sideways, in % of the {labels[i]}'s width, may the anchor be off and still "
            "be positive?", page.Number(0, 50, 1, "%"),
        ) as prediction:  # fmt: skip
            left, right = st.columns([2, 3], gap="large")
            with left:
                show(picture, truths[i], labels[i], way, at, label)
            with right:
                words(verdict(way, at, label), "anchors_way_words")
                chart(way, at)
            far = round(100 * widest(way) / wide)
            prediction.outcome(
                min(far, 50), f"{widest(way):.1f} of {wide:.0f} px to either side. Two equal boxes share 70 % of what "
                "they cover only while they are less than 18 % of their width apart." if far else
                "because even in the middle the sides of this anchor do not fit well enough.",
            )  # fmt: skip


def label_of(way: Way, at: int) -> int:
    """By the thresholds alone: 1 positive, -1 ignored, 0 negative."""
    overlap = float(way.overlap[at])
    return 1 if overlap >= POSITIVE else 0 if overlap < NEGATIVE else -1


def show(picture: Picture, truth: Tensor, thing: str, way: Way, at: int, label: int) -> None:
    name, colour = LABELS[label]
    anchor = way.places[at]
    middles = torch.cat([(anchor[:2] + anchor[2:]) / 2, (truth[:2] + truth[2:]) / 2])
    stage("anchors_slide", width=460, window=2).show(
        picture.image,
        [Boxes([Box("truth", xyxy(truth), "", "#FFFFFF", width=3, note=f"truth: {thing}"),
                Box("anchor", xyxy(anchor), f"{name} {float(way.overlap[at]):.2f}", colour, width=3, fill=0.1,
                    dash=label == -1)]),
         Lines(middles[None].numpy(), colour, 2, arrow=True)],
        alt=f"An anchor and the {thing} it slides over",
        caption=(white(picture) or "White: the square. ") +
        "The anchor: blue positive, dashed orange ignored, red negative. The arrow: its move.",
    )  # fmt: skip


def verdict(way: Way, at: int, label: int) -> str:
    """IoU, label, what the anchor learns."""
    name, overlap = LABELS[label][0], float(way.overlap[at])
    rule = {1: f"≥ {POSITIVE}", -1: f"from {NEGATIVE} to {POSITIVE}", 0: f"< {NEGATIVE}"}[label]
    return (
        f"**IoU {overlap:.3f}** {rule}: **{name}**\n\n{MEANING[label]}\n\n"
        f":gray[Anchor {size_of(way.places[at])}, {float(way.offsets[at]):+.1f} px from the middle of the truth.]"
    )


def chart(way: Way, at: int) -> None:
    offsets, overlap = way.offsets.numpy(), way.overlap.numpy()
    figure = go.Figure()
    figure.add_scatter(x=offsets, y=overlap, mode="lines", line={"color": "#777777", "width": 3}, showlegend=False,
                       hovertemplate="%{x:.0f} px: IoU %{y:.2f}<extra></extra>")  # fmt: skip
    for level, name in ((POSITIVE, "positive from 0.7"), (NEGATIVE, "negative below 0.3")):
        figures.across(figure, y=level, text=name, at="top left", color=None)
    figure.add_scatter(x=[float(offsets[at])], y=[float(overlap[at])], mode="markers", showlegend=False,
                       marker={"size": 15, "color": LABELS[label_of(way, at)][1]}, hoverinfo="skip")  # fmt: skip
    figure.update_layout(
        xaxis={"title": "middle of the anchor, px from the truth's", "range": [float(offsets[0]), float(offsets[-1])]},
        yaxis={"title": "IoU", "range": [0, 1.02]},
    )
    page.figure(figure, key="anchors_way_curve", height=330, alt="IoU of the anchor with the truth on its way")


def widest(way: Way) -> float:
    """Largest distance in px, to either side, at which the anchor is positive; 0 if it never is."""
    near = way.offsets[way.overlap >= POSITIVE]
    return float(near.abs().max()) if len(near) else 0.0
