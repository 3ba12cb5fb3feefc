"""From R-CNN to Faster R-CNN: one picture, one set of proposals, four detectors, and what each step saved."""

from labs import region_head_loss, region_proposal_loss, region_warp
from models import catalog
from models.inside import four_losses, two_stages
from models.recipes import alternating_detector
from pages.rcnn_family import alternating, crops, faster, losses, shared
from ui import outside_lab_world, page

page.begin("The R-CNN Family")
look = shared.choose()
outside_lab_world.warn(look.picture, ["rcnn"])
with page.guard():  # without weights there is one sentence
    crops.play(look)
if "detector-narrow" in catalog.shipped():
    faster.faster(look)
    losses.losses(look)
if alternating.ready():
    alternating.alternating()

page.section("Show the code", "The functions on this page.")
page.show_code(
    [region_warp.sources, region_warp.crops, region_warp.inside],
    r"\text{source} = \text{region} \times \frac{227}{227 - 2 \cdot 16}",
    "torchvision.ops.roi_align(picture[None], [boxes], output_size=227, aligned=True)",
)
page.show_code(two_stages.walk, r"\text{picture} \to \text{maps} \to \text{regions} \to \text{boxes}",
               "torchvision.models.detection.FasterRCNN(backbone, num_classes)(pictures)")  # fmt: skip
page.show_code(
    [region_head_loss.name, region_head_loss.region_losses, region_proposal_loss.anchor_loss, four_losses.open_losses],
    r"L = L_\text{RPN}^\text{object} + L_\text{RPN}^\text{box} + L_\text{head}^\text{class} + "
    r"L_\text{head}^\text{box}",
    "losses = detector.train()(pictures, targets)",
)
page.show_code([alternating_detector.train, alternating_detector.rpn_losses, alternating_detector.head_losses])
page.sources([
    ("Girshick et al. 2014: Rich feature hierarchies for accurate object detection (R-CNN)", "paper",
     "https://arxiv.org/abs/1311.2524"),
    ("Ren et al. 2015: Faster R-CNN, with 4-step alternating training in section 3.2", "paper",
     "https://arxiv.org/abs/1506.01497"),
    ("Uijlings et al. 2013: Selective Search for Object Recognition", "paper",
     "https://doi.org/10.1007/s11263-013-0620-5"),
    ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
    ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
])  # fmt: skip
