"""Which pixels of a box are the thing? Mask R-CNN: a small network draws a mask in every region."""

from labs import region_masks as rm
from pages.mask_rcnn import region, shared
from ui import outside_lab_world, page, pictures

page.begin("Mask R-CNN")
picture = pictures.choose("masks", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.NETWORK])
with page.guard():  # without weights there is one sentence
    region.play(picture)

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision's.")
page.show_code(
    [rm.pasting, rm.resizing, rm.paste, rm.above],
    r"m(x, y) = \sum_{i,j} r_i(y)\, c_j(x)\, \sigma(z_{k,i,j}) \ \geq\ \theta",
    "torchvision.models.detection.roi_heads.paste_masks_in_image(masks, boxes, (224, 224)) >= 0.5",
)
page.sources(
    [
        ("He, Gkioxari, Dollár, Girshick 2017: Mask R-CNN", "paper", "https://arxiv.org/abs/1703.06870"),
        ("Stanford CS231n: Detection and Segmentation", "lecture"),
    ]
)
