"""Can one look at the picture find everything? YOLO's grid: who answers for what, what it says, and what it costs."""

from contextlib import ExitStack

import streamlit as st

from labs import yolo_grid, yolo_loss
from pages.shared import photograph_detections as detections
from pages.shared.known_truth import truth_of
from pages.yolo_grid import assignment, collisions, comparison, losses, network, target
from ui import outside_lab_world, page, pictures
from ui.pictures import Picture


@st.fragment
@page.guard()
def play(picture: Picture, layout: str) -> None:
    """Grid, target and collisions in one fragment: what a slider changes in the one, the others show at once."""
    page.section("Play", "The cell that a thing's centre falls into answers for it. Drag S, click a cell.")
    truth = truth_of(picture)
    with ExitStack() as sliders:
        with st.container(key="beside-yolo"):
            canvas, side = st.columns([3, 2], gap="large")
        with side:
            choice = assignment.controls(sliders, layout, picture.image.shape[:2])
            assignment.summary(choice)
        with canvas:
            cell, given = assignment.draw(picture, truth, choice)
        with side:
            assignment.verdict(truth, choice, given)
        assignment.size_question(choice)
        page.section("Look inside", "The target tensor, cell by cell: what training asks the network to say.")
        if truth is None:
            st.info("The truth of this picture is not known, so it has no target: choose Lab World above.")
        else:
            target.opened(truth, choice, cell)
        page.section(
            "Collisions", "Two things in one cell of YOLOv1: one of them is never learned. A finer grid, or anchors?"
        )
        page.remind("Anchor")
        count = st.segmented_control(
            "Scenes", collisions.COUNTS, default=collisions.COUNTS[1], required=True, key="yolo_count",
            bind="query-params",
        )  # fmt: skip
        collisions.measure(count)
        question, options, answer, why = collisions.question(count, choice.grid.cells)
        with page.predict("yolo-finer", question, options) as prediction:
            collisions.curve(count, choice.grid.cells, choice.predictors, layout, choice.rule)
            prediction.outcome(answer, why)


page.begin("The YOLO Grid")
with st.container(key="choices-yolo", horizontal=True):
    picture = pictures.choose("yolo", seed=14)
    layout = assignment.layout_control()
outside_lab_world.warn(picture, ["yolo-cell", "yolo-anchor", "detector"])
play(picture, layout)
st.caption(
    "Counted over whole things, also where others hide them, on scenes that no network was trained on. The anchors of "
    f"this grid are k-means shapes of the boxes in {collisions.COUNTS[0]} of them; a trained network has its own."
)
network.network(picture, layout)
losses.losses(picture, layout)
comparison.comparison(picture)
measured = st.container()  # filled last: the rest of the page does not wait for it
with page.guard():
    detections.one_against_two("yolo_published", picture)

page.section("Show the code", "The functions on this page are those that the networks train and run with.")
page.show_code(
    [yolo_grid.responsible_cells, yolo_grid.assign],
    r"\text{row} = \lfloor y \cdot S / H \rfloor, \quad \text{column} = \lfloor x \cdot S / W \rfloor",
)
page.show_code(
    [yolo_grid.encode, yolo_grid.values_of, yolo_grid.decode],
    r"\begin{aligned} x &= (\text{column} + \sigma(t_x))\, W/S \\ y &= (\text{row} + \sigma(t_y))\, H/S \\ "
    r"w &= W \sigma(t_w) \;\text{ or }\; p_w e^{t_w} \\ h &= H \sigma(t_h) \;\text{ or }\; p_h e^{t_h} \end{aligned}",
)
page.show_code(
    yolo_loss.loss,
    r"\begin{aligned} L =\; & \lambda_\text{coord} \sum \mathbb{1}^\text{obj}_{ij} \lVert v_{ij} - \hat v_{ij} \rVert^2"
    r" + \sum \mathbb{1}^\text{obj}_{ij} (c_{ij} - \text{IoU})^2 \\ & + \lambda_\text{noobj} \sum "
    r"\mathbb{1}^\text{noobj}_{ij} c_{ij}^2 - \sum \mathbb{1}^\text{obj}_i \ln p_i \\ & \text{the paper's last term: }"
    r" \sum \mathbb{1}^\text{obj}_i \sum_k (p_i(k) - \hat p_i(k))^2 \end{aligned}",
)
page.show_code(
    yolo_grid.detect,
    r"\text{score}_{ijk} = \text{confidence}_{ij} \cdot p_{i(j)}(k)",
    "torchvision.ops.batched_nms(boxes, scores, labels, iou_threshold)",
)
page.erratum(
    "The output is 7×7×(5B + C), with B base boxes per cell and background among the C classes.",
    "YOLO has **no background class**: a low confidence says that nothing is there, and C counts things only. The "
    "layout 7×7×(5B + C) is YOLOv1's, which has **no base boxes** either: each of its B predictors gives width and "
    "height as shares of the picture. Base boxes (anchors) come with YOLOv2, and with them the layout B×(5 + C).",
)
page.sources(
    [
        ("Redmon et al. 2016: You Only Look Once", "paper", "https://arxiv.org/abs/1506.02640"),
        ("Redmon and Farhadi 2017: YOLO9000, Better, Faster, Stronger", "paper", "https://arxiv.org/abs/1612.08242"),
        (
            "Huang et al. 2017: Speed/accuracy trade-offs for modern convolutional object detectors",
            "paper",
            "https://arxiv.org/abs/1611.10012",
        ),
        (
            "Lin et al. 2017: Focal Loss for Dense Object Detection (RetinaNet: the published one-stage detector)",
            "paper",
            "https://arxiv.org/abs/1708.02002",
        ),
        ("Ain Shams University CSE463: CNN applications, the output 7×7×(5B + C)", "lecture"),
        ("Politecnico di Milano, Boracchi: the output 7×7×B×(5 + C)", "lecture"),
    ]
)
with measured:
    comparison.measured()
