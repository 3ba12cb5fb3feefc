"""Which pixels mattered for a class's score: captum's answers, for the lab's classifiers and for those that others
trained.

Every network is asked about pixels of 0 to 1, whatever its own normalisation, so that gradients of all of them have one
unit: logit per step of a channel from black to white. As in `models.inside.attribution`, captum works on a replica.
"""

import numpy as np
import torch
from captum import attr
from torch import Tensor, nn

from labs.saliency import largest_magnitude
from models.inside.attribution import replica
from models.networks.classifier import FILL, SIZE, LoadedClassifier, to_tensor
from models.networks.published import PretrainedClassifier

Network = LoadedClassifier | PretrainedClassifier

GRADIENT = "gradient"
METHODS = (GRADIENT,)


def pixels(network: Network, image: np.ndarray) -> Tensor:
    """What the network sees of a uint8 RGB picture (H, W, 3): float32 (3, h, w) in 0 to 1 on the CPU, resized and cut
    as it wants it."""
    if isinstance(network, LoadedClassifier):
        return to_tensor(image)
    black, reach = _colours(network)
    return (network.tensor(image).cpu() - black) / reach


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


def gradients(network: Network, pictures: Tensor, target: int) -> Tensor:
    """∂S/∂x of a class's logit S at pictures (n, 3, h, w) in 0 to 1, float32 (n, 3, h, w) on the CPU."""
    with replica(network) as module:
        return _asked(network, module, attr.Saliency, pictures, target, abs=False)


def saliency(network: Network, image: np.ndarray, target: int, method: str = GRADIENT) -> Tensor:
    """A map (h, w) of what mattered, float32 on the CPU.

    Raises:
        ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    return largest_magnitude(gradients(network, pixels(network, image)[None], target)[0])


class _OfPixels(nn.Module):
    """A network that is handed pixels of 0 to 1."""

    def __init__(self, module: nn.Module, black: Tensor, reach: Tensor):
        super().__init__()
        self.module, self.black, self.reach = module, black, reach

    def forward(self, x: Tensor) -> Tensor:
        return self.module(self.black + x * self.reach)


def _asked(network: Network, module: nn.Module, method: type, pictures: Tensor, target: int, **options) -> Tensor:
    if isinstance(network, PretrainedClassifier):
        module = _OfPixels(module, *(part.to(network.device) for part in _colours(network)))
    x = pictures.detach().to(network.device).clone().requires_grad_()
    return method(module).attribute(x, target=target, **options).detach().float().cpu()


def _colours(network: PretrainedClassifier) -> tuple[Tensor, Tensor]:
    """What the network is given for black, and how far white is from there, (3, 1, 1) each: its normalisation."""
    black, white = (
        network.tensor(np.full((SIZE, SIZE, 3), value, np.uint8))[:, :1, :1].float().cpu() for value in (0, 255)
    )
    return black, white - black
