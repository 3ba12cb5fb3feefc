"""The trained network: confidence map, class map, one cell's boxes and scores, threshold, and NMS."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import yolo_grid
from models.networks.yolo import YoloDetection
from pages.yolo_grid import block
from pages.yolo_grid.shared import (
    BLUE,
    COLOURS,
    ORANGE,
    SKY,
    VERMILION,
    WRITTEN,
    bar,
    centre_of,
    chosen_cell,
    legend,
    look,
    middles,
    network_of,
    outline,
    xyxy,
)
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Grid, GridLines, Heat, Labels, Points, live_slider, matrices, stage, words
from ui.pictures import Picture

MOST_DRAWN = 60
PREDICTORS = (BLUE, ORANGE, VERMILION, SKY, "#CC79A7", "#009E73")


@st.fragment
@page.guard()
def network(picture: Picture, layout: str) -> None:
    page.section(
        "On a real network",
        "One pass gives every cell its boxes, confidences and classes. Confidence × class is the score; a threshold "
        "cuts, NMS thins out. Click a cell on any picture.",
    )
    page.remind("NMS")
    found = look(network_of(layout), picture.image)
    with ExitStack() as sliders:
        left, right = st.columns(2)
        with left:
            threshold = sliders.enter_context(
                live_slider("Score threshold", 0.01, 0.99, 0.3, step=0.01, key="yolo_threshold", format="%.2f",
                            play=True, window=2)
            )  # fmt: skip
        with right:
            overlap = sliders.enter_context(
                live_slider("NMS threshold", 0.0, 1.0, 0.5, step=0.01, key="yolo_nms", format="%.2f", play=True,
                            window=2, help="A box goes when its IoU with a better one of its class is above this.")
            )  # fmt: skip
        views = [stage(f"yolo_map_{name}", zoom=False, window=2) for name in ("found", "confidence", "class", "boxes")]
        best = divmod(int(found.prediction.confidence.amax(-1).argmax()), found.grid.cells)
        cell = chosen_cell(views, found.grid, "yolo_cell", centre_of(best, found.grid))
        block.pipeline(found, threshold, overlap)
        block.draw(found, cell)
        places = [place for _ in range(2) for place in st.columns(2, gap="medium")]
        for place, view, show in zip(places, views, (detections, confidence_map, class_map, cell_boxes), strict=True):
            with place:
                show(picture, found, view, cell, threshold, overlap)
        scores_of_cell(found, cell, threshold)
    page.footer(f"{network_of(layout)}, {WRITTEN[layout]}", found.device, found.seconds * 1000)


def detections(picture: Picture, found: YoloDetection, view, cell, threshold: float, overlap: float) -> None:
    boxes, labels, scores = yolo_grid.detect(found.prediction, found.grid, threshold, overlap)
    drawn = [
        Box(f"found-{i}", xyxy(boxes[i]), f"{THINGS[labels[i] - 1]} {scores[i]:.2f}" if len(boxes) <= 12 else "",
            COLOURS[labels[i] - 1], width=2.5, note=f"{THINGS[labels[i] - 1]} {scores[i]:.2f}")
        for i in range(min(len(boxes), MOST_DRAWN))
    ]  # fmt: skip
    all_scores = found.prediction.scores
    above = int((all_scores > threshold).sum())
    words(
        f"**{len(boxes)} {'detection' if len(boxes) == 1 else 'detections'}**\n\n"
        f"{above} of {all_scores.numel():,} scores above {threshold:.2f}",
        "yolo_found_words",
    )
    view.show(
        picture.image, [Boxes([*drawn[::-1], *outline(cell, found.grid)])], pick=middles(found.grid),
        alt=f"{len(boxes)} detections after score threshold and NMS",
        caption=f"The best {MOST_DRAWN} are drawn." if len(boxes) > MOST_DRAWN else
        "No score passes the threshold." if not above else "After threshold and NMS per class.",
    )  # fmt: skip


def confidence_map(picture: Picture, found: YoloDetection, view, cell, threshold: float, overlap: float) -> None:
    confidence = found.prediction.confidence.amax(-1)
    words(f"**Confidence**\n\nbest of {found.predictors} boxes: here {float(confidence[cell]):.2f}",
          "yolo_confidence_words")  # fmt: skip
    view.show(
        picture.image,
        [Heat(confidence.numpy(), palette="inferno", vmin=0, vmax=1, opacity=0.75, smooth=False),
         Boxes(outline(cell, found.grid))],
        alt="Confidence of every cell", pick=middles(found.grid),
        caption="Is a thing's centre here?",
    )  # fmt: skip
    bar("inferno", 1.0)


def class_map(picture: Picture, found: YoloDetection, view, cell, threshold: float, overlap: float) -> None:
    probability, label = class_of_cells(found)
    passes = found.prediction.scores.amax((-2, -1)) > threshold
    cells = found.grid.cells
    places = [centre_of(divmod(i, cells), found.grid) for i in range(cells**2)]
    names = [f"{THINGS[c]} {p:.2f}" for c, p in zip(label.flatten().tolist(), probability.flatten().tolist())]
    shown = [THINGS[c] if ok else "" for c, ok in zip(label.flatten().tolist(), passes.flatten().tolist())]
    words(f"**Class**\n\nif there is a thing: here {names[cell[0] * cells + cell[1]]}", "yolo_classes_words")
    view.show(
        picture.image,
        [Labels(label.numpy(), COLOURS, 0.6), GridLines(rows=cells, cols=cells, colour="#FFFFFF66", width=0.5),
         Boxes(outline(cell, found.grid)),
         Points(np.array(places), "#FFFFFF", 1.5, labels=shown, notes=names)],
        alt="The most probable class of every cell", pick=middles(found.grid),
        caption="Cells whose score passes the threshold are named.",
    )  # fmt: skip
    legend()


def class_of_cells(found: YoloDetection) -> tuple[Tensor, Tensor]:
    """The most probable class (S, S) of every cell and its probability; with classes per box, those of the box with
    the highest confidence."""
    classes = found.prediction.classes
    if classes.ndim == 4:
        best = found.prediction.confidence.argmax(-1)[..., None, None].expand(*classes.shape[:2], 1, classes.shape[3])
        classes = classes.gather(2, best)[:, :, 0]
    top = classes.max(-1)
    return top.values, top.indices


def cell_boxes(picture: Picture, found: YoloDetection, view, cell, threshold: float, overlap: float) -> None:
    confidence, boxes = found.prediction.confidence[cell], found.prediction.boxes[cell]
    order = confidence.argsort().tolist()
    layers = [
        Box(f"box-{k}", xyxy(boxes[k]), f"{k + 1}: {confidence[k]:.2f}", PREDICTORS[k % len(PREDICTORS)],
            width=1.5 + 4 * float(confidence[k]), note=f"box {k + 1}, confidence {confidence[k]:.2f}")
        for k in order
    ]  # fmt: skip
    words(f"**The {found.predictors} boxes of one cell**\n\nrow {cell[0]}, column {cell[1]}", "yolo_boxes_words")
    view.show(
        picture.image,
        [Boxes([*outline(cell, found.grid), *layers])],
        alt=f"The {found.predictors} boxes of one cell",
        caption="Number: confidence. Thicker: surer.",
        pick=middles(found.grid),
    )


def scores_of_cell(found: YoloDetection, cell: tuple[int, int], threshold: float) -> None:
    """Confidence × class = score, for every box and class of a cell."""
    confidence, classes = found.prediction.confidence[cell], found.prediction.classes[cell]
    scores, table = found.prediction.scores[cell], torch.atleast_2d(classes)
    names = [f"box {k + 1}" for k in range(found.predictors)]
    shared = len(table) == 1
    own = [0] * found.predictors if shared else range(found.predictors)
    explain = {
        ("score", c, k): f"{confidence[k]:.3f} × {table[own[k], c]:.3f} = {scores[k, c]:.3f} "
        f"{'>' if scores[k, c] > threshold else '≤'} {threshold:.2f}: "
        + (f"{THINGS[c]} goes on to NMS" if scores[k, c] > threshold else "dropped")
        for k in range(found.predictors)
        for c in range(len(THINGS))
    }
    k, c = divmod(int(scores.argmax()), len(THINGS))
    look = {"format": "%.2f", "colour": "sequential", "vmin": 0, "vmax": 1.5, "cell": 32}
    matrices("yolo_scores", window=2).show(
        [
            Grid("class", table.numpy().T, rows=THINGS, columns=["all"] if shared else names, **look),
            "×",
            Grid("confidence", confidence.numpy(), columns=names, **look),
            "=",
            Grid("score", scores.numpy().T, rows=THINGS, columns=names, **look),
        ],
        explain=explain,
        highlight=[("score", c, k) for k, c in (scores > threshold).nonzero().tolist()],
        caption=f"Best: {THINGS[c]}, {explain['score', c, k]}. Marked: above the threshold.",
    )  # fmt: skip
