"""How the five segmenters are trained and judged: one recipe, one seed, one number of steps; the decoders differ."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F

from labs import segmentation_metrics
from models.scene_cache import cached_scenes, held_out_seeds, training_seeds
from models.segmenter import UPSAMPLINGS, LoadedSegmenter, Segmenter
from scenes import CLASSES

TASK = "segmentation"
NAMES = tuple(f"segmenter-{method}" for method in UPSAMPLINGS)
HELD_OUT = 500
BOUNDARY_TOLERANCE = 1.0  # pixels: stricter than Csurka's 2.4 at this size, so that decoders can differ
CHECKPOINT_EVERY = 100


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate on random crops and mirrors of Lab World; per-pixel cross-entropy."""

    seed: int = 0
    scenes: int = 6000
    steps: int = 1500
    batch: int = 12
    crop: int = 192
    learning_rate: float = 4e-3
    weight_decay: float = 0.02


def build(name: str) -> Segmenter:
    """The network of that name, freshly initialised."""
    return Segmenter(name.removeprefix("segmenter-"))


def wrap(name: str, module: Segmenter, device: torch.device, card: dict) -> LoadedSegmenter:
    """The network behind the interface that pages call."""
    return LoadedSegmenter(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None]
) -> tuple[Segmenter, dict]:
    """Train from scratch, or go on from the last checkpoint in `folder`.

    Args:
        name: one of NAMES.
        device: where to train.
        folder: keeps `checkpoint.pt` every hundred steps.
        report: called after each step with step, steps and the loss.

    Returns:
        The trained network and the facts for its card: recipe and seconds of training.
    """
    recipe = Recipe()
    data = cached_scenes(training_seeds(recipe.scenes))
    torch.manual_seed(recipe.seed)
    net = build(name).to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, recipe.steps, pct_start=0.1)
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
    checkpoint = folder / "checkpoint.pt"
    begin, seconds = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        if saved["recipe"] == asdict(recipe):
            begin, seconds = saved["step"], saved["seconds"]
            for key, part in parts.items():
                part.load_state_dict(saved[key])
    half = device.type == "cuda" or (device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    start = perf_counter()
    for step in range(begin, recipe.steps):
        x, y = _batch(data.images, data.semantic, recipe, step)
        x, y = x.to(device, memory_format=torch.channels_last), y.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = net(x.float() / 255)
        loss = F.cross_entropy(logits.float(), y.long())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        report(step + 1, recipe.steps, float(loss.detach()))
        if (step + 1) % CHECKPOINT_EVERY == 0:
            state = {key: part.state_dict() for key, part in parts.items()}
            elapsed = seconds + perf_counter() - start
            folder.mkdir(parents=True, exist_ok=True)
            torch.save(state | {"step": step + 1, "seconds": elapsed, "recipe": asdict(recipe)}, checkpoint)
    seconds += perf_counter() - start
    precision = "bfloat16 autocast" if half else "float32"
    return net.eval(), {"recipe": asdict(recipe) | {"precision": precision}, "training_seconds": round(seconds)}


def evaluate(model: LoadedSegmenter, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """Metrics on held-out scenes: `miou` and per-class IoU over one confusion matrix of all pixels, `pixel_accuracy`,
    `boundary_f` (mean over scenes, within 1 pixel) and `forward_ms_p50` at 224x224 with a batch of one."""
    data = cached_scenes(held_out_seeds(count))
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    boundary, milliseconds = [], []
    for index in range(count):
        result = model(np.asarray(data.images[index]))
        truth = np.asarray(data.semantic[index])
        confusion += segmentation_metrics.confusion_matrix(truth, result.labels, len(CLASSES))
        boundary.append(segmentation_metrics.boundary_f(truth, result.labels, len(CLASSES), BOUNDARY_TOLERANCE))
        milliseconds.append(result.seconds * 1000)
        report(index + 1, count)
    per_class = segmentation_metrics.class_iou(confusion)
    return {
        "miou": round(segmentation_metrics.mean_iou(confusion), 4),
        "pixel_accuracy": round(segmentation_metrics.pixel_accuracy(confusion), 4),
        "boundary_f": round(float(np.nanmean(boundary)), 4),
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "iou_per_class": {name: round(float(v), 4) for name, v in zip(CLASSES, per_class, strict=True)},
        "scenes": count,
    }


def _batch(images: np.ndarray, labels: np.ndarray, recipe: Recipe, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    # A function of the step alone, so that a resumed training sees what an unbroken one would have seen.
    rng = np.random.default_rng([recipe.seed, step])
    picks = np.sort(rng.choice(len(images), recipe.batch, replace=False))
    top, left = rng.integers(0, images.shape[1] - recipe.crop + 1, 2)
    window = np.s_[picks, top : top + recipe.crop, left : left + recipe.crop]
    x, y = images[window], labels[window]
    mirrored = rng.random(recipe.batch) < 0.5
    x[mirrored], y[mirrored] = x[mirrored, :, ::-1], y[mirrored, :, ::-1]
    return torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)
