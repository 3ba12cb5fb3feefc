"""Principal components: the directions along which vectors differ most, by the singular value decomposition.

The two first ones are the flat picture of the vectors that keeps as much of their variance as a straight projection
can. It is exact, has no knobs, and distances on it are never larger than in truth.

Sources: Pearson 1901; Hotelling 1933; Jolliffe 2002, Principal Component Analysis, section 3.5 (by the SVD).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

NOTHING = 1e-12  # of the largest singular value: below it a direction is rounding dust


@dataclass(frozen=True, eq=False)
class Components:
    """A projection.

    Attributes:
        mean: float64 (d,), of the vectors, which becomes the origin.
        directions: float64 (k, d), orthonormal, the one of most variance first; a direction without any variance is 0.
        shares: float64 (k,), each direction's share of the whole variance, 0 to 1; they add up to at most 1.
    """

    mean: np.ndarray
    directions: np.ndarray
    shares: np.ndarray


def principal_components(vectors: Float[np.ndarray, "n d"], count: int = 2) -> Components:
    """The `count` directions of most variance: the first right singular vectors of the centred vectors.

    A direction has two signs; its largest entry is made positive, so the same vectors give the same picture.
    Errors: ValueError for no vectors, or for numbers that are not finite.

    >>> found = principal_components(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]), count=1)
    >>> found.directions.round(3), found.shares.round(3)
    (array([[0.707, 0.707]]), array([1.]))
    """
    if not len(vectors) or not np.isfinite(vectors).all():
        raise ValueError("Principal components need at least one vector, and finite numbers.")
    mean = vectors.mean(0, dtype=np.float64)
    _, singular, rows = np.linalg.svd(vectors - mean, full_matrices=False)
    there = singular > NOTHING * max(singular[0], 1.0)
    rows = rows * np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(1)])[:, None] * there[:, None]
    variances = np.where(there, singular**2, 0.0)  # times n - 1
    shares = variances / (variances.sum() or 1.0)
    missing = max(0, count - len(rows))
    return Components(mean, np.pad(rows[:count], ((0, missing), (0, 0))), np.pad(shares[:count], (0, missing)))


def project(vectors: Float[np.ndarray, "n d"], onto: Components) -> Float64[np.ndarray, "n k"]:
    """Where vectors lie along the directions, in units of the vectors; also new ones, that were not asked for them.

    >>> found = principal_components(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]), count=1)
    >>> project(np.array([[4.0, 4.0], [3.0, 1.0]]), found).round(3)
    array([[2.828],
           [0.   ]])
    """
    return (vectors - onto.mean) @ onto.directions.T
