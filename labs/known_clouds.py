"""Clouds of points whose widths and distances are known, and what a plot makes of them.

Source: Wattenberg, Viégas, Johnson 2016, How to Use t-SNE Effectively.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.spatial import ConvexHull, KDTree, QhullError

Cloud = tuple[Float64[np.ndarray, "n d"], Int64[np.ndarray, " n"]]  # points, and the group of each


def one_gaussian(count: int = 200, dimensions: int = 50, seed: int = 0) -> Cloud:
    """Points of one Gaussian of width 1: no groups at all.

    >>> points, groups = one_gaussian(6, 3)
    >>> points.shape, groups.tolist()
    ((6, 3), [0, 0, 0, 0, 0, 0])
    """
    return np.random.default_rng(seed).normal(size=(count, dimensions)), np.zeros(count, np.int64)


def two_widths(ratio: float, each: int = 75, seed: int = 0) -> Cloud:
    """Two groups in the plane, of width 1 and `ratio`, far enough apart that they do not meet.

    >>> points, groups = two_widths(10.0, 2)
    >>> points.shape, groups.tolist()
    ((4, 2), [0, 0, 1, 1])
    """
    groups = np.repeat([0, 1], each)
    points = np.random.default_rng(seed).normal(size=(2 * each, 2)) * np.where(groups, ratio, 1.0)[:, None]
    points[:, 0] += groups * 4 * (1 + ratio)
    return points, groups


def two_distances(ratio: float, each: int = 50, seed: int = 0) -> Cloud:
    """Three groups of width 1 on a line in the plane: the second 10 from the first, the third `ratio` times as far from
    the second.

    >>> points, groups = two_distances(5.0, 2)
    >>> points.shape, groups.tolist()
    ((6, 2), [0, 0, 1, 1, 2, 2])
    """
    groups = np.repeat([0, 1, 2], each)
    points = np.random.default_rng(seed).normal(size=(3 * each, 2))
    points[:, 0] += np.array([0.0, 10.0, 10.0 + 10.0 * ratio])[groups]
    return points, groups


def middles(points: Float[np.ndarray, "n d"], groups: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "g d"]:
    """The mean of each group 0, 1, ...

    >>> middles(np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 5.0]]), np.array([0, 0, 1]))
    array([[1., 0.],
           [5., 5.]])
    """
    return np.array([points[groups == group].mean(0) for group in range(groups.max() + 1)], np.float64)


def widths(points: Float[np.ndarray, "n d"], groups: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " g"]:
    """The root of the mean squared distance of each group's points from their middle.

    >>> widths(np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 5.0]]), np.array([0, 0, 1]))
    array([1., 0.])
    """
    off = ((points - middles(points, groups)[groups]) ** 2).sum(1)
    return np.array([np.sqrt(off[groups == group].mean()) for group in range(groups.max() + 1)], np.float64)


def steps(points: Float[np.ndarray, "n d"], groups: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " h"]:
    """The distances of the middles of groups 0 and 1, 1 and 2, ...

    >>> steps(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]]), np.array([0, 1, 2]))
    array([5., 1.])
    """
    return np.linalg.norm(np.diff(middles(points, groups), axis=0), axis=1)


def evenness(places: Float[np.ndarray, "n 2"]) -> float:
    """The mean distance to the nearest point, over what it would be for points thrown blindly into the same convex hull
    (Clark, Evans 1954): under 1 they lie in clumps, at 1 as thrown, above 1 they keep apart; 2 for a square lattice.

    Errors: ValueError for points that span no area.

    >>> side = np.arange(60.0)
    >>> round(evenness(np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)), 1)
    2.0
    """
    try:
        area = ConvexHull(places).volume  # of a flat hull, its area
    except QhullError as error:
        raise ValueError("The points span no area.") from error
    nearest = KDTree(places).query(places, 2)[0][:, 1]
    return float(nearest.mean() * 2 * np.sqrt(len(places) / area))
