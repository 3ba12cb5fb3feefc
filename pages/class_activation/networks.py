"""What the head and the size of the last map do: average against maximum, 14×14 against 28×28."""

import numpy as np
import streamlit as st
from torch import Tensor

from labs import weak_localization as wl
from labs.class_activation import max_pooling_map, winning_cells
from labs.heat_map_quality import energy_over_area, points_at
from models import catalog
from models.networks.classifier import Classification
from pages.class_activation.shared import (
    GAP,
    GAP_28,
    GMP,
    NETWORKS,
    Focus,
    Truth,
    activation,
    at_picture_size,
    classified,
    evidence,
    limit_of,
    no_truth,
    signed_layer,
    truth_of,
    xyxy,
)  # fmt: skip
from pages.shared.heat_maps import ORANGE, SKY, greyed, number
from ui import page
from ui.components import Box, Boxes, Points, stage

TITLES = {GAP: "GAP, 14×14", GMP: "GMP, 14×14", GAP_28: "GAP, 28×28"}
HELP = {
    "S": "The score of the class, a logit",
    "mean of M": "Mean of the map over its cells: the score, with a mean in the head",
    "IoU of 20 % box": "The box around what lies above 20 % of the maximum, against the truth of this picture",
    "best IoU": "The same for the best threshold, which only the truth can find",
    "energy / area": "The thing's share of the positive evidence over its share of the picture: 1 is chance",
    "points at it": "Whether the map's largest value lies on the thing",
    "mAP, one thing": "Mean over the classes of the average precision, 500 held-out scenes with one thing",
    "mAP, 3 to 6": "The same for 500 held-out scenes with 3 to 6 things",
    "peak on the thing": "Share of held-out scenes with one thing where the map's largest value lies on it",
    "20 % box, large things": "Mean IoU of the 20 % box over held-out things of 80 pixels and more",
}
DOTS = 12  # winning cells that are drawn


@st.fragment
@page.guard()
def networks(focus: Focus) -> None:
    page.section(
        "On a real network",
        "Three networks, one recipe: mean or maximum over the last map, and a larger map from fewer layers.",
    )
    truth = truth_of(focus.picture, focus.target)
    looks = {name: focus.seen if name == GAP else classified(name, focus.picture.image) for name in NETWORKS}
    large = {name: at_picture_size(activation(seen, focus.target)) for name, seen in looks.items()}
    found = {name: wl.weak_box(heat) for name, heat in large.items()}
    boxed = {TITLES[name]: truth.overlap(box) for name, box in found.items()} if truth else {}
    leaders = [title for title, value in boxed.items() if value == max(boxed.values())]
    fine = activation(looks[GAP_28], focus.target)
    high, wide = fine.shape
    row_at, column_at = divmod(int(fine.argmax()), wide)
    with page.predict(
        "cam-peak", f"{TITLES[GAP_28]}: click where its map of {focus.name} will be largest.",
        page.Region(focus.picture.image, alt="The picture, as the networks see it"),
    ) as where, page.predict(
        "cam-networks", "Each network draws a box around what lies above 20 % of its map's maximum. Whose box meets "
        f"the {focus.name} best here?", list(boxed) if len(leaders) == 1 else [],
    ) as prediction:  # fmt: skip
        peak = around(row_at, column_at, high, wide, focus.picture.image.shape[0])
        where.outcome(peak, f"Its largest cell is row {row_at + 1}, column {column_at + 1} of {high} × {wide}; the "
                            "cells beside it count as well.")  # fmt: skip
        for panel, name in zip(st.columns(3, gap="medium"), NETWORKS, strict=True):
            with panel:
                draw(name, looks[name], focus, truth, found[name])
        rows = [row(name, looks[name], focus, truth, large[name], found[name]) for name in NETWORKS]
        st.dataframe(rows, hide_index=True, key="cam_networks",
                     column_config={name: st.column_config.Column(help=text) for name, text in HELP.items()}
                     )  # fmt: skip
        each = ", ".join(f"{name} {value:.2f}" for name, value in boxed.items())
        told = f"The IoU is {each}. One picture proves nothing."
        prediction.outcome(leaders[0] if len(leaders) == 1 else "", told if boxed else "")
    scored = float(max_pooling_map(looks[GMP].features, looks[GMP].weights[focus.target]).sum())
    st.markdown(
        "With the **mean**, every cell counts, so the whole extent of a thing adds to the score. With the **maximum**, "
        "one cell of each map counts "
        f"(the {DOTS} largest shares are dots), one strong spot is enough, and the mean of M is not S: only what the "
        f"winning cells hold sums to it, {number(scored, 4)} here. **28×28** has four times the cells, from a stack "
        "that ends earlier: finer places, less meaning. Three networks on one picture are an anecdote; the average "
        "precisions are of 500 held-out scenes each." + aside(rows)
    )
    if truth is None:
        st.caption(no_truth(focus.picture, focus.target))


def around(row: int, column: int, rows: int, columns: int, side: int) -> tuple[float, float, float, float]:
    """A cell and those beside it, xyxy in pixels of a square picture."""
    high, wide = side / rows, side / columns
    return (max(column - 1, 0) * wide, max(row - 1, 0) * high, min(column + 2, columns) * wide,
            min(row + 2, rows) * high)  # fmt: skip


def draw(name: str, seen: Classification, focus: Focus, truth: Truth | None, box: Tensor | None) -> None:
    """The map of one network with its 20 % box, beside the truth."""
    heat = activation(seen, focus.target)
    boxes = truth.drawn() if truth else []
    if box is not None:
        boxes.append(Box("weak", xyxy(box), "20 % box", ORANGE, width=2.5))
    layers = [signed_layer(heat, limit_of(heat), smooth=False)]
    if name == GMP:
        layers.append(winners(seen, focus))
    st.markdown(f"**{TITLES[name]}** · probability {float(seen.probabilities[focus.target]):.3f}")
    stage(f"cam_{name}", zoom=False).show(
        greyed(focus.picture.image), [*layers, Boxes(boxes)], alt=f"Class activation map of {name}",
        caption=f"M: {plain(evidence(heat, focus.name, 'logit per cell'))}. Clear is 0.",
    )  # fmt: skip


def row(
    name: str, seen: Classification, focus: Focus, truth: Truth | None, large: Tensor, box: Tensor | None
) -> dict:  # fmt: skip
    """What a network's map is worth, in this picture and on held-out scenes."""
    figures = {
        "network": TITLES[name],
        "S": round(float(seen.logits[focus.target]), 3),
        "mean of M": round(float(activation(seen, focus.target).mean()), 3),
    }
    if truth:
        figures |= {
            "IoU of 20 % box": round(truth.overlap(box), 3),
            "best IoU": round(truth.best_overlap(large), 3),
            "energy / area": round(energy_over_area(large, truth.mask), 2),
            "points at it": points_at(large, truth.mask),
        }
    return figures | card_figures(name)


def aside(rows: list[dict]) -> str:
    """How often the maps point at the thing, and what that took; said of this picture where one misses."""
    shares = {name: catalog.card(name).get("metrics", {}).get("peak_on_thing") for name in NETWORKS}
    told = ", ".join(f"{TITLES[name]} {share:.0%}" for name, share in shares.items() if share is not None)
    words = (
        " Of held-out scenes with one thing, the map's peak lies **on the thing** in: " + told + ". A pooled score "
        "does not care where in the map its evidence lies: trained for the score alone, the peak of the GAP network "
        "lay 17 pixels above the thing, upside down too. So the last stage of the training also asks that nothing "
        "speaks for a class that is absent, and that maps turn with the picture; no box was ever shown."
        if told
        else ""
    )
    if not all(row.get("points at it", True) for row in rows):
        words += " Where **points at it** is empty, the largest cell lies beside the thing in this picture."
    return words


def winners(seen, focus: Focus) -> Points:
    """Where the maps with the largest shares of a max-pooled score have their maximum."""
    shares = seen.weights[focus.target] * seen.features.amax((-2, -1))
    best = shares.abs().argsort(descending=True)[:DOTS]
    cells = winning_cells(seen.features)[best].numpy()[:, ::-1]
    side = focus.picture.image.shape[0] / seen.features.shape[-1]
    notes = [f"map {k}: {number(float(shares[k]))}" for k in best.tolist()]
    return Points((cells + 0.5) * side, SKY, 4.5, notes=notes)


def card_figures(name: str) -> dict[str, float]:
    metrics = catalog.card(name).get("metrics", {})
    return {
        "mAP, one thing": metrics.get("map_single", np.nan),
        "mAP, 3 to 6": metrics.get("map_multi", np.nan),
        "peak on the thing": metrics.get("peak_on_thing", np.nan),
        "20 % box, large things": metrics.get("weak_box_iou_large", np.nan),
    }


def plain(markdown: str) -> str:
    """Without marks, for a caption that shows them as they are."""
    return markdown.replace("**", "")
