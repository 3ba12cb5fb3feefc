"""From R-CNN to Faster R-CNN: one picture, one set of proposals, four detectors, and what each step saved."""

from labs import box_regression, region_svm, region_warp, spatial_pyramid
from models import catalog
from models.networks import region_svm as region_network
from pages.rcnn_family import (
    alternating,
    crops,
    crops_boxes,
    crops_run,
    crops_svm,
    fast,
    faster,
    gradient,
    losses,
    pyramid,
    shared,
    table,
)  # fmt: skip
from pages.shared import own_truth
from ui import outside_lab_world, page

page.begin("The R-CNN Family")
look = shared.choose()
outside_lab_world.warn(look.picture, ["rcnn", "spp", "fast-rcnn", "detector-narrow"])
with page.guard():  # without weights there is one sentence
    crops.play(look)
    crops_run.running(look)
    crops_svm.svms(look)
    crops_boxes.boxes(look)
    pyramid.play(look)
    pyramid.judged(look)
    fast.play(look)
    gradient.play(look)
if "detector-narrow" in catalog.shipped():
    faster.faster(look)
    losses.losses(look)
own_truth.section("rcnn", look.picture, ["detector-narrow", "detector"])
if table.ready():
    table.table(look)
if alternating.ready():
    alternating.alternating()

page.section("Show the code", "The functions on this page; the detectors call the same.")
page.show_code(
    [region_warp.sources, region_warp.crops, region_warp.inside],
    r"\text{source} = \text{region} \times \frac{227}{227 - 2 \cdot 16}",
    "torchvision.ops.roi_align(picture[None], [boxes], output_size=227, aligned=True)",
)
page.show_code(
    [region_svm.label_regions, region_svm.margins, region_svm.hinge, region_svm.hard, region_network.survivors],
    r"m_c = w_c^\top \varphi + b_c, \quad L = \max(0,\; 1 - y\, m_c)",
    "sklearn.svm.LinearSVC(C=0.01, dual=False).fit(features, labels)",
)
page.show_code(
    [box_regression.examples, box_regression.ridge],
    r"W = \left(\Phi^\top \Phi + \lambda I\right)^{-1} \Phi^\top T",
    "sklearn.linear_model.Ridge(alpha=1000).fit(features, targets)",
)
page.show_code(
    [spatial_pyramid.cells, spatial_pyramid.bins, spatial_pyramid.pool_region, spatial_pyramid.pool],
    r"\text{bin}_i = \Big[\,\big\lfloor i \tfrac{L}{n} \big\rfloor,\ "
    r"\big\lceil (i+1) \tfrac{L}{n} \big\rceil\,\Big), \quad n \in \{4, 2, 1\}",
    "torchvision.ops.roi_pool(features, [boxes], output_size=n, spatial_scale=1/8)  # one level",
)
alternating.code()
page.sources([
    ("Girshick et al. 2014: Rich feature hierarchies for accurate object detection (R-CNN)", "paper",
     "https://arxiv.org/abs/1311.2524"),
    ("He et al. 2014: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition", "paper",
     "https://arxiv.org/abs/1406.4729"),
    ("Girshick 2015: Fast R-CNN", "paper", "https://arxiv.org/abs/1504.08083"),
    *alternating.SOURCES,
    ("Uijlings et al. 2013: Selective Search for Object Recognition", "paper",
     "https://doi.org/10.1007/s11263-013-0620-5"),
    ("Felzenszwalb et al. 2010: Object Detection with Discriminatively Trained Part-Based Models, hard negatives",
     "paper", "https://doi.org/10.1109/TPAMI.2009.167"),
    ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
])  # fmt: skip
