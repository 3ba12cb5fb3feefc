"""The door to captum for the classifiers: which pixels, or which cells of a layer, made a class's score.

Captum hooks the modules that it explains, and two threads that hook one module get wrong maps. So every call here
works on a replica of its own: the same weights in new modules. The shared network is never hooked, switched to
another mode or asked for gradients, whether a call succeeds or fails, and plain forward passes may run meanwhile. Calls
wait for one another on the model's lock, which bounds the memory.
"""

import copy
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch
from captum import attr
from torch import Tensor, nn

from models.networks.classifier import FILL, LoadedClassifier, to_tensor
from models.networks.published import PretrainedClassifier
from scenes import THINGS

# Captum says so at each call; the hooks sit on a replica that is thrown away.
warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")

GRAD_CAM = "Grad-CAM"
METHODS = (
    GRAD_CAM, "saliency", "input × gradient", "integrated gradients", "guided backpropagation", "SmoothGrad",
    "occlusion",
)  # fmt: skip
OCCLUDED, OCCLUSION_STRIDE = 32, 16  # pixels
INTEGRATION_STEPS = 32
SMOOTHGRAD_SAMPLES, SMOOTHGRAD_DEVIATION = 16, 0.1


def layers(model: LoadedClassifier) -> list[str]:
    """The layers that Grad-CAM can look at, from the picture to the head, named after the size of their maps at 224
    pixels: "conv112", … The last one is what the head pools."""
    return [name for name, _ in model.module.trunk.named_children()]


def attribute(
    model: LoadedClassifier,
    image: np.ndarray,
    target: int,
    method: str = GRAD_CAM,
    layer: str | None = None,
    relu: bool = True,
    seed: int = 0,
) -> Tensor:
    """A map of what spoke for (and, where signed, against) a class.

    - "Grad-CAM": Σ_k α_k f_k with α_k the mean of ∂S/∂f_k over the layer's map (Selvaraju et al. 2017), (h, w) of the
      layer; with `relu` only what is positive, without it signed.
    - "saliency": the largest |∂S/∂x| of a pixel's three channels (Simonyan et al. 2014), ≥ 0.
    - "input × gradient": Σ over channels of (x − fill)·∂S/∂x, signed.
    - "integrated gradients" (Sundararajan et al. 2017): Σ over channels, from a picture all of the fill colour; signed,
      and over all pixels it sums to the score minus that picture's score.
    - "guided backpropagation" (Springenberg et al. 2015): largest magnitude of the three channels, ≥ 0.
    - "SmoothGrad" (Smilkov et al. 2017): "saliency" with the gradient's magnitude averaged over 16 noisy copies, ≥ 0.
    - "occlusion" (Zeiler and Fergus 2014): how much S falls when a square of 32 pixels is filled, every 16 pixels;
      signed.

    Args:
        model: from `catalog.load`.
        image: uint8 RGB (H, W, 3); what is not 224×224 is resized to it, as the model does.
        target: the class, an index into `scenes.THINGS`.
        method: one of METHODS.
        layer: for Grad-CAM, one of `layers(model)`, the last if None; the other methods have none.
        relu: for Grad-CAM.
        seed: of SmoothGrad's noise.

    Returns:
        float32 (h, w) on the CPU in the logit's units: of the layer's size for Grad-CAM, 224×224 otherwise.

    Raises:
        ValueError: no such method, class or layer, or a layer for a method that looks at pixels.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    if method != GRAD_CAM and layer is not None:
        raise ValueError(f"{method} looks at the pixels: it takes no layer.")
    x = to_tensor(image)[None]
    if method == GRAD_CAM:
        return grad_cam_views(model, x, target, relu=relu, layer=layer)[0]
    _check_target(target)
    with replica(model) as module:
        x = x.to(model.device).requires_grad_(method != "occlusion")
        return _PIXELS[method](module, x, target, seed)[0].detach().float().cpu()


def grad_cam_views(
    model: LoadedClassifier,
    views: Tensor,
    target: int,
    batch: int = 16,
    relu: bool = False,
    layer: str | None = None,
) -> Tensor:
    """Grad-CAM of many pictures, each by itself, `batch` of them in one pass.

    Args:
        views: float (L, 3, H, W) in 0 to 1, H and W multiples of 16.
        target: the class, an index into `scenes.THINGS`.
        batch: how many at once; it changes no map beyond rounding.
        relu: keep only what is positive; signed otherwise.
        layer: one of `layers(model)`, the last if None.

    Returns:
        float32 (L, h, w) on the CPU. On the last layer of an average-pooled network this is CAM / (h·w).

    Raises:
        ValueError: no such class or layer, or views of another shape.
    """
    _check_target(target)
    if views.ndim != 4 or views.shape[1] != 3 or views.shape[-1] % 16 or views.shape[-2] % 16:
        raise ValueError(f"Views have the shape (L, 3, H, W), H and W multiples of 16, not {tuple(views.shape)}.")
    names = layers(model)
    if layer is not None and layer not in names:
        raise ValueError(f"There is no layer {layer!r}: choose one of {', '.join(names)}.")
    maps = []
    with replica(model) as module:
        explain = attr.LayerGradCam(module, getattr(module.trunk, layer or names[-1]))
        for part in views.split(batch):
            x = part.to(model.device).clone().requires_grad_()
            maps.append(explain.attribute(x, target=target, relu_attributions=relu)[:, 0].detach().float().cpu())
    return torch.cat(maps) if maps else views.new_zeros((0, 0, 0))


def enlarged(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """A map (h, w) at another size (height, width), bilinear between the centres of its cells."""
    return attr.LayerAttribution.interpolate(heat[None, None], size, "bilinear")[0, 0]


def randomised(model: LoadedClassifier, seed: int, count: int | None = None) -> LoadedClassifier:
    """A copy that has forgotten its topmost layers: the model randomisation check of Adebayo et al. 2018.

    Weights are drawn anew (He et al. 2015) from the head down. Steps of one seed are nested: the copy with three layers
    forgotten has the same new weights in the top two as the copy with two.

    Args:
        seed: of the new weights.
        count: how many layers from the top, 0 to `len(layers(model)) + 1`: 1 is the head alone. All if None.
    """
    names = ["head", *reversed(layers(model))]
    count = len(names) if count is None else count
    if not 0 <= count <= len(names):
        raise ValueError(f"There are {len(names)} layers to forget, the head included, not {count}.")
    module = copy.deepcopy(model.module)
    for depth, name in enumerate(names[:count]):
        generator = torch.Generator().manual_seed(seed * 1009 + depth)
        for part in (module.classify if name == "head" else getattr(module.trunk, name)).modules():
            _forget(part, generator)
    return LoadedClassifier(f"{model.name}, {count} layers forgotten", module, torch.device(model.device), model.card)


@contextmanager
def replica(model: LoadedClassifier | PretrainedClassifier) -> Generator[nn.Module]:
    """The network in new modules around the same numbers, in eval mode and single precision, for one caller at a time
    to hook and differentiate; gradients are on, whatever mode the caller is in."""
    with model.lock, torch.inference_mode(False), torch.enable_grad():
        shared = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in model.module.parameters()}
        module = copy.deepcopy(model.module, shared).eval()
        for part in module.modules():  # `device.in_half_precision` is for inference: in half, gradients vanish
            part.__dict__.pop("forward", None)
        yield module


def _check_target(target: int) -> None:
    if not 0 <= target < len(THINGS):
        raise ValueError(f"Classes go from 0 to {len(THINGS) - 1}, not {target}.")


def _fill_like(x: Tensor) -> Tensor:
    return x.new_tensor(FILL).view(1, 3, 1, 1).expand_as(x)


def _saliency(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    return attr.Saliency(module).attribute(x, target=target).amax(1)


def _input_x_gradient(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    # From the fill colour, so that the plain colour is worth nothing; captum's own multiplies with x, from black.
    return ((x - _fill_like(x)) * attr.Saliency(module).attribute(x, target=target, abs=False)).sum(1)


def _integrated_gradients(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    explain = attr.IntegratedGradients(module)
    steps = {"n_steps": INTEGRATION_STEPS, "internal_batch_size": 8}
    return explain.attribute(x, baselines=_fill_like(x).clone(), target=target, **steps).sum(1)


def _guided_backpropagation(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    return attr.GuidedBackprop(module).attribute(x, target=target).abs().amax(1)


def _smoothgrad(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    # captum's NoiseTunnel draws from torch's global generator, which threads share; the noise is drawn here instead.
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((SMOOTHGRAD_SAMPLES, *x.shape[1:]), generator=generator) * SMOOTHGRAD_DEVIATION
    noisy = (x.detach() + noise.to(x.device)).requires_grad_()
    return attr.Saliency(module).attribute(noisy, target=target).mean(0, keepdim=True).amax(1)


def _occlusion(module: nn.Module, x: Tensor, target: int, seed: int) -> Tensor:
    window, strides = (3, OCCLUDED, OCCLUDED), (3, OCCLUSION_STRIDE, OCCLUSION_STRIDE)
    with torch.no_grad():
        fall = attr.Occlusion(module).attribute(
            x, window, strides, baselines=_fill_like(x).clone(), target=target, perturbations_per_eval=16
        )
    return fall[:, 0]  # all three channels are filled together


def _forget(part: nn.Module, generator: torch.Generator) -> None:
    if isinstance(part, nn.BatchNorm2d):
        part.reset_running_stats()
        with torch.no_grad():
            part.weight.fill_(1)
            part.bias.zero_()
    elif isinstance(part, nn.Conv2d | nn.Linear):
        weight = torch.empty(part.weight.shape)
        nn.init.kaiming_normal_(weight, generator=generator)
        with torch.no_grad():
            part.weight.copy_(weight)


_PIXELS = {
    "saliency": _saliency,
    "input × gradient": _input_x_gradient,
    "integrated gradients": _integrated_gradients,
    "guided backpropagation": _guided_backpropagation,
    "SmoothGrad": _smoothgrad,
    "occlusion": _occlusion,
}
