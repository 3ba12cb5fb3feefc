"""From every decoded box to the 300 proposals: the best of each level, non-maximum suppression, the best of all."""

from contextlib import ExitStack

import streamlit as st
import torch
from torch import Tensor

from labs import region_proposals
from labs.boxes import iou_matrix
from labs.region_proposals import Filtered
from models.networks.detector import PROPOSALS
from pages.anchors.network import Look, look
from pages.anchors.shared import BLUE, ORANGE, truth_boxes, truths_of, white, xyxy
from ui import page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import Picture

TOP, NMS = 600, 0.7  # per level, and IoU: how the lab's detector is set
DRAWN = 10  # few: the first places are what suppression changes most


@st.fragment
@page.guard()
def proposals(picture: Picture) -> None:
    page.section(
        "From all boxes to 300",
        "Sort by objectness, keep the best of each level, suppress duplicates within each level, keep 300. Two levels "
        "may still propose the same thing, as in torchvision.",
    )
    seen = look(picture.image)
    sliders_of = (
        ("Best of each level", 1, 1000, TOP, {"key": "anchors_top"}),
        ("Suppress above IoU", 0.0, 1.0, NMS, {"key": "anchors_nms", "step": 0.01, "format": "%.2f"}),
        ("Keep", 1, PROPOSALS, PROPOSALS, {"key": "anchors_keep"}),
        ("Draw the best", 1, PROPOSALS, DRAWN, {"key": "anchors_drawn"}),
    )
    with ExitStack() as sliders:
        values = []
        for column, (*numbers, options) in zip(st.columns(4), sliders_of, strict=True):
            with column:
                values.append(sliders.enter_context(live_slider(*numbers, **options)))
        top, threshold, keep, drawn = values
        size = picture.image.shape[:2]
        left = region_proposals.filter_proposals(seen.decoded, seen.logits, seen.level_of, size, top, threshold, keep)
        taken = int(seen.level_of.bincount().clamp(max=top).sum())
        with page.predict(
            "anchors_left", f"The best {top:,} of each level are {taken:,} boxes. How many does suppression leave?",
            page.Number(0, 2800, 50, "boxes"),
        ) as prediction:  # fmt: skip
            pictures(picture, seen, left, drawn)
            words("\n\n".join(tale(picture, seen, left, (top, threshold, keep), taken)), "anchors_filter_words")
            prediction.outcome(
                len(left.survivors), f"because only boxes that overlap by more than {threshold:.2f} count as doubles, "
                "and only within one level."
            )  # fmt: skip


def pictures(picture: Picture, seen: Look, left: Filtered, drawn: int) -> None:
    before, after = left.top[:drawn], left.kept[:drawn]
    for column, key, title, chosen, colour in zip(
        st.columns(2), ("anchors_before", "anchors_after"), ("Before", "After"), (before, after), (ORANGE, BLUE),
        strict=True,
    ):  # fmt: skip
        with column:
            words(f"**{title} suppression: the best {len(chosen)}**", f"{key}_count")
            ranked(key, picture, seen, left, chosen, colour)


def tale(picture: Picture, seen: Look, left: Filtered, chosen: tuple[int, float, int], taken: int) -> list[str]:
    """What became of the boxes; `chosen` are the three settings, `taken` the boxes before clipping."""
    top, threshold, _ = chosen
    empty = taken - len(left.top)
    said = [
        f"{len(seen.logits):,} boxes → the best {top:,} of each level: **{taken:,}**"
        + (f", {empty} of them empty once clipped to the picture" if empty else "")
        + f" → suppression within each level: **{len(left.survivors):,}** → "
        f"keep: **{len(left.kept):,} proposals**."
    ]
    if threshold == 0:
        said.append("At 0 any common pixel is enough to be suppressed: of things that overlap, only one is left.")
    elif threshold == 1:
        said.append("At 1 nothing is suppressed: the proposals are hundreds of copies of the same few boxes.")
    if chosen == (TOP, NMS, PROPOSALS):
        same = len(left.kept) == len(seen.proposals) and torch.allclose(
            left.boxes[left.kept], seen.proposals, atol=1e-2
        )
        badge = ":green-badge[✓ equal]" if same else ":red-badge[different]"
        said.append(f"The network's own proposals on this picture: {len(seen.proposals)} {badge}")
    else:
        said.append(f":gray[The network itself takes {TOP}, {NMS:g} and {PROPOSALS}.]")
    truth = truths_of(picture)
    if truth is not None and len(truth):
        said.append(covered_words(truth, left))
    return said


def ranked(key: str, picture: Picture, seen: Look, left: Filtered, chosen: Tensor, colour: str) -> None:
    boxes = [
        Box(f"box-{i}", xyxy(left.boxes[i]), "", colour, width=1.5,
            note=f"rank {rank}, objectness {float(seen.logits[i].sigmoid()):.3f}, {seen.levels[seen.level_of[i]].name}")
        for rank, i in enumerate(chosen.tolist(), start=1)
    ]  # fmt: skip
    stage(key, zoom=False).show(
        picture.image, [Boxes([*reversed(boxes), *truth_boxes(picture)])],
        alt=f"The best {len(boxes)} boxes", caption=white(picture) + "Point at a box for its rank and score.",
    )  # fmt: skip


def covered_words(truth: Tensor, left: Filtered) -> str:
    best = iou_matrix(truth, left.boxes[left.kept]).amax(1) if len(left.kept) else torch.zeros(len(truth))
    parts = [f"**{int((best >= t).sum())} of {len(truth)}** with IoU ≥ {t:g}" for t in (0.5, 0.7, 0.9)]
    return f"Truths covered by some proposal: {', '.join(parts)}."
