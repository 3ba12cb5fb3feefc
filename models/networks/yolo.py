"""YOLO on Lab World: one pass from a 224x224 picture to a 7x7 grid, in both layouts of `labs.yolo_grid`.

The trunk is the segmenters' encoder. Its features at 14x14 meet the finer ones of stride 8, folded to the same size
(the passthrough of Redmon and Farhadi 2017), are folded once more to 7x7, and a 1x1 convolution says each cell's
numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import yolo_grid, yolo_loss
from labs.yolo_grid import Grid, Prediction, Target
from labs.yolo_loss import GridLoss
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.encoder import WIDTHS, Encoder, Residual, block, normalised
from scenes import THINGS, Instance

SIZE, CELLS = 224, 7
PASSED, FEATURES = 64, 256
SHY = -3.0  # logit of every confidence before training: most predictors have nothing to say
SCORE_THRESHOLD, NMS_OVERLAP = 0.05, 0.5


@dataclass(frozen=True, eq=False)
class YoloDetection:
    """What the network said of one picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4), labels (N,) int64 from 1 (`scenes.THINGS` in order), scores (N,) in 0 to 1: the detections after
            score threshold and per-class NMS, best first.
        raw (7, 7, channels): the network's numbers; per cell as `labs.yolo_grid` lays them out.
        prediction: the same decoded: boxes (7, 7, B, 4), confidence (7, 7, B), classes (7, 7, 8) or (7, 7, B, 8).
        grid, predictors B, anchors (B, 2) or None: what `labs.yolo_grid` and `labs.yolo_loss` need to decode, detect or
            weigh `raw` again, all in pixels of the picture.
        masks, keypoints, keypoint_scores: None, this network has none.
        seconds: wall-clock time of the forward pass, decoding and NMS included. device: where it ran.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    raw: Tensor
    prediction: Prediction
    grid: Grid
    predictors: int
    anchors: Tensor | None
    seconds: float
    device: str
    masks: None = None
    keypoints: None = None
    keypoint_scores: None = None


class Yolo(nn.Module):
    """Float images (N, 3, 224, 224) in 0 to 1 to raw outputs (N, 7, 7, channels); other multiples of 32 give other S.

    Args:
        layout: "cell" or "anchor", see `labs.yolo_grid`.
        boxes: B, the predictors of a cell.
        anchors: (B, 2) width and height in pixels at 224, for the layout "anchor"; weights bring their own.
    """

    anchors: Tensor | None

    def __init__(self, layout: str, boxes: int = 3, anchors: Tensor | None = None):
        super().__init__()
        numbers = yolo_grid.channels(layout, boxes, len(THINGS))
        if layout == "anchor" and anchors is None:
            anchors = torch.full((boxes, 2), SIZE / 4)
        self.layout, self.predictors = layout, boxes
        self.register_buffer("anchors", anchors if layout == "anchor" else None)
        self.encoder = Encoder()
        deepest = WIDTHS[3]
        self.passthrough = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * deepest, PASSED, 1, bias=False))
        self.meet = block(deepest + PASSED, deepest + PASSED)
        self.fold = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * (deepest + PASSED), FEATURES, 1, bias=False),
            nn.BatchNorm2d(FEATURES),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Sequential(Residual(FEATURES, 1), Residual(FEATURES, 1))
        self.predict = nn.Conv2d(FEATURES, numbers, 1)
        nn.init.normal_(self.predict.weight, std=0.01)
        bias = self.predict.bias
        assert bias is not None, "A convolution has a bias unless told otherwise."
        nn.init.zeros_(bias)
        every = 5 if layout == "cell" else 5 + len(THINGS)
        nn.init.constant_(bias[4 : every * boxes : every], SHY)

    def forward(self, images: Tensor) -> Tensor:
        deepest, skips, _ = self.encoder(normalised(images))
        x = self.meet(torch.cat([deepest, self.passthrough(skips[3])], dim=1))
        return self.predict(self.head(self.fold(x))).permute(0, 2, 3, 1)


class LoadedYolo(LoadedNetwork):
    """A YOLO network with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: Yolo, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(
        self, image: np.ndarray, threshold: float = SCORE_THRESHOLD, overlap: float = NMS_OVERLAP
    ) -> YoloDetection:
        """Detect things in a uint8 RGB picture (H, W, 3) of any size, which the network sees at 224x224."""
        grid, anchors = self.grid_of(image), self.anchors_of(image)
        small = image
        if image.shape[:2] != (SIZE, SIZE):
            small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(np.array(small)).to(self.device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            start = perf_counter()
            raw = self.module(x)[0].float().cpu()  # waits for the device
            prediction = yolo_grid.decode(raw, grid, self.module.predictors, anchors)
            boxes, labels, scores = yolo_grid.detect(prediction, grid, threshold, overlap)
            seconds = perf_counter() - start
        return YoloDetection(
            boxes, labels, scores, raw, prediction, grid, self.module.predictors, anchors, seconds, self.device
        )

    def losses(self, image: np.ndarray, instances: Sequence[Instance]) -> GridLoss:
        """The loss of this picture for the given truth, per term and cell (1, 7, 7), with the paper's λ."""
        found = self(image)
        target = target_of(instances, found.grid, found.anchors)
        return yolo_loss.loss(found.raw[None], [target], found.grid, found.predictors, found.anchors)

    def grid_of(self, image: np.ndarray) -> Grid:
        """The network's grid over a picture (H, W, 3)."""
        return Grid(CELLS, *image.shape[:2])

    def anchors_of(self, image: np.ndarray) -> Tensor | None:
        """The network's anchors (B, 2) in pixels of a picture (H, W, 3); None in the layout "cell"."""
        if self.module.anchors is None:
            return None
        return self.module.anchors.float().cpu() * torch.tensor([image.shape[1] / SIZE, image.shape[0] / SIZE])


def target_of(instances: Sequence[Instance], grid: Grid, anchors: Tensor | None) -> Target:
    """What the grid should say for the truth of one picture."""
    boxes = torch.from_numpy(np.array([i.box for i in instances], np.float32).reshape(-1, 4))
    labels = torch.tensor([THINGS.index(i.label) + 1 for i in instances], dtype=torch.int64)
    return yolo_grid.encode(boxes, labels, grid, anchors)
