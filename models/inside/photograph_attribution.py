"""Which cells of its last feature maps made an ImageNet classifier's score: Grad-CAM, and CAM where there is one.

As in `models.inside.attribution`, captum works on a replica: the shared network is neither hooked nor asked for
gradients.
"""

from dataclasses import dataclass
from time import perf_counter
from typing import cast

import numpy as np
import torch
from captum import attr
from torch import Tensor, nn

from labs.class_activation import class_activation_map
from models.device import out_of_memory_said
from models.inside.attribution import replica
from models.networks.efficientnet_lite import EfficientNetLite
from models.networks.published import PretrainedClassifier
from models.networks.rcnn_taps import taps

SIZE = 224  # pixels of the picture that the classifiers are shown


@dataclass(frozen=True)
class Head:
    """What stands between a classifier's last feature maps and its scores.

    Attributes:
        layer: name of the module whose output is the last maps.
        maps: their number and size (C, h, w) for a picture of 224×224.
        pooled: (rows, columns) that the average pooling leaves; (1, 1) is global.
        linear: (inputs, outputs) of every linear layer, in order.
    """

    layer: str
    maps: tuple[int, int, int]
    pooled: tuple[int, int]
    linear: tuple[tuple[int, int], ...]

    @property
    def has_cam(self) -> bool:
        """Whether one weight joins each map to each class: a global average and a single linear layer."""
        return self.pooled == (1, 1) and len(self.linear) == 1


@dataclass(frozen=True, eq=False)
class Explained:
    """What made one class's score, in the logit's units; tensors float32 on the CPU.

    Attributes:
        grad_cam (h, w): Σ_k α_k f_k with α_k the mean gradient, before the ReLU.
        cam (h, w), bias: Σ_k w_k f_k and what the linear layer adds, so that mean(cam) + bias is the score; None both
            where the head has hidden layers.
        score: the class's logit.
        window: the part of the picture that the maps cover, xyxy in pixels.
        seconds: wall-clock time of the forward and backward pass. device: where they ran.
    """

    grad_cam: Tensor
    cam: Tensor | None
    bias: float | None
    score: float
    window: tuple[float, float, float, float]
    seconds: float
    device: str


def head_of(module: nn.Module) -> Head:
    """The head of an EfficientNet-Lite, or of one of torchvision's resnet, vgg or mobilenet classifiers; one on the
    meta device will do."""
    layer = _last_maps(module)
    device = next(module.parameters()).device
    with torch.inference_mode(), taps(module, [layer]) as seen:
        module(torch.zeros(1, 3, SIZE, SIZE, device=device))
    linear = tuple((each.in_features, each.out_features) for each in _linear(module))
    _, channels, height, width = seen[layer].shape
    return Head(layer, (channels, height, width), _pooled(module), linear)


@out_of_memory_said
def explain(network: PretrainedClassifier, image: np.ndarray, target: int) -> Explained:
    """Grad-CAM of the last feature maps by captum, and CAM where the head has one.

    Args:
        network: from `catalog.load`.
        image: uint8 RGB (H, W, 3) of any size.
        target: the class, an index into `network.classes`.

    Raises:
        ValueError: no such class; `OutOfMemory`.
    """
    if not 0 <= target < len(network.classes):
        raise ValueError(f"Classes go from 0 to {len(network.classes) - 1}, not {target}.")
    with replica(network) as module:
        layer, linear = _last_maps(module), _linear(module)
        start = perf_counter()
        x = network.tensor(image)[None].requires_grad_()
        with taps(module, [layer, ""]) as seen:
            explained = attr.LayerGradCam(module, module.get_submodule(layer)).attribute(x, target=target)
        grad_cam = explained[0, 0].detach().float().cpu()  # waits for the device
        seconds = perf_counter() - start
        cam = bias = None
        if len(linear) == 1 and _pooled(module) == (1, 1):
            features = seen[layer][0].detach().float().cpu()
            cam = class_activation_map(features, linear[0].weight[target].detach().float().cpu())
            bias = float(linear[0].bias[target])
        score = float(seen[""][0, target].detach())
    return Explained(grad_cam, cam, bias, score, network.window(*image.shape[:2]), seconds, network.device)


def _linear(module: nn.Module) -> list[nn.Linear]:
    return [each for each in module.modules() if isinstance(each, nn.Linear)]


def _pooled(module: nn.Module) -> tuple[int, int]:
    """Rows and columns that the average pooling leaves."""
    pooling = module.get_submodule("_avg_pooling" if isinstance(module, EfficientNetLite) else "avgpool")
    assert isinstance(pooling, nn.AdaptiveAvgPool2d), "All of these classifiers have one."
    size = cast("int | tuple[int, int]", pooling.output_size)  # torch allows None too, for a side that stays
    return size if isinstance(size, tuple) else (size, size)


def _last_maps(module: nn.Module) -> str:
    """The last layer whose output is feature maps and no pooling."""
    if isinstance(module, EfficientNetLite):
        return "last_maps"
    if hasattr(module, "layer4"):
        return "layer4"
    children = [name for name, child in module.features.named_children() if not isinstance(child, nn.MaxPool2d)]
    return f"features.{children[-1]}"
