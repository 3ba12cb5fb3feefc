"""Box regression as in R-CNN: from the features of a region to its transform by ridge least squares, in closed form.

Transforms t = (tx, ty, tw, th) are those of `labs.boxes.encode`. Source: Girshick et al. 2014 (R-CNN), appendix C: one
regressor a class, trained on the proposals that overlap a thing of that class by an IoU above 0.6, with λ = 1000.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from labs import boxes as box_lab

PAPER_PENALTY, PAPER_OVERLAP = 1000.0, 0.6


class Regressor(NamedTuple):
    """What `ridge` has learned: `weights` one column a target, `bias`, which is not penalised."""

    weights: Float[Tensor, "d k"]
    bias: Float[Tensor, " k"]

    def __call__(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Wᵀφ + b for each row."""
        return features @ self.weights + self.bias


def ridge(features: Float[Tensor, "n d"], targets: Float[Tensor, "n k"], penalty: float) -> Regressor:
    """The least of Σᵢ ‖tᵢ - Wᵀφᵢ - b‖² + λ‖W‖², by one system of linear equations: there is nothing to iterate.

    Features and targets are centred, which takes the bias out; then W = (ΦᵀΦ + λI)⁻¹ΦᵀT, or, with fewer examples than
    features, the same as Φᵀ(ΦΦᵀ + λI)⁻¹T, which is the smaller system. `sklearn.linear_model.Ridge` gives the same.

    Errors: ValueError without examples, or for a penalty that is not above 0.

    >>> x, t = torch.tensor([[0.0], [1], [2]]), torch.tensor([[1.0], [3], [5]])  # t = 2 x + 1
    >>> ridge(x, t, penalty=1e-6).weights.round(decimals=3), ridge(x, t, penalty=2.0).weights
    (tensor([[2.]]), tensor([[1.]]))
    """
    if not len(features):
        raise ValueError("A regressor needs at least one example.")
    if not penalty > 0:
        raise ValueError(f"The penalty λ must be above 0, not {penalty:g}.")
    middle, aim = features.mean(0), targets.mean(0)
    x, t = features - middle, targets - aim
    if len(x) < x.shape[1]:
        weights = x.T @ torch.linalg.solve(x @ x.T + penalty * torch.eye(len(x), dtype=x.dtype), t)
    else:
        weights = torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1], dtype=x.dtype), x.T @ t)
    return Regressor(weights, aim - middle @ weights)


def examples(
    regions: Float[Tensor, "n 4"], truths: Float[Tensor, "t 4"], overlap: float = PAPER_OVERLAP
) -> tuple[Bool[Tensor, " n"], Float[Tensor, "m 4"]]:
    """Which regions overlap a truth by more than `overlap`, and the transform of each of them to its nearest truth.

    A region far from every thing would teach nothing: no linear map takes it there.

    >>> near, t = examples(torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]]), torch.tensor([[1.0, 0, 11, 10]]))
    >>> near, t
    (tensor([ True, False]), tensor([[0.1000, 0.0000, 0.0000, 0.0000]]))
    """
    if not len(truths) or not len(regions):
        return torch.zeros(len(regions), dtype=torch.bool), torch.zeros(0, 4)
    best, which = box_lab.iou_matrix(regions, truths).max(1)
    near = best > overlap
    return near, box_lab.encode(truths[which[near]], regions[near])
