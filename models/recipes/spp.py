"""How SPP-net's SVMs and regressors are trained on pooled features, with hard negatives, and judged by COCO's AP."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from labs import box_regression, region_svm, spatial_pyramid
from models.networks.detector import LoadedDetector
from models.networks.spp import LEVEL, STRIDE, LoadedPyramidSVM, PyramidSVM
from models.recipes import coco_metrics
from models.recipes.regions import MODE, regions
from models.recipes.scene_cache import SIZE, cached_scenes, held_out_seeds, training_seeds
from models.recipes.trunk_features import RENDERED, TrunkFeatures, trunk_features
from scenes import THINGS

TASK = "detection"
NAMES = ("spp",)
STARTS_FROM = "detector"
HELD_OUT = 500
KEPT_SCENES = 3000  # whose features are kept


@dataclass(frozen=True)
class Recipe:
    """R-CNN's rules, on features that were computed once for each picture.

    The true boxes are positive, regions with an IoU below 0.3 with all things of a class negative. First with
    `negatives` random regions a scene; then all regions of the first `mined` scenes are scored, and of each class the
    `hardest` that cost something are added. A class has one SVM with the squared hinge loss (`C` weighs it).
    Regressors learn from `near` regions a scene with an IoU above 0.6.
    """

    seed: int = 0
    scenes: int = 1200
    negatives: int = 12
    mined: int = 600
    hardest: int = 2
    near: int = 12
    C: float = 1e-3
    penalty: float = box_regression.PAPER_PENALTY
    level: str = LEVEL
    mode: str = MODE


class Examples(NamedTuple):
    """`vectors` (n, 1344) of regions, and `labels` int64 (n, 8) of each for each class: 1, -1, or 0 for left out."""

    vectors: Tensor
    labels: Tensor


def build(name: str) -> PyramidSVM:
    """The network, freshly initialised."""
    return PyramidSVM()


def wrap(name: str, module: PyramidSVM, device: torch.device, card: dict) -> LoadedPyramidSVM:
    """The network behind the interface that pages call."""
    return LoadedPyramidSVM(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[PyramidSVM, dict]:
    """Train on the trunk of `start`, which stays as it is. It takes minutes, so it keeps no checkpoints.

    The seconds on the card are those of all stages, and of each: pooling the examples, the SVMs, the search for hard
    negatives, the SVMs again, the regressors. The trunk's pass over the pictures was before.
    """
    recipe = Recipe()
    seen = trunk_features(start, KEPT_SCENES)
    seeds = training_seeds(RENDERED)
    found = regions(cached_scenes(seeds), seeds, recipe.scenes)
    module = build(name)
    module.backbone.load_state_dict(start.module.backbone.state_dict())
    stages: dict[str, float] = {}
    began = perf_counter()

    def done(stage: str, number: int) -> None:
        stages[stage] = round(perf_counter() - began - sum(stages.values()), 1)
        report(number, 5, 0.0)

    examples, near, transforms, classes = gathered(seen, found, recipe)
    module.mean, module.deviation = examples.vectors.mean(0), examples.vectors.std(0) + 1e-3
    done("pooling", 1)
    fit_svms(module, examples, recipe)
    done("svms", 2)
    harder = list(mined(module, seen, found, recipe))
    examples = Examples(*(torch.cat(part) for part in zip(examples, *harder, strict=True)))
    done("hard negatives", 3)
    fit_svms(module, examples, recipe)
    done("svms again", 4)
    fit_regressors(module, near, transforms, classes, recipe)
    done("regressors", 5)
    facts = {"recipe": asdict(recipe), "training_seconds": round(perf_counter() - began), "stages": stages,
             "examples": len(examples.vectors)}  # fmt: skip
    return module.eval(), facts


def gathered(seen: TrunkFeatures, found: list[np.ndarray], recipe: Recipe) -> tuple[Examples, Tensor, Tensor, Tensor]:
    """The first examples for the SVMs; and for the regressors pooled vectors, transforms (n, 4) and classes (n,) from
    1."""
    kept, near, transforms, classes = [], [], [], []
    for scene in range(recipe.scenes):
        features, boxes, truth = scene_of(seen, found, scene, recipe)
        rng = np.random.default_rng([recipe.seed, scene])
        far = (label_matrix(boxes, truth) < 0).all(1).nonzero().flatten().numpy()
        picked = torch.cat([truth["boxes"], boxes[rng.permutation(far)[: recipe.negatives]]])
        kept.append(Examples(pooled(features, picked), label_matrix(picked, truth)))
        close, wanted = box_regression.examples(boxes, truth["boxes"])
        some = torch.from_numpy(rng.permutation(len(wanted))[: recipe.near])
        regions_near = boxes[close][some]
        if len(some):
            near.append(pooled(features, regions_near))
            transforms.append(wanted[some])
            overlaps = box_regression.box_lab.iou_matrix(regions_near, truth["boxes"])
            classes.append(truth["labels"][overlaps.argmax(1)])
    examples = Examples(*(torch.cat(part) for part in zip(*kept, strict=True)))
    return examples, torch.cat(near), torch.cat(transforms), torch.cat(classes)


def mined(module: PyramidSVM, seen: TrunkFeatures, found: list[np.ndarray], recipe: Recipe) -> Iterator[Examples]:
    """Of each scene the regions that are hardest for some class: they cost most among its negatives."""
    for scene in range(recipe.mined):
        features, boxes, truth = scene_of(seen, found, scene, recipe)
        labels = label_matrix(boxes, truth)
        with torch.inference_mode():
            margins, _ = module(vectors := pooled(features, boxes))
        wrong = [region_svm.hard(margins[:, k], labels[:, k])[: recipe.hardest] for k in range(len(THINGS))]
        which = torch.cat(wrong).unique()
        yield Examples(vectors[which], labels[which])


def fit_svms(module: PyramidSVM, examples: Examples, recipe: Recipe) -> None:
    """The SVMs of all classes at once into `module.svm`, from where they are."""
    x = (examples.vectors - module.mean) / module.deviation
    weights, bias = svms(x, examples.labels, recipe.C, (module.svm.weight.detach(), module.svm.bias.detach()))
    module.svm.load_state_dict({"weight": weights, "bias": bias})


def svms(x: Tensor, labels: Tensor, C: float, start: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The least of ½‖w‖² + ½b² + C Σ max(0, 1 - y (w·x + b))² for every class, by L-BFGS from `start`.

    What `sklearn.svm.LinearSVC(C=C)` minimises one class after the other; together they read the examples once.

    Args:
        x: (n, d). labels: (n, k), 1, -1, or 0 for left out. start: weights (k, d) and bias (k,).
    """
    weights, bias = (each.clone().requires_grad_() for each in start)
    asked = (labels != 0).flatten()
    solver = torch.optim.LBFGS([weights, bias], max_iter=150, history_size=20, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        solver.zero_grad()
        costs = region_svm.hinge(region_svm.margins(x, weights, bias).flatten(), labels.flatten()) ** 2
        total = 0.5 * (weights**2).sum() + 0.5 * (bias**2).sum() + C * (costs * asked).sum()
        total.backward()
        return total

    solver.step(cost)
    return weights.detach(), bias.detach()


def fit_regressors(module: PyramidSVM, vectors: Tensor, transforms: Tensor, classes: Tensor, recipe: Recipe) -> None:
    """One ridge regressor a class, into `module.box`."""
    x = ((vectors - module.mean) / module.deviation).double()
    for k in range(len(THINGS)):
        own = classes == k + 1
        weights, bias = box_regression.ridge(x[own], transforms[own].double(), recipe.penalty)
        with torch.no_grad():
            module.box.weight[4 * k : 4 * k + 4] = weights.T.float()
            module.box.bias[4 * k : 4 * k + 4] = bias.float()


def scene_of(
    seen: TrunkFeatures, found: list[np.ndarray], scene: int, recipe: Recipe
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The map (64, 28, 28), the regions (n, 4) and the truth of a training scene, every second one mirrored."""
    mirrored = bool(scene % 2)
    boxes = torch.from_numpy(found[scene])
    if mirrored:
        boxes = torch.stack([SIZE - boxes[:, 2], boxes[:, 1], SIZE - boxes[:, 0], boxes[:, 3]], 1)
    features = torch.from_numpy(seen.levels[recipe.level][int(mirrored), scene].astype(np.float32))
    return features, boxes, seen.truth(scene, mirrored)


def pooled(features: Tensor, boxes: Tensor) -> Tensor:
    """The vectors (n, 1344) of boxes (n, 4)."""
    cells = spatial_pyramid.cells(boxes, STRIDE, (features.shape[1], features.shape[2]))
    return spatial_pyramid.pool(features, cells)


def label_matrix(boxes: Tensor, truth: dict[str, Tensor]) -> Tensor:
    """What each class learns of each box: int64 (n, 8), 1, -1, or 0 for left out."""
    of_class = [truth["boxes"][truth["labels"] == k + 1] for k in range(len(THINGS))]
    return torch.stack([region_svm.label_regions(boxes, things) for things in of_class], 1)


def evaluate(model: LoadedPyramidSVM, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's metrics of boxes by pycocotools, on the boxes of selective search; the mean number of those; and the
    median milliseconds of the network at 224x224 without them, `forward_ms_p50`, and of its parts."""
    seeds = held_out_seeds(count)
    data = cached_scenes(seeds)
    found = regions(data, seeds)
    judge, parts = coco_metrics.Judge(), []
    for index in range(count):
        said = model(np.asarray(data.images[index]), found[index])
        judge.add(said, np.asarray(data.panoptic[index]), data.records[index])
        parts.append([1000 * each for each in (said.seconds, said.trunk_seconds, said.pool_seconds, said.head_seconds)])
        report(index + 1, count)
    names = ("forward_ms_p50", "trunk_ms_p50", "pool_ms_p50", "heads_ms_p50")
    took = {name: round(statistics.median(each), 1) for name, each in zip(names, zip(*parts, strict=True), strict=True)}
    return judge.metrics() | took | {"regions": round(statistics.mean(map(len, found))), "scenes": count}
