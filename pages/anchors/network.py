"""The trained region proposal network on the picture: objectness maps, and the transform of one box."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import anchors, region_proposal_loss
from labs.boxes import iou_matrix
from models import catalog
from models.inside import detector_cache
from models.networks.detector import ANCHOR_RATIOS
from pages.anchors.shared import BLUE, ORANGE, pyramid, surest, truth_boxes, truths_of, white, xyxy
from ui import page
from ui.components import Box, Boxes, Heat, Lines, Points, address, following, live_slider, stage, words
from ui.pictures import Picture

SUREST = "surest"
CLEAR = 0.02  # below this probability the picture is left as it is, and no map has anything to say


@dataclass(frozen=True, eq=False)
class LevelMaps:
    """One pyramid level: objectness logits (K, h, w), transforms (K, 4, h, w), anchors (h, w, K, 4)."""

    name: str
    stride: int
    objectness: Tensor
    transforms: Tensor
    anchors: Tensor


@dataclass(frozen=True, eq=False)
class Look:
    """What the RPN said of one picture; fields as in `models.networks.detector.Detection`, and `logits` (M,), its raw
    objectness."""

    levels: list[LevelMaps]
    decoded: Tensor
    logits: Tensor
    level_of: Tensor
    proposals: Tensor
    seconds: float
    device: str


@st.cache_resource(max_entries=100, show_spinner=False)
def look(image: np.ndarray) -> Look:
    """What this page shows of the detector's run on this picture."""
    found = detector_cache.look(catalog.load("detector"), image)
    levels = [
        LevelMaps(each.name, each.stride, each.objectness, each.transforms,
                  each.anchors.reshape(*each.objectness.shape[1:], -1, 4))
        for each in found.levels
    ]  # fmt: skip
    logits = torch.cat([each.objectness.permute(1, 2, 0).flatten() for each in levels])
    return Look(levels, found.decoded, logits, found.level_of, found.proposals, found.seconds, found.device)


@st.fragment
@page.guard()
def rpn(picture: Picture) -> None:
    page.section(
        "On a real network", "The lab's detector runs its RPN on this picture: one score and four numbers per anchor."
    )
    seen = look(picture.image)
    names = [each.name for each in seen.levels]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Pyramid level", [SUREST, *names], default=SUREST, required=True, key="anchors_level",
            bind="query-params", help="Fine levels look for small things, coarse levels for large ones. Surest: the "
            "level with the highest score.",
        )  # fmt: skip
    level = seen.levels[names.index(linked_level(names) or names[surest(seen)] if name == SUREST else name)]
    rows, columns = level.objectness.shape[1:]
    st.markdown(
        f"**{level.name}**: stride {level.stride} px, {rows} × {columns} positions. Colour: the probability that the "
        "anchor at that position is an object, one map per ratio. Click a position to see its box."
    )
    box = objectness_maps(picture, level, names)
    one_box(picture, level, box)
    page.footer("detector (RPN)", seen.device, seen.seconds * 1000)


def objectness_maps(picture: Picture, level: LevelMaps, names: Sequence[str]) -> tuple[int, int, int]:
    """One map per ratio; returns the chosen (k, row, column): the last click, else the highest score of the level."""
    k, rows, columns = level.objectness.shape
    probability = level.objectness.sigmoid().numpy()
    views = [stage(f"anchors_map_{i}", zoom=False) for i in range(k)]
    for i, view in enumerate(views):
        if view.clicked:
            cell = [min(max(round(at / level.stride), 0), most - 1)
                    for at, most in ((view.click.y, rows), (view.click.x, columns))]  # fmt: skip
            address.keep("anchors_box", ",".join(map(str, (level.name, i, *cell))))
    best = np.unravel_index(int(probability.argmax()), probability.shape)
    chosen = linked_box(level, names) or tuple(map(int, best))
    # Anchors stand on the corners of the cells, so the map lies half a stride up and left.
    shift = level.stride / 2
    where = (-shift, -shift, columns * level.stride - shift, rows * level.stride - shift)
    for i, (view, column) in enumerate(zip(views, st.columns(k), strict=True)):
        shown = np.where(probability[i] < CLEAR, np.nan, probability[i])
        layers = [Heat(shown, palette="inferno", vmin=0, vmax=1, opacity=0.85, smooth=False, xyxy=where)]
        if i == chosen[0]:
            at = np.array([[chosen[2] * level.stride, chosen[1] * level.stride]], float)
            layers.append(Points(at, colour=ORANGE, radius=6, labels=["chosen"], ids=["chosen"]))
        with column:
            highest = float(probability[i].max())
            said = f"best {highest:.2f}" if highest >= CLEAR else "nothing on this level"
            st.markdown(f"**height : width = {ratio_name(i, k)}** :gray[{said}]")
            view.show(picture.image, layers, alt=f"Objectness of {level.name}, ratio {ratio_name(i, k)}",
                      pick=(0.0, level.stride))  # fmt: skip
    st.caption(
        f"Clear below {CLEAR:g}, violet ¼, orange ¾, yellow 1. torchvision's anchors stand on the upper left corners "
        "of the cells, so each square lies around its anchor's middle: half a cell further up and left than its cell."
    )
    return chosen


def ratio_name(index: int, k: int) -> str:
    """Name of anchor shape `index` of a level; the detector has one size per level, so shapes are ratios."""
    return f"{ANCHOR_RATIOS[index]:g}" if k == len(ANCHOR_RATIOS) else f"shape {index + 1}"


def linked_level(names: Sequence[str]) -> str | None:
    """The level of the box in the address, if there is one."""
    name = (address.linked("anchors_box") or "").split(",")[0]
    return name if name in names else None


def linked_box(level: LevelMaps, names: Sequence[str]) -> tuple[int, int, int] | None:
    """(k, row, column) from the address if it names this level; None if it names another one of `names` or nothing."""
    link = address.linked("anchors_box")
    if link is None:
        return None
    name, *cell = link.split(",")
    if name != level.name and name in names:
        return None
    limits = level.objectness.shape  # (k, rows, columns)
    if name == level.name and len(cell) == 3 and all(at.isdecimal() and len(at) < 6 for at in cell):
        place = tuple(map(int, cell))
        if all(at < most for at, most in zip(place, limits, strict=True)):
            return place
    address.keep("anchors_box", None)
    page.problem(f"The link's anchors_box is no anchor of level {level.name}: click on one of the maps instead.")
    return None


def one_box(picture: Picture, level: LevelMaps, chosen: tuple[int, int, int]) -> None:
    """The anchor, its four numbers, and the box they make of it."""
    k, row, column = chosen
    anchor, t = level.anchors[row, column, k], level.transforms[k, :, row, column]
    score = float(level.objectness[k, row, column].sigmoid())
    left, right = st.columns([2, 3], gap="large")
    with left, live_slider("Share of the transform applied", 0.0, 1.0, 1.0, step=0.02, key="anchors_share", window=2,
                           format="%.2f", play=True) as share:  # fmt: skip
        steps = anchors.decode_steps(anchor, share * t)
        middles = [(float(b[0] + b[2]) / 2, float(b[1] + b[3]) / 2) for b in (anchor, steps.box)]
        boxes = [Box("anchor", xyxy(anchor), "anchor", ORANGE, dash=True, width=2.5),
                 Box("decoded", xyxy(steps.box), f"box {score:.2f}", BLUE, width=3)]  # fmt: skip
        stage("anchors_decode", width=460).show(
            picture.image,
            [Boxes([*truth_boxes(picture), *boxes]), Lines(np.array([middles[0] + middles[1]]), ORANGE, arrow=True)],
            alt="An anchor and the box its transform makes of it",
            caption="Dashed orange: the anchor. Solid blue: the decoded box. " + white(picture),
        )
        with right:
            st.markdown(f"**Anchor of ratio {ratio_name(k, len(level.objectness))} at row {row}, column {column}** · "
                        f"objectness σ({float(level.objectness[k, row, column]):.2f}) = **{score:.3f}**")  # fmt: skip
            if not following():
                st.latex(r"\begin{aligned}" + r"\\".join(steps.lines) + r"\end{aligned}")
            words(f":gray[The transform is shown at {share:.0%}: 0 leaves the anchor as it is.]", "anchors_share_words")
    truths = truths_of(picture)
    if truths is not None and len(truths) and not following():
        after = iou_matrix(truths, anchors.decode_steps(anchor, t).box[None]).max()
        before = iou_matrix(truths, anchor[None]).max()
        st.markdown(f"IoU with the nearest truth: anchor **{before:.2f}**, decoded box **{after:.2f}**.")
        with page.guard():
            st.markdown(loss_words(picture, level.objectness[k, row, column], t, anchor))


def loss_words(picture: Picture, logit: Tensor, t: Tensor, anchor: Tensor) -> str:
    """What this anchor would add to the loss if a step of training drew it now."""
    truths = truths_of(picture)
    assert truths is not None, "asked only where truths are known"
    every = pyramid()[1]
    given = anchors.label_anchors(iou_matrix(truths, every))
    at = int((every - anchor).abs().sum(1).argmin())
    label = int(given.label[at])
    nearest = int(iou_matrix(truths, anchor[None])[:, 0].argmax())
    cost = region_proposal_loss.anchor_loss(logit, t, anchor, truths[nearest], label)
    name = {1: "positive", 0: "negative", -1: "ignored"}[label]
    target = ", ".join(f"{value:.2f}".replace("-", "−") for value in cost.target.tolist())
    said = f"**Its loss**, if a training step drew it: its label is **{name}** (IoU {float(given.overlap[at]):.2f}). "
    if label == -1:
        return said + "Ignored anchors are never drawn: it costs nothing."
    said += f"Objectness: cross-entropy **{float(cost.objectness):.3f}**. "
    if label == 0:
        return said + "Move: **0**, a negative has nowhere to go."
    return said + f"Move: smooth L1 distance of its four numbers from ({target}): **{float(cost.move):.3f}**."
