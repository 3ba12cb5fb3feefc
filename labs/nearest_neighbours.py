"""Image retrieval: pictures whose signatures lie near each other, and how often the neighbours are of the same kind.

A signature is a vector of d numbers per picture, such as the last features of a network. Distances are in the units of
those numbers. Sources: Krizhevsky et al. 2012, section 6.1 (last features, Euclidean distance); Babenko et al. 2014
(neural codes); Manning et al. 2008, chapter 8 (precision at k).
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


def squared_distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Squared Euclidean distance of every row of `a` from every row of `b`, >= 0.

    Written out, |a - b|² = |a|² + |b|² - 2 a·b: one matrix product instead of n·m differences. The product rounds, so
    equal rows may come out a little above or below zero; below is set to zero.

    >>> squared_distances(torch.tensor([[0.0, 0], [3, 0]]), torch.tensor([[0.0, 4]]))
    tensor([[16.],
            [25.]])
    """
    lengths_a, lengths_b = (a * a).sum(1), (b * b).sum(1)
    return (lengths_a[:, None] + lengths_b[None, :] - 2 * a @ b.T).clamp(min=0)


def euclidean(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Euclidean distances, >= 0. The mean is taken off both sides first: it changes no distance, and short vectors
    lose less to rounding.

    >>> euclidean(torch.tensor([[0.0, 0], [3, 0]]), torch.tensor([[0.0, 4]]))
    tensor([[4.],
            [5.]])
    """
    middle = b.mean(0)
    return squared_distances(a - middle, b - middle).sqrt()


def cosine(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Cosine distances 1 - a·b / (|a| |b|), 0 (same direction) to 2 (opposite); 1 from a vector of zeros.

    >>> cosine(torch.tensor([[2.0, 0]]), torch.tensor([[9.0, 0], [0, 1], [-1, 0], [0, 0]]))
    tensor([[0., 1., 2., 1.]])
    """
    directions = [each / each.norm(dim=1, keepdim=True).clamp(min=1e-12) for each in (a, b)]
    return 1 - (directions[0] @ directions[1].T).clamp(-1, 1)


def nearest(distances: Float[Tensor, "n m"], k: int, itself: Bool[Tensor, "n m"] | None = None) -> Int64[Tensor, "n k"]:
    """For each row the k columns with the smallest distances, nearest first; of equal ones the smaller number first.

    `itself` marks what may not be found: the picture that asks, when it is in the gallery too (leave one out).
    Errors: ValueError if fewer than k are left for some row.

    >>> nearest(torch.tensor([[0.0, 7, 2, 2]]), 3, torch.tensor([[True, False, False, False]]))
    tensor([[2, 3, 1]])
    """
    left = distances.shape[1] if itself is None else int((~itself).sum(1).min())
    if not 0 < k <= left:
        raise ValueError(f"There are {left} pictures to find, so k goes from 1 to {left}, not to {k}.")
    if itself is not None:
        distances = distances.masked_fill(itself, torch.inf)
    return distances.sort(dim=1, stable=True).indices[:, :k]


def precision_at_k(same: Bool[Tensor, "n k"]) -> Float[Tensor, " k"]:
    """Precision at 1, 2, ..., k, averaged over n queries: which share of the nearest are of the query's kind, 0 to 1.

    `same`: whether each neighbour is, nearest first.

    >>> precision_at_k(torch.tensor([[True, False, False, True], [True, True, False, False]]))
    tensor([1.0000, 0.7500, 0.5000, 0.5000])
    """
    return same.double().cumsum(1).mean(0).div(torch.arange(1, same.shape[1] + 1)).float()


def chance(labels: Int64[Tensor, " n"]) -> float:
    """The precision of neighbours drawn blindly from the others: how often two different pictures are of one kind.

    >>> chance(torch.tensor([0, 0, 1, 1])) == 1 / 3
    True
    """
    counts = labels.unique(return_counts=True)[1].double()
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
