"""From R-CNN to Faster R-CNN: one picture, one set of proposals, four detectors, and what each step saved."""

from labs import region_warp
from pages.rcnn_family import crops, shared
from ui import outside_lab_world, page

page.begin("The R-CNN Family")
look = shared.choose()
outside_lab_world.warn(look.picture, ["rcnn"])
with page.guard():  # without weights there is one sentence
    crops.play(look)

page.section("Show the code", "The functions on this page.")
page.show_code(
    [region_warp.sources, region_warp.crops, region_warp.inside],
    r"\text{source} = \text{region} \times \frac{227}{227 - 2 \cdot 16}",
    "torchvision.ops.roi_align(picture[None], [boxes], output_size=227, aligned=True)",
)
page.sources([
    ("Girshick et al. 2014: Rich feature hierarchies for accurate object detection (R-CNN)", "paper",
     "https://arxiv.org/abs/1311.2524"),
    ("Uijlings et al. 2013: Selective Search for Object Recognition", "paper",
     "https://doi.org/10.1007/s11263-013-0620-5"),
    ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
])  # fmt: skip
