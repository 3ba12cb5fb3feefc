"""Which class does every pixel belong to? Loss and scores per pixel, from windows to one pass, a training."""

import streamlit as st

from labs import encoder_decoder, pixel_cross_entropy, segmentation_metrics
from models import catalog, choice
from models.networks import tiny_segmenter
from pages.semantic_segmentation import architecture, painted, patch, play, resolution, training, windows
from ui import model_choice, page, pictures

LAB = ["segmenter-bilinear", *(name for name in catalog.names("segmentation") if name != "segmenter-bilinear")]

page.begin("Semantic Segmentation")
with st.container(key="choices-segmentation", horizontal=True):
    picture = pictures.choose("segmentation", seed=24)
    network = model_choice.choose("segmentation", choice.offers("segmentation", lab=LAB))
if network is None:  # its weights are not here
    network = catalog.load(LAB[0])
    st.caption(f"Until they are here, the lab's *{LAB[0]}* answers.")
st.session_state[play.WHOLE] = True
play.play(picture, network)
painted.painted(picture, network)
architecture.architecture(picture, network)
windows.windows(picture)
patch.patch(picture)
resolution.resolution(picture)
training.train_here(picture)

page.section("Show the code", "The functions on this page; tests hold them equal to torch's. The training calls them.")
page.show_code(
    [pixel_cross_entropy.loss_map, pixel_cross_entropy.open_pixel],
    r"\ell_{ij} = -\log p_{y_{ij}} = \log \sum_c e^{z_c} - z_{y_{ij}}, \qquad L = \frac{1}{HW} \sum_{i,j} \ell_{ij}",
    "torch.nn.functional.cross_entropy(logits, truth)",
)
page.show_code(
    [encoder_decoder.plan, encoder_decoder.field],
    r"\text{multiply-adds} = \sum_l 9\, c_{l-1}\, c_l\, n_l^2",
    "torch.utils.flop_counter.FlopCounterMode()",
)
page.show_code(
    [
        segmentation_metrics.confusion_matrix,
        segmentation_metrics.class_iou,
        segmentation_metrics.scene_mean_iou,
        segmentation_metrics.stray_pixels,
        segmentation_metrics.mean_iou,
    ],
    r"\text{IoU}_c = \frac{C_{cc}}{\sum_p C_{cp} + \sum_t C_{tc} - C_{cc}}",
    "torchmetrics.segmentation.MeanIoU(num_classes=13)",
)
page.show_code(tiny_segmenter.TinySegmenter)
page.sources(
    [
        (
            "Long, Shelhamer, Darrell 2015: Fully Convolutional Networks for Semantic Segmentation",
            "paper",
            "https://arxiv.org/abs/1411.4038",
        ),
        (
            "Sermanet et al. 2014: OverFeat, Integrated Recognition, Localization and Detection",
            "paper",
            "https://arxiv.org/abs/1312.6229",
        ),
        (
            "Farabet et al. 2013: Learning Hierarchical Features for Scene Labeling",
            "paper",
            "https://doi.org/10.1109/TPAMI.2012.231",
        ),
        (
            "Noh, Hong, Han 2015: Learning Deconvolution Network for Semantic Segmentation",
            "paper",
            "https://arxiv.org/abs/1505.04366",
        ),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Quinton and Chin: CNN applications", "lecture"),
        ("Ain Shams University CSE463: CNN applications", "lecture"),
    ]
)
