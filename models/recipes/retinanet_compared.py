"""How the RetinaNets without a focal loss are trained: all as `retinanet`, but for how the classes are asked for.

The two heads share nothing above a trunk that stays as it is, so the same recipe would give them the same boxes again:
trunk and box head are `retinanet`'s, and only the head of the classes learns, from the same start on the same pictures.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import torch
from torch import Tensor
from torchvision.models.detection import RetinaNet

from models.networks.detector import LoadedDetector, Trunk
from models.networks.retinanet import OBJECTIVES, LoadedRetinaNet
from models.recipes import retinanet, training
from models.recipes.retinanet import Recipe, batch, build, class_loss, evaluate, seen_by, wrap

__all__ = ["NAMES", "STARTS_FROM", "TASK", "build", "evaluate", "train", "wrap"]

TASK = retinanet.TASK
NAMES = tuple(name for name in OBJECTIVES if name not in retinanet.NAMES)
STARTS_FROM = retinanet.NAMES[0]


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedRetinaNet
) -> tuple[RetinaNet, dict]:
    """Train the head of the classes, or go on from the last checkpoint in `folder`; all else is that of `start`."""
    recipe = Recipe()
    features = seen_by(lender_of(start), recipe)
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.backbone.load_state_dict(start.module.backbone.state_dict())
    module.head.regression_head.load_state_dict(start.module.head.regression_head.state_dict())

    def loss_at(step: int) -> Tensor:
        levels, targets = batch(features, recipe, step, recipe.batch, device)
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which negatives are drawn
        return class_loss(module, levels, targets)

    settings = asdict(recipe) | {"objective": asdict(OBJECTIVES[name])}
    seconds = training.fit(
        module.head.classification_head, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay,
        device, folder, lambda step, loss: report(step, recipe.steps, loss),
    )  # fmt: skip
    facts = {
        "recipe": settings | {"precision": training.precision(device)},
        "box_head_of": start.name,
        "training_seconds": round(seconds),
    }
    return module.eval(), facts


def lender_of(network: LoadedRetinaNet) -> LoadedDetector:
    """As much of the detector whose trunk this network stands on as `trunk_features` asks for."""
    trunk = Trunk().eval()
    trunk.load_state_dict(network.module.backbone.state_dict())
    lender = SimpleNamespace(
        module=SimpleNamespace(backbone=trunk.to(network.device)),
        card={"sha256": network.card["trunk"]["sha256"]},
        device=network.device,
    )
    return cast(LoadedDetector, lender)
