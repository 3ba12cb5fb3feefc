"""How mask heads are trained on the detector's frozen trunk and boxes, and judged: COCO's AP of masks.

Both heads see the same regions of the same pictures in the same order, from the same start; only the loss differs.
"""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList

from labs import region_masks
from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector
from models.networks.mask_heads import LENT, SIGMOID, SOFTMAX, build_with_masks, mask_layers, mask_logits
from models.recipes import coco_metrics, training
from models.recipes.scene_cache import SIZE, CachedScenes, cached_scenes, held_out_seeds, training_seeds
from models.recipes.trunk_features import RENDERED, TrunkFeatures, trunk_features

TASK = "masks of regions"
NAMES = (SOFTMAX, SIGMOID)
STARTS_FROM = "detector"
HELD_OUT = 500
SMALLEST_VISIBLE = 0.15
LOSSES = {SIGMOID: region_masks.sigmoid_losses, SOFTMAX: region_masks.softmax_losses}


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate, the mean loss of all cells. Regions are the RPN's proposals with an IoU of
    at least 0.5 with a thing, and the true boxes, so many of a scene at most."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 3000
    steps: int = 600
    batch: int = 6
    regions: int = 10  # of a scene
    learning_rate: float = 2e-3
    weight_decay: float = 0.05


def build(name: str) -> FasterRCNN:
    """The network, freshly initialised."""
    return build_with_masks(name)


def wrap(name: str, module: FasterRCNN, device: torch.device, card: dict) -> LoadedDetector:
    """The network behind the interface that pages call."""
    return LoadedDetector(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[FasterRCNN, dict]:
    """Train the mask head on the trunk of `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    seen = trunk_features(start, recipe.scenes)
    scenes = cached_scenes(training_seeds(RENDERED))
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    for part in LENT:
        module.get_submodule(part).load_state_dict(start.module.get_submodule(part).state_dict())
    module.eval()
    heads = rcnn_taps.heads_of(module)
    proposed: dict[tuple[int, bool], Tensor] = {}  # the RPN stays, so a scene's proposals do

    def loss_at(step: int) -> Tensor:
        picked, mirrors = picks(recipe, step)
        features = seen.of(picked, mirrors, device)
        proposals = _proposals(module, features, list(zip(picked, mirrors, strict=True)), proposed)
        truths = [truth(seen, scenes, scene, mirrored) for scene, mirrored in zip(picked, mirrors, strict=True)]
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which regions are asked
        boxes, labels, wanted = regions(module, proposals, truths, recipe.regions)
        pooled = _pool(heads)(features, [each.to(device) for each in boxes], [(SIZE, SIZE)] * len(boxes))
        logits = mask_logits(module, pooled).float()
        return LOSSES[name](logits, labels.to(device), wanted.to(device)).mean() if len(labels) else logits.sum() * 0

    settings = asdict(recipe) | {"loss": LOSSES[name].__name__}
    learned = nn.ModuleList(mask_layers(module))
    seconds = training.fit(
        learned, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def picks(recipe: Recipe, step: int) -> tuple[list[int], list[bool]]:
    """The scenes of a step, and which of them are mirrored: a function of the step alone."""
    rng = np.random.default_rng([recipe.seed, step])
    scenes = rng.choice(recipe.scenes, recipe.batch, replace=False).tolist()
    return scenes, (rng.random(recipe.batch) < 0.5).tolist()


def truth(seen: TrunkFeatures, scenes: CachedScenes, scene: int, mirrored: bool) -> dict[str, Tensor]:
    """Boxes (T, 4), labels (T,) and masks (T, 224, 224) of 0 and 1 of the things that are asked for."""
    ids = torch.tensor([each.id for each in seen.records[scene] if each.visible >= SMALLEST_VISIBLE])
    panoptic = torch.from_numpy(np.asarray(scenes.panoptic[scene]).astype(np.int64))
    masks = (panoptic == ids.reshape(-1, 1, 1)).float()
    return seen.truth(scene, mirrored, SMALLEST_VISIBLE) | {"masks": masks.flip(-1) if mirrored else masks}


def regions(
    module: FasterRCNN, proposals: list[Tensor], truths: list[dict[str, Tensor]], most: int
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Boxes (R, 4) of each scene that hold a thing, `most` of them at random, and of all scenes together the labels
    (R,) and the targets (R, 28, 28)."""
    heads = rcnn_taps.heads_of(module)
    boxes, labels, wanted = [], [], []
    for proposed, target in zip(proposals, truths, strict=True):
        every = torch.cat([target["boxes"], proposed])  # a true box is a proposal too
        (matched,), (found,) = heads.assign_targets_to_proposals([every], [target["boxes"]], [target["labels"]])
        positive = torch.where(found > 0)[0]
        kept = positive[torch.randperm(len(positive))[:most]]
        boxes.append(every[kept])
        labels.append(found[kept])
        wanted.append(region_masks.targets(target["masks"][matched[kept]], every[kept]) if len(kept) else
                      torch.zeros(0, region_masks.SIZE, region_masks.SIZE))  # fmt: skip
    return boxes, torch.cat(labels), torch.cat(wanted)


def _pool(heads: nn.Module) -> nn.Module:
    assert isinstance(heads.mask_roi_pool, nn.Module)
    return heads.mask_roi_pool


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
        known.update(zip((which[row] for row in new), (each.cpu() for each in boxes), strict=True))
    return [known[scene] for scene in which]


def evaluate(model: LoadedDetector, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics of masks by pycocotools, also per size, AP of the boxes that they lie in, and `forward_ms_p50` at
    224x224, masks included."""
    data = cached_scenes(held_out_seeds(count))
    judge = coco_metrics.Judge()
    milliseconds = []
    for index in range(count):
        found = model(np.asarray(data.images[index]))
        judge.add(found, np.asarray(data.panoptic[index]), data.records[index])
        milliseconds.append(found.seconds * 1000)
        report(index + 1, count)
    boxes = judge.metrics()["box_ap"]
    return judge.mask_metrics() | {
        "box_ap": boxes, "forward_ms_p50": round(statistics.median(milliseconds), 1), "scenes": count,
    }  # fmt: skip
