"""How Fast R-CNN is trained end to end on the boxes of selective search, and judged: COCO's AP on held-out scenes."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.networks.fast_rcnn import FastRCNN, LoadedFastRCNN
from models.recipes import coco_metrics, narrow_detector, training
from models.recipes.regions import MODE, regions
from models.recipes.scene_cache import SIZE, CachedScenes, cached_scenes, held_out_seeds, training_seeds

TASK = "detection"
NAMES = ("fast-rcnn",)
STARTS_FROM = None
HELD_OUT = 500


@dataclass(frozen=True)
class Recipe(narrow_detector.Recipe):
    """As the narrow detector, from a random start, with two losses: class and box of regions of selective search.
    Fewer pictures a step and more steps, as there are no anchors to learn from.

    Of each picture 96 regions are drawn, a quarter of them with an IoU of 0.5 or more with a truth, as far as there are
    any; the truths are among the regions, as in Girshick's own code. Selective search has looked at the first
    `searched` of the scenes.
    """

    steps: int = 2300
    batch: int = 4
    learning_rate: float = 1.5e-3
    searched: int = 2000
    mode: str = MODE


def build(name: str) -> FastRCNN:
    """The network, freshly initialised."""
    return FastRCNN()


def wrap(name: str, module: FastRCNN, device: torch.device, card: dict) -> LoadedFastRCNN:
    """The network behind the interface that pages call."""
    return LoadedFastRCNN(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None
) -> tuple[FastRCNN, dict]:
    """Train trunk and head together, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    seeds, first = training_seeds(recipe.scenes), slice(recipe.searched)
    data = cached_scenes(seeds)
    found = regions(data, seeds, recipe.searched)
    data = CachedScenes(data.images[first], data.semantic[first], data.panoptic[first], data.records[first])
    torch.manual_seed(recipe.seed)
    module = build(name)

    def loss_at(step: int) -> Tensor:
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which regions are sampled
        images, boxes, targets = batch(data, found, recipe, step, device)
        return sum(value.float() for value in module(images, boxes, targets).values())

    settings = asdict(recipe)
    seconds = training.fit(
        module, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def evaluate(model: LoadedFastRCNN, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict[str, Any]:
    """COCO's metrics of boxes by pycocotools, on the boxes of selective search; the mean number of those; and the
    median milliseconds of the network at 224x224 without them, `forward_ms_p50`: of the trunk, which sees the picture
    once, and of the heads, which see every region."""
    seeds = held_out_seeds(count)
    data = cached_scenes(seeds)
    found = regions(data, seeds)
    judge, trunk, heads = coco_metrics.Judge(), [], []
    for index in range(count):
        said = model(np.asarray(data.images[index]), found[index])
        judge.add(said, np.asarray(data.panoptic[index]), data.records[index])
        trunk.append(said.trunk_seconds * 1000)
        heads.append(said.head_seconds * 1000)
        report(index + 1, count)
    return judge.metrics() | {
        "forward_ms_p50": round(statistics.median(map(sum, zip(trunk, heads, strict=True))), 1),
        "trunk_ms_p50": round(statistics.median(trunk), 1),
        "heads_ms_p50": round(statistics.median(heads), 1),
        "regions": round(statistics.mean(map(len, found))),
        "scenes": count,
    }


def batch(
    data: CachedScenes, found: list[np.ndarray], recipe: Recipe, step: int, device: torch.device
) -> tuple[list[Tensor], list[Tensor], list[dict[str, Tensor]]]:
    """Pictures (3, 224, 224) in 0 to 1, their regions (R, 4) and torchvision's targets of a step; see
    `narrow_detector.batch`."""
    images, targets, which = narrow_detector.batch(data, recipe, step, device)
    boxes = []
    for pick, mirrored in which:
        each = torch.from_numpy(found[pick])
        if mirrored:
            each = torch.stack([SIZE - each[:, 2], each[:, 1], SIZE - each[:, 0], each[:, 3]], 1)
        boxes.append(each.to(device))
    return images, boxes, targets
