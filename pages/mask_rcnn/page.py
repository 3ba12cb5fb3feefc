"""Which pixels of a box are the thing? Mask R-CNN: a small network draws a mask in every region."""

from labs import keypoint_heat_maps as heat
from labs import keypoint_similarity as ks
from labs import region_masks as rm
from models.inside import region_heads
from pages.mask_rcnn import heads, keypoints, region, roi_pool_masks, shared
from ui import outside_lab_world, page, pictures

page.begin("Mask R-CNN")
picture = pictures.choose("masks", seed=shared.SEED)
outside_lab_world.warn(picture, [shared.NETWORK])
with page.guard():  # without weights there is one sentence
    region.play(picture)
    roi_pool_masks.pooled(picture)
    heads.heads(picture)
    heads.price(picture)
    keypoints.keypoints()

page.section("Show the code", "The functions on this page; tests hold them equal to torchvision's.")
page.show_code(
    [rm.pasting, rm.resizing, rm.paste, rm.above],
    r"m(x, y) = \sum_{i,j} r_i(y)\, c_j(x)\, \sigma(z_{k,i,j}) \ \geq\ \theta",
    "torchvision.models.detection.roi_heads.paste_masks_in_image(masks, boxes, (224, 224)) >= 0.5",
)
page.show_code(
    [heat.targets, heat.one_hot, heat.probabilities, heat.losses, heat.loss],
    r"L = -\frac{1}{|V|} \sum_{k \in V} \ln \frac{e^{z_k(x_k, y_k)}}{\sum_{x, y} e^{z_k(x, y)}}",
    "torchvision.models.detection.roi_heads.keypointrcnn_loss(logits, [boxes], [joints], [matched])",
)
page.show_code(
    [heat.best_cells, heat.quarter_shifted, heat.mean_place, heat.in_picture, heat.enlarged_best],
    library="torchvision.models.detection.roi_heads.heatmaps_to_keypoints(logits, boxes)",
)
page.show_code(
    [ks.similarities, ks.oks],
    r"\mathrm{OKS} = \frac{1}{|V|} \sum_{k \in V} e^{-d_k^2 / (2 s^2 k_k^2)}",
    "pycocotools.cocoeval.COCOeval(truth, found, 'keypoints').computeOks(image, category)",
)
page.show_code(
    [region_heads.logits, region_heads.layers_of],
    library="torchvision.models.detection.keypointrcnn_resnet50_fpn(weights='DEFAULT')",
)
page.sources(
    [
        ("He, Gkioxari, Dollár, Girshick 2017: Mask R-CNN", "paper", "https://arxiv.org/abs/1703.06870"),
        ("Stanford CS231n: Detection and Segmentation", "lecture"),
    ]
)
