"""How the two YOLO networks are trained, and what they are judged by: COCO's AP of boxes on held-out scenes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from labs import yolo_grid, yolo_loss
from labs.yolo_grid import Grid
from models.networks.segmenter import LoadedSegmenter
from models.networks.yolo import CELLS, SIZE, LoadedYolo, Yolo
from models.recipes import held_out_boxes, training
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, training_seeds

TASK = "grid detection"
NAMES = ("yolo-cell", "yolo-anchor")
PREDICTORS = {"yolo-cell": 3, "yolo-anchor": 5}  # 3 as in the course; 5 as in YOLOv2
STARTS_FROM = "segmenter-bilinear"  # the network that `train` is handed
HELD_OUT = 500
LOWEST_SCORE = 0.01  # for AP, which wants the doubtful ones as well


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate; pictures mirrored, moved, zoomed and lit at random. The trunk starts from
    the encoder of a trained segmenter, as others start from ImageNet."""

    seed: int = 0
    encoder: str = STARTS_FROM
    scenes: int = 6000
    steps: int = 1500
    batch: int = 16
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    lambda_coord: float = yolo_loss.LAMBDA_COORD
    lambda_noobj: float = yolo_loss.LAMBDA_NOOBJ
    moved: float = 0.5  # share of pictures that are zoomed and shifted
    zoom: float = 1.25  # at most
    smallest_visible: float = 0.15  # of a thing, and of its box after a move; less than this of it is not asked for


def build(name: str) -> Yolo:
    """The network, freshly initialised."""
    return Yolo(name.removeprefix("yolo-"), PREDICTORS[name])


def wrap(name: str, module: Yolo, device: torch.device, card: dict) -> LoadedYolo:
    """The network behind the interface that pages call."""
    return LoadedYolo(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedSegmenter
) -> tuple[Yolo, dict]:
    """Train from the encoder of `start`, or go on from the last checkpoint in `folder`, as segmenters are."""
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    torch.manual_seed(recipe.seed)
    module = build(name)
    module.encoder.load_state_dict(start.module.encoder.state_dict())
    if module.anchors is not None:
        module.anchors.copy_(anchors_of(data, recipe, module.predictors))
    grid, anchors = Grid(CELLS, SIZE, SIZE), None if module.anchors is None else module.anchors.clone()

    def loss_at(step: int) -> Tensor:
        images, boxes, labels = batch_at(data, recipe, step)
        targets = [yolo_grid.encode(*truth, grid, anchors) for truth in zip(boxes, labels, strict=True)]
        raw = module(images.to(device)).float()
        return yolo_loss.loss(
            raw, targets, grid, module.predictors, anchors, recipe.lambda_coord, recipe.lambda_noobj
        ).total

    seconds = training.fit(
        module, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": asdict(recipe) | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    if anchors is not None:
        facts["anchors"] = anchors.tolist()
    return module.eval(), facts


def evaluate(model: LoadedYolo, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's box metrics by pycocotools, per class and per size, and `forward_ms_p50` at 224x224, NMS included."""
    return held_out_boxes.evaluate(lambda image: model(image, threshold=LOWEST_SCORE), report, count)


def anchors_of(data: CachedScenes, recipe: Recipe, count: int) -> Tensor:
    """k-means shapes (count, 2) of the training boxes, in whole pixels at 224."""
    boxes = torch.cat([truth_of(records, recipe)[0] for records in data.records])
    return yolo_grid.anchor_shapes(boxes[:, 2:] - boxes[:, :2], count, recipe.seed).round()


def truth_of(records: list[InstanceRecord], recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Boxes (T, 4) and labels (T,) of what is visible enough to be asked for."""
    kept = [record for record in records if record.visible >= recipe.smallest_visible]
    boxes = np.array([record.box for record in kept], np.float32).reshape(-1, 4)
    return torch.from_numpy(boxes), torch.tensor([record.category for record in kept], dtype=torch.int64)


def batch_at(data: CachedScenes, recipe: Recipe, step: int) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Images (N, 3, 224, 224) in 0 to 1, and per picture boxes (T, 4) and labels (T,). A function of the step alone, so
    that a resumed training sees what an unbroken one would have seen."""
    random = np.random.default_rng([recipe.seed, step])
    images, boxes, labels = [], [], []
    for pick in random.choice(len(data), recipe.batch, replace=False):
        image, (box, label) = np.asarray(data.images[pick]), truth_of(data.records[pick], recipe)
        if random.random() < 0.5:
            image, box = mirrored(image, box)
        if random.random() < recipe.moved:
            zoom = random.uniform(1, recipe.zoom)
            image, box, kept = moved(image, box, zoom, random.uniform(-1, 1, 2), recipe.smallest_visible)
            label = label[kept]
        # in bytes and rounded: a tenth of the time that floats take
        images.append(cv2.convertScaleAbs(image, alpha=random.uniform(0.85, 1.1), beta=random.uniform(0, 20)))
        boxes.append(box)
        labels.append(label)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255, boxes, labels


def mirrored(image: np.ndarray, boxes: Tensor) -> tuple[np.ndarray, Tensor]:
    """The picture (H, W, 3) and its boxes (T, 4), left and right swapped."""
    width = image.shape[1]
    return image[:, ::-1], torch.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], dim=1)


def moved(
    image: np.ndarray, boxes: Tensor, zoom: float, shift: np.ndarray, smallest: float
) -> tuple[np.ndarray, Tensor, Tensor]:
    """A crop of the picture (H, W, 3), zoomed (>= 1) back to its size.

    Args:
        shift: (2,) in -1 to 1, where the crop lies: from left to right, from top to bottom.
        smallest: boxes of which less than this share is left are dropped.

    Returns:
        The picture, the boxes (K, 4) that are left, clipped, and bool (T,) which those are.
    """
    height, width = image.shape[:2]
    size = np.array([width, height], np.float32)
    corner = (1 - 1 / zoom) * (1 + np.asarray(shift, np.float32)) / 2 * size
    matrix = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]], np.float32)
    image = cv2.warpAffine(np.ascontiguousarray(image), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    whole = (boxes - torch.from_numpy(np.tile(corner, 2))) * zoom
    clipped = torch.minimum(whole.clamp(min=0), torch.from_numpy(np.tile(size, 2)))
    area = [(b[:, 2:] - b[:, :2]).clamp(min=0).prod(1) for b in (clipped, whole)]
    kept = area[0] >= smallest * area[1]
    return image, clipped[kept], kept
