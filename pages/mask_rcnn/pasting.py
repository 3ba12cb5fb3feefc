"""From 28x28 cells to pixels: one row of the picture, the cells that each pixel blends, and where the edge falls."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor
from torch.nn.functional import pad

from labs import region_masks as rm
from pages.mask_rcnn.shared import BLUE, ORANGE, SIZE, SKY, choose_thing, outline, said_of, truths, xyxy
from ui import page
from ui.components import Heat, Lines, live_slider, stage, words
from ui.pictures import Picture


@st.fragment
@page.guard()
def pasting(picture: Picture) -> None:
    page.section("Why an edge is where it is", "A pixel takes its probability from two cells on each axis, by "
                 "distance; the mask ends where that falls below the threshold. Move the row.")  # fmt: skip
    at = choose_thing(picture, "mask_paste_thing", largest(picture))
    if at is None:
        return
    boxes, labels, masks = truths(picture)
    box, label, truth = boxes[at], int(labels[at]), masks[at]
    probability = said_of(picture.image, (xyxy(box),)).logits[0, label].sigmoid()
    there = rm.pasting(box)
    pasted = rm.paste(probability, box, (SIZE, SIZE))
    columns, body = st.columns(2, gap="large"), st.container()
    with (
        columns[0],
        live_slider("Row, from the top of the box", 0.0, 1.0, 0.5, step=0.01, key="mask_row", format="%.2f",
                    window=2) as share,
        columns[1],
        live_slider("Threshold", 0.05, 0.95, 0.5, step=0.01, key="mask_row_threshold", format="%.2f",
                    window=2) as threshold,
        body,
    ):  # fmt: skip
        y = min(int(float(box[1]) + share * float(box[3] - box[1])), int(box[3]) - 1)
        x1, y1, x2, _ = there.box
        row = there.rows[y - y1] @ pad(probability, (rm.PADDING,) * 4)
        left, right = st.columns([2, 3], gap="large")
        with left:
            low, high = view_of(box)
            part = (slice(low[1], high[1]), slice(low[0], high[0]))
            stage("mask_enlarged", zoom=False, window=2).show(
                picture.image[part],
                [Heat(pasted[part].numpy(), "cividis", 0, 1, opacity=0.6, smooth=False),
                 Lines(outline(rm.above(pasted, threshold)[part]), ORANGE, 2.5),
                 Lines(outline(truth[part]), SKY, 2),
                 Lines(np.array([[0, y + 0.5 - low[1], high[0] - low[0], y + 0.5 - low[1]]], float), "#FFFFFF", 1.5)],
                alt="The thing enlarged, with its probabilities, the edge of the mask and the exact edge",
                smooth=False, caption="Orange: the edge of the mask. Blue: the exact edge. White: the row.",
            )  # fmt: skip
        with right:
            figure = row_figure(row, pasted[y], truth[y], (x1, x2), threshold)
            page.figure(figure, "mask_row_figure", height=330, alt="Probability of every pixel of the row")
            words(edge_said(there, row, pasted[y], truth[y], threshold), "mask_row_said")


def largest(picture: Picture) -> int:
    """The thing with the most pixels."""
    things = picture.view.instances if picture.view else ()
    return max(range(len(things)), key=lambda i: int(things[i].mask.sum()), default=0)


def view_of(box: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two corners (x, y) of a part of the picture around the box."""
    margin = 4 + 0.06 * float((box[2:] - box[:2]).max())
    x1, y1 = (box[:2] - margin).clamp(min=0).int().tolist()
    x2, y2 = (box[2:] + margin).clamp(max=SIZE).ceil().int().tolist()
    return (x1, y1), (x2, y2)


def row_figure(row: Tensor, pixels: Tensor, truth: Tensor, ends: tuple[int, int], threshold: float) -> go.Figure:
    """Cells and pixels of a row, the threshold, and where the thing itself is."""
    width = ends[1] - ends[0] + 1
    middles = ends[0] + (np.arange(len(row)) + 0.5) * width / len(row)
    xs = np.arange(max(ends[0], 0), min(ends[1] + 1, SIZE))
    figure = go.Figure([
        go.Scatter(x=xs + 0.5, y=truth[xs].float().numpy(), name="exact mask", mode="lines", fill="tozeroy",
                   line={"shape": "hvh", "width": 0}, fillcolor="rgba(86,180,233,0.35)"),
        go.Scatter(x=middles, y=row.numpy(), name="cells", mode="markers+lines",
                   marker={"size": 9, "color": BLUE, "symbol": "square"}, line={"width": 1, "color": BLUE}),
        go.Scatter(x=xs + 0.5, y=pixels[xs].numpy(), name="pixels", mode="markers",
                   marker={"size": 5, "color": ORANGE}),
        go.Scatter(x=[ends[0], ends[1] + 1], y=[threshold] * 2, name="threshold", mode="lines",
                   line={"dash": "dash", "color": "#8A9099"}),
    ])  # fmt: skip
    figure.update_xaxes(title="pixel of the row", range=[ends[0] - 1, ends[1] + 2])
    figure.update_yaxes(title="probability", range=[-0.03, 1.03])
    return figure


def edge_said(there: rm.Pasting, row: Tensor, pixels: Tensor, truth: Tensor, threshold: float) -> str:
    """The first pixel of the row that is in the mask: which two cells it blends, and where the thing itself begins."""
    inside = rm.above(pixels, threshold).nonzero()[:, 0]
    cells = len(row)
    line = f"A cell is {(there.box[2] - there.box[0] + 1) / cells:.2f} pixels wide and " \
           f"{(there.box[3] - there.box[1] + 1) / cells:.2f} high."  # fmt: skip
    if not len(inside):
        return f"{line} No pixel of this row reaches {threshold:.2f}: here the mask is empty."
    x = int(inside[0])
    weights = there.columns[x - there.box[0]]
    blended = " + ".join(f"{float(weights[j]):.2f} · {float(row[j]):.2f}" for j in weights.nonzero()[:, 0].tolist())
    line += f"\n\nThe first pixel in the mask is {x}: {blended} = **{float(pixels[x]):.2f}** ≥ {threshold:.2f}."
    exact = truth.nonzero()[:, 0]
    if len(exact):
        off = x - int(exact[0])
        where = "exactly there" if off == 0 else f"at pixel {int(exact[0])}"
        line += f" The thing itself begins {where}."
    return line
