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

    def forward(self, x: Tensor) -> Tensor:
        return softmax_log_odds(self.raw(x))

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
    """What the last layer of the mask head says of regions (P, C, 14, 14), before sigmoid or softmax, (P, 9, 28, 28)."""
    heads = rcnn_taps.heads_of(module)
    predictor = heads.mask_predictor
    assert isinstance(heads.mask_head, nn.Module) and isinstance(predictor, nn.Module)
    seen = heads.mask_head(pooled)
    return predictor.raw(seen) if isinstance(predictor, SoftmaxMaskPredictor) else predictor(seen)
