"""A detector with a fifth of the numbers of `detector`: a narrow trunk with a feature pyramid, an RPN and a box head.

Small enough to be trained from nothing on a laptop in a quarter of an hour, several times: what is compared (joint
and alternating training, boxes of the RPN and of selective search) then differs in that alone.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from models.networks.detector import ANCHOR_RATIOS, ANCHOR_SIZES, LEVELS, PROPOSALS, SIZE, BoxPredictor
from models.networks.encoder import MEAN, STD, Residual, block
from scenes import THINGS

WIDTHS, COARSE, FEATURES, HIDDEN = (8, 16, 32, 64), 96, 48, 128


class NarrowTrunk(nn.Module):
    """Normalised images (N, 3, H, W) to a dict of five pyramid levels with 48 channels, strides 4, 8, 16, 32 and 64."""

    def __init__(self):
        super().__init__()
        a, b, c, d = WIDTHS
        first = nn.Conv2d(3, a, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(
            first, nn.BatchNorm2d(a), nn.ReLU(inplace=True), block(a, b, b), nn.MaxPool2d(2), block(b, c, c)
        )
        self.coarser = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), block(n_in, n_out), Residual(n_out, 1))
            for n_in, n_out in ((c, d), (d, COARSE), (COARSE, COARSE))
        )
        self.fpn = FeaturePyramidNetwork([c, d, COARSE, COARSE], FEATURES, extra_blocks=LastLevelMaxPool())
        self.out_channels = FEATURES

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        levels = [self.stem(images)]
        for stage in self.coarser:
            levels.append(stage(levels[-1]))
        return self.fpn(OrderedDict(zip(LEVELS, levels, strict=False)))  # the pyramid adds the fifth


def build_narrow_detector() -> FasterRCNN:
    """The network, freshly initialised: the RPN's rules of `detector`, and one head for classes and boxes."""
    return FasterRCNN(
        NarrowTrunk(),
        min_size=SIZE, max_size=SIZE, image_mean=MEAN, image_std=STD,
        rpn_anchor_generator=AnchorGenerator(ANCHOR_SIZES, (ANCHOR_RATIOS,) * len(ANCHOR_SIZES)),
        rpn_pre_nms_top_n_train=600, rpn_pre_nms_top_n_test=600,
        rpn_post_nms_top_n_train=PROPOSALS, rpn_post_nms_top_n_test=PROPOSALS,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(list(LEVELS[:4]), 7, 2),
        box_head=TwoMLPHead(FEATURES * 7 * 7, HIDDEN),
        box_predictor=BoxPredictor(HIDDEN, len(THINGS) + 1),
        box_batch_size_per_image=96, box_detections_per_img=40,
    )  # fmt: skip
