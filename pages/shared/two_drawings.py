"""Two drawings of one picture side by side: who marked what, how well they agree, and whose box is missing."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from labs import annotator_agreement
from labs.annotator_agreement import Agreement
from labs.coco_file import Mark
from pages.shared.drawn_scores import truths_of
from ui import rounding
from ui.components import Box, Boxes, Grid, following, matrices, stage, words
from ui.pictures import Picture

BLUE, ORANGE = "#0072B2", "#E69F00"
MOST_CELLS = 20  # rows and columns of the matrix


def boxes(key: str, picture: Picture, mine: Sequence[Mark], other: Sequence[Mark], iou: float) -> None:
    """The comparison of two drawings in boxes. Draws; call it inside the fragment of the drawing."""
    names = sorted({mark.name for mark in (*mine, *other)})
    found = annotator_agreement.compare(truths_of(mine, names), truths_of(other, names), iou)
    if not following():
        st.markdown("#### Two drawings")
    left, right = st.columns(2, gap="medium")
    with left:
        both(key, picture, mine, other, found)
    with right:
        words(summary(found), f"{key}_summary")
        words("\n\n".join(lines(found, mine, other, iou)), f"{key}_lines")
    if mine and other and max(len(mine), len(other)) <= MOST_CELLS:
        matrix(key, found, mine, other)


def both(key: str, picture: Picture, mine: Sequence[Mark], other: Sequence[Mark], found: Agreement) -> None:
    """Both drawings on the picture: yours solid blue, the other one dashed orange; without a partner thicker."""
    drawn = [
        Box(f"{who}-{i}", mark.box, f"{sign}{i + 1} {mark.name}", colour, dash=sign == "B", width=5 if i in only else 3)
        for who, sign, colour, marks, only in (
            ("mine", "A", BLUE, mine, found.only_first), ("other", "B", ORANGE, other, found.only_second)
        )
        for i, mark in enumerate(marks)
    ]  # fmt: skip
    stage(key, zoom=False).show(
        picture.image, [Boxes(drawn)], alt=f"Your {len(mine)} boxes and the {len(other)} of the second drawing",
        caption="Solid blue A: yours. Dashed orange B: the second drawing. Thick: without a partner.",
    )  # fmt: skip


def summary(found: Agreement) -> str:
    """The figures of an agreement in a line."""
    agreed = int(found.same_class.sum())
    first, second = found.overlap.shape
    apart = "" if np.isnan(found.mean_iou) else f" · mean IoU of the pairs **{found.mean_iou:.2f}**"
    share = "undefined" if np.isnan(found.f1) else f"{found.f1:.2f}"
    return (
        f"Of your {first} and its {second} boxes **{agreed}** {'pair agrees' if agreed == 1 else 'pairs agree'} in "
        f"place and class · agreement (F1) **{share}**{apart}"
    )


def lines(found: Agreement, mine: Sequence[Mark], other: Sequence[Mark], iou: float) -> list[str]:
    """Pair by pair, then whose box is missing."""
    told = []
    for (a, b), value, same in zip(found.pairs.tolist(), found.ious, found.same_class, strict=True):
        classes = mine[a].name if same else f"{mine[a].name} or {other[b].name}? The place is the same, not the class"
        told.append(f"{'✓' if same else '≠'} A{a + 1} and B{b + 1}: {classes}, "
                    f"IoU {rounding.beside(value, iou, digits=2)}")  # fmt: skip
    told += [f"✗ A{a + 1} {mine[a].name}: the second drawing has no such box" for a in found.only_first.tolist()]
    told += [f"✗ B{b + 1} {other[b].name}: yours has no such box" for b in found.only_second.tolist()]
    return told


def matrix(key: str, found: Agreement, mine: Sequence[Mark], other: Sequence[Mark]) -> None:
    """IoU of every box with every box; the pairs are outlined."""
    grid = Grid(
        "iou", found.overlap, "IoU, A down, B across", colour="sequential", vmin=0.0, vmax=1.0, format="%.2f",
        rows=[f"A{i + 1} {mark.name}" for i, mark in enumerate(mine)],
        columns=[f"B{i + 1}" for i in range(len(other))],
    )  # fmt: skip
    matrices(f"{key}_matrix").show([grid], sums=False, highlight=[("iou", a, b) for a, b in found.pairs.tolist()])
