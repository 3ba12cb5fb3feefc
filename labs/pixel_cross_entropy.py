"""Per-pixel cross-entropy: every pixel of a picture is one classification, and the loss is the mean over all pixels.

True classes are 0 .. C-1. Logarithms are natural, so losses are in nats. Source: Long, Shelhamer, Darrell 2015,
section 3.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor


def loss_map(
    logits: Float[Tensor, "*batch c h w"], truth: Integer[Tensor, "*batch h w"]
) -> Float[Tensor, "*batch h w"]:
    """-log softmax(logits) of the true class at every pixel: 0 (sure and right) upwards.

    The largest logit is taken off first, so no exponential overflows.
    Errors: ValueError for shapes that do not fit, or a true class that the logits do not have.

    >>> logits = torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]]])  # two classes, a picture of one row and two columns
    >>> loss_map(logits, torch.tensor([[0, 0]]))
    tensor([[0.1269, 0.6931]])
    """
    if logits.ndim < 3 or truth.shape != logits.shape[:-3] + logits.shape[-2:]:
        raise ValueError(f"Logits {tuple(logits.shape)} and true classes {tuple(truth.shape)} are not of one picture.")
    if truth.numel() and (int(truth.min()) < 0 or int(truth.max()) >= logits.shape[-3]):
        raise ValueError(f"A true class lies outside 0 to {logits.shape[-3] - 1}.")
    shifted = logits - logits.amax(-3, keepdim=True)
    of_truth = shifted.gather(-3, truth.long().unsqueeze(-3)).squeeze(-3)
    return shifted.exp().sum(-3).log() - of_truth


def loss(logits: Float[Tensor, "*batch c h w"], truth: Integer[Tensor, "*batch h w"]) -> Float[Tensor, ""]:
    """What training lowers: the mean of `loss_map` over all pixels.

    >>> loss(torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]]]), torch.tensor([[0, 0]]))
    tensor(0.4100)
    """
    return loss_map(logits, truth).mean()


def uniform_loss(classes: int) -> float:
    """Loss of a network that knows nothing and gives every class 1/C: log C.

    >>> round(uniform_loss(2), 4)
    0.6931
    """
    return float(torch.tensor(float(classes)).log())


@dataclass(frozen=True, eq=False)
class Pixel:
    """One pixel opened, over C classes.

    logits z; exponentials e^(z - max z); probabilities: those over their sum; gradient d loss / d z = p - 1 at the true
    class, p elsewhere. truth and prediction are classes, total is the sum of the exponentials, loss = -log p[truth].
    """

    logits: Float[Tensor, " c"]
    exponentials: Float[Tensor, " c"]
    total: float
    probabilities: Float[Tensor, " c"]
    gradient: Float[Tensor, " c"]
    truth: int
    prediction: int
    loss: float


def open_pixel(logits: Float[Tensor, "c h w"], truth: Integer[Tensor, "h w"], row: int, column: int) -> Pixel:
    """The steps from the logits and the true class to the loss of the pixel at `row`, `column`.

    Errors: ValueError for a place outside the picture.

    >>> pixel = open_pixel(torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]]]), torch.tensor([[0, 0]]), row=0, column=0)
    >>> pixel.probabilities, pixel.gradient, round(pixel.loss, 4)
    (tensor([0.8808, 0.1192]), tensor([-0.1192,  0.1192]), 0.1269)
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


def share_of_loss(losses: Float[Tensor, "*pixels"], chosen: Bool[Tensor, "*pixels"]) -> float:
    """How much of the whole loss the chosen pixels carry, 0 to 1; 0 where there is none.

    >>> share_of_loss(torch.tensor([[3.0, 1.0]]), torch.tensor([[True, False]]))
    0.75
    """
    whole = float(losses.sum())
    return float(losses[chosen].sum()) / whole if whole > 0 else 0.0
