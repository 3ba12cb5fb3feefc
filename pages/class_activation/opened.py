"""Inside the sum: the feature maps that count most, the running total, and one cell's arithmetic."""

from dataclasses import replace

import numpy as np
import streamlit as st

from labs.class_activation import Contribution, top_contributions, weighted_maps
from pages.class_activation.responds import responds
from pages.class_activation.shared import Focus, activation, limit_of, positive_layer, signed_layer
from pages.shared.heat_maps import ORANGE, POSITIVE, SIGNED, SKY, colour_bar, greyed, number
from ui import page
from ui.components import Box, Boxes, GridLines, Stage, address, following, live_slider, stage, words

SHOWN = 5  # maps that are opened


@st.fragment
@page.guard()
def opened(focus: Focus) -> None:
    seen, weights = focus.seen, focus.seen.weights[focus.target]
    parts = top_contributions(seen.features, weights, len(weights))
    page.section(
        "Look inside",
        f"Which of the {len(parts)} feature maps add most to the score of {focus.name}? The largest shares come first.",
    )
    side = focus.picture.image.shape[0] / seen.features.shape[-1]
    view = stage("cam_sum")
    if view.clicked and not following():
        address.keep("cam_cell", f"{int(view.click.y // side)},{int(view.click.x // side)}")
    cell = chosen_cell(seen.features.shape[-2:], activation(seen, focus.target))
    frame = Box("cell", tuple(v * side for v in (cell[1], cell[0], cell[1] + 1, cell[0] + 1)), "", ORANGE, width=3)
    if not following():
        strip(focus, parts[:SHOWN], frame)
    enough = needed(np.cumsum([part.score for part in parts]), float(seen.logits[focus.target]))
    with live_slider(
        "Maps in the sum", 1, len(parts), len(parts), key="cam_terms", play=True, window=2,
        help="Largest |share of the score| first.",
    ) as count, page.predict(
        "cam-enough", f"Add the {len(parts)} maps one by one, largest shares first. After how many does the sum stay "
        "within 10 % of the score?", ["1 to 10", "11 to 50", "more than 50"] if enough is not None else [],
    ) as prediction:  # fmt: skip
        total(focus, parts, count, cell, frame, view)
        if enough is None:
            prediction.outcome("", "The score is next to nothing here.")
        else:
            prediction.outcome(bucket(enough), f"{enough} of {len(parts)}: the evidence is spread, and much cancels.")
    if following():
        return
    algebra(focus)
    responds(parts[:SHOWN])


def algebra(focus: Focus) -> None:
    """How far the mean of the map is from the score, and what lectures write instead."""
    heat = activation(focus.seen, focus.target)
    gap = abs(float(heat.mean() - focus.seen.logits[focus.target]))
    st.caption(
        f"The mean of M and S differ by {number(gap, 2)}, rounding. The head has no bias; with one, S would be the "
        f"mean plus the bias. Lectures write sums for means: S is then Σ M, {heat.numel()} times as much, and trained "
        "weights absorb the factor."
    )


def strip(focus: Focus, parts: list[Contribution], frame: Box) -> None:
    """The maps with the largest shares side by side, in one scale."""
    image, features = focus.picture.image, focus.seen.features
    side, limit = image.shape[1], float(features[[part.channel for part in parts]].max())
    layers, boxes = [], []
    for i, part in enumerate(parts):
        x = i * side
        layers.append(
            replace(positive_layer(features[part.channel], limit, 0.8, smooth=False), xyxy=(x, 0, x + side, side))
        )
        told = f"weight {number(part.weight)}, mean {number(part.pooled)}, share of S {number(part.score)}"
        boxes.append(Box(f"part-{i}", (x, 0, x + side, side), f"f{part.channel}: {number(part.score)}", SKY, note=told))
        x1, y1, x2, y2 = frame.xyxy
        boxes.append(replace(frame, id=f"cell-{i}", xyxy=(x1 + x, y1, x2 + x, y2)))
    stage("cam_parts", zoom=False).show(
        np.hstack([image] * len(parts)), [*layers, Boxes(boxes)],
        alt="The feature maps with the largest shares of the score: " + ", ".join(f"f{p.channel}" for p in parts),
        caption="Each map with its share of S. Orange frame: the cell that the table writes out.",
    )  # fmt: skip
    colour_bar(POSITIVE, limit, "feature maps fₖ ≥ 0", most="strong")  # for or against: the weight says that


def total(
    focus: Focus, parts: list[Contribution], count: int, cell: tuple[int, int], frame: Box, view: Stage
) -> None:  # fmt: skip
    """The sum of the first `count` maps, and the sum of all in one cell."""
    seen, weights = focus.seen, focus.seen.weights[focus.target]
    order = [part.channel for part in parts]
    terms = weighted_maps(seen.features, weights)[order]
    running = terms.cumsum(0)
    limit = limit_of(running[-1])
    left, right = st.columns([2, 3], gap="large")
    with left:
        partial, side = running[count - 1], focus.picture.image.shape[0] / running.shape[-1]
        words(
            f"Σ of **{count}** maps: mean **{number(float(partial.mean()), 4)}** of S = "
            f"**{number(float(seen.logits[focus.target]), 4)}**",
            "cam_sum_words",
        )
        view.show(
            greyed(focus.picture.image),
            [signed_layer(partial, limit, smooth=False), GridLines(*partial.shape, colour="#00000030"), Boxes([frame])],
            alt=f"The sum of the first {count} weighted feature maps", caption="Click a cell to write it out.",
            pick=(side / 2, side),
        )  # fmt: skip
    with right:
        if following():
            return
        st.markdown("\n".join(table(parts, terms[:, cell[0], cell[1]], cell, seen)))
        colour_bar(SIGNED, limit, "logit per cell")


def table(parts: list[Contribution], values, cell: tuple[int, int], seen) -> list[str]:
    """The arithmetic: one row a map, for the score and for the chosen cell, and the rest in one row."""
    rows = [
        f"Last two columns: fₖ at row {cell[0]}, column {cell[1]}, the orange cell.\n",
        "| map | weight wₖ | mean of fₖ | share of S | fₖ there | share of M |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for part, value in zip(parts[:SHOWN], values.tolist(), strict=False):
        here = float(seen.features[part.channel, cell[0], cell[1]])
        rows.append(
            f"| f{part.channel} | {number(part.weight)} | {number(part.pooled)} | {number(part.score)} | "
            f"{number(here)} | {number(value)} |"
        )
    score = sum(part.score for part in parts)
    rest = score - sum(part.score for part in parts[:SHOWN])
    rows.append(
        f"| {len(parts) - SHOWN} others | | | {number(rest)} | | {number(float(values[SHOWN:].sum()))} |\n"
        f"| **sum** | | | **S = {number(score, 4)}** | | **M = {number(float(values.sum()), 4)}** |"
    )
    return rows


def chosen_cell(shape: tuple[int, int], heat) -> tuple[int, int]:
    """Row and column from the address; the strongest cell if it names none."""
    best = tuple(int(i) for i in np.unravel_index(int(heat.argmax()), shape))
    try:
        row, column = address.numbers("cam_cell", 2, int) or best
    except ValueError:
        return best
    return (row, column) if 0 <= row < shape[0] and 0 <= column < shape[1] else best


def needed(totals: np.ndarray, score: float) -> int | None:
    """After how many terms the total stays within 10 % of the score; None where the score is next to nothing."""
    if abs(score) < 1e-3:
        return None
    off = np.flatnonzero(np.abs(totals - score) > 0.1 * abs(score))
    return int(off[-1]) + 2 if len(off) else 1


def bucket(count: int) -> str:
    return "1 to 10" if count <= 10 else "11 to 50" if count <= 50 else "more than 50"
