"""Which pixels mattered for a class's score: captum's answers, for the lab's classifiers and for those that others
trained.

Every network is asked about pixels of 0 to 1, whatever its own normalisation, so that gradients of all of them have one
unit: logit per step of a channel from black to white. As in `models.inside.attribution`, captum works on a replica.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from captum import attr
from torch import Tensor, nn

from labs.saliency import contribution, largest_magnitude, mean_so_far, noisy_copy
from models.inside.attribution import replica
from models.networks.classifier import FILL, SIZE, LoadedClassifier, to_tensor
from models.networks.published import PretrainedClassifier

Network = LoadedClassifier | PretrainedClassifier

GRADIENT, INPUT, SMOOTHGRAD, INTEGRATED, GUIDED = METHODS = (
    "gradient", "gradient × input", "SmoothGrad", "integrated gradients", "guided backpropagation",
)  # fmt: skip
CONTRIBUTIONS = (INPUT, INTEGRATED)  # signed, in logits; the others are >= 0, in logits per step from black to white
SAMPLES, DEVIATION = 16, 0.1  # of SmoothGrad, and its noise as a share of the step from black to white
STEPS = 16  # of integrated gradients
AT_ONCE = 8  # pictures in a pass


@dataclass(frozen=True, eq=False)
class Integrated:
    """Integrated gradients of a class and what they should add up to, all in logits.

    Attributes:
        heat: float32 (h, w), signed.
        score, start: the class's score for the picture and for the baseline.
    """

    heat: Tensor
    score: float
    start: float

    @property
    def missing(self) -> float:
        """How far the map is from adding up to the difference of the two scores: too few steps."""
        return self.score - self.start - float(self.heat.double().sum())


def pixels(network: Network, image: np.ndarray) -> Tensor:
    """What the network sees of a uint8 RGB picture (H, W, 3): float32 (3, h, w) in 0 to 1 on the CPU, resized and cut
    as it wants it."""
    if isinstance(network, LoadedClassifier):
        return to_tensor(image)
    black, reach = _colours(network)
    return (network.tensor(image).float().cpu() - black) / reach


def neutral(network: Network) -> Tensor:
    """The colour that the network's normalisation makes zero, a grey, (3, 1, 1) in 0 to 1."""
    if isinstance(network, LoadedClassifier):
        return torch.tensor(FILL).view(3, 1, 1)
    black, reach = _colours(network)
    return -black / reach


def scores(network: Network, pictures: Tensor) -> Tensor:
    """Logits float32 (n, classes) on the CPU of pictures (n, 3, h, w) in 0 to 1, in one pass."""
    if isinstance(network, LoadedClassifier):
        return network.forward_batch(pictures)
    black, reach = _colours(network)
    with network.lock, torch.inference_mode():
        return network.module((black + pictures * reach).to(network.device)).float().cpu()


def probabilities(network: Network, logits: Tensor) -> Tensor:
    """Of logits (…, classes): each class by itself (sigmoid) for the lab's networks, all together (softmax) else."""
    return logits.sigmoid() if isinstance(network, LoadedClassifier) else logits.softmax(-1)


def gradient(network: Network, x: Tensor, target: int) -> Tensor:
    """∂S/∂x of a class's logit S at a picture (3, h, w) in 0 to 1, float32 (3, h, w) on the CPU."""
    with replica(network) as module:
        return _asked(network, attr.Saliency(_of_pixels(network, module)), x, target, abs=False)


def guided_backpropagation(network: Network, x: Tensor, target: int) -> Tensor:
    """The gradient, of which every ReLU on the way back lets only positive parts through (Springenberg et al. 2015);
    (3, h, w) as `gradient`, but no longer the slope of anything."""
    with replica(network) as module:
        return _asked(network, attr.GuidedBackprop(_of_pixels(network, module)), x, target)


def noisy_gradients(
    network: Network, x: Tensor, target: int, deviation: float = DEVIATION, seed: int = 0
) -> Iterator[Tensor]:
    """`gradient` at `labs.saliency.noisy_copy` number 0, 1, 2, … of a picture, without an end.

    captum's NoiseTunnel draws from torch's global generator, which threads share; here a copy is the same for all.
    """
    return (gradient(network, noisy_copy(x, deviation, index, seed), target) for index in count())


def integrated_gradients(network: Network, x: Tensor, target: int, baseline: Tensor, steps: int = STEPS) -> Integrated:
    """Integrated gradients of a picture (3, h, w) from a baseline (3, h or 1, w or 1), at the middles of `steps` pieces
    of the straight way.

    Raises:
        ValueError: less than two steps, which captum wants.
    """
    if steps < 2:
        raise ValueError(f"Integrated gradients take at least two steps, not {steps}.")
    baseline = baseline.expand_as(x).contiguous()
    with replica(network) as module:
        heat = _asked(
            network, attr.IntegratedGradients(_of_pixels(network, module)), x, target,
            baselines=baseline[None].to(network.device), n_steps=steps, method="riemann_middle",
            internal_batch_size=AT_ONCE,
        )  # fmt: skip
    score, start = scores(network, torch.stack([x, baseline]))[:, target].tolist()
    return Integrated(heat.sum(0), score, start)


def saliency(network: Network, image: np.ndarray, target: int, method: str = GRADIENT) -> Tensor:
    """What mattered for a class, by one of METHODS at its standard settings: float32 (h, w) on the CPU.

    - "gradient": the largest |∂S/∂x| of a pixel's three channels (Simonyan et al. 2014).
    - "SmoothGrad": the same of the mean gradient of 16 noisy copies (Smilkov et al. 2017).
    - "guided backpropagation": the largest magnitude of the three channels (Springenberg et al. 2015).
      These three are >= 0, in logits per step of a channel from black to white.
    - "gradient × input": Σ over channels of (x − grey) · ∂S/∂x (Shrikumar et al. 2017).
    - "integrated gradients": from grey, Σ over channels (Sundararajan et al. 2017). These two are signed, in logits;
      grey is the network's `neutral` colour.

    Raises:
        ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    x = pixels(network, image)
    if method == GUIDED:
        return largest_magnitude(guided_backpropagation(network, x, target))
    if method == INTEGRATED:
        return integrated_gradients(network, x, target, neutral(network)).heat
    if method == SMOOTHGRAD:
        mean = torch.zeros_like(x)
        for done, found in enumerate(islice(noisy_gradients(network, x, target), SAMPLES), start=1):
            mean = mean_so_far(mean, found, done)
        return largest_magnitude(mean)
    found = gradient(network, x, target)
    return contribution(x, neutral(network), found) if method == INPUT else largest_magnitude(found)


class _OfPixels(nn.Module):
    """A network that is handed pixels of 0 to 1."""

    def __init__(self, module: nn.Module, black: Tensor, reach: Tensor):
        super().__init__()
        self.module, self.black, self.reach = module, black, reach

    def forward(self, x: Tensor) -> Tensor:
        return self.module(self.black + x * self.reach)


def _of_pixels(network: Network, module: nn.Module) -> nn.Module:
    if isinstance(network, LoadedClassifier):
        return module
    return _OfPixels(module, *(part.to(network.device) for part in _colours(network)))


def _asked(network: Network, asking: attr.Attribution, x: Tensor, target: int, **options) -> Tensor:
    asked = x.detach()[None].to(network.device).clone().requires_grad_()
    return asking.attribute(asked, target=target, **options)[0].detach().float().cpu()


def _colours(network: PretrainedClassifier) -> tuple[Tensor, Tensor]:
    """What the network is given for black, and how far white is from there, (3, 1, 1) each: its normalisation."""
    black, white = (
        network.tensor(np.full((SIZE, SIZE, 3), value, np.uint8))[:, :1, :1].float().cpu() for value in (0, 255)
    )
    return black, white - black
