"""One object: what is it, and where? Class and box from one network, landmarks and poses by the same regression."""

import streamlit as st

from labs import landmarks as landmarks_lab
from labs import localization
from models import catalog
from models.networks import face_landmarks, localizer
from models.recipes import localizer_heads
from pages.localization import (
    drawn_truth,
    landmarks,
    last_layer,
    multitask,
    not_a_detector,
    one_thing,
    people,
    pose,
    shared,
)
from ui import outside_lab_world, page, pictures

page.begin("Localization")
picture = pictures.choose("localization", seed=141, objects=(1, 1))
outside_lab_world.warn(picture, list(shared.NETWORKS.values()))
with page.guard():  # without weights there is one sentence
    page.section("Play", "One thing, one class, one box: drag the orange box. What does each loss make of its error?")
    first = st.container()
    focus = shared.choose(picture)
    page.remind("IoU")
    with first:
        one_thing.one_thing(focus)
    drawn_truth.drawn(focus)
    last_layer.last_layer(focus)
    multitask.multitask(focus)
    not_a_detector.not_a_detector(focus.network)
if landmarks.NETWORK in catalog.shipped():
    landmarks.landmarks()
with page.guard():
    pose.pose()
people.people()

page.section("Show the code", "The functions that computed this page.")
page.show_code(
    [localization.to_numbers, localization.to_box, localization.l2_loss, localization.l1_loss,
     localization.smooth_l1_loss, localization.iou_loss, localization.giou_loss],
    r"L_2 = (b_x - \hat b_x)^2 + (b_y - \hat b_y)^2 + (b_w - \hat b_w)^2 + (b_h - \hat b_h)^2",
    "torch.nn.functional.smooth_l1_loss(guess, truth, beta=0.1), torchvision.ops.generalized_box_iou_loss(a, b)",
)  # fmt: skip
page.show_code([localizer.Localizer, localizer.Heads, localization.last_layer], r"o_j = b_j + \sum_k w_{jk} h_k")
page.show_code(
    [localization.class_loss, localization.multitask_loss, localization.lambda_of, localization.outputs_needed,
     localizer_heads.learn],
    r"L = \alpha S + (1 - \alpha) R, \quad \lambda = (1 - \alpha) / \alpha",
    "loss = alpha * torch.nn.functional.cross_entropy(scores, labels) + (1 - alpha) * box_loss",
)  # fmt: skip
people.code()
page.show_code(
    [landmarks_lab.to_numbers, landmarks_lab.eye_distance, landmarks_lab.errors, landmarks_lab.mean_error,
     landmarks_lab.mirrored, face_landmarks.FaceLandmarks],
    r"e = \frac{100}{5} \sum_{i=1}^{5} \frac{\lVert \hat p_i - p_i \rVert}{\lVert p_1 - p_2 \rVert}",
)  # fmt: skip
page.sources([
    ("Girshick 2015: Fast R-CNN, smooth L1 and the multitask loss", "paper", "https://arxiv.org/abs/1504.08083"),
    ("Rezatofighi et al. 2019: Generalized Intersection over Union", "paper", "https://arxiv.org/abs/1902.09630"),
    ("Sermanet et al. 2014: OverFeat, classification and localization by one network", "paper",
     "https://arxiv.org/abs/1312.6229"),
    ("Sun, Wang, Tang 2013: Deep Convolutional Network Cascade for Facial Point Detection", "paper",
     "https://doi.org/10.1109/CVPR.2013.446"),
    ("Sagonas et al. 2013: 300 Faces in-the-Wild Challenge", "paper", "https://doi.org/10.1109/ICCVW.2013.59"),
    ("Toshev and Szegedy 2014: DeepPose, joints by regression in stages", "paper", "https://arxiv.org/abs/1312.4659"),
    *people.SOURCES,
])  # fmt: skip
