"""How do features of a box of any size become features of one size? RoI Pool, RoI Align, crop and resize."""

from contextlib import ExitStack

import streamlit as st

from labs import roi_align as ra
from labs import roi_pooling as rp
from pages.roi_pooling import inside, network, numbers, projection, questions, shift
from pages.roi_pooling.shared import SIZE
from pages.shared import photograph_detections as detections
from ui import outside_lab_world, page, pictures
from ui.components import following, live_slider
from ui.pictures import Picture


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """Box, bins and shift in one fragment: what the hand changes in the one, the others show at once."""
    with ExitStack() as sliders:
        page.section("Play", "Drag the box. The network pools its features from a map that is far coarser than pixels.")
        canvas = st.container()
        view, places, level, output, channel = projection.place(picture, sliders, canvas)
        page.section("Look inside", "From the box on the map to a few numbers: one method rounds, two sample.")
        method, settings, step = inside.controls(sliders, output)
        opened = st.container()
        page.section(
            "Shift by less than a cell", "Press play: the box glides to the right. Watch who follows, and who jumps."
        )
        cells = sliders.enter_context(
            live_slider("Shift to the right", -1.0, 1.0, 0.0, step=1 / 32, key="roi_shift", unit="cells",
                        format="%.2f", play=True, play_seconds=6, window=2)
        )  # fmt: skip
        moved = st.container()
        choice = projection.choose(picture, view, level, channel, cells, settings)
        with canvas:
            projection.draw(picture, view, places, choice)
            page.remind("Feature pyramid")
        with opened:
            bin_ = questions.width(choice, lambda: inside.draw(choice, method, step))
        with moved:
            questions.still(choice, lambda: shift.draw(choice, *bin_))
            if not following():
                questions.half(picture, choice)


page.begin("RoI Pool versus RoI Align")
picture = pictures.choose("roi", size=SIZE)
outside_lab_world.warn(picture, ["detector"])
play(picture)
numbers.conventions()
numbers.sample()
network.swap(picture)
network.precision()
with page.guard():
    detections.what_align_feeds("roi_published", picture)

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision's over random boxes.")
page.show_code(
    [rp.roi_pool_bins, rp.roi_pool],
    r"\text{bin}_i = \Big[\,\big\lfloor i \tfrac{L}{P} \big\rfloor,\ \big\lceil (i+1) \tfrac{L}{P} \big\rceil\,\Big), "
    r"\quad L = [x_2/s] - [x_1/s] + 1",
    "torchvision.ops.roi_pool(features, [boxes], output_size=7, spatial_scale=1/16)",
)
page.show_code(
    [ra.align_interval, ra.sample_places, ra.hat_weights, ra.roi_align],
    r"f(x, y) = \sum_{i,j} f_{ij}\, \max(0, 1 - |x - i|)\, \max(0, 1 - |y - j|)",
    "torchvision.ops.roi_align(features, [boxes], output_size=7, spatial_scale=1/16, sampling_ratio=2, aligned=True)",
)
page.show_code(
    [ra.crop_samples, ra.crop_and_resize],
    r"y_i = y_1 + \tfrac{i}{P-1}\,(y_2 - y_1)",
    "tf.image.crop_and_resize(features, normalized_boxes, box_indices, crop_size)",
)
page.erratum(
    "RoI Align removes all misalignment.",
    "RoI Align is aligned only with `aligned=True`. torchvision's detectors call it without, to stay compatible with "
    "old weights, and take their features half a cell too far down and right: the heads learn to live with a constant "
    "offset, which is why switching it *on* in a trained network makes that network worse.",
)
page.sources(
    [
        ("Girshick 2015: Fast R-CNN", "paper", "https://arxiv.org/abs/1504.08083"),
        ("He et al. 2017: Mask R-CNN", "paper", "https://arxiv.org/abs/1703.06870"),
        (
            "Huang et al. 2017: Speed/accuracy trade-offs for modern convolutional object detectors",
            "paper",
            "https://arxiv.org/abs/1611.10012",
        ),
        ("Lin et al. 2017: Feature Pyramid Networks for Object Detection", "paper", "https://arxiv.org/abs/1612.03144"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
    ]
)
