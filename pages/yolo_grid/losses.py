"""The loss of this picture: four terms, cell by cell, and the arithmetic of one cell."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch

from labs import yolo_grid, yolo_loss
from labs.yolo_grid import Target
from labs.yolo_loss import LAMBDA_COORD, LAMBDA_NOOBJ, GridLoss
from models.networks.yolo import YoloDetection
from pages.shared.known_truth import UNKNOWN, truth_of
from pages.yolo_grid.shared import bar, centre_of, chosen_cell, look, middles, network_of, outline, signed
from scenes import THINGS
from ui import page
from ui.components import Boxes, Grid, GridLines, Heat, live_slider, matrices, stage, words
from ui.pictures import Picture

NAMES = {
    "coordinates": "Coordinates",
    "object_confidence": "Confidence, responsible",
    "no_object_confidence": "Confidence, all others",
    "classes": "Classes",
}
OTHERWISE = (
    "As in YOLOv1's paper but for this. Classes: cross entropy, −ln p of the true class; the paper takes the squared "
    "error of all class probabilities. Outputs: the paper's are linear; a sigmoid or a softmax keeps these in range, "
    "and with anchors sizes are compared as ln w/p, not √w. YOLOv2 also spares a box from the no-object loss when its "
    "IoU with some truth is above 0.6; here no box is spared."
)
KINDER = " The network was trained, and is asked here, by this lab's rule: a thing gets the best anchor still free."


@st.fragment
@page.guard()
def losses(picture: Picture, layout: str) -> None:
    page.section("The loss of this scene", "What training would correct here: four terms, and where each of them is.")
    truth = truth_of(picture)
    if truth is None:
        st.info(UNKNOWN.format("there is no loss to compute"))
        return
    found = look(network_of(layout), picture.image)
    target = yolo_grid.encode(truth.boxes, truth.labels, found.grid, found.anchors)
    with ExitStack() as sliders:
        left, right = st.columns(2)
        with left:
            coord = sliders.enter_context(
                live_slider("λ coord", 0.0, 10.0, LAMBDA_COORD, step=0.1, key="yolo_lambda_coord", format="%.1f",
                            window=2, help="Weight of the coordinates. The paper: 5, places matter more.")
            )  # fmt: skip
        with right:
            noobj = sliders.enter_context(
                live_slider("λ noobj", 0.0, 2.0, LAMBDA_NOOBJ, step=0.05, key="yolo_lambda_noobj", format="%.2f",
                            window=2, help="Weight of the boxes that answer for nothing. The paper: 0.5, as there are "
                            "so many of them.")
            )  # fmt: skip
        cost = cost_of(found, target, coord, noobj)
        scale = max(float(term.max()) for term in cost_of(found, target, LAMBDA_COORD, LAMBDA_NOOBJ).terms.values())
        views = [stage(f"yolo_loss_{name}", zoom=False, window=2) for name in NAMES]
        worst = divmod(int(sum(cost.terms.values())[0].argmax()), found.grid.cells)
        cell = chosen_cell(views, found.grid, "yolo_loss_at", centre_of(worst, found.grid))
        total(cost)
        if found.anchors is not None:
            shapes = ", ".join(f"{w:.0f}×{h:.0f}" for w, h in found.anchors.tolist())
            words(f"The network's own {found.predictors} anchors count here, not those of *Play*: {shapes}.",
                  "yolo_loss_anchors")  # fmt: skip
        st.caption(OTHERWISE + ("" if found.anchors is None else KINDER))
        for place, view, (name, title) in zip(st.columns(4, gap="small"), views, NAMES.items(), strict=True):
            with place:
                term_map(picture, found, view, title, cost.terms[name][0].numpy(), scale, cell, name)
        bar("inferno", scale or 1)
        one_cell(found, target, cost, cell, coord, noobj)
    boxes, things = cost.responsible.numel(), int(cost.responsible.sum())
    cells = int((target.owner >= 0).any(-1).sum())
    right = boxes - things
    with page.predict(
        "yolo-no-object", f"{boxes} boxes, {things} things in the target. How many boxes get the no-object loss?",
        sorted({right, boxes - cells * found.predictors, boxes, cells * (found.predictors - 1)}),
    ) as prediction:  # fmt: skip
        statement(target, cost, found)
        prediction.outcome(right, "because it falls on all boxes that answer for nothing, also on those in a cell that "
                           f"holds a thing: {boxes} − {things} = {right}.")  # fmt: skip


def cost_of(found: YoloDetection, target: Target, coord: float, noobj: float) -> GridLoss:
    return yolo_loss.loss(found.raw[None], [target], found.grid, found.predictors, found.anchors, coord, noobj)


def total(cost: GridLoss) -> None:
    whole = float(cost.total)
    parts = [
        f"{title.lower()} **{float(cost.terms[name].sum()):.3f}**"
        + (f" ({float(cost.terms[name].sum()) / whole:.0%})" if whole > 0 else "")
        for name, title in NAMES.items()
    ]
    words(f"**Loss {whole:.3f}** = " + " + ".join(parts), "yolo_loss_total")


def term_map(picture, found: YoloDetection, view, title: str, term, scale: float, cell, name: str) -> None:
    words(f"**{title}**\n\n{term.sum():.3f}, here {term[cell]:.3f}", f"yolo_loss_{name}_words")
    view.show(
        picture.image,
        [Heat(np.where(term > 0, term, np.nan), palette="inferno", vmin=0, vmax=scale or 1, opacity=0.8, smooth=False),
         GridLines(rows=found.grid.cells, cols=found.grid.cells, colour="#FFFFFF66", width=0.5),
         Boxes(outline(cell, found.grid))],
        alt=f"{title}: loss of every cell", pick=middles(found.grid),
    )  # fmt: skip


def one_cell(found: YoloDetection, target: Target, cost: GridLoss, cell, coord: float, noobj: float) -> None:
    """The B confidences of a cell in a table, and the other two terms in words."""
    said = found.prediction.confidence[cell]
    wanted, responsible = cost.target_confidence[0][cell], cost.responsible[0][cell]
    weight = torch.where(responsible, 1.0, noobj)
    squared = (said - wanted).square()
    table = torch.stack([said, wanted, squared, weight, weight * squared], 1).numpy()
    rows = [f"{k + 1}: {'answers' if yes else 'other'}" for k, yes in enumerate(responsible.tolist())]
    matrices("yolo_loss_cell", window=2).show(
        [Grid("confidence", table, rows=rows, columns=("says", "wanted", "(s − w)²", "weight", "loss"), format="%.3f",
              colour="sequential", vmin=0, vmax=1.5, cell=56, title=f"confidences of row {cell[0]}, column {cell[1]}")],
        caption="Wanted of a box that answers: its IoU with the truth. Of every other box: 0, at weight λ noobj."
        if responsible.any() else "No box of this cell answers for anything: 0 is wanted of all, at weight λ noobj.",
    )  # fmt: skip
    words("\n\n".join(arithmetic(found, target, cost, cell, coord)), "yolo_loss_words")


def arithmetic(found: YoloDetection, target: Target, cost: GridLoss, cell, coord: float) -> list[str]:
    """Coordinates and classes of one cell, written out."""
    text = []
    responsible = cost.responsible[0][cell]
    for k in responsible.nonzero()[:, 0].tolist():
        place = 0 if found.anchors is None else k
        asked, said = target.values[cell][place], found.prediction.values[cell][k]
        label = int(target.labels[cell][place]) - 1
        logits = found.prediction.logits[cell] if found.anchors is None else found.prediction.logits[cell][k]
        surprise = -float(logits.log_softmax(-1)[label])
        paper = float(yolo_loss.squared_class_error(logits.softmax(-1), label + 1))
        squares = " + ".join(
            f"({signed(s)} − {signed(a)})²".replace("− −", "+ ") for s, a in zip(said.tolist(), asked.tolist())
        )
        error = coord * float((said - asked).square().sum())
        text += [
            f"**Coordinates** of box {k + 1}: {coord:g} · [{squares}] = **{error:.3f}**",
            f"**Class**: the softmax gives {THINGS[label]} {np.exp(-surprise):.3f}; −ln of it = **{surprise:.3f}**"
            f" :gray[(the paper's Σ (p − p̂)² would be {paper:.4f})]",
        ]
    if not text:
        return ["Coordinates and classes of this cell: **0**. Nothing is asked of them where no thing is."]
    return text


def statement(target: Target, cost: GridLoss, found: YoloDetection) -> None:
    """The common mistake about who is trained."""
    cells = (target.owner >= 0).any(-1)
    others = (~cost.responsible[0] & cells[..., None]).sum()
    miss = found.prediction.confidence.square()
    inside = float((miss * (~cost.responsible[0] & cells[..., None])).sum())
    outside = float((miss * ~cells[..., None]).sum())
    page.erratum(
        "Only the cells that hold an object are trained; the no-object loss belongs to the empty cells.",
        f"Every box of every cell has a confidence loss. In this scene {int(cells.sum())} cells answer for a thing, "
        f"but {int(others)} other boxes of these same cells are pulled towards 0 as well: they give {inside:.3f} of "
        f"the unweighted no-object loss, the {int((~cells).sum())} empty cells {outside:.3f}. Only coordinates and "
        "classes are trained in object cells alone.",
    )
