"""Saliency maps: which pixels mattered for a class's score, from the score's gradient at the picture.

The gradient says how the score would answer a small change of a pixel: it is a sensitivity, in units of score per unit
of pixel value, and not what the pixel has contributed. Gradient × input and integrated gradients ask for contributions,
in units of the score, against a baseline picture; only the latter add up to the score's difference to the baseline.

Sources: Simonyan et al. 2014 (gradient), Shrikumar et al. 2017 (gradient × input), Smilkov et al. 2017 (SmoothGrad),
Sundararajan et al. 2017 (integrated gradients).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def largest_magnitude(gradient: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch h w"]:
    """One map from the gradients of the channels: max |∂S/∂x| of a pixel's channels, >= 0 (Simonyan et al. 2014).

    >>> largest_magnitude(torch.tensor([[[0.5]], [[-2.0]], [[1.0]]]))
    tensor([[2.]])
    """
    return gradient.abs().amax(-3)


def contribution(
    x: Float[Tensor, "c h w"], baseline: Float[Tensor, "c #h #w"], gradient: Float[Tensor, "c h w"]
) -> Float[Tensor, "h w"]:
    """Σ over channels of (x − baseline) · ∂S/∂x, signed, in units of the score.

    With the gradient at x it is gradient × input, what a linear network would have added; with the mean of the
    gradients along the way from the baseline it is integrated gradients.

    >>> contribution(torch.tensor([[[3.0]], [[1.0]]]), torch.ones(2, 1, 1), torch.tensor([[[2.0]], [[5.0]]]))
    tensor([[4.]])
    """
    return ((x - baseline) * gradient).sum(-3)


def noisy_copy(x: Float[Tensor, "c h w"], deviation: float, index: int, seed: int = 0) -> Float[Tensor, "c h w"]:
    """The picture's copy number `index`, with Gaussian noise of a standard `deviation` in units of pixel value.

    Copy 5 is the same however many there are, so a mean of 6 copies goes on where the mean of 5 ended.

    >>> x = torch.zeros(1, 1, 2)
    >>> noisy_copy(x, 0.1, 3).equal(noisy_copy(x, 0.1, 3)), noisy_copy(x, 0.1, 3).equal(noisy_copy(x, 0.1, 4))
    (True, False)
    """
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1_000_003 * seed + index))
    return x + deviation * noise.to(x)


def mean_so_far(mean: Float[Tensor, "*shape"], new: Float[Tensor, "*shape"], count: int) -> Float[Tensor, "*shape"]:
    """The mean of `count` values, from the mean of all but the last and the last: SmoothGrad, sample by sample.

    >>> mean_so_far(torch.tensor(2.0), torch.tensor(5.0), count=3)
    tensor(3.)
    """
    return mean + (new - mean) / count


def straight_path(
    x: Float[Tensor, "c h w"], baseline: Float[Tensor, "c #h #w"], steps: int
) -> Float[Tensor, "{steps} c h w"]:
    """`steps` pictures on the straight line from the baseline to the picture, at (k + ½) / steps of the way: in the
    middles of as many equal pieces.

    Errors: ValueError for less than one step.

    >>> straight_path(torch.tensor([[[8.0]]]), torch.zeros(1, 1, 1), steps=2).flatten()
    tensor([2., 6.])
    """
    if steps < 1:
        raise ValueError(f"A path has at least one step, not {steps}.")
    shares = (torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps
    return baseline + shares[:, None, None, None] * (x - baseline)


def integrated_gradients(
    x: Float[Tensor, "c h w"], baseline: Float[Tensor, "c #h #w"], gradients: Float[Tensor, "steps c h w"]
) -> Float[Tensor, "h w"]:
    """The Riemann sum of the gradients at `straight_path`, times the way that each pixel went; signed.

    Over all pixels it sums to S(x) − S(baseline), up to what the steps are too coarse for (completeness).

    >>> x, baseline = torch.tensor([[[3.0]]]), torch.zeros(1, 1, 1)
    >>> gradients = 2 * straight_path(x, baseline, steps=4)  # of S(x) = x²
    >>> integrated_gradients(x, baseline, gradients)
    tensor([[9.]])
    """
    return contribution(x, baseline, gradients.mean(0))


def fewest_pixels(heat: Float[Tensor, "h w"], share: float = 0.5) -> Bool[Tensor, "h w"]:
    """The fewest pixels that hold `share` (0 to 1) of Σ |heat|; none where the map is all zero.

    >>> fewest_pixels(torch.tensor([[1.0, 0.0, 2.0, 1.0]]))
    tensor([[False, False,  True, False]])
    """
    values, order = heat.abs().double().flatten().sort(descending=True, stable=True)
    held = values.cumsum(0)
    needed = (held - values < share * held[-1]) & (values > 0)
    return torch.zeros(heat.numel(), dtype=torch.bool).index_put((order[needed],), torch.tensor(True)).view(heat.shape)
