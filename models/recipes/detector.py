"""How the detector is trained, and what it is judged by: COCO's AP of boxes, masks and keypoints on held-out scenes."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from models.networks.detector import LoadedDetector, Trunk, build_detector
from models.networks.segmenter import LoadedSegmenter
from models.recipes import coco_metrics, training
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, held_out_seeds, training_seeds
from scenes import JOINTS

TASK = "detection"
NAMES = ("detector",)
STARTS_FROM = "segmenter-bilinear"  # the network that `train` is handed
HELD_OUT = 500
# Joints come in pairs of left and right, then neck and head top.
MIRRORED_JOINTS = [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 12, 13]


@dataclass(frozen=True)
class Recipe:
    """AdamW, whole pictures and their mirrors, torchvision's own losses summed. The trunk starts from the encoder of a
    trained segmenter, as others start from ImageNet.

    The learning rate goes up and down several times (warm restarts: Loshchilov and Hutter 2017). After the first
    cycle, of 2.7 rounds through the scenes, nearly all is found (AP50 .993); the others bring boxes, masks and joints
    closer to the pixel."""

    seed: int = 0
    encoder: str = STARTS_FROM
    scenes: int = 6000
    cycles: tuple[tuple[int, float], ...] = ((2000, 1.5e-3), (1800, 1e-3), (1500, 8e-4))  # steps, learning rate
    batch: int = 8
    weight_decay: float = 0.05
    smallest_visible: float = 0.15  # of a thing; less than this of it is not asked for


def build(name: str) -> FasterRCNN:
    """The network, freshly initialised."""
    return build_detector()


def wrap(name: str, module: FasterRCNN, device: torch.device, card: dict) -> LoadedDetector:
    """The network behind the interface that pages call."""
    return LoadedDetector(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedSegmenter
) -> tuple[FasterRCNN, dict]:
    """Train from the encoder of `start`, or go on from the last checkpoint in `folder`; see `segmenter.train`."""
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    torch.manual_seed(recipe.seed)
    module = build(name)
    trunk = module.backbone
    assert isinstance(trunk, Trunk), "The detector is built around one."
    trunk.encoder.load_state_dict(start.module.encoder.state_dict())

    def loss_at(step: int) -> Tensor:
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which anchors and proposals are sampled
        batch, targets = _batch(data, recipe, step)
        targets = [{key: value.to(device) for key, value in target.items()} for target in targets]
        losses = module([image.to(device) for image in batch], targets)
        return sum(value.float() for value in losses.values())

    settings, total, done, seconds = asdict(recipe), sum(steps for steps, _ in recipe.cycles), 0, 0.0
    for number, (steps, learning_rate) in enumerate(recipe.cycles):
        seconds += training.fit(
            module, lambda step, done=done: loss_at(done + step), settings, steps, learning_rate, recipe.weight_decay,
            device, folder / f"cycle-{number}", lambda step, loss, done=done: report(done + step, total, loss),
            largest_gradient=10.0,
        )  # fmt: skip
        done += steps
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def evaluate(model: LoadedDetector, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics by pycocotools, per class and per size, and `forward_ms_p50` of the box head alone at 224x224."""
    data = cached_scenes(held_out_seeds(count))
    judge = coco_metrics.Judge()
    milliseconds = []
    for index in range(count):
        image = np.asarray(data.images[index])
        judge.add(model(image), np.asarray(data.panoptic[index]), data.records[index])
        milliseconds.append(model(image, masks=False, keypoints=False).seconds * 1000)
        report(index + 1, count)
    return judge.metrics() | {"forward_ms_p50": round(statistics.median(milliseconds), 1), "scenes": count}


def _batch(data: CachedScenes, recipe: Recipe, step: int) -> tuple[list, list]:
    # A function of the step alone, so that a resumed training sees what an unbroken one would have seen.
    rng = np.random.default_rng([recipe.seed, step])
    batch, targets = [], []
    for pick in rng.choice(len(data), recipe.batch, replace=False):
        image, ids = np.asarray(data.images[pick]), np.asarray(data.panoptic[pick])
        kept = [record for record in data.records[pick] if record.visible >= recipe.smallest_visible]
        target = target_of(kept, ids)
        if rng.random() < 0.5:
            image, target = np.ascontiguousarray(image[:, ::-1]), mirrored(target, image.shape[1])
        batch.append(torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255)
        targets.append(target)
    return batch, targets


def target_of(records: list[InstanceRecord], panoptic: np.ndarray) -> dict[str, Tensor]:
    """torchvision's target dictionary: boxes (T, 4), labels (T,), masks (T, H, W), keypoints (T, 14, 3)."""
    masks = np.array([panoptic == record.id for record in records], np.uint8).reshape(-1, *panoptic.shape)
    keypoints = np.array([record.keypoints for record in records], np.float32).reshape(-1, len(JOINTS), 3)
    return {
        "boxes": torch.from_numpy(np.array([record.box for record in records], np.float32).reshape(-1, 4)),
        "labels": torch.tensor([record.category for record in records], dtype=torch.int64),
        "masks": torch.from_numpy(masks),
        "keypoints": torch.from_numpy(keypoints),
    }


def mirrored(target: dict[str, Tensor], width: int) -> dict[str, Tensor]:
    """The target of the mirrored picture: in a mirror the left hand becomes the right one."""
    boxes, keypoints = target["boxes"].clone(), target["keypoints"][:, MIRRORED_JOINTS].clone()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    keypoints[..., 0] = width - keypoints[..., 0]
    return {"boxes": boxes, "labels": target["labels"], "masks": target["masks"].flip(-1), "keypoints": keypoints}
