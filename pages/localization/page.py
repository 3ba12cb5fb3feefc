"""One object: what is it, and where? Class and box from one network, landmarks and poses by the same regression."""

from labs import keypoint_similarity, localization, part_affinity_fields
from models.networks import localizer
from pages.localization import last_layer, multitask, not_a_detector, one_thing, people, shared
from ui import outside_lab_world, page, pictures

page.begin("Localization")
picture = pictures.choose("localization", seed=4, objects=(1, 1))
outside_lab_world.warn(picture, list(shared.NETWORKS.values()))
with page.guard():  # without weights there is one sentence
    page.section("Play", "One thing, one class, one box: drag the orange box. What does each loss make of its error?")
    focus = shared.choose(picture)
    one_thing.one_thing(focus)
    last_layer.last_layer(focus)
    multitask.multitask(focus)
    not_a_detector.not_a_detector(focus.network)
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
    [part_affinity_fields.joint_maps, part_affinity_fields.part_affinity_fields, part_affinity_fields.joint_candidates,
     part_affinity_fields.along_limbs, part_affinity_fields.limb_scores, part_affinity_fields.greedy_matching,
     part_affinity_fields.persons_of, part_affinity_fields.assemble],
    r"E = \int_0^1 L\big((1-u)\,d_a + u\,d_b\big) \cdot \frac{d_b - d_a}{\lVert d_b - d_a \rVert}\, du",
    "scipy.optimize.linear_sum_assignment(scores, maximize=True)  # the best matching, where greedy is not enough",
)  # fmt: skip
page.show_code(
    [keypoint_similarity.oks, keypoint_similarity.average_precision, keypoint_similarity.joints_found],
    r"OKS = \frac{\sum_i \exp(-d_i^2 / 2 s^2 k_i^2)\, [v_i > 0]}{\sum_i [v_i > 0]}",
    "pycocotools.cocoeval.COCOeval(truth, found, 'keypoints')",
)
page.sources([
    ("Girshick 2015: Fast R-CNN, smooth L1 and the multitask loss", "paper", "https://arxiv.org/abs/1504.08083"),
    ("Rezatofighi et al. 2019: Generalized Intersection over Union", "paper", "https://arxiv.org/abs/1902.09630"),
    ("Sermanet et al. 2014: OverFeat, classification and localization by one network", "paper",
     "https://arxiv.org/abs/1312.6229"),
    ("Cao, Simon, Wei, Sheikh 2017: Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields (OpenPose)",
     "paper", "https://arxiv.org/abs/1611.08050"),
    ("Lin et al. 2014: Microsoft COCO; its keypoint task defines OKS", "paper", "https://arxiv.org/abs/1405.0312"),
    ("He et al. 2017: Mask R-CNN, the keypoint head of the top-down way", "paper", "https://arxiv.org/abs/1703.06870"),
])  # fmt: skip
