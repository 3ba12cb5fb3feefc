"""The YOLO loss: what the network's numbers cost, term by term and cell by cell of `labs.yolo_grid`.

Source: Redmon et al. 2016, "You Only Look Once", section 2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from labs.boxes import iou
from labs.yolo_grid import Grid, Target, decode

LAMBDA_COORD, LAMBDA_NOOBJ = 5.0, 0.5  # Redmon et al. 2016, section 2.2


@dataclass(frozen=True, eq=False)
class GridLoss:
    """The loss of n pictures in its terms and cells, each with its λ already multiplied in.

    responsible: the predictors that answer for a thing.
    target_confidence: what the confidence should be, the IoU where responsible and 0 elsewhere.

    >>> cell, predictors = torch.ones(2, 1, 1), torch.zeros(2, 1, 1, 3)  # two pictures of one cell
    >>> GridLoss(5 * cell, cell, 0.5 * cell, 2 * cell, predictors.bool(), predictors).total
    tensor(8.5000)
    """

    coordinates: Float[Tensor, "n s s"]
    object_confidence: Float[Tensor, "n s s"]
    no_object_confidence: Float[Tensor, "n s s"]
    classes: Float[Tensor, "n s s"]
    responsible: Bool[Tensor, "n s s b"]
    target_confidence: Float[Tensor, "n s s b"]

    @property
    def terms(self) -> dict[str, Float[Tensor, "n s s"]]:
        """The four terms by name."""
        names = ("coordinates", "object_confidence", "no_object_confidence", "classes")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> Float[Tensor, ""]:
        """All terms over all cells, the mean over the pictures."""
        together = self.coordinates + self.object_confidence + self.no_object_confidence + self.classes
        return together.sum(dim=(1, 2)).mean()


def loss(
    raw: Float[Tensor, "n s s channels"],
    targets: Sequence[Target],
    grid: Grid,
    predictors: int = 3,
    anchors: Float[Tensor, "b 2"] | None = None,
    lambda_coord: float = LAMBDA_COORD,
    lambda_noobj: float = LAMBDA_NOOBJ,
) -> GridLoss:
    """The loss of raw outputs for n targets, as in Redmon et al. 2016, eq. 3, but for three things.

    Coordinates: λ_coord times the squared error of `values_of`, for responsible predictors. Confidence: squared error
    to the IoU of the predicted box with the truth (no gradient through the IoU) where responsible; λ_noobj times the
    squared error to 0 for all others, also for the other predictors of a cell that has a thing. Classes: cross entropy.

    The three: the paper's class term is the squared error of the probabilities (`squared_class_error`); its outputs are
    linear, and here confidences go through a sigmoid, classes through a softmax, boxes through what `decode` says; and
    YOLOv2's exception, no loss for a predictor that has an IoU above 0.6 with some truth, is not made.

    Responsible is in "cell" the predictor of the cell whose box has the highest IoU with the truth right now (where no
    box meets it, the one with the smallest coordinate error, as in the authors' code), in "anchor" the anchor that
    `assign` gave it to.

    >>> from labs.yolo_grid import encode
    >>> grid = Grid(1, 64, 64)
    >>> target = encode(torch.tensor([[16.0, 16.0, 48.0, 48.0]]), torch.tensor([1]), grid)
    >>> cost = loss(torch.zeros(1, 1, 1, 7), [target], grid, predictors=1)  # the very box; the rest is ½
    >>> {name: round(float(term.sum()), 4) for name, term in cost.terms.items()}
    {'coordinates': 0.0, 'object_confidence': 0.25, 'no_object_confidence': 0.0, 'classes': 0.6931}
    """
    found = decode(raw, grid, predictors, anchors)
    owner, labels, boxes, values = (
        torch.stack([getattr(target, key) for target in targets]).to(raw.device)
        for key in ("owner", "labels", "boxes", "values")
    )
    there = owner >= 0
    error = (found.values - values).square().sum(-1)
    with torch.no_grad():
        overlap = iou(found.boxes, boxes.to(raw))
        if anchors is None:
            rank = torch.where(overlap.amax(-1, keepdim=True) > 0, overlap, -error)
            responsible = there & F.one_hot(rank.argmax(-1), rank.shape[-1]).bool()
        else:
            responsible = there
        wanted = torch.where(responsible, overlap, 0)
    miss = (found.confidence - wanted).square()
    logits = found.logits if anchors is not None else found.logits[..., None, :]
    surprise = -logits.log_softmax(-1).gather(-1, (labels - 1).clamp(min=0)[..., None])[..., 0]
    return GridLoss(
        coordinates=lambda_coord * (error * responsible).sum(-1),
        object_confidence=(miss * responsible).sum(-1),
        no_object_confidence=lambda_noobj * (miss * ~responsible).sum(-1),
        classes=(surprise * there).sum(-1),
        responsible=responsible,
        target_confidence=wanted,
    )


def squared_class_error(classes: Float[Tensor, "*batch c"], label: int) -> Float[Tensor, "*batch"]:
    """The paper's class term of one cell, Σ (p − p̂)², for class probabilities and a label from 1.

    >>> squared_class_error(torch.tensor([0.7, 0.2, 0.1]), label=1)  # 0.3² + 0.2² + 0.1²
    tensor(0.1400)
    """
    asked = F.one_hot(torch.tensor(label - 1, device=classes.device), classes.shape[-1])
    return (classes - asked).square().sum(-1)
