"""How RetinaNet is trained on the detector's frozen trunk, and judged: COCO's AP of boxes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.image_list import ImageList

from models.networks.detector import LoadedDetector
from models.networks.retinanet import OBJECTIVES, PYRAMID, LoadedRetinaNet, build_retinanet, match_of
from models.recipes import held_out_boxes, training
from models.recipes.scene_cache import SIZE
from models.recipes.trunk_features import TrunkFeatures, trunk_features

TASK = "one-stage detection"
NAMES = ("retinanet",)  # those without a focal loss: models/recipes/retinanet_compared.py
STARTS_FROM = "detector"  # whose trunk they stand on, and which never changes
HELD_OUT = 500


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate, first the head of the classes, then that of the boxes, which share nothing
    above a trunk that stays as it is. No augmentation but mirroring: the trunk's features are kept. Seed, start, scenes
    and their order are the same for all networks of `OBJECTIVES`."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 3000
    steps: int = 2000
    batch: int = 16
    box_steps: int = 9000
    box_batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    smallest_visible: float = 0.15  # of a thing; less than this of it is not asked for


def build(name: str) -> RetinaNet:
    """The network, freshly initialised."""
    return build_retinanet(OBJECTIVES[name])


def wrap(name: str, module: RetinaNet, device: torch.device, card: dict) -> LoadedRetinaNet:
    """The network behind the interface that pages call."""
    return LoadedRetinaNet(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[RetinaNet, dict]:
    """Train the heads on what the trunk of `start` says, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    features = seen_by(start, recipe)
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.backbone.load_state_dict(start.module.backbone.state_dict())

    def classes_at(step: int) -> Tensor:
        levels, targets = batch(features, recipe, step, recipe.batch, device)
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which negatives are drawn
        return class_loss(module, levels, targets)

    def boxes_at(step: int) -> Tensor:
        return box_loss(module, *batch(features, recipe, step, recipe.box_batch, device))

    settings = asdict(recipe) | {"objective": asdict(OBJECTIVES[name])}
    every, rate, decay = recipe.steps + recipe.box_steps, recipe.learning_rate, recipe.weight_decay
    seconds = training.fit(
        module.head.classification_head, classes_at, settings, recipe.steps, rate, decay, device, folder / "classes",
        lambda step, loss: report(step, every, loss),
    )  # fmt: skip
    seconds += training.fit(
        module.head.regression_head, boxes_at, settings, recipe.box_steps, rate, decay, device, folder / "boxes",
        lambda step, loss: report(recipe.steps + step, every, loss),
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def evaluate(model: LoadedRetinaNet, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics of boxes by pycocotools, per class and per size, and `forward_ms_p50` at 224x224."""
    return held_out_boxes.evaluate(model, report, count)


def seen_by(detector: LoadedDetector, recipe: Recipe) -> TrunkFeatures:
    """The kept features of the training scenes, of the levels that the heads look at."""
    kept = trunk_features(detector, recipe.scenes)
    return replace(kept, levels={name: kept.levels[name] for name in PYRAMID})


def batch(
    features: TrunkFeatures, recipe: Recipe, step: int, count: int, device: torch.device
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Per level features (count, 64, h, w) and per scene torchvision's target, of a step; some scenes mirrored.

    A function of the step alone, so that a resumed training sees what an unbroken one would have seen.
    """
    random = np.random.default_rng([recipe.seed, step])
    picks = random.choice(len(features), count, replace=False).tolist()
    mirrored = (random.random(count) < 0.5).tolist()
    levels = features.of(picks, mirrored, device)
    targets = [
        {key: value.to(device) for key, value in features.truth(*each, recipe.smallest_visible).items()}
        for each in zip(picks, mirrored, strict=True)
    ]
    return [levels[name] for name in PYRAMID], targets


def class_loss(module: RetinaNet, levels: list[Tensor], targets: list[dict[str, Tensor]]) -> Tensor:
    """torchvision's loss `classification`, of features instead of pictures."""
    head = module.head.classification_head
    return head.compute_loss(targets, {"cls_logits": head(levels).float()}, _matched(module, levels, targets)[1])


def box_loss(module: RetinaNet, levels: list[Tensor], targets: list[dict[str, Tensor]]) -> Tensor:
    """torchvision's loss `bbox_regression`, of features instead of pictures."""
    head = module.head.regression_head
    said = {"bbox_regression": head(levels).float()}
    return head.compute_loss(targets, said, *_matched(module, levels, targets))


def _matched(module: RetinaNet, levels: list[Tensor], targets: list) -> tuple[list[Tensor], list[Tensor]]:
    pictures = ImageList(levels[0].new_zeros(len(targets), 3, SIZE, SIZE), [(SIZE, SIZE)] * len(targets))
    anchors = module.anchor_generator(pictures, levels)
    return anchors, [match_of(module, each["boxes"], own) for each, own in zip(targets, anchors, strict=True)]
