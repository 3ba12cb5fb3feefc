"""How the localizers learn class and box of one thing: heads apart on a frozen trunk, or all together."""

import hashlib
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import boxes, localization
from models.networks.classifier import LoadedClassifier
from models.networks.encoder import normalised
from models.networks.localizer import LoadedLocalizer, Localizer
from models.recipes import training
from models.recipes.classifier import SINGLE, SINGLE_HELD_OUT, SINGLE_TRAINING
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, training_seeds
from scenes import THINGS

TASK = "localization"
JOINT, APART = NAMES = ("localizer-joint", "localizer-apart")
STARTS_FROM = "classifier-gap-28"
HELD_OUT = 500
HEADS, FIRST_LOOK = 1, 10_000  # of the random numbers of the first part, and the number of its first batch
RIGHT = 0.5  # IoU from which a box of the right class counts as right


@dataclass(frozen=True)
class Recipe:
    """AdamW with one-cycle learning rates, and the multitask loss of S, cross-entropy, and R, 1 - GIoU plus L1.

    First the heads alone, each from its own loss, for `apart_steps`: the trunk is that of `classifier-gap-28`, which
    has learned names and never a box. It stays as it is, so it looks at `looks` pictures once and what it says is kept.
    The heads share nothing that moves, so this is the same as learning one after the other, and it is all that
    `localizer-apart` learns. `localizer-joint` begins there and goes on for `steps` with its heads and its trunk, all
    but the `frozen` lowest layers, which know edges and colours.

    Pictures are scenes with one thing and, for a share `windows`, windows of crowded scenes with one whole thing in
    them, at least `smallest_window` pixels wide. All are mirrored half of the time and brightened or darkened; scenes
    with one thing are scaled and shifted where the thing does not touch the border.
    """

    seed: int = 0
    scenes: int = 6000
    single_scenes: int = 3000
    looks: int = 4096
    apart_steps: int = 800
    apart_batch: int = 48
    apart_learning_rate: float = 3e-3
    batch: int = 32
    steps: int = 1500
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    frozen: int = 3
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
    looks = cache(lambda: looked_at(net, data, recipe, device))
    total = recipe.apart_steps + (recipe.steps if name == JOINT else 0)

    def apart(step: int) -> Tensor:
        maps, labels, numbers = looks()
        rng = np.random.default_rng([recipe.seed, HEADS, step])
        picks = torch.from_numpy(rng.integers(len(labels), size=recipe.apart_batch))
        return loss(*net.heads(maps[picks].to(device)), labels[picks].to(device), numbers[picks].to(device), 0.5)

    def together(step: int) -> Tensor:
        images, labels, numbers = batch(data, recipe, step)
        with torch.no_grad():
            maps = lower(normalised(images.to(device, memory_format=torch.channels_last).float() / 255))
        return loss(*net.heads(upper(maps)), labels.to(device), numbers.to(device), recipe.alpha)

    shared = folder.parent / f"localizer-heads-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]}"
    seconds = training.fit(
        net.heads, apart, asdict(recipe), recipe.apart_steps, recipe.apart_learning_rate, recipe.weight_decay, device,
        shared, lambda step, value: report(step, total, value),
    )  # fmt: skip
    looks.cache_clear()
    if name == JOINT:
        lower, upper = net.trunk[: recipe.frozen], net.trunk[recipe.frozen :]
        seconds += training.fit(
            nn.ModuleList([upper, net.heads]), together, asdict(recipe), recipe.steps, recipe.learning_rate,
            recipe.weight_decay, device, folder, lambda step, value: report(recipe.apart_steps + step, total, value),
        )  # fmt: skip
    facts = asdict(recipe) | {"starts_from": STARTS_FROM, "precision": training.precision(device)}
    return net.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def looked_at(
    net: Localizer, data: list[CachedScenes], recipe: Recipe, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """What the trunk says of `recipe.looks` pictures, bfloat16 (N, 128, 28, 28), with labels and box numbers."""
    found = []
    for step in range(recipe.looks // recipe.batch):
        images, labels, numbers = batch(data, recipe, FIRST_LOOK + step)
        with torch.no_grad():
            maps = net.maps(images.to(device, memory_format=torch.channels_last).float() / 255)
        found.append((maps.to("cpu", torch.bfloat16), labels, numbers))
    maps, labels, numbers = (torch.cat(each) for each in zip(*found, strict=True))
    return maps, labels, numbers


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
