"""How SSD is trained on the detector's frozen trunk, and judged: COCO's AP of boxes on held-out scenes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.ssd import SSD

from models.networks.detector import LoadedDetector, Trunk
from models.networks.narrow_detector import NarrowTrunk
from models.networks.ssd import LoadedSsd, build_ssd, defaults_of, losses_of, maps_of, numbers_of
from models.recipes import held_out_boxes, training
from models.recipes.trunk_features import TrunkFeatures, trunk_features

TASK = "one-stage detection"
NAMES = ("ssd",)
STARTS_FROM = "detector"  # its trunk, which stays as it is
TRUNKS = {"ssd": Trunk, "ssd-narrow": NarrowTrunk}
HELD_OUT = 500
LOWEST_SCORE = 0.01  # for AP, which wants the doubtful ones as well


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate, on the trunk's features of scenes and their mirror images."""

    seed: int = 0
    scenes: int = 3000
    steps: int = 1100
    batch: int = 12
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    negatives: float = 3.0  # kept for each positive


def build(name: str) -> SSD:
    """The network, freshly initialised."""
    return build_ssd(TRUNKS[name]())


def wrap(name: str, module: SSD, device: torch.device, card: dict) -> LoadedSsd:
    """The network behind the interface that pages call."""
    return LoadedSsd(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[SSD, dict]:
    """Train what stands on the trunk of `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    features = trunk_features(start, recipe.scenes)
    torch.manual_seed(recipe.seed)
    module = build(name)
    maps_of(module).trunk.load_state_dict(start.module.backbone.state_dict())
    defaults = defaults_of().boxes.to(device)

    def loss_at(step: int) -> Tensor:
        scenes, mirrored = picks_at(recipe, step)
        logits, transforms = numbers_of(module, features.of(scenes, mirrored, device))
        return batch_loss(logits.float(), transforms.float(), defaults, features, scenes, mirrored, recipe.negatives)

    seconds = training.fit(
        module, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": asdict(recipe) | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def evaluate(model: LoadedSsd, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's box metrics by pycocotools, per class and per size, and `forward_ms_p50` at 224x224, NMS included."""
    return held_out_boxes.evaluate(lambda image: model(image, threshold=LOWEST_SCORE), report, count)


def picks_at(recipe: Recipe, step: int) -> tuple[list[int], list[bool]]:
    """The scenes of a step, and which of them are mirrored; a function of the step alone."""
    random = np.random.default_rng([recipe.seed, step])
    scenes = random.choice(recipe.scenes, recipe.batch, replace=False)
    return scenes.tolist(), (random.random(recipe.batch) < 0.5).tolist()


def batch_loss(
    logits: Tensor, transforms: Tensor, defaults: Tensor, features: TrunkFeatures,
    scenes: list[int], mirrored: list[bool], ratio: float,
) -> Tensor:  # fmt: skip
    """The loss of a batch: what all its boxes pay over all its positives, as in torchvision."""
    paid, positives = logits.new_zeros(()), 0
    for row, (scene, flipped) in enumerate(zip(scenes, mirrored, strict=True)):
        truth = {key: value.to(logits.device) for key, value in features.truth(scene, flipped).items()}
        loss = losses_of(logits[row], transforms[row], defaults, truth["boxes"], truth["labels"], ratio)
        paid, positives = paid + loss.counted.sum(), positives + int(loss.positive.sum())
    return paid / max(positives, 1)
