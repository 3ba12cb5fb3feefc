"""Class activation maps: which cells of the last feature maps made a class's score.

A network that ends in feature maps f_k, one global pooling and one linear layer without bias scores class c with
S_c = Σ_k w_k^c · pool(f_k). Pooling and sum change places when the pooling is a mean (GAP), so the map
M_c(x, y) = Σ_k w_k^c f_k(x, y) shows where the score comes from: S_c is its mean (its sum, as the lecture writes it).
With max pooling (GMP) only one cell of each map counts, and the map is a picture of more than what was scored.

Sources: Zhou et al. 2016 (CAM), Oquab et al. 2015 (GMP), Selvaraju et al. 2017 (Grad-CAM).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

POOLINGS = ("mean", "sum", "max")


class Contribution(NamedTuple):
    """One feature map in a class's score.

    Attributes:
        channel: k, its index.
        weight: w_k^c.
        pooled: its mean, sum or maximum.
        score: weight times pooled, its share of S_c in the logit's units.
    """

    channel: int
    weight: float
    pooled: float
    score: float


def class_activation_map(
    features: Float[Tensor, "c h w"], weights: Float[Tensor, "*classes c"]
) -> Float[Tensor, "*classes h w"]:
    """M_c = Σ_k w_k^c f_k, signed, in units of the score per cell.

    Errors: ValueError unless there is one weight for each feature map.

    >>> features = torch.tensor([[[1.0, 0], [0, 0]], [[0, 0], [0, 1]]])
    >>> class_activation_map(features, torch.tensor([2.0, -1.0]))
    tensor([[ 2.,  0.],
            [ 0., -1.]])
    """
    _check(features, weights)
    return torch.einsum("...c,chw->...hw", weights, features)


def weighted_maps(features: Float[Tensor, "c h w"], weights: Float[Tensor, " c"]) -> Float[Tensor, "c h w"]:
    """The terms of that sum, w_k^c f_k, for one class.

    >>> weighted_maps(torch.ones(2, 1, 1), torch.tensor([2.0, -1.0])).flatten()
    tensor([ 2., -1.])
    """
    _check(features, weights)
    return weights[:, None, None] * features


def pooled(features: Float[Tensor, "*batch h w"], pooling: str = "mean") -> Float[Tensor, "*batch"]:
    """One number a map: its "mean" (GAP), its "sum" (the lecture's GAP) or its "max" (GMP).

    Errors: ValueError for another name.

    >>> features = torch.tensor([[0.0, 1], [3, 8]])
    >>> pooled(features, "mean"), pooled(features, "sum"), pooled(features, "max")
    (tensor(3.), tensor(12.), tensor(8.))
    """
    if pooling not in POOLINGS:
        raise ValueError(f"There is no pooling {pooling!r}: choose one of {', '.join(POOLINGS)}.")
    return features.amax((-2, -1)) if pooling == "max" else getattr(features, pooling)(dim=(-2, -1))


def class_scores(
    features: Float[Tensor, "c h w"], weights: Float[Tensor, "*classes c"], pooling: str = "mean"
) -> Float[Tensor, "*classes"]:
    """The logits S_c = Σ_k w_k^c · pool(f_k).

    For "mean" and "sum" this is `pooled(class_activation_map(features, weights), pooling)`; for "max" it is not.

    >>> features = torch.tensor([[[4.0, 0], [0, 0]], [[0, 0], [0, 8]]])
    >>> two_classes = torch.tensor([[2.0, -1.0], [0.0, 1.0]])
    >>> class_scores(features, two_classes), class_scores(features, two_classes, "max")
    (tensor([0., 2.]), tensor([0., 8.]))
    """
    _check(features, weights)
    return weights @ pooled(features, pooling)


def top_contributions(
    features: Float[Tensor, "c h w"], weights: Float[Tensor, " c"], count: int, pooling: str = "mean"
) -> list[Contribution]:
    """The `count` feature maps with the largest |w_k^c · pool(f_k)|, largest first, for one class.

    The scores of all maps add up to S_c. Fewer than `count` where there are fewer maps.

    >>> features = torch.tensor([[[4.0, 0], [0, 0]], [[0, 0], [0, 8]]])
    >>> top_contributions(features, torch.tensor([1.0, -1.0]), count=1)
    [Contribution(channel=1, weight=-1.0, pooled=2.0, score=-2.0)]
    """
    _check(features, weights)
    values = pooled(features, pooling)
    scores = weights * values
    order = scores.abs().argsort(descending=True, stable=True)[:count]
    return [Contribution(k, float(weights[k]), float(values[k]), float(scores[k])) for k in order.tolist()]


def winning_cells(features: Float[Tensor, "c h w"]) -> Int64[Tensor, "c 2"]:
    """Where each map has its maximum, the only cell that max pooling reads: row and column.

    The first in reading order where several are equal.

    >>> winning_cells(torch.tensor([[[4.0, 0], [0, 0]], [[0, 0], [0, 8]]]))
    tensor([[0, 0],
            [1, 1]])
    """
    return torch.stack(torch.unravel_index(features.flatten(1).argmax(1), features.shape[-2:]), dim=1)


def max_pooling_map(features: Float[Tensor, "c h w"], weights: Float[Tensor, " c"]) -> Float[Tensor, "h w"]:
    """What GMP really scored for one class: w_k^c · max f_k at each map's winning cell, zeros elsewhere.

    Its sum is S_c, as the mean of M_c is with GAP.

    >>> features = torch.tensor([[[4.0, 3], [0, 0]], [[7, 0], [0, 8]]])
    >>> max_pooling_map(features, torch.tensor([1.0, -1.0]))
    tensor([[ 4.,  0.],
            [ 0., -8.]])
    """
    _check(features, weights)
    rows, columns = winning_cells(features).unbind(1)
    out = torch.zeros(features.shape[-2:], dtype=features.dtype)
    return out.index_put((rows, columns), weights * features.amax((-2, -1)), accumulate=True)


def grad_cam_of_linear_head(
    features: Float[Tensor, "c h w"], weights: Float[Tensor, "*classes c"]
) -> Float[Tensor, "*classes h w"]:
    """Grad-CAM before its ReLU on a network with GAP and one linear layer, without a backward pass: M_c / (h·w).

    ∂S_c/∂f_k is w_k^c / (h·w) in every cell, and so is its mean α_k.

    >>> grad_cam_of_linear_head(torch.tensor([[[4.0, 0], [0, 8]]]), torch.tensor([2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return class_activation_map(features, weights) / (features.shape[-2] * features.shape[-1])


def _check(features: Tensor, weights: Tensor) -> None:
    if features.ndim != 3 or weights.shape[-1] != len(features):
        raise ValueError(
            f"Maps of shape (C, h, w) need C weights; got {tuple(features.shape)} and {tuple(weights.shape)}."
        )
