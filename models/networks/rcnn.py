"""R-CNN (Girshick et al. 2014): every region warped to one size, a network run on each, linear SVMs, box regression.

The network is the trunk of `localizer-joint`, which learned what one thing is and where it is. It takes crops of
48×48 pixels, where the paper's AlexNet took 227×227.
"""

from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs import region_warp
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.classifier import WIDTHS, trunk
from models.networks.encoder import normalised
from models.networks.region_svm import RegionDetection, RegionSvms, survivors

SIZE, GRID = 48, 3  # pixels a side of a crop, and cells a side that its maps are averaged to
PADDING = SIZE * region_warp.PAPER_PADDING / region_warp.PAPER_SIZE
FEATURES = WIDTHS[2] * GRID * GRID
BATCH = 32  # crops in one pass
STEPS = ("crops", "network", "SVMs and boxes")


class Rcnn(nn.Module):
    """Normalised crops (n, 3, 48, 48) to margins (n, 8) and transforms (n, 8, 4)."""

    def __init__(self):
        super().__init__()
        self.trunk = trunk(8)
        self.head = RegionSvms(FEATURES)

    def features(self, crops: Tensor) -> Tensor:
        """What SVMs and regressors are given, (n, 1152): 128 maps of 6×6 cells, averaged to 3×3."""
        return F.adaptive_avg_pool2d(self.trunk(crops), GRID).flatten(1)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.features(crops))


class LoadedRcnn(LoadedNetwork):
    """R-CNN with its weights, on a device, ready to be called with a picture and its proposals.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: Rcnn, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    def crops(self, image: np.ndarray, boxes: Tensor) -> Tensor:
        """The regions (n, 4) of a uint8 RGB picture (H, W, 3) as normalised crops (n, 3, 48, 48) on the CPU."""
        picture = normalised(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255)[0]
        return region_warp.crops(picture, boxes.float(), SIZE, PADDING)

    @out_of_memory_said
    def features(self, crops: Tensor) -> Tensor:
        """One pass over normalised crops: float32 (n, 1152) on the CPU."""
        with torch.inference_mode():
            crops = crops.to(self.device, memory_format=torch.channels_last)
            return self.module.features(crops).float().cpu()

    def judge(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Margins (n, 8) of the SVMs and transforms (n, 8, 4) of the regressors, on the CPU."""
        with torch.inference_mode():
            margins, transforms = self.module.head(features.to(self.device))
            return margins.float().cpu(), transforms.float().cpu()

    def __call__(self, image: np.ndarray, boxes: Tensor) -> RegionDetection:
        """Things in a uint8 RGB picture (H, W, 3) among its proposals (n, 4), float xyxy in pixels; n may be 0."""
        steps, found = dict.fromkeys(STEPS, 0.0), [torch.zeros(0, FEATURES)]
        for some in boxes.float().split(BATCH):
            start = perf_counter()
            crops = self.crops(image, some)
            between = perf_counter()
            found.append(self.features(crops))  # waits for the device
            steps["crops"] += between - start
            steps["network"] += perf_counter() - between
        start = perf_counter()
        margins, transforms = self.judge(torch.cat(found))
        kept = survivors(boxes.float(), margins, transforms, image.shape[:2])
        steps["SVMs and boxes"] = perf_counter() - start
        return RegionDetection(*kept, steps, sum(steps.values()), self.device)
