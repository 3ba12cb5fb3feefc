"""How R-CNN is trained in stages, as by its authors, and judged: features to disk, SVMs, hard negatives, regressors."""

import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from labs.boxes import iou_matrix
from labs.region_svm import hinge
from models.networks.localizer import LoadedLocalizer
from models.networks.rcnn import FEATURES, SIZE, LoadedRcnn, Rcnn
from models.recipes import coco_metrics, region_svm
from models.recipes.region_svm import Examples, Rules
from models.recipes.regions import regions
from models.recipes.scene_cache import SIZE as WIDTH
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes, held_out_seeds, training_seeds

TASK = "region detection"
NAMES = ("rcnn",)
STARTS_FROM = "localizer-joint"
HELD_OUT = 500
RENDERED = 6000  # training scenes there are; the first of them are used
CHUNK = 50


@dataclass(frozen=True)
class Recipe:
    """The trunk of `localizer-joint` stays as it is. From the `first` scenes come true boxes, those of the mirrored
    scene too, and regions by chance; the SVMs fitted on them say which regions of all of the next `mined` scenes are
    hard. Then SVMs and regressors are fitted on everything."""

    seed: int = 0
    first: int = 500
    mined: int = 300
    rules: Rules = field(default_factory=Rules)


def build(name: str) -> Rcnn:
    """The network, its trunk and all else freshly initialised."""
    return Rcnn()


def wrap(name: str, module: Rcnn, device: torch.device, card: dict) -> LoadedRcnn:
    """The network behind the interface that pages call."""
    return LoadedRcnn(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedLocalizer
) -> tuple[Rcnn, dict]:
    """Train on the trunk of `start`, or go on from the features that `folder` has. A step is a scene."""
    recipe = Recipe()
    data = cached_scenes(training_seeds(RENDERED))
    proposals = regions(data, training_seeds(RENDERED), recipe.first + recipe.mined)
    torch.manual_seed(recipe.seed)
    module = build(name).eval().requires_grad_(False)
    module.trunk.load_state_dict(start.module.trunk.state_dict())
    model = wrap(name, module.to(device).to(memory_format=torch.channels_last), device, {})
    folder.mkdir(parents=True, exist_ok=True)
    seconds = {"features": 0.0, "SVMs": 0.0, "hard negatives": 0.0, "regressors": 0.0}
    parts: list[Examples] = []
    total = recipe.first + recipe.mined

    def through(scenes: range, stage: str, look: Callable[[int], Examples], loss: float) -> None:
        for examples, done, took in chunks(folder, scenes, look):
            parts.append(examples)
            seconds[stage] += took
            report(done, total, loss)

    def fit(stage: str, learn: Callable) -> Examples:
        began, every = perf_counter(), region_svm.together(parts)
        learn(module.head, every, recipe.rules)
        seconds[stage] += perf_counter() - began
        return every

    def first_look(index: int) -> Examples:
        return by_chance(model, np.asarray(data.images[index]), torch.from_numpy(proposals[index]),
                         data.records[index], recipe.rules, np.random.default_rng([recipe.seed, index]))  # fmt: skip

    def second_look(index: int) -> Examples:
        return mined(model, np.asarray(data.images[index]), torch.from_numpy(proposals[index]), data.records[index],
                     recipe.rules)  # fmt: skip

    through(range(recipe.first), "features", first_look, float("nan"))
    every = fit("SVMs", region_svm.fit_svms)
    through(range(recipe.first, total), "hard negatives", second_look, mean_hinge(model, every))
    every = fit("SVMs", region_svm.fit_svms)
    fit("regressors", region_svm.fit_regressors)
    report(total, total, mean_hinge(model, every))
    facts = asdict(recipe) | {
        "starts_from": STARTS_FROM, "regions": len(every), "positives": int((every.labels > 0).sum()),
        "features_mb": round(every.features.numel() * 2 / 1e6, 1),
    }  # fmt: skip
    stages = {stage: round(took, 1) for stage, took in seconds.items()}
    return module, {
        "recipe": facts, "stage_seconds": stages, "training_seconds": round(sum(seconds.values()))
    }  # fmt: skip


def chunks(folder: Path, scenes: range, look: Callable[[int], Examples]) -> Iterator[tuple[Examples, int, float]]:
    """The examples of the scenes, `CHUNK` at a time, with the number of the scene they reach to and the seconds they
    took. As the paper did, features go to disk: half-precision numbers, which a later run takes up."""
    for begin in range(scenes.start, scenes.stop, CHUNK):
        some = range(begin, min(begin + CHUNK, scenes.stop))
        file = folder / f"features-{some.start}-{some.stop}.npz"
        if not file.exists():
            began = perf_counter()
            found = region_svm.together([look(index) for index in some])
            part = file.with_suffix(".part.npz")  # moved when whole
            np.savez(part, features=found.features.half().numpy(), labels=found.labels.numpy(),
                     transforms=found.transforms.numpy(), seconds=perf_counter() - began)  # fmt: skip
            os.replace(part, file)
        with np.load(file) as saved:
            arrays = [torch.from_numpy(saved[name]) for name in ("features", "labels", "transforms")]
            yield Examples(*arrays), some.stop, float(saved["seconds"])


def features_of(model: LoadedRcnn, image: np.ndarray, boxes: Tensor) -> Tensor:
    """Features float16 (n, 1152) of the regions of a picture."""
    some = [model.features(model.crops(image, part)).half() for part in boxes.split(32)]
    return torch.cat([torch.zeros(0, FEATURES, dtype=torch.float16), *some])


def by_chance(
    model: LoadedRcnn, image: np.ndarray, proposals: Tensor, records: list[InstanceRecord], rules: Rules,
    rng: np.random.Generator,
) -> Examples:  # fmt: skip
    """True boxes, in the mirror too, and some of the proposals."""
    boxes, _ = region_svm.truths(records, rules.visible)
    picked = torch.cat([boxes, proposals[region_svm.chosen(proposals, records, rules, rng)]])
    in_mirror = boxes.clone()
    in_mirror[:, [0, 2]] = WIDTH - boxes[:, [2, 0]]
    features = [features_of(model, image, picked), features_of(model, image[:, ::-1], in_mirror)]
    both = [region_svm.labelled(picked, records, rules), region_svm.labelled(boxes, records, rules)]
    labels, transforms = (torch.cat(each) for each in zip(*both, strict=True))
    transforms[len(picked) :, :, 0] *= -1  # to the left is now to the right
    return Examples(torch.cat(features), labels, transforms)


def mined(
    model: LoadedRcnn, image: np.ndarray, proposals: Tensor, records: list[InstanceRecord], rules: Rules
) -> Examples:
    """True boxes, and of all the proposals those that the SVMs get wrong."""
    boxes, _ = region_svm.truths(records, rules.visible)
    every = torch.cat([boxes, proposals])
    features = features_of(model, image, every)
    labels, transforms = region_svm.labelled(every, records, rules)
    margins, _ = model.judge(features.float())
    hard = region_svm.hard_ones(margins[len(boxes) :], labels[len(boxes) :], transforms[len(boxes) :], rules)
    kept = torch.cat([torch.arange(len(boxes)), len(boxes) + hard])
    return Examples(features[kept], labels[kept], transforms[kept])


def mean_hinge(model: LoadedRcnn, examples: Examples) -> float:
    """The mean hinge loss over all classes and examples that are asked."""
    margins, _ = model.judge(examples.features.float())
    return float(hinge(margins, examples.labels)[examples.labels != 0].mean())


def evaluate(model: LoadedRcnn, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """COCO's AP on held-out scenes with all boxes of selective search.

    Returns:
        `box_ap`, `box_ap50`, `box_ar`, per class and per size; `forward_ms_p50` of everything but selective search for
        one picture; `ms_per_region`; `regions`, the mean number of proposals; `proposal_recall`, the share of things
        that some proposal overlaps by at least 0.5.
    """
    data = cached_scenes(held_out_seeds(count))
    proposals = regions(data, held_out_seeds(count))
    judge = coco_metrics.Judge()
    milliseconds, covered, seen = [], [], 0
    for index in range(count):
        boxes = torch.from_numpy(proposals[index])
        found = model(np.asarray(data.images[index]), boxes)
        judge.add(found, np.asarray(data.panoptic[index]), data.records[index])
        milliseconds.append(found.seconds * 1000)
        covered += recalled(boxes, data, index)
        seen += len(boxes)
        report(index + 1, count)
    return judge.metrics() | {
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "ms_per_region": round(sum(milliseconds) / seen, 3),
        "regions": round(seen / count, 1), "proposal_recall": round(float(np.mean(covered)), 4), "side": SIZE,
        "scenes": count,
    }  # fmt: skip


def recalled(boxes: Tensor, data: CachedScenes, index: int) -> list[bool]:
    """For each thing that counts in the AP, whether some proposal overlaps it by at least 0.5."""
    things, _ = region_svm.truths(data.records[index], coco_metrics.IGNORED_BELOW)
    if not len(boxes):
        return [False] * len(things)
    return (iou_matrix(things, boxes).amax(1) >= 0.5).tolist()
