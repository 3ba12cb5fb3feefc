"""What if nothing had to run per region? R-FCN: score maps for every part of a thing, read and voted on by each box."""

import streamlit as st

from labs import boxes as box_lab
from labs import position_sensitive as ps
from pages.position_sensitive import found, parts, price, shared, shifted
from pages.shared import own_truth
from ui import outside_lab_world, page, pictures

page.begin("R-FCN: Parts That Vote")
picture = pictures.choose("rfcn", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.NETWORK, shared.RIVAL])
with page.guard():  # without weights there is one sentence
    parts.play(picture)
    shifted.shifted()
    price.price(picture)
    found.found(picture)
    own_truth.section("rfcn", picture, [shared.NETWORK, shared.RIVAL])

page.section("Show the code", "The functions on this page; tests hold both poolings equal to torchvision's.")
page.show_code(
    [ps.align, ps.vote],
    r"r_c(i, j) = \frac{1}{n} \sum_{(x, y) \in \text{bin}(i, j)} z_{i,j,c}(x, y), \qquad "
    r"r_c = \frac{1}{k^2} \sum_{i,j} r_c(i, j), \qquad s_c = \text{softmax}(r)_c",
    "torchvision.ops.ps_roi_align(maps, [boxes], output_size=3, spatial_scale=1/4, sampling_ratio=2)",
)
page.show_code(
    [ps.pool_cells, ps.pool],
    r"\text{bin}(i) = \Big[\,\big\lfloor i \tfrac{L}{k} \big\rfloor,\ \big\lceil (i+1) \tfrac{L}{k} \big\rceil\,\Big)",
    "torchvision.ops.ps_roi_pool(maps, [boxes], output_size=3, spatial_scale=1/16)",
)
st.caption(
    "Two traps in the library: `ps_roi_pool` never reads a map's last row and column, which R-FCN's own code did, and "
    "`ps_roi_align` with `sampling_ratio=-1` gives NaN for a box without area: name a ratio."
)
page.show_code([ps.part_boxes, ps.perfect_maps, ps.vote_after_shift, ps.map_count])
page.show_code([box_lab.decode])
page.erratum(
    "Two-stage: Faster R-CNN. Single-stage: YOLO / SSD. Hybrid: R-FCN.",
    "R-FCN has two stages, as its authors write: an RPN proposes regions, then each region is classified. What it no "
    "longer has are layers that run once per region.",
)
page.sources(
    [
        (
            "Dai, Li, He, Sun 2016: R-FCN, Object Detection via Region-based Fully Convolutional Networks",
            "paper",
            "https://arxiv.org/abs/1605.06409",
        ),
        ("Dai, He, Li, Ren, Sun 2016: Instance-sensitive Fully Convolutional Networks", "paper",
         "https://arxiv.org/abs/1603.08678"),
        (
            "Huang et al. 2017: Speed/accuracy trade-offs for modern convolutional object detectors",
            "paper",
            "https://arxiv.org/abs/1611.10012",
        ),
        ("Ain Shams University CSE463: CNN applications", "lecture"),
    ]
)  # fmt: skip
