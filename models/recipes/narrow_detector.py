"""How the narrow detectors are trained from nothing, and judged: COCO's AP of boxes on held-out scenes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from models.networks.detector import LoadedDetector
from models.networks.narrow_detector import build_narrow_detector
from models.recipes import held_out_boxes, milestones, training
from models.recipes.scene_cache import SIZE, CachedScenes, cached_scenes, training_seeds

TASK = "detection"
NAMES = ("detector-narrow",)
STARTS_FROM = None
HELD_OUT = 500


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate from a random start, whole pictures and their mirrors."""

    seed: int = 0
    scenes: int = 6000
    steps: int = 3000
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    smallest_visible: float = 0.15  # of a thing; less than this of it is not asked for


def build(name: str) -> FasterRCNN:
    """The network, freshly initialised."""
    return build_narrow_detector()


def wrap(name: str, module: FasterRCNN, device: torch.device, card: dict) -> LoadedDetector:
    """The network behind the interface that pages call."""
    return LoadedDetector(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None
) -> tuple[FasterRCNN, dict]:
    """Train RPN and head together, all four losses summed, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    torch.manual_seed(recipe.seed)
    module = build(name)

    def loss_at(step: int) -> Tensor:
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which anchors and proposals are sampled
        images, targets, _ = batch(data, recipe, step, device)
        return sum(value.float() for value in module(images, targets).values())

    def told(step: int, loss: float) -> None:
        if step % milestones.EVERY == 0:
            curve.mark(step, 1, module, device)
        report(step, recipe.steps, loss)

    settings, curve = asdict(recipe), milestones.Curve(folder)
    if not curve.marked(0, 1):
        curve.mark(0, 1, module.to(device), device)
    before = curve.seconds
    seconds = training.fit(
        module, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder, told,
        largest_gradient=10.0,
    )  # fmt: skip
    facts = {
        "recipe": settings | {"precision": training.precision(device)},
        "training_seconds": round(seconds - (curve.seconds - before)),
        "curve": curve.points,
    }
    return module.eval(), facts


def evaluate(model: LoadedDetector, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics of boxes by pycocotools, per class and per size, and `forward_ms_p50` at 224x224."""
    return held_out_boxes.evaluate(model, report, count)


def batch(
    data: CachedScenes, recipe: Recipe, step: int, device: torch.device
) -> tuple[list[Tensor], list[dict[str, Tensor]], list[tuple[int, bool]]]:
    """Pictures (3, 224, 224) in 0 to 1 and torchvision's targets of a step, and which scenes they are, mirrored or not.

    A function of the step alone, so that a resumed training sees what an unbroken one would have seen.
    """
    rng = np.random.default_rng([recipe.seed, step])
    images, targets, which = [], [], []
    for pick in rng.choice(len(data), recipe.batch, replace=False):
        image, mirrored = np.asarray(data.images[pick]), bool(rng.random() < 0.5)
        kept = [record for record in data.records[pick] if record.visible >= recipe.smallest_visible]
        boxes = torch.tensor([record.box for record in kept], dtype=torch.float32).reshape(-1, 4)
        if mirrored:
            image = image[:, ::-1]
            boxes[:, [0, 2]] = SIZE - boxes[:, [2, 0]]
        labels = torch.tensor([record.category for record in kept], dtype=torch.int64)
        images.append(torch.from_numpy(image.copy()).to(device).permute(2, 0, 1).float() / 255)
        targets.append({"boxes": boxes.to(device), "labels": labels.to(device)})
        which.append((int(pick), mirrored))
    return images, targets, which
