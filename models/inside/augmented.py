"""Augmented Grad-CAM on a classifier, of Lab World or of photographs: views, their Grad-CAMs, and the fine map that
explains them all."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from labs.augmented_grad_cam import ANGLE, SHIFT, VIEWS, Warps, enlarged, pose, random_warps, warp_pictures
from labs.super_resolution import ITERATIONS, RIDGE, TOTAL_VARIATION, Terms, primal_dual
from models.inside import photograph_attribution
from models.inside.attribution import grad_cam_views
from models.networks.classifier import FILL, SIZE, LoadedClassifier, to_tensor
from models.networks.published import PretrainedClassifier

BATCH = 16
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class AugmentedMap:
    """What Augmented Grad-CAM found, with everything on the way. All maps are in the logit's units, ≥ 0.

    Attributes:
        fine: float32 (56, 56), h. All zeros when no view holds positive evidence.
        one_map: float32 (56, 56), view 0's map enlarged bilinearly: Grad-CAM as it is.
        mean_map: float32 (56, 56), the mean of the maps turned back.
        maps: float32 (L, n, n), every view's Grad-CAM after its ReLU.
        believed: bool (L, n, n), cells that saw none of the fill; only these take part.
        views: uint8 (L, 224, 224, 3), the pictures that the network saw.
        warps: how they were made.
        objectives: E before the first and after each iteration, of maps divided by `scale`.
        terms: the terms of E of `one_map`, `mean_map` and `fine`, in this order, at the same scale.
        gap: how far E of `fine` can lie above the least E, at most, at the same scale.
        scale: the largest value of all maps; λ and μ are for maps of 0 to 1.
        seconds: of the stages "views", "forwards" and "solver".
        device: where the network ran; the solver runs on the CPU.
    """

    fine: Tensor
    one_map: Tensor
    mean_map: Tensor
    maps: Tensor
    believed: Tensor
    views: np.ndarray
    warps: Warps
    objectives: list[float]
    terms: tuple[Terms, Terms, Terms]
    gap: float
    scale: float
    seconds: dict[str, float]
    device: str


def augmented_grad_cam(
    model: LoadedClassifier | PretrainedClassifier,
    image: np.ndarray,
    target: int,
    views: int = VIEWS,
    angle: float = ANGLE,
    shift: float = SHIFT,
    lam: float = TOTAL_VARIATION,
    mu: float = RIDGE,
    seed: int = 0,
    iterations: int = ITERATIONS,
    progress: Progress | None = None,
) -> AugmentedMap:
    """The fine map of one class in one picture.

    Args:
        model: from `catalog.load`.
        image: uint8 RGB (H, W, 3); what is not 224×224 is resized to it, as the model does. A network for photographs
            cuts out its window, and the maps cover that.
        target: the class, an index into `scenes.THINGS`, or into the classes of a network for photographs.
        views: L, how many; view 0 is the picture itself.
        angle, shift: largest rotation in radians and shift in pixels of the 224×224 picture, to either side.
        lam, mu: λ of the total variation and μ of the ridge, for maps of 0 to 1.
        seed: of the rotations and shifts.
        iterations: of the primal-dual method.
        progress: called with ("forwards" or "solver", done, of how many) while it runs.

    Raises:
        ValueError: a value out of range.
    """
    tell = progress or (lambda stage, done, total: None)
    published = isinstance(model, PretrainedClassifier)
    x = model.tensor(image).cpu() if published else to_tensor(image)
    warps = random_warps(views, angle, shift, SIZE, seed)
    start = perf_counter()
    pictures = warp_pictures(x, warps, (0.0,) * 3 if published else FILL)  # zero is the mean colour of its weights
    seconds = {"views": perf_counter() - start}

    start = perf_counter()
    parts = []
    for part in pictures.split(BATCH):  # in parts, so that progress can be told
        if isinstance(model, PretrainedClassifier):
            parts.append(photograph_attribution.grad_cam_views(model, part, target, batch=BATCH))
        else:
            parts.append(grad_cam_views(model, part, target, batch=BATCH, relu=True))
        tell("forwards", min(len(parts) * BATCH, views), views)
    maps = torch.cat(parts)
    seconds["forwards"] = perf_counter() - start

    start = perf_counter()
    posed = pose(maps, warps, lam, mu)
    first_guess = (posed.mean / posed.scale).numpy()
    solution = primal_dual(
        posed.problem, first_guess, iterations, progress=lambda done, total: tell("solver", done, total)
    )
    seconds["solver"] = perf_counter() - start
    one, fine = enlarged(maps[0]), torch.from_numpy(solution.fine) * posed.scale

    def terms_of(each: Tensor) -> Terms:
        return posed.problem.terms((each / posed.scale).numpy())

    assert solution.gap is not None, "The primal-dual method knows its gap."
    if isinstance(model, PretrainedClassifier):
        shown = model.pixels(pictures)
    else:
        shown = (pictures * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    return AugmentedMap(
        fine, one, posed.mean, maps, posed.believed, shown, warps, solution.objectives,
        (terms_of(one), terms_of(posed.mean), terms_of(fine)), solution.gap, posed.scale, seconds, model.device,
    )  # fmt: skip
