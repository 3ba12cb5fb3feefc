"""SPP-net (He et al. 2014): the whole picture is seen once, each region is pooled from its map, linear SVMs name it.

The map is P3 of the detector's trunk, which stays as it is. What is learned stands on the pooled numbers alone: per
class one SVM, and one linear regressor that moves the box.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import batched_nms, clip_boxes_to_image

from labs import boxes as box_lab
from labs import region_svm, spatial_pyramid
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import rcnn_taps
from models.networks.detector import FEATURES, SIZE, Trunk
from models.networks.encoder import MEAN, STD
from scenes import THINGS

LEVEL, STRIDE = "P3", 8
LENGTH = FEATURES * spatial_pyramid.count(spatial_pyramid.LEVELS)
LOWEST_MARGIN, NMS_OVERLAP, MOST = -1.0, 0.3, 60


@dataclass(frozen=True, eq=False)
class PyramidDetection:
    """What SPP-net said of one picture and its regions. Float32 tensors on the CPU, boxes xyxy in pixels.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,), the margins,
            which are no probabilities: the detections after NMS of each class, best first.
        regions (R, 4): what it was given. cells (R, 4) int64: what each takes of the map, ends inside.
        features (64, 28, 28): the map. vectors (R, 1344): what was pooled from it.
        margins (R, 8): of every SVM; above 0 is yes. moved (R, 8, 4): where each class would move the region.
        trunk_seconds, pool_seconds, head_seconds: wall-clock time of the part that sees the picture once, of the
            pooling, and of SVMs, regressors and NMS; seconds: all of it. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    regions: Tensor
    cells: Tensor
    features: Tensor
    vectors: Tensor
    margins: Tensor
    moved: Tensor
    trunk_seconds: float
    pool_seconds: float
    head_seconds: float
    device: str
    masks: None = None
    keypoints: None = None

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.trunk_seconds + self.pool_seconds + self.head_seconds


class PyramidSVM(nn.Module):
    """The trunk, and what was learned: pooled numbers less `mean` over `deviation`, then `svm` and `box`, linear."""

    mean: Tensor
    deviation: Tensor

    def __init__(self):
        super().__init__()
        self.transform = GeneralizedRCNNTransform(SIZE, SIZE, list(MEAN), list(STD))
        self.backbone = Trunk()
        self.register_buffer("mean", torch.zeros(LENGTH))
        self.register_buffer("deviation", torch.ones(LENGTH))
        self.svm = nn.Linear(LENGTH, len(THINGS))
        self.box = nn.Linear(LENGTH, 4 * len(THINGS))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Margins (R, 8) and transforms (R, 8, 4) of pooled vectors (R, 1344)."""
        scaled = (vectors - self.mean) / self.deviation
        margins = region_svm.margins(scaled, self.svm.weight, self.svm.bias)
        return margins, self.box(scaled).reshape(len(vectors), len(THINGS), 4)


class LoadedPyramidSVM(LoadedNetwork):
    """SPP-net with its weights, on a device, ready to be called with a picture and its regions. Safe to call from many
    threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: PyramidSVM, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(self, image: np.ndarray, regions: np.ndarray) -> PyramidDetection:
        """Name and correct regions (R, 4), xyxy in pixels, of a uint8 RGB picture of any size; R may be 0."""
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float() / 255
        given = torch.from_numpy(np.array(regions, np.float32)).reshape(-1, 4)
        with torch.inference_mode():
            start = perf_counter()
            seen, (boxes,), _ = rcnn_taps.resized(self.module.transform, [x], [given.to(self.device)])
            features = self.module.backbone(seen.tensors)[LEVEL][0].float().contiguous()
            self._wait()
            looked = perf_counter()
            cells = spatial_pyramid.cells(boxes, STRIDE, (features.shape[1], features.shape[2]))
            vectors = spatial_pyramid.pool(features, cells)
            self._wait()
            pooled = perf_counter()
            margins, transforms = self.module(vectors)
            moved = clip_boxes_to_image(box_lab.decode(transforms, boxes[:, None]), seen.image_sizes[0])
            row, column = (margins > LOWEST_MARGIN).nonzero(as_tuple=True)
            kept = batched_nms(moved[row, column], margins[row, column], column, NMS_OVERLAP)[:MOST]
            row, column = row[kept], column[kept]
            self._wait()
            end = perf_counter()
            back = boxes.new_tensor(
                [image.shape[1] / seen.image_sizes[0][1], image.shape[0] / seen.image_sizes[0][0]] * 2
            )
        return PyramidDetection(
            boxes=(moved[row, column] * back).cpu(), labels=column.cpu() + 1,
            scores=margins[row, column].cpu(), regions=given, cells=cells.cpu(), features=features.cpu(),
            vectors=vectors.cpu(), margins=margins.cpu(), moved=(moved * back).cpu(),
            trunk_seconds=looked - start, pool_seconds=pooled - looked, head_seconds=end - pooled, device=self.device,
        )  # fmt: skip

    def _wait(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()
