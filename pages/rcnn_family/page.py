"""From R-CNN to Faster R-CNN: one picture, one set of proposals, four detectors, and what each step saved."""

from labs import box_regression, region_svm, region_warp
from models.networks import region_svm as region_network
from pages.rcnn_family import crops, crops_boxes, crops_run, crops_svm, shared
from ui import outside_lab_world, page

page.begin("The R-CNN Family")
look = shared.choose()
outside_lab_world.warn(look.picture, ["rcnn"])
with page.guard():  # without weights there is one sentence
    crops.play(look)
    crops_run.running(look)
    crops_svm.svms(look)
    crops_boxes.boxes(look)

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
page.sources([
    ("Girshick et al. 2014: Rich feature hierarchies for accurate object detection (R-CNN)", "paper",
     "https://arxiv.org/abs/1311.2524"),
    ("Uijlings et al. 2013: Selective Search for Object Recognition", "paper",
     "https://doi.org/10.1007/s11263-013-0620-5"),
    ("Felzenszwalb et al. 2010: Object Detection with Discriminatively Trained Part-Based Models, hard negatives",
     "paper", "https://doi.org/10.1109/TPAMI.2009.167"),
    ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
])  # fmt: skip
