"""Where could an object be? Anchors, their labels, and the region proposal network that scores and moves them."""

from contextlib import ExitStack

import streamlit as st

from labs import anchors, region_proposal_loss, region_proposals
from pages.anchors import labels, layout, network, pipeline, proposals, recall, shapes, sliding
from pages.shared import own_truth
from ui import outside_lab_world, page, pictures
from ui.components import following
from ui.pictures import Picture


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """Grid and labels in one fragment: what a slider changes in the one, the other shows at once."""
    page.section("Play", "At every position of the feature map stand K boxes. Drag a slider, click a position.")
    with ExitStack() as sliders:
        with st.container(key="beside-anchors"):
            canvas, side = st.columns([3, 2], gap="large")
        with side:
            chosen = layout.controls(sliders, *picture.image.shape[:2])
        with canvas:
            layout.positions(picture, chosen)
        with side:
            layout.summary(picture, chosen)
        layout.strides(chosen, *picture.image.shape[:2])
        if not following():  # no slider here moves it
            pipeline.overview(picture)
        labels.labels(picture, chosen)


page.begin("Anchors")
picture = pictures.choose("anchors", seed=0)
outside_lab_world.warn(picture, ["detector"])
play(picture)
sliding.slide(picture)
network.rpn(picture)
proposals.proposals(picture)
own_truth.section("anchors_own", picture, ["detector"])
recall.recall()
shapes.shapes()

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision's over random inputs.")
page.show_code(
    [anchors.base_anchors, anchors.grid_anchors],
    r"w = s / \sqrt{r}, \quad h = s \sqrt{r}, \quad \text{centre} = (j \cdot \text{stride},\; i \cdot \text{stride})",
    "torchvision.models.detection.anchor_utils.AnchorGenerator(sizes=((32, 64, 128),), "
    "aspect_ratios=((0.5, 1.0, 2.0),))",
)
page.show_code(
    anchors.label_anchors,
    r"\text{positive} \iff \max_t \text{IoU}(a, t) \ge 0.7 \;\lor\; \exists t: a \in \arg\max_{a'} \text{IoU}(a', t)",
    "torchvision.models.detection._utils.Matcher(0.7, 0.3, allow_low_quality_matches=True)(iou)",
)
page.show_code(
    [region_proposal_loss.draw_batch, region_proposal_loss.anchor_loss],
    r"L = \frac{1}{N} \sum_i \left[ -\log p_i^{\text{label}} + p_i^* \, \text{smooth}_{L1}(t_i - t_i^*) \right]",
    "torchvision.models.detection.rpn.RegionProposalNetwork.compute_loss(objectness, transforms, labels, targets)",
)
page.show_code(
    anchors.decode_steps,
    r"b_x = p_x + p_w t_x, \quad b_y = p_y + p_h t_y, \quad b_w = p_w e^{t_w}, \quad b_h = p_h e^{t_h}",
    "torchvision.models.detection._utils.BoxCoder((1, 1, 1, 1)).decode(transforms, [anchors])",
)
page.show_code(
    [region_proposals.filter_proposals, region_proposals.coverage, region_proposals.recall],
    r"\text{recall}(n) = \frac{|\{t : \max_{i \le n} \text{IoU}(p_i, t) \ge \theta\}|}{|\{t\}|}",
    "torchvision.ops.batched_nms(boxes, scores, levels, 0.7)",
)
page.erratum(
    "At test time, sort all K × 20 × 15 boxes by their score and take the top 300.",
    "The top 300 are taken **after non-maximum suppression** (IoU 0.7 in the paper). It pays where **few** proposals "
    "are used: without it the first 10 are copies of a few boxes (see both pictures above, both RPN curves at 10). "
    "For 300 it can cost: of boxes that overlap by more than 0.7 only the surest stays, and it need not fit best, so "
    "at a strict IoU such as 0.8 the list *without* suppression finds more.",
)
page.sources(
    [
        (
            "Ren et al. 2015: Faster R-CNN, Towards Real-Time Object Detection with Region Proposal Networks",
            "paper",
            "https://arxiv.org/abs/1506.01497",
        ),
        ("Lin et al. 2017: Feature Pyramid Networks for Object Detection", "paper", "https://arxiv.org/abs/1612.03144"),
        (
            "Hosang et al. 2016: What makes for effective detection proposals?",
            "paper",
            "https://arxiv.org/abs/1502.05082",
        ),
        ("Lin et al. 2017: Focal Loss for Dense Object Detection", "paper", "https://arxiv.org/abs/1708.02002"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
    ]
)
