"""How the three classifiers are trained and judged: from the names of what is in a picture, never from where it is."""

import hashlib
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs.average_precision import precision_recall
from models.networks.classifier import FILL, WIDTHS, Classifier, LoadedClassifier, pool, trunk
from models.networks.encoder import normalised
from models.recipes import training
from models.recipes.pointing import pointed_at, pointing
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, training_seeds
from scenes import THINGS, Knobs

TASK = "classification"
HEADS = {"classifier-gap": ("average", 16), "classifier-gmp": ("max", 16), "classifier-gap-28": ("average", 8)}
NAMES = tuple(HEADS)
GENTLER = {"classifier-gap-28": {"absent": 0.03, "turned": 0.2, "gathered": 0.0}}
STARTS_FROM = None
HELD_OUT = 500
SINGLE, CROWDED = Knobs(objects=1), Knobs(objects=(3, 6))
# Beside the seeds of scene_cache, and apart from them: other knobs on the same seed draw the same backdrop.
SINGLE_TRAINING, SINGLE_HELD_OUT, CROWDED_HELD_OUT = 2_000_000, 20_000_000, 30_000_000
WAYS = tuple((quarters, mirrored) for mirrored in (False, True) for quarters in range(4))[1:]  # all but leaving it
LAST_STAGE = 10_000  # the number of its first batch, beyond those of the stages before


@dataclass(frozen=True)
class Recipe:
    """Three stages under AdamW with one-cycle learning rates and binary cross-entropy for each class.

    First one trunk for all three, under the three heads at once, their losses summed, and for `small_steps` on
    smaller pictures, which shows it three times as many in the same time; then each network by itself. Of the
    pictures a share `warped` is turned about its centre and shifted, uniformly within `angle` and `shift`, as
    Augmented Grad-CAM will do; beyond the edges it is filled with `classifier.FILL`. All are mirrored half of the
    time, and brightened or darkened. A class of which only things less than `smallest_visible` are left in the
    picture is neither asked for nor denied.

    A pooled score does not care where in the map its evidence lies: after two stages the peak of a map of
    `classifier-gap` lay 17 pixels above the thing. So a third stage adds three terms, none of which knows where a thing
    is. `absent`: where a class is not in the picture, no cell may speak for it. `turned`: each picture is seen twice,
    as it is and turned or mirrored, and the maps of what is in it must turn along (equivariance: Wang et al. 2020,
    SEAM). `gathered`: what speaks for a class that is there shall lie in few cells. 28x28 cells need less of all this.
    """

    seed: int = 0
    scenes: int = 6000
    single_scenes: int = 3000
    batch: int = 32
    weight_decay: float = 0.05
    small_steps: int = 1600
    small_size: int = 144
    shared_steps: int = 2800
    shared_learning_rate: float = 3e-3
    steps: int = 300
    learning_rate: float = 5e-4
    warped: float = 0.7
    angle: float = 0.5  # radians, to either side
    shift: float = 30.0  # pixels, to either side
    brightness: float = 0.2
    smallest_visible: float = 0.15
    last_steps: int = 300
    last_batch: int = 24  # pictures, each of them seen twice
    last_learning_rate: float = 2e-4
    absent: float = 0.1
    turned: float = 0.3
    gathered: float = 0.1


def build(name: str) -> Classifier:
    """The network of that name, freshly initialised."""
    return Classifier(*HEADS[name])


def wrap(name: str, module: Classifier, device: torch.device, card: dict) -> LoadedClassifier:
    """The network behind the interface that pages call."""
    return LoadedClassifier(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None = None
) -> tuple[Classifier, dict]:
    """Train from scratch, or go on from the last checkpoints. See `segmenter.train`."""
    common = Recipe()
    recipe = replace(common, **GENTLER.get(name, {}))
    data = [
        cached_scenes(training_seeds(recipe.scenes)),
        cached_scenes(range(SINGLE_TRAINING, SINGLE_TRAINING + recipe.single_scenes), knobs=SINGLE),
    ]
    first, settings = recipe.shared_steps + recipe.steps, asdict(recipe)
    total = first + recipe.last_steps

    def losses_of(losses: Callable[[Tensor, Tensor], Tensor], first_batch: int) -> Callable[[int], Tensor]:
        def loss_at(step: int) -> Tensor:
            images, targets = batch(data, recipe, first_batch + step)
            images = images.to(device, memory_format=torch.channels_last).float() / 255
            if first_batch + step < recipe.small_steps:
                images = F.interpolate(images, (recipe.small_size, recipe.small_size), mode="bilinear")
            return losses(images, targets.to(device))

        return loss_at

    torch.manual_seed(recipe.seed)
    pretraining = Pretraining()
    shared = folder.parent / f"classifier-trunk-{hashlib.sha256(repr(common).encode()).hexdigest()[:8]}"
    seconds = training.fit(
        pretraining, losses_of(pretraining.losses, 0), asdict(common), recipe.shared_steps, recipe.shared_learning_rate,
        recipe.weight_decay, device, shared, lambda step, loss: report(step, total, loss),
    )  # fmt: skip
    net = pretraining.classifier(name)
    seconds += training.fit(
        net, losses_of(lambda images, targets: cross_entropy(net(images), targets), recipe.shared_steps), settings,
        recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(recipe.shared_steps + step, total, loss),
    )  # fmt: skip

    def loss_at(step: int) -> Tensor:
        images, targets = batch(data, replace(recipe, batch=recipe.last_batch), LAST_STAGE + step)
        images, way = images.to(device).float() / 255, WAYS[step % len(WAYS)]
        both = torch.cat([images, turned(images, *way)]).contiguous(memory_format=torch.channels_last)
        return pointing_loss(net, both, targets.to(device), way, recipe)

    seconds += training.fit(
        net, loss_at, settings, recipe.last_steps, recipe.last_learning_rate, recipe.weight_decay, device,
        folder / "last", lambda step, loss: report(first + step, total, loss),
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return net.eval(), facts


class Pretraining(nn.Module):
    """One trunk under the heads of all three networks."""

    def __init__(self):
        super().__init__()
        self.trunk = trunk(16)
        self.shallow = len(trunk(8))
        self.heads = nn.ModuleDict(
            {name: nn.Linear(WIDTHS[{8: 2, 16: 3}[HEADS[name][1]]], len(THINGS), bias=False) for name in NAMES}
        )

    def losses(self, images: Tensor, targets: Tensor) -> Tensor:
        """The summed cross-entropies of the three heads."""
        larger = self.trunk[: self.shallow](normalised(images))
        maps = {8: larger, 16: self.trunk[self.shallow :](larger)}
        loss = images.new_zeros(())
        for name, (pooling, stride) in HEADS.items():
            loss = loss + cross_entropy(self.heads[name](pool(maps[stride], pooling)), targets)
        return loss

    def classifier(self, name: str) -> Classifier:
        """A network of that name that starts from this trunk and its own head."""
        net = build(name)
        kept = self.trunk.state_dict()
        net.trunk.load_state_dict({key: kept[key] for key in net.trunk.state_dict()})
        net.classify.load_state_dict(self.heads[name].state_dict())
        return net


def turned(maps: Tensor, quarters: int, mirrored: bool) -> Tensor:
    """Square maps (..., n, n), mirrored first if `mirrored`, then turned by so many quarters to the left."""
    return torch.rot90(maps.flip(-1) if mirrored else maps, quarters, (-2, -1))


def turned_back(maps: Tensor, quarters: int, mirrored: bool) -> Tensor:
    """The inverse of `turned`."""
    maps = torch.rot90(maps, -quarters, (-2, -1))
    return maps.flip(-1) if mirrored else maps


def pointing_loss(net: Classifier, images: Tensor, targets: Tensor, way: tuple[int, bool], recipe: Recipe) -> Tensor:
    """The loss of the last stage: cross-entropy, evidence for what is not there, maps that do not turn along, and the
    logarithm of how far evidence is spread: its mean over its maximum, 1 / cells for a single cell.

    Args:
        images: (2N, 3, H, H), N pictures and then the same pictures `turned` by `way`, one of WAYS.
        targets: (N, 8), 1, 0, or NaN for what is not judged.
    """
    features, count = net.features(images), len(targets)
    classification = cross_entropy(net.classify(net.pool(features[:count])), targets)
    with torch.autocast(features.device.type, enabled=False):
        maps = torch.einsum("kc,nchw->nkhw", net.classify.weight, features.float())
    straight, other = maps[:count], maps[count:]
    absent, present = targets == 0, targets == 1
    evidence = torch.cat([straight[absent], other[absent]]).relu()
    # Of the maps' shape alone: a difference in size would be least for maps that say nothing.
    pairs = [each[present].flatten(1) for each in (straight, turned_back(other, *way))]
    one, same = (each - each.mean(1, keepdim=True) for each in pairs)
    alike = F.cosine_similarity(one, same)
    positive = torch.cat(pairs).relu()
    spread = (positive.mean(1) / (positive.amax(1) + 1e-6) + 1e-3).log()
    return (
        classification
        + recipe.absent * _mean(evidence)
        + recipe.turned * _mean(1 - alike)
        + recipe.gathered * _mean(spread)
    )


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(values.numel(), 1)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy of logits (N, 8) against targets (N, 8): 1, 0, or NaN for what is not judged."""
    known = ~targets.isnan()
    return F.binary_cross_entropy_with_logits(logits.float()[known], targets[known])


def present(records: list[InstanceRecord], smallest: float, left: np.ndarray | None = None) -> np.ndarray:
    """Which of `THINGS` are in a picture, float32 (8,): 1, 0, or NaN where less than `smallest` of a thing is visible.

    `left`: the share of what was visible that a warp left in the picture, one number for each record.
    """
    shares = np.zeros(len(THINGS))
    for index, record in enumerate(records):
        share = record.visible * (1.0 if left is None else left[index])
        shares[record.category - 1] = max(shares[record.category - 1], share)
    return np.where(shares >= smallest, 1.0, np.where(shares > 0, np.nan, 0.0)).astype(np.float32)


def evaluate(model: LoadedClassifier, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """What a network says and where its maps point, on held-out scenes.

    Returns:
        `map_single` and `map_multi`: mean over the classes of average precision with one thing in each scene, and with
        three to six; both for each class too. `forward_ms_p50` at 224x224 with a batch of one. Of the scenes with one
        thing, by the class activation map of its class as the pages draw it: the figures of `pointing.pointing`.
    """
    smallest = Recipe().smallest_visible
    metrics: dict = {}
    milliseconds, pointed = [], []
    kinds = {"single": (SINGLE_HELD_OUT, SINGLE), "multi": (CROWDED_HELD_OUT, CROWDED)}
    for part, (kind, (first, knobs)) in enumerate(kinds.items()):
        data = cached_scenes(range(first, first + count), knobs=knobs)
        scores, targets = [], []
        for index in range(count):
            result = model(np.asarray(data.images[index]))
            scores.append(result.logits.numpy())
            targets.append(present(data.records[index], smallest))
            milliseconds.append(result.seconds * 1000)
            if kind == "single" and len(data.records[index]) == 1:  # two of the 500 have nothing in sight
                pointed.append(pointed_at(result, data.records[index][0], np.asarray(data.panoptic[index])))
            report(part * count + index + 1, count * len(kinds))
        per_class = [average_precision(s, t) for s, t in zip(np.array(scores).T, np.array(targets).T, strict=True)]
        metrics[f"map_{kind}"] = round(float(np.nanmean(per_class)), 4)
        metrics[f"ap_{kind}_per_class"] = {
            name: None if np.isnan(value) else round(value, 4) for name, value in zip(THINGS, per_class, strict=True)
        }
    speed = {"forward_ms_p50": round(statistics.median(milliseconds), 1), "scenes": count}
    return metrics | pointing(pointed) | speed


def average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Average precision of a ranking of pictures by scores (N,): the mean, over the pictures with the class, of the
    precision down to each. Targets (N,) are 1, 0, or NaN for pictures that are left out; NaN if none has the class."""
    known = ~np.isnan(targets)
    true = targets[known][np.argsort(-scores[known], kind="stable")] == 1
    if not true.any():
        return float("nan")
    return float(precision_recall(true, int(true.sum()))[0][true].mean())


def batch(data: list[CachedScenes], recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
    """Training pictures uint8 (N, 3, 224, 224) from scenes with several things and with one, and their targets (N, 8):
    a function of the step alone, so that a resumed training sees what an unbroken one would have seen."""
    rng = np.random.default_rng([recipe.seed, step])
    several, single = data
    images, targets = [], []
    for pick in rng.choice(len(several) + len(single), recipe.batch, replace=False):
        part, row = (several, pick) if pick < len(several) else (single, pick - len(several))
        image, target = augmented(part.images[row], part.panoptic[row], part.records[row], recipe, rng)
        images.append(image)
        targets.append(target)
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2), torch.from_numpy(np.array(targets))


def augmented(
    image: np.ndarray, panoptic: np.ndarray, records: list[InstanceRecord], recipe: Recipe, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A training picture uint8 (H, W, 3), and what is still in it (8,). The panoptic map serves only to see how much of
    each thing the warp has left in the picture."""
    image, left = np.asarray(image), None
    if rng.random() < recipe.warped:
        height, width = panoptic.shape
        angle, shift = rng.uniform(-recipe.angle, recipe.angle), rng.uniform(-recipe.shift, recipe.shift, 2)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), np.degrees(angle), 1.0)
        matrix = np.asarray(matrix, np.float64)  # as it is, though OpenCV's stub says that it might be of integers
        matrix[:, 2] += shift
        fill = tuple(round(255 * value) for value in FILL)
        image = cv2.warpAffine(image, matrix, (width, height), borderValue=fill)
        after = cv2.warpAffine(np.asarray(panoptic), matrix, (width, height), flags=cv2.INTER_NEAREST)
        counts = [np.bincount(ids.ravel(), minlength=256)[[r.id for r in records]] for ids in (panoptic, after)]
        left = np.minimum(counts[1] / np.maximum(counts[0], 1), 1)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    gain = rng.uniform(1 - recipe.brightness, 1 + recipe.brightness)
    return cv2.convertScaleAbs(image, alpha=gain), present(records, recipe.smallest_visible, left)
