"""How Faster R-CNN was first trained: RPN and detector in turns, in four steps, until they share one trunk.

Step 1 trains a trunk with an RPN. Step 2 trains another trunk with the heads, on the boxes of that RPN: Fast R-CNN.
Step 3 trains a new RPN on the trunk of step 2, which is frozen from here on, and step 4 goes on with the heads, on the
boxes of the new RPN. Source: Ren et al. 2015, section 3.2.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList

from models.networks import rcnn_taps
from models.recipes import milestones, narrow_detector, training
from models.recipes.narrow_detector import batch, build, evaluate, wrap
from models.recipes.scene_cache import cached_scenes, training_seeds

__all__ = ["NAMES", "STARTS_FROM", "TASK", "build", "evaluate", "train", "wrap"]

TASK = "detection"
NAMES = ("detector-alternating",)
STARTS_FROM = None
Losses = Callable[[FasterRCNN, list[Tensor], list[dict[str, Tensor]]], dict[str, Tensor]]
STEPS = ("RPN", "Fast R-CNN", "RPN on the frozen trunk", "heads on the frozen trunk")


@dataclass(frozen=True)
class Recipe(narrow_detector.Recipe):
    """That of `detector-narrow`, the same pictures in the same order from the same start, its steps shared by four.

    The learning rate goes up and down in each of them.
    """

    shares: tuple[int, int, int, int] = (600, 1300, 400, 700)


class OwnTrunk(nn.Module):
    """An RPN that stands on a trunk of its own, in the place of one that shares the detector's."""

    def __init__(self, trunk: nn.Module, proposer: nn.Module):
        super().__init__()
        self.trunk, self.proposer = trunk, proposer

    def forward(
        self, pictures: ImageList, features: dict[str, Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        return self.proposer(pictures, self.trunk(pictures.tensors), targets)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None
) -> tuple[FasterRCNN, dict]:
    """The four steps one after the other, or on from the last checkpoint in `folder`."""
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    settings, curve = asdict(recipe), milestones.Curve(folder)
    stages: list[dict] = []

    def stage(module: FasterRCNN, part: nn.Module, losses: Losses, measured: tuple = (), detects: bool = True) -> None:
        """Train the part, everything else at rest, and measure the whole on the way."""
        number, done, steps = len(stages) + 1, sum(stage["steps"] for stage in stages), recipe.shares[len(stages)]

        def mark(step: int) -> None:
            curve.mark(step, number, module, device, measured or (*milestones.RPN, *milestones.HEADS), detects)

        def loss_at(step: int) -> Tensor:
            torch.manual_seed(recipe.seed * 1_000_003 + done + step)  # which anchors and proposals are sampled
            images, targets, _ = batch(data, recipe, done + step, device)
            return torch.stack([value.float() for value in losses(module, images, targets).values()]).sum()

        def told(step: int, loss: float) -> None:
            if (done + step) % milestones.EVERY == 0 or step == steps:
                mark(done + step)
            report(done + step, recipe.steps, loss)

        module.to(device).eval()
        if not curve.marked(done, number):
            mark(done)
        before = curve.seconds
        seconds = training.fit(
            part, loss_at, settings, steps, recipe.learning_rate, recipe.weight_decay, device,
            folder / f"step-{number}", told, largest_gradient=10.0,
        )  # fmt: skip
        spent = round(seconds - (curve.seconds - before))
        stages.append({"name": STEPS[number - 1], "steps": steps, "training_seconds": spent})

    first, module = fresh(recipe), fresh(recipe)
    stage(first, nn.ModuleList([first.backbone, first.rpn]), rpn_losses, milestones.RPN, False)
    module.rpn = OwnTrunk(first.backbone, first.rpn)
    stage(module, nn.ModuleList([module.backbone, module.roi_heads]), head_losses)
    module.rpn = fresh(recipe).rpn
    module.backbone.requires_grad_(False)
    stage(module, module.rpn, rpn_losses)
    stage(module, module.roi_heads, head_losses)
    facts = {
        "recipe": settings | {"precision": training.precision(device)},
        "training_seconds": sum(stage["training_seconds"] for stage in stages),
        "stages": stages,
        "curve": curve.points,
    }
    return module.requires_grad_(True).eval(), facts


def fresh(recipe: Recipe) -> FasterRCNN:
    """The random start: every call gives the same numbers, those that `detector-narrow` began with."""
    torch.manual_seed(recipe.seed)
    return build(NAMES[0])


def rpn_losses(module: FasterRCNN, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The RPN's two losses of a batch; the heads are not run."""
    pictures, truth = rcnn_taps.transform_of(module)(images, targets)
    return rcnn_taps.proposer_of(module)(pictures, module.backbone(pictures.tensors), truth)[1]


def head_losses(module: FasterRCNN, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The heads' two losses of a batch, on the boxes of an RPN that learns nothing from them."""
    pictures, truth = rcnn_taps.transform_of(module)(images, targets)
    features = module.backbone(pictures.tensors)
    with torch.no_grad():
        proposals, _ = rcnn_taps.proposer_of(module)(pictures, features)
    return rcnn_taps.heads_of(module)(features, proposals, pictures.image_sizes, truth)[1]
