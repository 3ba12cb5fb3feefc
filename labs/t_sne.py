"""t-SNE: places in the plane whose neighbours are the neighbours of the vectors.

How likely i and j are neighbours is p_ij among the vectors, by a Gaussian of its own width at each vector, and q_ij
in the plane, by Student's t with one degree of freedom. The places move down the gradient of KL(P‖Q), in nats.
`affinities`, `student_affinities`, `kl_divergence` and `gradient` are the method for a few hundred points, written out.
`descend` runs it in steps for more, by openTSNE: its p_ij beyond 3 × perplexity neighbours are 0, and far places push
as groups (Barnes-Hut).

The widths take away how wide a group is, and the t how far groups are apart: neither can be read from such a plot.

Sources: van der Maaten, Hinton 2008; van der Maaten 2014 (Barnes-Hut); Belkina et al. 2019 (learning rate n /
exaggeration); Kobak, Berens 2019 (start from the principal components); Poličar et al. 2024 (openTSNE).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import openTSNE
from jaxtyping import Float, Float64
from openTSNE.affinity import PerplexityBasedNN

from labs.principal_components import principal_components, project

EXAGGERATION = 12.0  # of the p_ij, early on
NEIGHBOURS = 3  # times the perplexity: so many have a p_ij in openTSNE
TINY = 1e-300


def squared_distances(vectors: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n n"]:
    """Squared Euclidean distances of all pairs.

    >>> squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]]))
    array([[ 0., 25.],
           [25.,  0.]])
    """
    vectors = vectors.astype(np.float64)
    lengths = (vectors**2).sum(1)
    found = np.maximum(lengths[:, None] + lengths - 2 * vectors @ vectors.T, 0)
    np.fill_diagonal(found, 0)
    return found


def perplexity(probabilities: Float64[np.ndarray, "..."]) -> float:
    """exp of the entropy: k equally likely neighbours have perplexity k.

    >>> round(perplexity(np.array([0.25, 0.25, 0.25, 0.25, 0.0])), 6)
    4.0
    """
    there = probabilities[probabilities > 0]
    return float(np.exp(-(there * np.log(there)).sum()))


def neighbour_probabilities(distances: Float64[np.ndarray, " m"], wanted: float) -> Float64[np.ndarray, " m"]:
    """p_j|i ∝ exp(-d² / 2σ²) over m others, `distances` squared, with the σ at which their perplexity is `wanted`.

    σ is found by halving an interval. Errors: ValueError for a perplexity outside 1 to m.

    >>> neighbour_probabilities(np.array([1.0, 1.0, 100.0]), 2.0).round(3)
    array([0.5, 0.5, 0. ])
    """
    if not 1 <= wanted <= len(distances):
        raise ValueError(f"Perplexity {wanted:g} needs at least {wanted:.0f} other points, and lies above 1.")
    nearest = distances - distances.min()
    scale = float(nearest.mean()) or 1.0
    low, high = -60.0, 60.0  # of log σ², in units of the mean
    for _ in range(100):
        middle = (low + high) / 2
        weights = np.exp(-nearest / (2 * scale * np.exp(middle)))
        found = weights / weights.sum()
        low, high = (low, middle) if perplexity(found) > wanted else (middle, high)
    return found


def affinities(vectors: Float[np.ndarray, "n d"], wanted: float) -> Float64[np.ndarray, "n n"]:
    """p_ij = (p_j|i + p_i|j) / 2n for all pairs: symmetric, 0 on the diagonal, 1 in all.

    A vector far from all others has neighbours too, since each has its own σ: so an outlier finds its place.
    Errors: ValueError for a perplexity outside 1 to n - 1.

    >>> affinities(np.array([[0.0], [1.0], [2.0]]), 2.0).round(3)
    array([[0.   , 0.167, 0.167],
           [0.167, 0.   , 0.167],
           [0.167, 0.167, 0.   ]])
    """
    distances, count = squared_distances(vectors), len(vectors)
    found = np.zeros((count, count))
    others = ~np.eye(count, dtype=bool)
    for i in range(count):
        found[i, others[i]] = neighbour_probabilities(distances[i, others[i]], wanted)
    return (found + found.T) / (2 * count)


def student_affinities(places: Float[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n n"]:
    """q_ij ∝ 1 / (1 + |y_i - y_j|²) for all pairs: symmetric, 0 on the diagonal, 1 in all.

    >>> student_affinities(np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])).round(3)
    array([[0.   , 0.312, 0.062],
           [0.312, 0.   , 0.125],
           [0.062, 0.125, 0.   ]])
    """
    weights = 1 / (1 + squared_distances(places))
    np.fill_diagonal(weights, 0)
    return weights / weights.sum()


def kl_terms(p: Float64[np.ndarray, "n m"], q: Float64[np.ndarray, "n m"]) -> Float64[np.ndarray, "n m"]:
    """p_ij log(p_ij / q_ij): what each pair adds to the divergence, nats; 0 where p is 0.

    Near vectors put far apart cost much; far vectors put close cost little: p is small then.

    >>> kl_terms(np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([[0.0, 0.25], [0.75, 0.0]])).round(3)
    array([[ 0.   ,  0.347],
           [-0.203,  0.   ]])
    """
    return np.where(p > 0, p * np.log(np.maximum(p, TINY) / np.maximum(q, TINY)), 0.0)


def kl_divergence(p: Float64[np.ndarray, "n m"], q: Float64[np.ndarray, "n m"]) -> float:
    """KL(P‖Q) = Σ p_ij log(p_ij / q_ij), nats, >= 0, and 0 only if both are equal.

    >>> round(kl_divergence(np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([[0.0, 0.25], [0.75, 0.0]])), 4)
    0.1438
    """
    return float(kl_terms(p, q).sum())


def gradient(p: Float64[np.ndarray, "n n"], places: Float[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """∂KL/∂y_i = 4 Σ_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|²): springs that pull where p > q, push where q > p.

    >>> gradient(np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([[0.0, 0.0], [5.0, 0.0]]))  # two points always agree
    array([[0., 0.],
           [0., 0.]])
    """
    springs = (p - student_affinities(places)) / (1 + squared_distances(places))
    return 4 * (springs.sum(1)[:, None] * places - springs @ places)


@dataclass(frozen=True)
class Settings:
    """How a plot is made.

    Attributes:
        perplexity: how many neighbours count, roughly.
        learning_rate: None for n / exaggeration.
        iterations: in all; the first `exaggerated` of them with p_ij twelve times as large, which gathers the groups.
        seed: of the generator; the start itself is not drawn, it is the principal components.
    """

    perplexity: float = 30.0
    learning_rate: float | None = None
    iterations: int = 500
    exaggerated: int = 150
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Frame:
    """A plot on its way.

    Attributes:
        iteration: steps done.
        places: float64 (n, 2), in units of the plane.
        errors: (iteration, divergence) of this frame and those before it, nats: of the true p_ij, and of the places
            before the iteration's last step. None at the start.
        exaggerated: whether the p_ij are enlarged still.
    """

    iteration: int
    places: np.ndarray
    errors: tuple[tuple[int, float], ...]
    exaggerated: bool

    @property
    def kl(self) -> float | None:
        """The last divergence.

        >>> Frame(10, np.zeros((3, 2)), ((5, 0.9), (10, 0.7)), False).kl
        0.7
        """
        return self.errors[-1][1] if self.errors else None


def most_perplexity(count: int) -> int:
    """The largest perplexity that `count` points can have: a third of the others.

    >>> most_perplexity(100)
    33
    """
    return (count - 1) // NEIGHBOURS


def descend(vectors: Float[np.ndarray, "n d"], settings: Settings, every: int = 5) -> Iterator[Frame]:
    """The start, and then a frame after each `every` steps; the next steps are taken when the next frame is asked for.

    Same vectors and settings, same frames: one thread and a fixed seed. A perplexity that is too large for so few
    points is lowered to `most_perplexity`.
    Errors: ValueError for fewer than 4 vectors, or for numbers that are not finite.

    >>> frames = list(descend(np.eye(8), Settings(2.0, iterations=20, exaggerated=10)))
    >>> [frame.iteration for frame in frames], frames[-1].kl < frames[1].kl
    ([0, 5, 10, 15, 20], True)
    """
    if len(vectors) < NEIGHBOURS + 1 or not np.isfinite(vectors).all():
        raise ValueError("t-SNE needs at least 4 vectors, and finite numbers.")
    embedding = openTSNE.TSNE(n_jobs=1, random_state=settings.seed, negative_gradient_method="bh").prepare_initial(
        vectors, affinities=_sparse_affinities(vectors, settings), initialization=_start(vectors)
    )
    yield Frame(0, np.array(embedding), (), settings.exaggerated > 0)
    done = 0
    errors: list[tuple[int, float]] = []
    while done < settings.iterations:
        early = done < settings.exaggerated
        steps = min(every, (settings.exaggerated if early else settings.iterations) - done, settings.iterations - done)
        embedding.optimize(
            steps, exaggeration=EXAGGERATION if early else None, learning_rate=settings.learning_rate or "auto",
            callbacks=lambda steps, error, _places: errors.append((done + steps, float(error))),  # noqa: B023
            callbacks_every_iters=steps, inplace=True,
        )  # fmt: skip
        done += steps
        yield Frame(done, np.array(embedding), tuple(errors), early)


def median_of_nearest(
    vectors: Float[np.ndarray, "n d"], places: Float[np.ndarray, "n 2"], new: Float[np.ndarray, "m d"], k: int = 25
) -> Float64[np.ndarray, "m 2"]:
    """Where new vectors land at first: in the middle of the places of their `k` nearest, each axis by its median.

    >>> median_of_nearest(np.array([[0.0], [1.0], [9.0]]), np.array([[0.0, 0], [2, 2], [50, 50]]), np.array([[0.4]]), 2)
    array([[1., 1.]])
    """
    distances = ((new[:, None].astype(np.float64) - vectors) ** 2).sum(2)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.median(places[nearest].astype(np.float64), axis=1)


def land(
    vectors: Float[np.ndarray, "n d"], places: Float[np.ndarray, "n 2"], new: Float[np.ndarray, "m d"], seed: int = 0
) -> Float64[np.ndarray, "m 2"]:
    """Where new vectors land on a finished plot, whose points stay: openTSNE's `transform` with perplexity 5.

    Every vector lands somewhere, also one that is like none of them.

    >>> vectors = np.vstack([np.eye(12), 9 + np.eye(12)])
    >>> places = np.repeat([[-5.0, 0.0], [5.0, 0.0]], 12, 0) + np.tile(np.eye(2), (12, 1))
    >>> bool(land(vectors, places, np.full((1, 12), 9.1))[0, 0] > 0)
    True
    """
    near = PerplexityBasedNN(
        vectors, min(30, most_perplexity(len(vectors))), method="exact", n_jobs=1, random_state=seed
    )
    middle = (places.max(0) + places.min(0)) / 2  # openTSNE centres the plot
    plot = openTSNE.TSNEEmbedding(np.array(places - middle), near, negative_gradient_method="bh", n_jobs=1)
    return np.asarray(plot.transform(new, perplexity=min(5, most_perplexity(len(vectors)))), np.float64) + middle


def _sparse_affinities(vectors: np.ndarray, settings: Settings) -> PerplexityBasedNN:
    wanted = min(settings.perplexity, most_perplexity(len(vectors)))
    return PerplexityBasedNN(vectors, wanted, method="exact", n_jobs=1, random_state=settings.seed)


def _start(vectors: np.ndarray) -> np.ndarray:
    """The first two principal components, made small: what gathers must not be far apart."""
    places = project(vectors, principal_components(vectors))
    return places / (places[:, 0].std() or 1.0) * 1e-4
