"""How good is a heat map: against the exact mask of the thing it should show, and against the network it explains.

Against the mask: pointing game, energy inside, weak boxes. Against the network: deletion and insertion curves, and the
model randomisation check, whether the map changes when the network forgets what it learned. Two controls need no
network at all: an edge filter, and noise. An explanation that does not beat them explains nothing.

Sources: Zhang et al. 2018 (pointing game), Wang et al. 2020 (energy-based pointing game), Choe et al. 2020 (best box),
Petsiuk et al. 2018 (deletion, insertion), Adebayo et al. 2018 (randomisation check, edge detector as a control).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Float64, Real, Shaped, UInt8
from scipy.stats import rankdata
from skimage.metrics import structural_similarity
from torch import Tensor

from labs.weak_localization import SHARE, best_box, box_overlap, weak_box

STEPS = 28  # of a deletion or insertion curve: 28 strides of 1/28 of the pixels
BLUR_KERNEL, BLUR_SIGMA = 11, 5.0  # pixels, what insertion starts from: Petsiuk et al. 2018
Score = Callable[[Float[Tensor, "n 3 h w"]], Float[Tensor, " n"]]  # pictures to the score of a class


@dataclass(frozen=True)
class MaskAgreement:
    """A heat map beside the exact truth about one thing.

    Attributes:
        pointed: whether the map's maximum lies on the thing.
        energy: share of the positive evidence that lies on it, 0 to 1; NaN without positive evidence.
        energy_over_area: that share over the thing's share of the picture: 1 is chance.
        box_iou: of the box at 20 % of the maximum with the true box, 0 to 1.
        best_iou: of the best box of any threshold.
    """

    pointed: bool
    energy: float
    energy_over_area: float
    box_iou: float
    best_iou: float


@dataclass(frozen=True, eq=False)
class Curve:
    """A class's score while pixels go or come, at steps + 1 points: the `shares` of changed pixels and the `scores`,
    the `area` under them, and the picture half way through, `middle`."""

    shares: Float64[np.ndarray, " points"]
    scores: Float64[np.ndarray, " points"]
    area: float
    middle: Float[Tensor, "3 h w"]


def agreement(
    heat: Float[Tensor | np.ndarray, "h w"],
    mask: Bool[Tensor | np.ndarray, "h w"],
    box: Real[Tensor | np.ndarray, "4"],
    share: float = SHARE,
) -> MaskAgreement:
    """All comparisons with the truth of one thing; `box` its true box, xyxy in pixels.

    >>> heat, mask = np.array([[0.0, 0, 3, 1]]), np.array([[False, False, True, False]])
    >>> agreement(heat, mask, box=np.array([2, 0, 3, 1]))
    MaskAgreement(pointed=True, energy=0.75, energy_over_area=3.0, box_iou=0.5, best_iou=1.0)
    """
    return MaskAgreement(
        points_at(heat, mask),
        energy_share(heat, mask),
        energy_over_area(heat, mask),
        box_overlap(weak_box(heat, share), box),
        best_box(heat, box).iou,
    )


def points_at(heat: Float[Tensor | np.ndarray, "h w"], mask: Bool[Tensor | np.ndarray, "h w"]) -> bool:
    """The pointing game: whether the first maximum in reading order lies on the mask, without the paper's tolerance of
    15 pixels. A map without positive evidence points nowhere.

    >>> points_at(np.array([[0.0, 0, 3, 1]]), np.array([[False, False, True, False]]))
    True
    """
    values, inside = _pair(heat, mask)
    return bool(values.max() > 0 and inside.ravel()[values.argmax()])


def energy_share(heat: Float[Tensor | np.ndarray, "h w"], mask: Bool[Tensor | np.ndarray, "h w"]) -> float:
    """Σ of max(heat, 0) on the mask over Σ everywhere, 0 to 1; NaN without positive evidence.

    >>> energy_share(np.array([[-5.0, 0, 3, 1]]), np.array([[False, False, True, False]]))
    0.75
    """
    values, inside = _pair(heat, mask)
    positive = np.maximum(values.astype(np.float64), 0)
    total = positive.sum()
    return float(positive[inside].sum() / total) if total > 0 else math.nan


def energy_over_area(heat: Float[Tensor | np.ndarray, "h w"], mask: Bool[Tensor | np.ndarray, "h w"]) -> float:
    """`energy_share` over the mask's share of the picture: 1 for a constant map, more where evidence gathers on the
    thing. Small things can reach more than large ones. NaN for an empty mask or without positive evidence.

    >>> energy_over_area(np.array([[0.0, 0, 3, 1]]), np.array([[False, False, True, False]]))
    3.0
    """
    area = float(np.asarray(mask, bool).mean())
    return energy_share(heat, mask) / area if area else math.nan


def deletion(
    score: Score,
    image: Float[Tensor, "3 h w"],
    heat: Float[Tensor | np.ndarray, "h w"],
    fill: Float[Tensor, "3 #h #w"],
    steps: int = STEPS,
) -> Curve:
    """The score while pixels are replaced by `fill`, hottest first. A good map makes it fall at once: a small area.

    Args:
        score: such as a probability of the class. It is called once, with steps + 1 pictures.
        heat: equal values go in reading order.
        fill: what pixels become: another picture, or one colour, (3, 1, 1).
        steps: into how many parts the pixels are divided, 1 to h·w.

    >>> heat = torch.tensor([[4.0, 3], [2, 1]])
    >>> curve = deletion(lambda pictures: pictures.mean((1, 2, 3)), torch.ones(3, 2, 2), heat, torch.zeros(3, 1, 1), 2)
    >>> curve.shares, curve.scores, curve.area
    (array([0. , 0.5, 1. ]), array([1. , 0.5, 0. ]), 0.5)
    >>> curve.middle[0]
    tensor([[0., 0.],
            [1., 1.]])
    """
    return _curve(score, image, fill.expand_as(image), heat, steps)


def insertion(
    score: Score,
    image: Float[Tensor, "3 h w"],
    heat: Float[Tensor | np.ndarray, "h w"],
    start: Float[Tensor, "3 #h #w"] | None = None,
    steps: int = STEPS,
) -> Curve:
    """The score while pixels of the picture come back, hottest first. A good map makes it rise at once: a large area.

    `start` is what they come back to: the blurred picture if None, so that no sharp edge is made up. Otherwise as
    `deletion`.

    >>> heat = torch.tensor([[4.0, 3], [2, 1]])
    >>> curve = insertion(lambda pictures: pictures.mean((1, 2, 3)), torch.ones(3, 2, 2), heat, torch.zeros(3, 1, 1), 2)
    >>> curve.scores
    array([0. , 0.5, 1. ])
    """
    return _curve(score, blurred(image) if start is None else start.expand_as(image), image, heat, steps)


def blurred(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
    """A picture after a Gaussian of σ = 5 pixels, cut off at 11×11 as in the paper, mirrored at the edges.

    >>> blurred(torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1]).expand(3, 1, 8))[0]
    tensor([[0.2915, 0.3035, 0.3381, 0.4453, 0.5547, 0.6619, 0.6965, 0.7085]])
    """
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
    soft = cv2.GaussianBlur(pixels, (BLUR_KERNEL, BLUR_KERNEL), BLUR_SIGMA)
    return torch.from_numpy(soft).permute(2, 0, 1)


def sobel_map(image: UInt8[np.ndarray, "h w 3"]) -> Float32[Tensor, "h w"]:
    """Control: how strong the edges of an RGB picture are, ≥ 0, no network asked.

    >>> left_black_right_white = np.array([[[0] * 3, [0] * 3, [255] * 3, [255] * 3]] * 2, np.uint8)
    >>> sobel_map(left_black_right_white)
    tensor([[0., 4., 4., 0.],
            [0., 4., 4., 0.]])
    """
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return torch.from_numpy(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))


def random_map(height: int, width: int, cells: int = 14, seed: int = 0) -> Float32[Tensor, "{height} {width}"]:
    """Control: uniform noise on cells × cells, enlarged bilinearly, 0 to 1.

    >>> random_map(height=2, width=4, cells=2)
    tensor([[0.4963, 0.5642, 0.7002, 0.7682],
            [0.0885, 0.0994, 0.1211, 0.1320]])
    """
    coarse = torch.rand((1, 1, cells, cells), generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)[0, 0]


def rank_correlation(a: Float[Tensor | np.ndarray, "h w"], b: Float[Tensor | np.ndarray, "h w"]) -> float:
    """Spearman's ρ of two maps, -1 to 1: do they order the cells alike? NaN if one is constant.

    >>> rank_correlation(np.array([[1.0, 2, 3, 4]]), np.array([[0.0, 1, 10, 5]]))
    0.8
    """
    ranks = [rankdata(np.asarray(heat).ravel()) for heat in _same(a, b)]
    first, second = (rank - rank.mean() for rank in ranks)
    length = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / length if length else math.nan


def similarity(a: Float[Tensor | np.ndarray, "h w"], b: Float[Tensor | np.ndarray, "h w"]) -> float:
    """Structural similarity (SSIM) of two maps, each stretched to 0 to 1 first, at most 1; NaN if one is constant.

    Windows of 7×7 cells. Errors: ValueError for maps that are smaller.

    >>> noise = random_map(28, 28)
    >>> round(similarity(noise, 2 * noise - 1), 2), round(similarity(noise, random_map(28, 28, seed=1)), 2)
    (1.0, -0.09)
    """
    stretched = []
    for heat in _same(a, b):
        values = np.asarray(heat, np.float64)
        span = np.ptp(values)
        if not span:
            return math.nan
        stretched.append((values - values.min()) / span)
    return float(structural_similarity(*stretched, data_range=1.0))


def _curve(
    score: Score,
    before: Float[Tensor, "3 h w"],
    after: Float[Tensor, "3 h w"],
    heat: Float[Tensor | np.ndarray, "h w"],
    steps: int,
) -> Curve:
    values = np.asarray(heat)
    if before.ndim != 3 or values.shape != tuple(before.shape[1:]):
        raise ValueError(f"A picture {tuple(before.shape)} and a heat map {values.shape} do not fit.")
    if not 1 <= steps <= values.size:
        raise ValueError(f"The {values.size} pixels can be divided into 1 to {values.size} parts, not {steps}.")
    rank = np.empty(values.size, np.int64)
    rank[np.argsort(-values.ravel(), kind="stable")] = np.arange(values.size)
    ranks = torch.from_numpy(rank.reshape(values.shape))
    counts = torch.linspace(0, values.size, steps + 1).round().long()
    pictures = torch.where(ranks < counts[:, None, None, None], after, before)
    scores = score(pictures).detach().cpu().double().numpy()
    shares = counts.double().numpy() / values.size
    return Curve(shares, scores, float(np.trapezoid(scores, shares)), pictures[steps // 2])


def _pair(
    heat: Float[Tensor | np.ndarray, "h w"], mask: Bool[Tensor | np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    values, inside = _same(heat, mask)
    return values, inside.astype(bool)


def _same(
    a: Shaped[Tensor | np.ndarray, "h w"], b: Shaped[Tensor | np.ndarray, "h w"]
) -> tuple[Shaped[np.ndarray, "h w"], Shaped[np.ndarray, "h w"]]:
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"Two maps of one size (H, W) are needed, got {a.shape} and {b.shape}.")
    return a, b
