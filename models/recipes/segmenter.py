"""How the five segmenters are trained and judged: one recipe, one seed, one number of steps; the decoders differ."""

import hashlib
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labs import segmentation_metrics
from models.networks.encoder import WIDTHS, Encoder, normalised
from models.networks.segmenter import UPSAMPLINGS, LoadedSegmenter, Segmenter
from models.recipes import training
from models.recipes.scene_cache import CachedScenes, cached_scenes, held_out_seeds, training_seeds
from scenes import CLASSES

TASK = "segmentation"
NAMES = tuple(f"segmenter-{method}" for method in UPSAMPLINGS)
STARTS_FROM = None
HELD_OUT = 500
BOUNDARY_TOLERANCE = 1.0  # pixels: stricter than Csurka's 2.4 at this size, so that decoders can differ


@dataclass(frozen=True)
class Recipe:
    """Two stages under AdamW with one-cycle learning rates, on mirrored crops around the things of Lab World.

    First the encoder alone, once for all five: 1x1 classifiers on its features at strides 4, 8 and 16 learn the labels
    at the cells' centres, so no upsampling has a say in it. Then, for each decoder, the whole network, by per-pixel
    cross-entropy. Rare classes weigh more, by their frequency to the power of minus `balance`.
    """

    seed: int = 0
    scenes: int = 6000
    crop: int = 160
    batch: int = 16
    weight_decay: float = 0.02
    encoder_steps: int = 4000
    encoder_learning_rate: float = 3e-3
    encoder_balance: float = 0.5
    steps: int = 900
    learning_rate: float = 2e-3
    balance: float = 0.25


def build(name: str) -> Segmenter:
    """The network of that name, freshly initialised."""
    return Segmenter(name.removeprefix("segmenter-"))


def wrap(name: str, module: Segmenter, device: torch.device, card: dict) -> LoadedSegmenter:
    """The network behind the interface that pages call."""
    return LoadedSegmenter(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None = None
) -> tuple[Segmenter, dict]:
    """Train from scratch, or go on from the last checkpoints.

    Args:
        name: one of NAMES.
        device: where to train.
        folder: keeps a checkpoint every hundred steps; the encoder's lies beside it, for all five.
        report: called after each step with step, steps and the loss.
        start: the network STARTS_FROM, where the recipe names one.

    Returns:
        The trained network and the facts for its card: recipe and seconds of training.
    """
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    total = recipe.encoder_steps + recipe.steps
    torch.manual_seed(recipe.seed)
    pretraining = Pretraining()
    shared = folder.parent / f"segmenter-encoder-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]}"
    settings = asdict(recipe)

    def losses_of(losses: Callable, first_batch: int, balance: float) -> Callable[[int], Tensor]:
        weight = class_weights(data, balance).to(device)

        def loss_at(step: int) -> Tensor:
            images, labels = _batch(data, recipe, first_batch + step)
            images = images.to(device, memory_format=torch.channels_last).float() / 255
            return losses(images, labels.to(device).long(), weight)

        return loss_at

    seconds = training.fit(
        pretraining, losses_of(pretraining.losses, 0, recipe.encoder_balance), settings, recipe.encoder_steps,
        recipe.encoder_learning_rate, recipe.weight_decay, device, shared,
        lambda step, loss: report(step, total, loss),
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    net = build(name)
    net.encoder.load_state_dict(pretraining.encoder.state_dict())

    def cross_entropy(images: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        return F.cross_entropy(net(images).float(), labels, weight)

    seconds += training.fit(
        net, losses_of(cross_entropy, recipe.encoder_steps, recipe.balance), settings, recipe.steps,
        recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(recipe.encoder_steps + step, total, loss),
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return net.eval(), facts


class Pretraining(nn.Module):
    """The encoder with a classifier on its features at strides 4, 8 and 16."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.heads = nn.ModuleList(nn.Conv2d(width, len(CLASSES), 1) for width in (*WIDTHS[2:], WIDTHS[3]))

    def losses(self, images: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Summed cross-entropy of the three classifiers against the labels at the centres of their cells."""
        deepest, skips, _ = self.encoder(normalised(images))
        loss = images.new_zeros(())
        for head, features, stride in zip(self.heads, (*skips[2:], deepest), (4, 8, 16), strict=True):
            centre = labels[:, stride // 2 :: stride, stride // 2 :: stride]
            loss = loss + F.cross_entropy(head(features).float(), centre, weight)
        return loss


def class_weights(data: CachedScenes, balance: float) -> Tensor:
    """Weight per class, float32 (13,): frequency to the power of -balance, 1 on average over the pixels; 0 for a class
    that does not occur."""
    frequency = np.bincount(data.semantic[:500].ravel(), minlength=len(CLASSES)) / data.semantic[:500].size
    weight = np.where(frequency > 0, np.maximum(frequency, 1e-12) ** -balance, 0.0)
    return torch.tensor(weight / (weight * frequency).sum(), dtype=torch.float32)


def evaluate(model: LoadedSegmenter, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """Metrics on held-out scenes.

    Over one confusion matrix of all pixels: `miou`, `iou_per_class` and `pixel_accuracy`. Means over the scenes, each
    judged by the classes of its truth: `scene_miou` and `boundary_f` (within 1 pixel); and how many classes that are
    not there the network sees in a scene, `stray_classes`, on how many pixels, `stray_pixels`. `forward_ms_p50` at
    224x224 with a batch of one.
    """
    data = cached_scenes(held_out_seeds(count))
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    boundary, milliseconds, overlap, stray = [], [], [], []
    for index in range(count):
        result = model(np.asarray(data.images[index]))
        truth = np.asarray(data.semantic[index])
        scene = segmentation_metrics.confusion_matrix(truth, result.labels, len(CLASSES))
        confusion += scene
        overlap.append(segmentation_metrics.scene_mean_iou(scene))
        stray.append(segmentation_metrics.stray_pixels(scene))
        boundary.append(segmentation_metrics.boundary_f(truth, result.labels, len(CLASSES), BOUNDARY_TOLERANCE))
        milliseconds.append(result.seconds * 1000)
        report(index + 1, count)
    per_class = segmentation_metrics.class_iou(confusion)
    return {
        "miou": round(segmentation_metrics.mean_iou(confusion), 4),
        "pixel_accuracy": round(segmentation_metrics.pixel_accuracy(confusion), 4),
        "scene_miou": round(float(np.mean(overlap)), 4),
        "boundary_f": round(float(np.nanmean(boundary)), 4),
        "stray_classes": round(float(np.count_nonzero(stray, axis=1).mean()), 2),
        "stray_pixels": round(float(np.sum(stray, axis=1).mean()), 1),
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "iou_per_class": {name: round(float(v), 4) for name, v in zip(CLASSES, per_class, strict=True)},
        "scenes": count,
    }


def _batch(data: CachedScenes, recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
    # A function of the step alone, so that a resumed training sees what an unbroken one would have seen.
    rng = np.random.default_rng([recipe.seed, step])
    images = np.empty((recipe.batch, recipe.crop, recipe.crop, 3), np.uint8)
    labels = np.empty((recipe.batch, recipe.crop, recipe.crop), np.uint8)
    free = data.images.shape[1] - recipe.crop
    for row, pick in enumerate(rng.choice(len(data), recipe.batch, replace=False)):
        left, top = rng.integers(0, free + 1, 2)
        if data.records[pick] and rng.random() < 0.8:  # around a thing, somewhere in the crop
            x1, y1, x2, y2 = data.records[pick][rng.integers(len(data.records[pick]))].box
            middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2]) - recipe.crop * rng.uniform(0.25, 0.75, 2)
            left, top = np.clip(middle, 0, free).astype(int)
        window = np.s_[pick, top : top + recipe.crop, left : left + recipe.crop]
        side = -1 if rng.random() < 0.5 else 1
        images[row], labels[row] = data.images[window][:, ::side], data.semantic[window][:, ::side]
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)
