"""Which pixels of a box are the thing? Mask R-CNN: a small network draws a mask in every region."""

import streamlit as st

from labs import region_masks as rm
from pages.mask_rcnn import (
    competing,
    edges,
    heads,
    keypoints,
    pasting,
    region,
    roi_pool_masks,
    shared,
    targets,
)
from pages.shared import own_truth
from ui import outside_lab_world, page, pictures

page.begin("Mask R-CNN")
picture = pictures.choose("masks", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.NETWORK])
with page.guard():  # without weights there is one sentence
    region.play(picture)
    pasting.pasting(picture)
    targets.targets(picture)
    if competing.shipped():
        competing.competing(picture)
    edges.edges(picture)
    roi_pool_masks.pooled(picture)
    heads.heads(picture)
    heads.price(picture)
    own_truth.section("masks", picture, [shared.NETWORK])
    keypoints.keypoints()

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision's.")
page.show_code(
    [rm.pasting, rm.resizing, rm.paste, rm.above],
    r"m(x, y) = \sum_{i,j} r_i(y)\, c_j(x)\, \sigma(z_{k,i,j}) \ \geq\ \theta",
    "torchvision.models.detection.roi_heads.paste_masks_in_image(masks, boxes, (224, 224)) >= 0.5",
)
page.show_code(
    [rm.targets, rm.sigmoid_losses],
    r"L = -\frac{1}{M^2} \sum_{i,j} t_{ij} \ln \sigma(z_{k,i,j}) + (1 - t_{ij}) \ln (1 - \sigma(z_{k,i,j})), "
    r"\quad k \text{ the true class}",
    "torchvision.models.detection.roi_heads.maskrcnn_loss(logits, proposals, masks, labels, matched)",
)
page.show_code([rm.softmax_losses, rm.softmax_log_odds])
page.show_code([rm.paste_exactly, rm.mask_iou, rm.to_edge, rm.wrong_by_distance])
st.caption(
    "`torchvision.models.detection.maskrcnn_resnet50_fpn(weights='DEFAULT')` is the whole network, trained on "
    "photographs. Its masks come pasted, as probabilities: threshold them yourself."
)
page.erratum(
    "A small mask network operates on each RoI and predicts a 28x28 binary mask.",
    "For each region the mask network draws one mask for every class, and its 28 × 28 cells are probabilities. The "
    "mask of the class that the box head chose is resized to the box, and a threshold then makes it binary.",
)
keypoints.code()
page.sources(
    [
        ("He, Gkioxari, Dollár, Girshick 2017: Mask R-CNN", "paper", "https://arxiv.org/abs/1703.06870"),
        ("Kirillov, Wu, He, Girshick 2020: PointRend, Image Segmentation as Rendering", "paper",
         "https://arxiv.org/abs/1912.08193"),
        ("Newell, Yang, Deng 2016: Stacked Hourglass Networks for Human Pose Estimation", "paper",
         "https://arxiv.org/abs/1603.06937"),
        ("Sun, Xiao, Wei, Liang, Wei 2018: Integral Human Pose Regression", "paper",
         "https://arxiv.org/abs/1711.08229"),
        ("Stanford CS231n: Detection and Segmentation", "lecture"),
        ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
    ]
)  # fmt: skip
