"""SSD: default boxes of all scales on a pyramid of grids, one pass, and mining for the background that still hurts."""

import streamlit as st

from labs import default_boxes, hard_negative_mining
from pages.shared import own_truth
from pages.ssd import against_yolo, by_scale, matching, mining, pyramid
from pages.ssd.shared import NETWORK
from ui import outside_lab_world, page, pictures

page.begin("SSD")
with st.container(key="choices-ssd", horizontal=True):
    picture = pictures.choose("ssd", seed=14)
    name = pyramid.grids_control()
outside_lab_world.warn(picture, [NETWORK, *against_yolo.GRIDS])
pyramid.play(picture, name)
matching.matching(picture)
mining.mining(picture)
by_scale.by_scale(picture)
sizes = st.container()  # filled last: the rest of the page does not wait for it
against_yolo.same_scene(picture)
against_yolo.collisions()
against_yolo.cards()
own_truth.section("ssd", picture, [NETWORK, *against_yolo.GRIDS])

page.section("Show the code", "The functions on this page are those that the network trains and runs with.")
page.show_code(
    [default_boxes.scales, default_boxes.shapes, default_boxes.grid_boxes, default_boxes.default_boxes],
    r"s_k = s_\text{min} + \frac{s_\text{max} - s_\text{min}}{m - 1}(k - 1), \quad w = s_k \sqrt{a}, \; "
    r"h = s_k / \sqrt{a}, \quad s'_k = \sqrt{s_k s_{k+1}}",
    "torchvision.models.detection.anchor_utils.DefaultBoxGenerator(aspect_ratios, scales=scales, steps=steps)",
)
page.show_code(
    default_boxes.match,
    r"\text{owner}(d) = \arg\max_t \text{IoU}(t, d) \;\text{ if } \max_t \text{IoU}(t, d) \ge 0.5, \quad "
    r"\text{and } \text{owner}(\arg\max_d \text{IoU}(t, d)) = t",
)
page.show_code(
    [hard_negative_mining.hardest_negatives, hard_negative_mining.multibox_loss],
    r"L = \frac{1}{N} \Big( \sum_{d \in \text{Pos}} -\log p_d(c_d) + \sum_{d \in \text{Hard}} -\log p_d(0) + "
    r"\sum_{d \in \text{Pos}} \text{smooth}_{L_1}(t_d - \hat t_d) \Big), \quad |\text{Hard}| = 3 N",
)
page.show_code(
    [default_boxes.moved, default_boxes.detect],
    r"b_x = d_x + 0.1\, t_x d_w, \quad b_w = d_w\, e^{0.2\, t_w}",
    "torchvision.ops.batched_nms(boxes, scores, labels, iou_threshold)",
)
page.erratum(
    "YOLO, SSD and RetinaNet: one 7×7 grid, B base boxes with a confidence each, output 7×7×(5B + C).",
    "SSD has **several grids**, six in SSD300, and **no confidence number**: each default box has scores for C classes "
    "and background, and 4 numbers for its move. A grid of S×S cells with k boxes a cell says S×S×k×(C + 1 + 4) "
    "numbers; SSD300 on Pascal VOC says 8,732 × 25 = 218,300.",
)
page.sources(
    [
        ("Liu et al. 2016: SSD, Single Shot MultiBox Detector", "paper", "https://arxiv.org/abs/1512.02325"),
        ("Redmon et al. 2016: You Only Look Once", "paper", "https://arxiv.org/abs/1506.02640"),
        ("Ren et al. 2015: Faster R-CNN (the RPN's rule)", "paper", "https://arxiv.org/abs/1506.01497"),
        (
            "Huang et al. 2017: Speed/accuracy trade-offs for modern convolutional object detectors",
            "paper",
            "https://arxiv.org/abs/1611.10012",
        ),
        ("Politecnico di Milano, Boracchi: single shot detectors", "lecture"),
        ("Ain Shams University CSE463: single-stage object detectors", "lecture"),
    ]
)
with sizes:
    by_scale.sizes()
