"""Which box answers for which truth, beside the rules of the RPN and of YOLO on the same scene."""

import streamlit as st
import torch

from labs import anchors, yolo_grid
from labs.anchors import Labelling
from labs.boxes import iou_matrix
from labs.default_boxes import Match
from labs.yolo_grid import Grid
from models.networks import detector, ssd
from models.networks.yolo import CELLS
from pages.shared.known_truth import UNKNOWN, Truth, truth_of
from pages.ssd.shared import GRID_COLOURS, WHITE, counted, grid_name, legend, match_of, size_of, trained_boxes, xyxy
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import Picture

MOST_DRAWN = 150
COUNTS = {"none": 1, "1 to 9": 10, "10 to 99": 100, "100 to 999": 1000, "1,000 or more": float("inf")}


@st.cache_resource(max_entries=2, show_spinner=False)
def detector_anchors(height: int, width: int) -> torch.Tensor:
    """All anchors (A, 4) of the lab's detector, level after level."""
    levels = []
    for number, sizes in enumerate(detector.ANCHOR_SIZES):
        rows, columns = anchors.feature_size(height, width, 4 * 2**number)
        base = anchors.base_anchors(sizes, detector.ANCHOR_RATIOS)
        levels.append(anchors.grid_anchors(base, rows, columns, width // columns))  # torchvision's stride
    return torch.cat(levels)


def rpn_labels(picture: Picture, truth: Truth) -> Labelling:
    """What training would tell the detector's anchors on this picture."""
    return anchors.label_anchors(iou_matrix(truth.boxes, detector_anchors(*picture.image.shape[:2])))


@st.fragment
@page.guard()
def matching(picture: Picture) -> None:
    page.section(
        "Which box answers?",
        "In training a default box answers for the thing that it overlaps with IoU 0.5 or more, and every thing has at "
        "least its best box.",
    )
    page.remind("IoU", "Anchor")
    truth = truth_of(picture)
    if truth is None:
        st.info(UNKNOWN.format("no box can answer for one"))
        return
    with live_slider("A box answers from IoU", 0.1, 0.9, 0.5, step=0.01, key="ssd_iou", format="%.2f",
                     play=True, window=2) as threshold:  # fmt: skip
        found = match_of(picture, truth, threshold)
        positive = int((found.owner >= 0).sum())
        total = len(found.owner)
        things = counted(len(truth.boxes), "thing")
        asked = f"{total:,} default boxes, {things}, IoU {threshold:.2f}: how many boxes answer for a thing?"
        with page.predict("ssd-positives", asked, list(COUNTS)) as prediction:
            left, right = st.columns([3, 2], gap="large")
            with left:
                draw(picture, truth, found)
                legend(ssd.GRIDS)
            with right:
                words(in_words(found, truth), "ssd_matched")
            prediction.outcome(
                next(name for name, limit in COUNTS.items() if positive < limit),
                f"{positive:,} of {total:,}: {positive / total:.2%}. All others must say “background”.",
            )
            if not following() and len(truth.boxes):
                compared(picture, truth, found)


def draw(picture: Picture, truth: Truth, found: Match) -> None:
    defaults = trained_boxes(*picture.image.shape[:2])
    members = (found.owner >= 0).nonzero()[:, 0]
    members = members[found.overlap[members].argsort(descending=True)][:MOST_DRAWN].flip(0)
    columns = (members, defaults.boxes[members], defaults.grid_of[members], found.owner[members],
               found.forced[members], found.overlap[members])  # fmt: skip
    boxes = []
    for i, box, grid, owner, forced, overlap in zip(*(column.tolist() for column in columns), strict=True):
        note = f"{grid_name(ssd.GRIDS[grid])}, answers for the {truth.name(owner)}: IoU {overlap:.2f}"
        boxes.append(Box(f"default-{i}", tuple(box), colour=GRID_COLOURS[grid], dash=forced, width=2.5, note=note))
    things = [Box(f"truth-{i}", xyxy(box), truth.name(i), WHITE, width=2.5) for i, box in enumerate(truth.boxes)]
    stage("ssd_matching", width=620).show(
        picture.image, [Boxes([*things, *boxes])],
        alt=f"{counted(len(members), 'default box', 'default boxes')} that answer for {counted(len(things), 'thing')}",
        caption="White: truth. Coloured by grid: the boxes that answer. Dashed: only as the best box of its thing."
        + (f" The best {MOST_DRAWN} are drawn." if len(members) == MOST_DRAWN else ""),
    )  # fmt: skip


def in_words(found: Match, truth: Truth) -> str:
    positive, forced = int((found.owner >= 0).sum()), int(found.forced.sum())
    lost = [truth.name(i) for i in range(len(truth.boxes)) if not bool((found.owner == i).any())]
    lines = [
        f"**{counted(positive, 'box answers', 'boxes answer')}**, {len(found.owner) - positive:,} are background, none "
        "is ignored.",
        f"{counted(forced, 'thing has its', 'things have their')} best box only, below the threshold.",
    ]
    if lost:
        lines.append(f"**Lost: {', '.join(lost)}.** Another thing has the same best box, and one box answers once.")
    if positive:
        lines.append(f"**1 positive to {(len(found.owner) - positive) / positive:,.0f} negatives.**")
    return "\n\n".join(lines)


def compared(picture: Picture, truth: Truth, found: Match) -> None:
    """The same scene by three rules: who answers for each thing."""
    height, width = picture.image.shape[:2]
    defaults = trained_boxes(height, width)
    given = rpn_labels(picture, truth)
    cell = yolo_grid.assign(truth.boxes, truth.labels, Grid(CELLS, height, width))
    lines = ["| thing | SSD: default boxes | of grids | RPN: anchors | YOLOv1: cells |", "|---|---:|---|---:|---:|"]
    for i, box in enumerate(truth.boxes):
        mine = defaults.grid_of[found.owner == i].unique().tolist()
        on = ", ".join(grid_name(ssd.GRIDS[k]) for k in mine) or "none"
        lines.append(
            f"| {truth.name(i)} {size_of(box)} | {int((found.owner == i).sum())} | {on} | "
            f"{int((given.match == i).sum())} | {int((cell.owner == i).sum())} |"
        )
    lines.append(
        f"| **background** | {int((found.owner < 0).sum()):,} | | {given.count(0):,} | {int((cell.owner < 0).sum())} |"
    )
    lines.append(f"| **ignored** | 0 | | {given.count(-1):,} | 0 |")
    st.markdown("\n".join(lines))
    st.caption(
        "RPN: positive from IoU 0.7 or as the best anchor, negative below 0.3, ignored between, on the anchors of the "
        f"lab's detector. YOLOv1: of {CELLS}×{CELLS} cells the one that holds the centre. SSD's rule is the most "
        "generous: several boxes learn the same thing, and NMS must choose among them later."
    )
