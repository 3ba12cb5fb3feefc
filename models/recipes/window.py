"""How the window networks are trained, on 28×28 crops of Lab World, and judged: on crops, and as detectors."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from labs import boxes as box_lab
from labs.sliding_window import CLASSES, WINDOW
from models.networks.window import LoadedWindow, WindowNetwork
from models.recipes import coco_metrics, training
from models.recipes.scene_cache import SIZE, CachedScenes, InstanceRecord, cached_scenes, held_out_seeds, training_seeds
from scenes import THINGS

TASK = "classification of windows"
# With a box or without, filters of the first layer, units of the second. The lectures' network, and a wider one.
SHAPES = {
    "window-classifier": (False, 4, 100), "window-classifier-wide": (False, 32, 256), "window-localizer": (True, 4, 100)
}  # fmt: skip
NAMES = tuple(SHAPES)
STARTS_FROM = None
HELD_OUT = 500
OTHER = len(CLASSES) - 1
Window = tuple[int, int, int]  # left, top, side


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate and cross-entropy, on crops that are mirrored and lit at random.

    A window shows a thing if the thing's longer side is `smallest` to `largest` of the window's, and its middle lies
    within `offset` of the window's middle, both in sides of the window; at the rim of the picture the window stays
    inside. It shows something else if it holds at most `held` of every thing that is looked for, or if the thing is far
    too small or too large for it (`far`). What lies between is not asked. Things of which less than `visible` is in
    sight are not asked for either. Per scene: `near` windows of each thing that is looked for, `others` of each other
    thing, `beside` each thing that is looked for, and `elsewhere` anywhere. The smooth L1 loss of the transform
    weighs `box_weight`.
    """

    seed: int = 0
    scenes: int = 6000
    near: int = 6
    others: int = 2
    beside: int = 4
    elsewhere: int = 8
    smallest: float = 0.5
    largest: float = 1.1
    offset: float = 0.2
    held: float = 0.5
    far: tuple[float, float] = (0.35, 1.6)
    visible: float = 0.4
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    brightness: float = 0.15
    box_weight: float = 2.0


@dataclass(frozen=True, eq=False)
class Crops:
    """`images` uint8 (N, 28, 28, 3), `labels` int64 (N,) indices into CLASSES, and `transforms` float32 (N, 4) from the
    window to the thing's box, NaN where it shows something else."""

    images: np.ndarray
    labels: np.ndarray
    transforms: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def build(name: str) -> WindowNetwork:
    """The network of that name, freshly initialised."""
    return WindowNetwork(*SHAPES[name])


def wrap(name: str, module: WindowNetwork, device: torch.device, card: dict) -> LoadedWindow:
    """The network behind the interface that pages call."""
    return LoadedWindow(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None = None
) -> tuple[WindowNetwork, dict]:
    """Train from scratch, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    crops = crops_of(cached_scenes(training_seeds(recipe.scenes)), recipe)
    torch.manual_seed(recipe.seed)
    module = build(name)

    def loss_at(step: int) -> Tensor:
        images, labels, transforms = batch_at(crops, recipe, step)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        return loss(module(images)[:, :, 0, 0], labels.to(device), transforms.to(device), recipe.box_weight)

    seconds = training.fit(
        module, loss_at, asdict(recipe) | {"far": list(recipe.far)}, recipe.steps, recipe.learning_rate,
        recipe.weight_decay, device, folder, lambda step, value: report(step, recipe.steps, value),
    )  # fmt: skip
    facts = asdict(recipe) | {"precision": training.precision(device), "crops": len(crops)}
    return module.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def loss(raw: Tensor, labels: Tensor, transforms: Tensor, box_weight: float) -> Tensor:
    """Cross-entropy of the class, and smooth L1 of the transform where there is a thing and the network says one.

    `raw` (N, 4 or 8), `labels` (N,), `transforms` (N, 4), NaN where there is no thing.
    """
    raw = raw.float()
    classes, said = raw[:, : len(CLASSES)], raw[:, len(CLASSES) :]
    found = F.cross_entropy(classes, labels)
    known = ~transforms[:, 0].isnan()
    if said.shape[1] and known.any():
        found = found + box_weight * F.smooth_l1_loss(said[known], transforms[known], beta=0.1)
    return found


def crops_of(data: CachedScenes, recipe: Recipe) -> Crops:
    """The crops of some scenes, the same for the same recipe."""
    images, labels, windows, truths = [], [], [], []
    for index, records in enumerate(data.records):
        image = np.asarray(data.images[index])
        for window, record in windows_of(records, recipe, np.random.default_rng([recipe.seed, index])):
            left, top, side = window
            cut = np.ascontiguousarray(image[top : top + side, left : left + side])
            images.append(cv2.resize(cut, (WINDOW, WINDOW), interpolation=cv2.INTER_AREA))
            labels.append(OTHER if record is None else label_of(record))
            windows.append((left, top, left + side, top + side))
            truths.append(windows[-1] if record is None else record.box)
    transforms = box_lab.encode(torch.tensor(truths).float().view(-1, 4), torch.tensor(windows).float().view(-1, 4))
    label = np.array(labels, np.int64)
    return Crops(np.array(images), label, np.where((label == OTHER)[:, None], np.nan, transforms.numpy()))


def label_of(record: InstanceRecord) -> int:
    """Index into CLASSES of what a window around it shows."""
    name = THINGS[record.category - 1]
    return CLASSES.index(name) if name in CLASSES else OTHER


def windows_of(
    records: list[InstanceRecord], recipe: Recipe, rng: np.random.Generator
) -> list[tuple[Window, InstanceRecord | None]]:
    """Windows of one scene, each with the thing that it shows, or None for something else."""
    wanted = [record for record in records if label_of(record) != OTHER]
    found: list[tuple[Window, InstanceRecord | None]] = []
    elsewhere: list[Window] = []
    for record in records:
        middle, longer = middle_of(record.box)
        tries = recipe.others if label_of(record) == OTHER else recipe.near
        for _ in range(tries):
            side = longer / np.exp(rng.uniform(np.log(recipe.smallest), np.log(recipe.largest)))
            window = placed(middle + side * rng.uniform(-recipe.offset, recipe.offset, 2), side)
            if label_of(record) == OTHER:
                elsewhere.append(window)
            elif record.visible >= recipe.visible and recipe.smallest <= longer / window[2] <= recipe.largest:
                found.append((window, record))
        if label_of(record) != OTHER:
            for _ in range(recipe.beside):
                side = longer / np.exp(rng.uniform(np.log(0.2), np.log(3.0)))
                elsewhere.append(placed(middle + side * rng.uniform(-1, 1, 2), side))
    for _ in range(recipe.elsewhere):
        side = np.exp(rng.uniform(np.log(WINDOW), np.log(0.9 * SIZE)))
        elsewhere.append(placed(rng.uniform(0, SIZE, 2), side))
    return found + [(each, None) for each in elsewhere if not any(doubtful(each, one.box, recipe) for one in wanted)]


def middle_of(box: list[float]) -> tuple[np.ndarray, float]:
    """The middle (x, y) of a box, and its longer side."""
    x1, y1, x2, y2 = box
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2]), max(x2 - x1, y2 - y1)


def placed(middle: np.ndarray, side: float) -> Window:
    """The window of so many pixels, 28 at least, around a point, in whole pixels and inside the picture."""
    whole = int(np.clip(round(side), WINDOW, SIZE))
    left, top = np.clip(np.round(middle - whole / 2), 0, SIZE - whole).astype(int).tolist()
    return left, top, whole


def doubtful(window: Window, box: list[float], recipe: Recipe) -> bool:
    """Whether a window shows too much of a thing, at a size too near to its own, to be called something else."""
    left, top, side = window
    x1, y1, x2, y2 = box
    ratio = max(x2 - x1, y2 - y1) / side
    across = max(0.0, min(x2, left + side) - max(x1, left))
    down = max(0.0, min(y2, top + side) - max(y1, top))
    held = across * down / ((x2 - x1) * (y2 - y1))
    return recipe.far[0] <= ratio <= recipe.far[1] and held > recipe.held


def batch_at(crops: Crops, recipe: Recipe, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images uint8 (N, 3, 28, 28), labels (N,) and transforms (N, 4). A function of the step alone, so that a resumed
    training sees what an unbroken one would have seen."""
    rng = np.random.default_rng([recipe.seed, step])
    picks = rng.integers(0, len(crops), recipe.batch)
    mirrored = rng.random(recipe.batch) < 0.5
    gain = rng.uniform(1 - recipe.brightness, 1 + recipe.brightness, (recipe.batch, 1, 1, 1)).astype(np.float32)
    images = crops.images[picks]
    images[mirrored] = images[mirrored][:, :, ::-1]
    images = np.clip(images * gain, 0, 255).astype(np.uint8)
    transforms = torch.from_numpy(crops.transforms[picks].astype(np.float32))
    transforms[torch.from_numpy(mirrored), 0] *= -1
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(crops.labels[picks]), transforms


def evaluate(model: LoadedWindow, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """What a network reaches on held-out scenes.

    Returns:
        `accuracy`: share of right answers on crops, as many of each class; per class too. `box_ap50`: COCO's AP at an
        IoU of 0.5 of the three classes, by windows of several sizes and NMS, each window its own box or, where the
        network says one, that box; `window_ap50`, the same of the windows themselves. `forward_ms_p50`: of one pass
        over 224×224 pixels, 2,500 windows.
    """
    data, recipe = cached_scenes(held_out_seeds(count)), Recipe()
    categories = torch.tensor([THINGS.index(name) + 1 for name in CLASSES[:OTHER]])
    crops = crops_of(data, recipe)
    chosen = [np.flatnonzero(crops.labels == label) for label in range(len(CLASSES))]
    each = min(map(len, chosen))
    rng = np.random.default_rng(recipe.seed)
    right = [
        float(np.mean([int(model.classify(crops.images[i]).argmax()) == label for i in rng.permutation(found)[:each]]))
        for label, found in enumerate(chosen)
    ]
    milliseconds, judges = [], (coco_metrics.Judge(), coco_metrics.Judge())
    for index in range(count):
        image, panoptic = np.asarray(data.images[index]), np.asarray(data.panoptic[index])
        wanted = [record for record in data.records[index] if label_of(record) != OTHER]
        milliseconds.append(model(image).seconds * 1000)
        windows = found = model.detect(image, move=False)
        if model.module.box:
            found = model.detect(image)
        for judge, seen in zip(judges, (found, windows), strict=True):
            judge.add(replace(seen, labels=categories[seen.labels]), panoptic, wanted)
        report(index + 1, count)
    boxes, as_they_are = (judge.metrics() for judge in judges)
    return {
        "accuracy": round(float(np.mean(right)), 4),
        "box_ap50": boxes["box_ap50"],
        "window_ap50": as_they_are["box_ap50"],
        "box_ap": boxes["box_ap"],
        "forward_ms_p50": round(statistics.median(milliseconds), 2),
        "accuracy_per_class": {name: round(value, 4) for name, value in zip(CLASSES, right, strict=True)},
        "box_ap_per_class": {name: boxes["box_ap_per_class"][name] for name in CLASSES[:OTHER]},
        "crops": each * len(CLASSES),
        "scenes": count,
    }
