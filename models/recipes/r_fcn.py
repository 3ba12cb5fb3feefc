"""How R-FCN is trained, on the detector's frozen trunk and RPN, and judged: COCO's AP of boxes on held-out scenes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList

from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector
from models.networks.r_fcn import LoadedRfcn, build_r_fcn, pool_of
from models.recipes import held_out_boxes, training
from models.recipes.scene_cache import SIZE
from models.recipes.trunk_features import trunk_features

TASK = "detection"
NAMES = ("r-fcn",)
STARTS_FROM = "detector"
HELD_OUT = 500


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate, torchvision's two losses of a region summed. Trunk and RPN stay as the
    detector has them, so both find the same proposals, and only what becomes of a proposal differs."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 3000
    steps: int = 800
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.05


def build(name: str) -> FasterRCNN:
    """The network, freshly initialised."""
    return build_r_fcn()


def wrap(name: str, module: FasterRCNN, device: torch.device, card: dict) -> LoadedRfcn:
    """The network behind the interface that pages call."""
    return LoadedRfcn(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[FasterRCNN, dict]:
    """Train the score maps on the trunk of `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    data = trunk_features(start, recipe.scenes)
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.backbone.load_state_dict(start.module.backbone.state_dict())
    module.rpn.load_state_dict(start.module.rpn.state_dict())
    module.eval()
    proposed: dict[tuple[int, bool], Tensor] = {}  # the RPN stays, so a scene's proposals do

    def loss_at(step: int) -> Tensor:
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which proposals are sampled
        scenes, mirrors = picks(recipe, len(data), step)
        features = data.of(scenes, mirrors, device)
        proposals = _proposals(module, features, list(zip(scenes, mirrors, strict=True)), proposed)
        targets = [data.truth(scene, mirrored) for scene, mirrored in zip(scenes, mirrors, strict=True)]
        return region_loss(module, features, proposals, targets)

    settings = asdict(recipe)
    seconds = training.fit(
        pool_of(module), loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def picks(recipe: Recipe, count: int, step: int) -> tuple[list[int], list[bool]]:
    """Which of `count` scenes a step sees, and which of them mirrored: a function of the step alone."""
    rng = np.random.default_rng([recipe.seed, step])
    return rng.choice(count, recipe.batch, replace=False).tolist(), (rng.random(recipe.batch) < 0.5).tolist()


def region_loss(
    module: FasterRCNN, features: dict[str, Tensor], proposals: list[Tensor], targets: list[dict[str, Tensor]]
) -> Tensor:
    """Cross-entropy of the sampled regions' votes, and smooth L1 of the boxes of those with a thing."""
    heads = rcnn_taps.heads_of(module)
    device = next(iter(features.values())).device
    targets = [{key: value.to(device) for key, value in target.items()} for target in targets]
    with rcnn_taps.training_mode(heads):
        _, losses = heads(features, proposals, [(SIZE, SIZE)] * len(targets), targets)
    return sum((value.float() for value in losses.values()), torch.zeros((), device=device))


@torch.no_grad()
def _proposals(
    module: FasterRCNN, features: dict[str, Tensor], which: list[tuple[int, bool]], known: dict
) -> list[Tensor]:
    new = [row for row, scene in enumerate(which) if scene not in known]
    if new:
        levels = {name: maps[new] for name, maps in features.items()}
        pictures = ImageList(torch.empty(len(new), 3, SIZE, SIZE), [(SIZE, SIZE)] * len(new))  # for their size alone
        with torch.autocast(levels["P2"].device.type, enabled=False):  # boxes in half precision are a pixel off
            boxes, _ = rcnn_taps.proposer_of(module)(pictures, levels)
        known.update(zip((which[row] for row in new), boxes, strict=True))
    return [known[scene] for scene in which]


def evaluate(model: LoadedRfcn, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics of boxes by pycocotools, per class and per size, and `forward_ms_p50` at 224x224."""
    return held_out_boxes.evaluate(model, report, count)
