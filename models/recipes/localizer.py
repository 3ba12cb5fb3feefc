"""How the localizers learn class and box of one thing: heads apart on a frozen trunk, or all together."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import boxes, localization
from models.networks.classifier import LoadedClassifier
from models.networks.localizer import LoadedLocalizer, Localizer
from models.recipes import training
from models.recipes.classifier import SINGLE, SINGLE_HELD_OUT, SINGLE_TRAINING
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, training_seeds
from scenes import THINGS

TASK = "localization"
JOINT, APART = NAMES = ("localizer-joint", "localizer-apart")
STARTS_FROM = "classifier-gap-28"
HELD_OUT = 500
RIGHT = 0.5  # IoU from which a box of the right class counts as right


@dataclass(frozen=True)
class Recipe:
    """AdamW with one-cycle learning rates, and the multitask loss of S, cross-entropy, and R, 1 - GIoU plus L1.

    Both networks take the trunk of `classifier-gap-28`, which has learned names and never a box, and see the same
    pictures in the same order. For `apart_steps` only the heads learn, each from its own loss: they share nothing that
    moves, so this is the same as learning one after the other. Then `localizer-joint` learns as a whole for `steps`;
    `localizer-apart` goes on with its heads alone.

    Pictures are scenes with one thing and, for a share `windows`, windows of crowded scenes with one whole thing in
    them, at least `smallest_window` pixels wide. All are mirrored half of the time and brightened or darkened; scenes
    with one thing are scaled and shifted where the thing does not touch the border.
    """

    seed: int = 0
    scenes: int = 6000
    single_scenes: int = 3000
    batch: int = 32
    apart_steps: int = 80
    apart_learning_rate: float = 3e-3
    steps: int = 800
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    alpha: float = 0.4
    windows: float = 0.4
    smallest_window: int = 140
    scale: float = 1.3
    shift: float = 40.0  # pixels, to either side
    brightness: float = 0.2


def build(name: str) -> Localizer:
    """The network, freshly initialised; both have the same layers."""
    return Localizer()


def wrap(name: str, module: Localizer, device: torch.device, card: dict) -> LoadedLocalizer:
    """The network behind the interface that pages call."""
    return LoadedLocalizer(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedClassifier
) -> tuple[Localizer, dict]:
    """Train on the trunk of `start`, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    data = [
        cached_scenes(range(SINGLE_TRAINING, SINGLE_TRAINING + recipe.single_scenes), knobs=SINGLE),
        cached_scenes(training_seeds(recipe.scenes)),
    ]
    torch.manual_seed(recipe.seed)
    net = build(name)
    net.trunk.load_state_dict(start.module.trunk.state_dict())
    net.to(device).eval()
    total = recipe.apart_steps + recipe.steps
    apart = total if name == APART else recipe.apart_steps

    def loss_at(step: int, frozen: bool) -> Tensor:
        images, labels, numbers = batch(data, recipe, step)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        with torch.set_grad_enabled(not frozen):
            maps = net.maps(images)
        return loss(*net.heads(maps), labels.to(device), numbers.to(device), 0.5 if frozen else recipe.alpha)

    def learn(part: nn.Module, first: int, steps: int, learning_rate: float, where: Path) -> float:
        return training.fit(
            part, lambda step: loss_at(first + step, part is net.heads), asdict(recipe), steps, learning_rate,
            recipe.weight_decay, device, where, lambda step, value: report(first + step, total, value),
        )  # fmt: skip

    seconds = learn(net.heads, 0, apart, recipe.apart_learning_rate, folder)
    if name == JOINT:
        seconds += learn(net, apart, recipe.steps, recipe.learning_rate, folder / "together")
    facts = asdict(recipe) | {"starts_from": STARTS_FROM, "precision": training.precision(device)}
    return net.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def loss(scores: Tensor, guess: Tensor, labels: Tensor, numbers: Tensor, alpha: float) -> Tensor:
    """Mean of alpha S + (1 - alpha) R over a batch, with R = 1 - GIoU + L1."""
    guess = guess.float()
    regression = localization.giou_loss(guess, numbers) + localization.l1_loss(guess, numbers)
    return localization.multitask_loss(localization.class_loss(scores.float(), labels), regression, alpha).mean()


def batch(data: list[CachedScenes], recipe: Recipe, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Training pictures uint8 (N, 3, 224, 224), labels int64 (N,) and box numbers (N, 4): a function of the step alone,
    so that a resumed training sees what an unbroken one would have seen."""
    rng = np.random.default_rng([recipe.seed, step])
    single, several = data
    images, labels, numbers = [], [], []
    while len(images) < recipe.batch:
        if rng.random() < recipe.windows:
            found = window(several, int(rng.integers(len(several))), recipe, rng)
        else:
            found = moved(single, int(rng.integers(len(single))), recipe, rng)
        if found is None:
            continue
        image, label, box = found
        if rng.random() < 0.5:
            image, box = image[:, ::-1], mirrored(box, image.shape[1])
        image = cv2.convertScaleAbs(image, alpha=rng.uniform(1 - recipe.brightness, 1 + recipe.brightness))
        images.append(image)
        labels.append(label)
        numbers.append(localization.to_numbers(torch.from_numpy(box).float(), *image.shape[1::-1]))
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2), torch.tensor(labels), torch.stack(numbers)


Example = tuple[np.ndarray, int, np.ndarray]  # picture uint8 (224, 224, 3), index into THINGS, box xyxy in pixels


def moved(data: CachedScenes, row: int, recipe: Recipe, rng: np.random.Generator) -> Example | None:
    """A scene with one thing, scaled and shifted if the thing is whole; None if no thing is in sight."""
    records, image = data.records[row], np.asarray(data.images[row])
    if not records:
        return None
    record, size = records[0], image.shape[0]
    box = np.array(record.box)
    if box.min() > 0 and box.max() < size and rng.random() < 0.75:  # what lies beyond the border is not known
        scale = float(np.exp(rng.uniform(-np.log(recipe.scale), np.log(recipe.scale))))
        shift = rng.uniform(-recipe.shift, recipe.shift, 2) + size * (1 - scale) / 2
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        mask = (np.asarray(data.panoptic[row]) == record.id).astype(np.uint8)
        after = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_NEAREST)
        if after.sum() >= 0.5 * scale**2 * mask.sum():
            image = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
            box = around(after)
    return image, record.category - 1, box


def window(data: CachedScenes, row: int, recipe: Recipe, rng: np.random.Generator) -> Example | None:
    """A square of a crowded scene with one whole thing in it and no part of another, enlarged; None if none was met."""
    records, image = data.records[row], np.asarray(data.images[row])
    if not records:
        return None
    index = int(rng.integers(len(records)))
    box, others = np.array(records[index].box), np.array([r.box for r in records[:index] + records[index + 1 :]])
    for _ in range(10):
        side = int(rng.integers(recipe.smallest_window, image.shape[0]))
        x, y = rng.integers(0, image.shape[0] - side + 1, 2)
        if box[0] < x or box[1] < y or box[2] > x + side or box[3] > y + side:
            continue
        if len(others) and bool(
            ((others[:, 0] < x + side) & (others[:, 2] > x) & (others[:, 1] < y + side) & (others[:, 3] > y)).any()
        ):
            continue
        scale = image.shape[0] / side
        large = cv2.resize(image[y : y + side, x : x + side], image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return large, records[index].category - 1, (box - [x, y, x, y]) * scale
    return None


def around(mask: np.ndarray) -> np.ndarray:
    """Box xyxy around the pixels of a mask that are not 0; there is at least one."""
    x, y, width, height = cv2.boundingRect(mask)
    return np.array([x, y, x + width, y + height], float)


def mirrored(box: np.ndarray, width: float) -> np.ndarray:
    """A box xyxy in the mirror image of a picture of this width."""
    return np.array([width - box[2], box[1], width - box[0], box[3]])


def evaluate(model: LoadedLocalizer, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """What the network says of held-out scenes with one thing; scenes where it is out of sight do not count.

    Returns:
        `accuracy`, the share of right classes; `mean_iou` of the boxes, whatever the class; `localized`, the share with
        the right class and an IoU of at least 0.5; `median_iou`; `mean_iou_small` and `mean_iou_large` of things whose
        longer side is below 50 or at least 100 pixels; `forward_ms_p50` at 224x224 with a batch of one.
    """
    data = cached_scenes(range(SINGLE_HELD_OUT, SINGLE_HELD_OUT + count), knobs=SINGLE)
    right, overlaps, sides, milliseconds = [], [], [], []
    for index, records in enumerate(data.records):
        if records:
            said = model(np.asarray(data.images[index]))
            right.append(said.label == THINGS[records[0].category - 1])
            overlaps.append(overlap(said.box, records[0]))
            sides.append(max(np.subtract(records[0].box[2:], records[0].box[:2])))
            milliseconds.append(said.seconds * 1000)
        report(index + 1, count)
    named, iou, side = np.array(right), np.array(overlaps), np.array(sides)
    return {
        "accuracy": _mean(named),
        "mean_iou": _mean(iou),
        "localized": _mean(named & (iou >= RIGHT)),
        "median_iou": round(float(np.median(iou)), 4),
        "mean_iou_small": _mean(iou[side < 50]),
        "mean_iou_large": _mean(iou[side >= 100]),
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "scenes": len(right),
    }


def overlap(box: Tensor, record: InstanceRecord) -> float:
    """IoU of a box xyxy with the true one."""
    return float(boxes.iou(box.double(), torch.tensor(record.box, dtype=torch.float64)))


def _mean(values: np.ndarray) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
