"""The detector with another mask head: the same boxes and scores, only the masks in them come from elsewhere.

Two heads of one shape that differ in what their last layer means: a sigmoid for each class, as in Mask R-CNN (He et al.
2017), or one softmax over background and classes for each cell, as in semantic segmentation.
"""

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor

from labs.region_masks import softmax_log_odds
from models.networks import rcnn_taps
from models.networks.detector import FEATURES, build_detector
from scenes import THINGS

SIGMOID, SOFTMAX = "detector-sigmoid-masks", "detector-softmax-masks"
LENT = ("backbone", "rpn", "roi_heads.box_head", "roi_heads.box_predictor")  # by the detector, and frozen


class SoftmaxMaskPredictor(MaskRCNNPredictor):
    """Logits (P, 9, 28, 28) whose sigmoid is the softmax over the classes, so torchvision asks it like any other."""

    def forward(self, input: Tensor) -> Tensor:
        return softmax_log_odds(self.raw(input))

    def raw(self, x: Tensor) -> Tensor:
        """The logits that go into the softmax, (P, 9, 28, 28)."""
        return super().forward(x)


def build_with_masks(name: str) -> FasterRCNN:
    """The network of that name, freshly initialised: the detector without joints, and a mask head."""
    module = build_detector()
    heads = rcnn_taps.heads_of(module)
    heads.keypoint_roi_pool = heads.keypoint_head = heads.keypoint_predictor = None
    if name == SOFTMAX:
        heads.mask_predictor = SoftmaxMaskPredictor(FEATURES, FEATURES, len(THINGS) + 1)
    return module


def mask_logits(module: FasterRCNN, pooled: Tensor) -> Tensor:
    """What the mask head says of regions (P, C, 14, 14) before sigmoid or softmax, (P, 9, 28, 28)."""
    head, predictor = mask_layers(module)
    return predictor.raw(head(pooled)) if isinstance(predictor, SoftmaxMaskPredictor) else predictor(head(pooled))


def mask_layers(module: FasterRCNN) -> tuple[nn.Module, nn.Module]:
    """The mask head of a network, and its last layers, which upsample and answer."""
    heads = rcnn_taps.heads_of(module)
    assert heads.mask_head is not None and heads.mask_predictor is not None, "It was built with a mask head."
    return heads.mask_head, heads.mask_predictor
