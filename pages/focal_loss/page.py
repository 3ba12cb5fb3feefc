"""Why do thousands of easy anchors drown the few that matter? RetinaNet's focal loss, on the anchors of a scene."""

from labs import focal_loss
from models.networks.retinanet import ClassificationHead
from models.recipes import retinanet_steps
from pages.focal_loss import compared, count, curves, first_steps, outputs
from pages.focal_loss.shared import SEED, shipped
from pages.shared import own_truth
from ui import outside_lab_world, page, pictures

page.begin("Focal Loss")
picture = pictures.choose("focal", seed=SEED)
outside_lab_world.warn(picture, list(shipped().values()))
curves.play()
count.count(picture)
compared.compared(picture)
first_steps.first_steps()
outputs.outputs(picture)
own_truth.section("focal", picture, list(shipped().values()))

page.section("Show the code", "The functions on this page; the networks were trained by the first of them.")
page.show_code(
    [focal_loss.focal_loss, focal_loss.down_weighted],
    r"\text{FL}(p_t) = -\alpha_t\, (1 - p_t)^\gamma \log p_t, \qquad \frac{\text{CE}}{\text{FL}} = (1 - p_t)^{-\gamma}",
    "torchvision.ops.sigmoid_focal_loss(logits, targets.float(), alpha=0.25, gamma=2)",
)
page.show_code(
    [focal_loss.wanted, focal_loss.sampled, ClassificationHead],
    r"L = \frac{1}{N_\text{positive}} \sum_{\text{anchors}} \sum_{c=1}^{C} \text{FL}(p_{t,c})",
    "torchvision.models.detection.RetinaNet(backbone, num_classes)",
)
page.show_code(focal_loss.cumulative_share, r"\text{share}(k) = \sum_{i \le k} \ell_{(i)} \Big/ \sum_i \ell_{(i)}")
page.show_code([focal_loss.prior_bias, retinanet_steps.learn], r"b = -\log \frac{1 - \pi}{\pi}")
page.show_code(
    focal_loss.outputs,
    r"\text{class maps} = C \cdot K, \qquad \text{transforms} = 4 K",
    "torchvision.models.detection.retinanet.RetinaNetHead(channels, anchors, classes)",
)
page.sources(
    [
        (
            "Lin et al. 2017: Focal Loss for Dense Object Detection",
            "paper",
            "https://arxiv.org/abs/1708.02002",
        ),
        ("Lin et al. 2017: Feature Pyramid Networks for Object Detection", "paper",
         "https://arxiv.org/abs/1612.03144"),
        ("Shrivastava, Gupta, Girshick 2016: Training Region-based Object Detectors with Online Hard Example Mining",
         "paper", "https://arxiv.org/abs/1604.03540"),
        ("Yonsei University GEV6135, lecture 12: object detection and image segmentation", "lecture"),
        ("Ain Shams University CSE463: CNN applications", "lecture"),
    ]
)  # fmt: skip
