"""Heat maps: what the super-resolution gains and costs, and how good every kind of map is on exact masks."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

import scenes
from labs import augmented_grad_cam, heat_map_quality, super_resolution
from labs.class_activation import class_activation_map
from models.inside.attribution import attribute, enlarged, randomised
from models.inside.augmented import augmented_grad_cam as augmented_map
from models.networks.classifier import FILL, SIZE, LoadedClassifier, to_tensor
from models.recipes.scene_cache import held_out_seeds

NETWORK = "classifier-gap"
CELLS, FINE, VIEWS = 14, augmented_grad_cam.FINE, augmented_grad_cam.VIEWS
SOFTNESS = 1.5  # cells, the Gaussian of the soft known maps
SMALLEST = 0.01  # of the picture, a known map's or a judged thing's area
DESCENTS = (("adam", 0.003), ("adam", 0.01), ("diminishing", 0.3), ("diminishing", 1.0))  # the fastest of 10 tried
PATIENCE = 2500  # iterations of each
STEPS = 16  # of the deletion and insertion curves
BARS = {"gain_db": 8.0, "solver_s": 0.5, "speedup_vs_subgradient": 20.0, "total_s": 3.0}


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to be found: the picture, uint8 (224, 224, 3), the class, and the thing's exact mask and box."""

    seed: int
    image: np.ndarray
    target: int
    mask: np.ndarray
    box: np.ndarray


def run(count: int = 40) -> dict:
    """All figures; those of a network are null, with the reason, while `classifier-gap` has no weights."""
    from models import catalog

    found = solver_figures()
    try:
        model = catalog.load(NETWORK)
    except ValueError as error:
        return found | {"total_s": None, "total_s_reason": str(error), "scenes": 0, "quality": []}
    return found | {"total_s": rounded(total_seconds(model))} | quality(model, count)


# --- the solver on known maps


def known_maps(count: int) -> Iterator[np.ndarray]:
    """Masks of held-out scenes' things averaged to 56×56, 0 to 1: sharp, and the same after a Gaussian."""
    masks = (
        instance.mask
        for seed in held_out_seeds(10 * count)
        for instance in scenes.render(scenes.sample(seed), SIZE).instances
        if instance.mask.mean() >= SMALLEST
    )
    for _, mask in zip(range(count), masks):
        sharp = mask.reshape(FINE, SIZE // FINE, FINE, SIZE // FINE).mean((1, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(sharp, (0, 0), SOFTNESS)
        yield sharp
        yield soft / soft.max()


def solver_figures(count: int = 20, views: int = VIEWS, patience: int = PATIENCE) -> dict:
    """Gain over one map enlarged, of `count` known maps each sharp and soft, degraded by D A_l; the solver's time,
    operators included; and how much longer subgradient descent takes to the same objective.

    Where no descent came so low within its patience, the factor is a lower bound and `subgradient_reached` is false.
    """
    warps = augmented_grad_cam.random_warps(views)
    operator = augmented_grad_cam.view_operator(warps, FINE, CELLS)
    gains, means, seconds = [], [], []
    for truth in known_maps(count):
        maps = torch.from_numpy(operator @ truth.ravel()).view(views, CELLS, CELLS)
        start = time.perf_counter()
        posed = augmented_grad_cam.pose(maps, warps)
        solution = super_resolution.primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
        seconds.append(time.perf_counter() - start)
        one = decibels(augmented_grad_cam.enlarged(maps[0]), truth)
        gains.append(decibels(solution.fine * posed.scale, truth) - one)
        means.append(decibels(posed.mean, truth) - one)
    factor, reached = speedup(posed, patience)
    return {
        "gain_db": rounded(statistics.fmean(gains)),
        "gain_sharp_db": rounded(statistics.fmean(gains[::2])),
        "gain_soft_db": rounded(statistics.fmean(gains[1::2])),
        "gain_lowest_db": rounded(min(gains)),
        "gain_of_mean_db": rounded(statistics.fmean(means)),
        "solver_s": rounded(statistics.median(seconds), 3),
        "speedup_vs_subgradient": rounded(factor, 1),
        "subgradient_reached": reached,
    }


def speedup(posed: augmented_grad_cam.Posed, patience: int) -> tuple[float, bool]:
    """Processor time of the quickest subgradient descent, from zero, over that of the primal-dual method, and whether
    the descent came down to the same objective. If none did: of the descent that gave up first."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        solution = super_resolution.primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
        times.append(time.thread_time() - start)
    target, ours = solution.objectives[-1], statistics.median(times)
    runs = []
    for rule, rate in DESCENTS:
        start = time.thread_time()
        slow = super_resolution.subgradient_descent(
            posed.problem, iterations=patience, rate=rate, rule=rule, stop_below=target
        )
        runs.append((min(slow.objectives) > target, time.thread_time() - start))
    missed, theirs = min(runs)
    return theirs / ours, not missed


def decibels(fine: Tensor | np.ndarray, truth: np.ndarray) -> float:
    """Peak signal to noise ratio of a map, for a truth of 0 to 1."""
    return -10 * math.log10(float(np.mean((np.asarray(fine, np.float64) - truth) ** 2)))


def total_seconds(model: LoadedClassifier) -> float:
    """One whole Augmented Grad-CAM, forwards included: the median of three after one that warms up."""
    image = scenes.render_image(scenes.sample(held_out_seeds(1)[0]), SIZE)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        augmented_map(model, image, 0)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


# --- quality on exact masks


def _cam(model: LoadedClassifier, case: Case) -> Tensor:
    said = model(case.image)
    return class_activation_map(said.features, said.weights[case.target])


METHODS: dict[str, Callable[[LoadedClassifier, Case], Tensor]] = {
    "CAM": _cam,
    "Grad-CAM": lambda model, case: attribute(model, case.image, case.target),
    "Augmented Grad-CAM": lambda model, case: augmented_map(model, case.image, case.target).fine,
    "mean of unwarped maps": lambda model, case: augmented_map(model, case.image, case.target, iterations=1).mean_map,
    "saliency": lambda model, case: attribute(model, case.image, case.target, "saliency"),
    "occlusion": lambda model, case: attribute(model, case.image, case.target, "occlusion"),
    "Sobel filter": lambda model, case: heat_map_quality.sobel_map(case.image),
    "random": lambda model, case: heat_map_quality.random_map(SIZE, SIZE, CELLS, case.seed),
}


def cases(model: LoadedClassifier, count: int, least: float = 0.5) -> list[Case]:
    """One thing from each of the first `count` held-out scenes that have one: the only one of its class there, at least
    1 % of the picture, half visible, and recognised with a probability of at least `least`; drawn by the seed."""
    found = []
    for seed in held_out_seeds(10 * count):
        view = scenes.render(scenes.sample(seed), SIZE)
        probabilities = model(view.image).probabilities
        labels = [instance.label for instance in view.instances]
        fitting = [
            instance
            for instance in view.instances
            if labels.count(instance.label) == 1
            and instance.visible >= 0.5
            and instance.mask.mean() >= SMALLEST
            and probabilities[scenes.THINGS.index(instance.label)] >= least
        ]
        if fitting:
            chosen = fitting[seed % len(fitting)]
            target = scenes.THINGS.index(chosen.label)
            found.append(Case(seed, view.image, target, chosen.mask, chosen.box))
        if len(found) == count:
            break
    return found


def quality(model: LoadedClassifier, count: int, least: float = 0.5, methods: Sequence[str] = tuple(METHODS)) -> dict:
    """`scenes`, how many cases, and `quality`, a row of means over them for each method: see `row`."""
    judged = cases(model, count, least)
    forgetful = randomised(model, seed=0)
    return {"scenes": len(judged), "quality": [row(name, model, forgetful, judged) for name in methods]}


def row(name: str, model: LoadedClassifier, forgetful: LoadedClassifier, judged: Sequence[Case]) -> dict:
    """Means over all cases. `rank ρ` and `SSIM` compare the map with that of the network that forgot all it learned:
    a map that explains the network must not stay as it is."""
    agreements, falls, rises, ranks, likeness, seconds = [], [], [], [], [], []
    for case in judged:
        start = time.perf_counter()
        small = METHODS[name](model, case)
        seconds.append(time.perf_counter() - start)
        heat = enlarged(small, (SIZE, SIZE))
        agreements.append(heat_map_quality.agreement(heat, case.mask, case.box))

        def score(batch: Tensor, target: int = case.target) -> Tensor:
            return model.forward_batch(batch)[:, target].sigmoid()

        picture, fill = to_tensor(case.image), torch.tensor(FILL).view(3, 1, 1)
        falls.append(heat_map_quality.deletion(score, picture, heat, fill, STEPS).area)
        rises.append(heat_map_quality.insertion(score, picture, heat, steps=STEPS).area)
        forgotten = METHODS[name](forgetful, case)
        ranks.append(abs(heat_map_quality.rank_correlation(small, forgotten)))
        likeness.append(heat_map_quality.similarity(small, forgotten))
    return {
        "map": name,
        "pointing game": mean([found.pointed for found in agreements]),
        "energy / area": mean([found.energy_over_area for found in agreements], 2),
        "IoU at 20 %": mean([found.box_iou for found in agreements]),
        "best IoU": mean([found.best_iou for found in agreements]),
        "deletion ↓": mean(falls),
        "insertion ↑": mean(rises),
        "random net |ρ|": mean(ranks, 2),
        "random net SSIM": mean(likeness, 2),
        "ms": mean([1000 * second for second in seconds], 0),
    }


def mean(values: Sequence[float], digits: int = 3) -> float | None:
    """The mean of what is defined, rounded; None if nothing is."""
    defined = [float(value) for value in values if not math.isnan(value)]
    return rounded(statistics.fmean(defined), digits) if defined else None


def rounded(value: float, digits: int = 2) -> float:
    return round(float(value), digits)


def with_bars(found: dict) -> list[dict]:
    """The figures that have a bar, as rows of a table."""
    rows = []
    for name, bar in BARS.items():
        value = found[name]
        at_most = name.endswith("_s")
        met = None if value is None else "yes" if (value < bar if at_most else value >= bar) else "no"
        rows.append({"figure": name, "measured": value, "bar": f"{'<' if at_most else '≥'} {bar:g}", "met": met})
    return rows
