"""What R-CNN and SPP-net end in: on the features of a region one linear SVM a class, and one ridge regressor a class.

The SVMs were fitted by scikit-learn and the regressors in closed form; here are their numbers, as plain tensors.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labs import box_regression, nms, region_svm
from labs import boxes as box_lab
from scenes import THINGS

LOWEST_MARGIN = -1.0  # below it a region is on the safe side of "no" for every SVM
OVERLAP, MOST = 0.3, 100  # of NMS, as in the paper; and as many boxes as COCO judges


@dataclass(frozen=True, eq=False)
class RegionDetection:
    """What was found in one picture, after NMS within each class, best first. Tensors on the CPU.

    `boxes` float32 (n, 4) xyxy in pixels; `labels` int64 (n,) from 1 in the order of `scenes.THINGS`; `scores` (n,) the
    SVMs' margins, which are no probabilities; `regions` int64 (n,) the proposal that each came from. `steps` seconds of
    each part by its name, `seconds` of all of them, without the proposals. It has no masks and no keypoints.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    regions: Tensor
    steps: dict[str, float]
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None


class RegionSvms(nn.Module):
    """Features (n, d) to margins (n, 8) and transforms (n, 8, 4), one for each of `THINGS`.

    `scale` brings the features to a mean norm of 20, as in the paper's code, so that one C and one λ suit all networks.
    """

    scale: Tensor

    def __init__(self, features: int):
        super().__init__()
        self.register_buffer("scale", torch.ones(1))
        self.svms = nn.Linear(features, len(THINGS))
        self.regressors = nn.Linear(features, 4 * len(THINGS))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        scaled = features * self.scale
        margins = region_svm.margins(scaled, self.svms.weight, self.svms.bias)
        regress = box_regression.Regressor(self.regressors.weight.T, self.regressors.bias)
        return margins, regress(scaled).view(-1, len(THINGS), 4)


def survivors(
    boxes: Tensor, margins: Tensor, transforms: Tensor, size: tuple[int, int], lowest: float = LOWEST_MARGIN
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Boxes, labels from 1, margins and proposals that are left: those above `lowest`, moved by the regressor of their
    class, cut to the picture of this (height, width), after NMS within each class, best first.

    `boxes` (n, 4) the proposals, `margins` (n, 8) and `transforms` (n, 8, 4) what was said of them.
    """
    labels, rows = (lowest < margins.T).nonzero(as_tuple=True)
    scores = margins[rows, labels]
    height, width = size
    limit = torch.tensor([width, height, width, height], dtype=boxes.dtype)
    moved = torch.minimum(box_lab.decode(transforms[rows, labels], boxes[rows]).clamp(min=0), limit)
    kept = nms.survivors(moved, scores, OVERLAP, labels)[:MOST]
    return moved[kept], labels[kept] + 1, scores[kept], rows[kept]
