"""What is left to do for every region once trunk and RPN are done, timed: pooling and heads, up to scores and boxes."""

import statistics
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector
from models.networks.r_fcn import LoadedRfcn


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network before its regions: `features` by pyramid level and `boxes` (N, 4) in pixels of the picture as the
    network saw it, both on its device, and that picture's `size`, (height, width)."""

    network: LoadedDetector | LoadedRfcn
    features: dict[str, Tensor]
    boxes: Tensor
    size: tuple[int, int]


def prepared(network: LoadedDetector | LoadedRfcn, image: np.ndarray, boxes: Tensor) -> Prepared:
    """Run the trunk on a uint8 picture (H, W, 3) for boxes (N, 4) xyxy in its pixels."""
    pixels = torch.from_numpy(np.array(image)).to(network.device).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        seen, _ = rcnn_taps.transform_of(network.module)([pixels])
        features = network.module.backbone(seen.tensors)
    (height, width), (rows, columns) = seen.image_sizes[0], image.shape[:2]
    scale = torch.tensor([width / columns, height / rows] * 2)
    return Prepared(network, features, (boxes * scale).to(network.device), (height, width))


def milliseconds(ready: Prepared, count: int, repeats: int = 5) -> float:
    """Median time from features to class scores and transforms of the first `count` boxes, before NMS.

    Errors: ValueError where there are not so many boxes.
    """
    if not 1 <= count <= len(ready.boxes):
        raise ValueError(f"There are {len(ready.boxes)} boxes, not {count}.")
    heads, boxes = rcnn_taps.heads_of(ready.network.module), ready.boxes[:count]
    taken = []
    with torch.inference_mode():
        for _ in range(repeats):
            start = perf_counter()
            heads.box_predictor(heads.box_head(heads.box_roi_pool(ready.features, [boxes], [ready.size])))
            if boxes.is_cuda:
                torch.cuda.synchronize()
            taken.append(perf_counter() - start)
    return statistics.median(taken) * 1000
