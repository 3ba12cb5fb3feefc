"""Per-pixel cross-entropy: every pixel of a picture is one classification, and the loss is the mean over all pixels.

Logits are float tensors (..., C, H, W), true classes integer tensors (..., H, W) with values 0 .. C-1; `...` is nothing
or a batch. Logarithms are natural, so losses are in nats. Source: Long, Shelhamer, Darrell 2015, section 3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def loss_map(logits: Tensor, truth: Tensor) -> Tensor:
    """-log softmax(logits) of the true class at every pixel: float (..., H, W), 0 (sure and right) upwards.

    The largest logit is taken off first, so no exponential overflows.
    Errors: ValueError for shapes that do not fit, or a true class that the logits do not have.
    """
    if logits.ndim < 3 or truth.shape != logits.shape[:-3] + logits.shape[-2:]:
        raise ValueError(f"Logits {tuple(logits.shape)} and true classes {tuple(truth.shape)} are not of one picture.")
    if truth.numel() and (int(truth.min()) < 0 or int(truth.max()) >= logits.shape[-3]):
        raise ValueError(f"A true class lies outside 0 to {logits.shape[-3] - 1}.")
    shifted = logits - logits.amax(-3, keepdim=True)
    of_truth = shifted.gather(-3, truth.long().unsqueeze(-3)).squeeze(-3)
    return shifted.exp().sum(-3).log() - of_truth


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """What training lowers: the mean of `loss_map` over all pixels, a scalar."""
    return loss_map(logits, truth).mean()


def uniform_loss(classes: int) -> float:
    """Loss of a network that knows nothing and gives every class 1/C: log C."""
    return float(torch.tensor(float(classes)).log())


@dataclass(frozen=True, eq=False)
class Pixel:
    """One pixel opened, over C classes, float (C,) each.

    logits z; exponentials e^(z - max z); probabilities: those over their sum; gradient d loss / d z = p - 1 at the true
    class, p elsewhere. truth and prediction are classes, total is the sum of the exponentials, loss = -log p[truth].
    """

    logits: Tensor
    exponentials: Tensor
    total: float
    probabilities: Tensor
    gradient: Tensor
    truth: int
    prediction: int
    loss: float


def open_pixel(logits: Tensor, truth: Tensor, row: int, column: int) -> Pixel:
    """The steps from logits (C, H, W) and true classes (H, W) to the loss of the pixel at `row`, `column`.

    Errors: ValueError for a place outside the picture.
    """
    height, width = truth.shape
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"There is no pixel in row {row}, column {column} of a {height}×{width} picture.")
    z, true = logits[:, row, column], int(truth[row, column])
    exponentials = (z - z.max()).exp()
    total = exponentials.sum()
    probabilities = exponentials / total
    gradient = probabilities.clone()
    gradient[true] -= 1
    return Pixel(
        z, exponentials, float(total), probabilities, gradient, true, int(z.argmax()),
        float(total.log() - (z[true] - z.max())),
    )  # fmt: skip


def share_of_loss(losses: Tensor, chosen: Tensor) -> float:
    """How much of the whole loss the chosen pixels (bool, shape of `losses`) carry, 0 to 1; 0 where there is none."""
    whole = float(losses.sum())
    return float(losses[chosen].sum()) / whole if whole > 0 else 0.0
