"""How Panoptic FPN's branch for stuff is trained, on the detector's frozen trunk, and how the whole is judged: PQ."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from labs import panoptic_quality, upsampling
from labs.panoptic import Panoptic
from labs.panoptic_quality import Tally
from models.networks.detector import LEVELS, LoadedDetector, Trunk
from models.networks.encoder import normalised
from models.networks.panoptic_fpn import OTHER, LoadedPanopticFpn, PanopticFpn, merged
from models.networks.segmenter import LoadedSegmenter
from models.recipes import training
from models.recipes.scene_cache import CachedScenes, cached_scenes, held_out_seeds, training_seeds
from models.recipes.trunk_features import RENDERED, TrunkFeatures, trunk_features
from scenes import CLASSES, STUFF

TASK = "panoptic segmentation"
NAMES = ("panoptic-fpn",)
STARTS_FROM = "detector"
BESIDE = "segmenter-bilinear"  # judged on the same scenes, with the detector's things
HELD_OUT = 500
THINGS = range(len(STUFF), len(CLASSES))


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate, cross-entropy per pixel over the kinds of stuff and "other". Trunk and
    heads stay as the detector has them."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 3000
    steps: int = 1600
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.02


def build(name: str) -> PanopticFpn:
    """The network, freshly initialised."""
    return PanopticFpn()


def wrap(name: str, module: PanopticFpn, device: torch.device, card: dict) -> LoadedPanopticFpn:
    """The network behind the interface that pages call."""
    return LoadedPanopticFpn(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[PanopticFpn, dict]:
    """Train the branch on the trunk of `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    features = trunk_features(start, recipe.scenes)
    data = cached_scenes(training_seeds(RENDERED))  # the features are those of its first scenes
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.detector.load_state_dict(start.module.state_dict())
    module.eval()
    trunk = cast(Trunk, module.detector.backbone)

    def loss_at(step: int) -> Tensor:
        scenes, mirrored = picks(recipe, step)
        levels, finer, labels = batch(features, data, trunk, scenes, mirrored, device)
        logits = module.stuff(levels, finer).float()
        return F.cross_entropy(logits, labels)

    settings = asdict(recipe)
    seconds = training.fit(
        module.stuff, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss),
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def picks(recipe: Recipe, step: int) -> tuple[list[int], list[bool]]:
    """Which scenes a step sees, and which of them mirrored: a function of the step alone."""
    rng = np.random.default_rng([recipe.seed, step])
    scenes = rng.choice(recipe.scenes, recipe.batch, replace=False).tolist()
    return scenes, (rng.random(recipe.batch) < 0.5).tolist()


def batch(
    features: TrunkFeatures, data: CachedScenes, trunk: Trunk, scenes: list[int], mirrored: list[bool],
    device: torch.device,
) -> tuple[list[Tensor], list[Tensor], Tensor]:  # fmt: skip
    """Of these scenes the pyramid P2 to P5, the trunk's features of stride 2 and 1, and labels int64 (n, H, W), things
    as OTHER."""
    sides = [-1 if mirror else 1 for mirror in mirrored]
    images, labels = (
        np.stack([pixels[scene][:, ::side] for scene, side in zip(scenes, sides, strict=True)])
        for pixels in (data.images, data.semantic)
    )
    levels = features.of(scenes, mirrored, device)
    x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
    target = torch.from_numpy(np.minimum(labels, OTHER)).to(device).long()
    return [levels[name] for name in LEVELS[:4]], fine_features(trunk, x), target


@torch.no_grad()
def fine_features(trunk: Trunk, images: Tensor) -> list[Tensor]:
    """What the trunk's encoder makes of pictures (N, 3, H, W) in 0 to 1 at stride 2 and at stride 1, each before its
    pool."""
    first, second = trunk.encoder.stages[:2]
    finest = first(normalised(images))
    return [second(upsampling.max_pool(finest, 2)[0]), finest]


def evaluate(
    model: LoadedPanopticFpn,
    report: Callable[[int, int], None],
    beside: LoadedSegmenter | None = None,
    count: int = HELD_OUT,
) -> dict:
    """Panoptic quality on held-out scenes, each a mean over classes: `pq`, `sq`, `rq`, `pq_things`, `pq_stuff`,
    `pq_per_class`, and `forward_ms_p50` at 224x224. With the segmenter BESIDE also the same of two networks merged, the
    detector's things with its stuff: `pq_merged`, `pq_stuff_merged`; and of the truth's stuff, `pq_true_stuff`."""
    data = cached_scenes(held_out_seeds(count))
    own, two, perfect, milliseconds = none(), none(), none(), []
    for index in range(count):
        image, truth = np.asarray(data.images[index]), truth_of(data, index)
        found = model(image)
        own += judged(truth, merged(found.semantic, found))
        perfect += judged(truth, merged(truth[..., 0], found))
        if beside is not None:
            two += judged(truth, merged(beside(image).labels, found))
        milliseconds.append(found.seconds * 1000)
        report(index + 1, count)
    result = figures(own)
    if beside is not None:
        result |= {f"{key}_merged": figures(two)[key] for key in ("pq", "pq_stuff")}
    return result | {
        "pq_true_stuff": figures(perfect)["pq"],
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "scenes": count,
    }


def truth_of(data: CachedScenes, index: int) -> np.ndarray:
    """Class and identity of every pixel of a scene, (H, W, 2)."""
    return np.stack([data.semantic[index], data.panoptic[index]], -1).astype(np.int64)


def none() -> Tally:
    """The tally of no picture."""
    zeros = np.zeros(len(CLASSES))
    return Tally(zeros, *(zeros.astype(np.int64) for _ in range(3)))


def judged(truth: np.ndarray, found: Panoptic) -> Tally:
    """The tally of one scene."""
    return panoptic_quality.tally(panoptic_quality.judge(truth, found.pairs(), THINGS), len(CLASSES))


def figures(total: Tally) -> dict:
    """The means over the classes, and the PQ of each."""
    quality = panoptic_quality.quality(total)
    means = dict(zip(("pq", "sq", "rq"), quality.mean(), strict=True))
    means |= {"pq_things": quality.mean(THINGS)[0], "pq_stuff": quality.mean(range(OTHER))[0]}
    per_class = {name: round(float(value), 4) for name, value in zip(CLASSES, quality.pq, strict=True)}
    return {name: round(value, 4) for name, value in means.items()} | {"pq_per_class": per_class}
