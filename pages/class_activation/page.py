"""What did the network look at? Class activation maps, Grad-CAM, Augmented Grad-CAM, and how good they are."""

from labs import augmented_grad_cam, class_activation, heat_map_quality, super_resolution, weak_localization
from models.inside import photograph_attribution
from pages.class_activation import (
    augmented,
    grad_cam,
    networks,
    opened,
    photographs,
    quality,
    two_classes,
    weak_box,
)
from pages.class_activation.shared import NETWORKS
from ui import outside_lab_world, page, pictures

page.begin("Class Activation Maps")
picture = pictures.choose("cam", seed=577)
if picture.view is None:  # first who knows such pictures
    with page.guard():
        photographs.photographs(picture)
outside_lab_world.warn(picture, NETWORKS, "From here on they answer; above, a network that knows photographs did.")
with page.guard():  # without weights there is one sentence, not seven
    focus = two_classes.choose(picture)
    two_classes.play(focus)
    opened.opened(focus)
    weak_box.weak_box(focus)
    networks.networks(focus)
    grad_cam.grad_cam(focus)
    augmented.augmented(focus)
    quality.quality(focus)
if picture.view is not None:
    with page.guard():
        photographs.photographs(picture)

page.section("Show the code", "The functions that made the maps on this page.")
page.show_code(
    [class_activation.class_activation_map, class_activation.class_scores, class_activation.top_contributions],
    r"M_c(x, y) = \sum_k w_k^c f_k(x, y), \quad S_c = \frac{1}{HW} \sum_{x, y} M_c(x, y)",
    "torch.einsum('k,kyx->yx', head.weight[c], features)",
)
page.show_code(
    [weak_localization.above, weak_localization.largest_component, weak_localization.box_around],
    r"M_c(x, y) > 0.2 \max M_c",
    "cv2.connectedComponentsWithStats(mask, connectivity=8)",
)
page.show_code(
    class_activation.grad_cam_of_linear_head,
    r"\alpha_k = \frac{1}{HW} \sum_{x, y} \frac{\partial S_c}{\partial f_k(x, y)}, \quad "
    r"\text{ReLU}\Big(\sum_k \alpha_k f_k\Big)",
    "captum.attr.LayerGradCam(model, layer).attribute(x, target=c, relu_attributions=True)",
)
page.show_code(
    [photograph_attribution.explain, photograph_attribution.class_maps],
    library="captum.attr.LayerGradCam(efficientnet_lite0, efficientnet_lite0.last_maps).attribute(x, target=c)",
)
page.show_code(
    [augmented_grad_cam.view_operator, augmented_grad_cam.mean_unwarped, super_resolution.primal_dual],
    r"\min_{h \ge 0} \tfrac12 \sum_l \lVert D A_l h - g_l \rVert^2 + \lambda \, TV(h) "
    r"+ \tfrac{\mu}{2} \lVert h \rVert^2",
)
page.show_code(
    [heat_map_quality.points_at, heat_map_quality.energy_over_area, heat_map_quality.deletion],
    r"\frac{\sum_{\text{mask}} \max(h, 0)}{\sum \max(h, 0)} \Big/ \frac{|\text{mask}|}{HW}",
)
page.erratum(
    "It is the softmax that lets the last feature maps be more than there are classes.",
    "It is the **linear layer** that lets the last feature maps be more than there are classes: a matrix of one weight "
    "per class and map, here 192 maps, 8 classes, and no softmax at all. And where the vector before it is called the "
    "*averages* of the maps, S is the mean of M; the formula with sums gives H·W times as much, which trained weights "
    "absorb.",
)
page.sources(
    [
        (
            "Zhou et al. 2016: Learning Deep Features for Discriminative Localization",
            "paper",
            "https://arxiv.org/abs/1512.04150",
        ),
        ("Oquab et al. 2015: Is object localization for free?", "paper"),
        (
            "Selvaraju et al. 2017: Grad-CAM, Visual Explanations from Deep Networks via Gradient-based Localization",
            "paper",
            "https://arxiv.org/abs/1610.02391",
        ),
        (
            "Morbidelli et al. 2020: Augmented Grad-CAM, Heat-Maps Super Resolution through Augmentation",
            "paper",
        ),
        (
            "Chambolle and Pock 2011: A First-Order Primal-Dual Algorithm for Convex Problems",
            "paper",
            "https://doi.org/10.1007/s10851-010-0251-1",
        ),
        ("Wang et al. 2020: Self-supervised Equivariant Attention (SEAM), maps that turn with the picture", "paper",
         "https://arxiv.org/abs/2004.04581"),
        ("Simonyan and Zisserman 2015: Very Deep Convolutional Networks (VGG)", "paper",
         "https://arxiv.org/abs/1409.1556"),
        ("He et al. 2016: Deep Residual Learning (ResNet)", "paper", "https://arxiv.org/abs/1512.03385"),
        ("Adebayo et al. 2018: Sanity Checks for Saliency Maps", "paper", "https://arxiv.org/abs/1810.03292"),
        ("Petsiuk et al. 2018: RISE, deletion and insertion", "paper", "https://arxiv.org/abs/1806.07421"),
        ("Zhang et al. 2016: Top-down Neural Attention by Excitation Backprop, the pointing game", "paper",
         "https://arxiv.org/abs/1608.00507"),
        ("Politecnico di Milano, Boracchi: CNNs for detection", "lecture"),
    ]
)  # fmt: skip
