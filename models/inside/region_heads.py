"""The detector's heads one by one on regions that are given, not found: what each says, weighs and costs.

The trunk runs once per picture (`pooling_swap.find_regions`); then any head may be asked about any boxes.
"""

import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from models.inside.pooling_swap import POOLINGS, MultiScalePooling, Regions
from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector

BOXES, MASKS, KEYPOINTS = HEADS = ("boxes", "masks", "keypoints")
_NAMES = {BOXES: "box", MASKS: "mask", KEYPOINTS: "keypoint"}  # torchvision's, before _roi_pool, _head, _predictor
AS_TRAINED = next(iter(POOLINGS))


@dataclass(frozen=True)
class Part:
    """What one part of the network weighs and costs: multiply-adds of convolutions and linear layers, `once` a
    picture or `per_region`."""

    name: str
    parameters: int
    once: int
    per_region: int


def logits(detector: LoadedDetector, seen: Regions, head: str, boxes: Tensor, pooling: str = AS_TRAINED) -> Tensor:
    """What a head says of boxes (N, 4) xyxy in pixels of the picture; float32 on the CPU.

    "boxes": (N, 9), of background and classes. "masks": (N, 9, 28, 28), of background and classes (sigmoid).
    "keypoints": (N, 14, 56, 56), of joints (softmax over a map). `pooling`, one of POOLINGS, stands before it.

    Errors: ValueError for a pooling that there is not.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"There is no pooling {pooling!r}: choose one of {', '.join(POOLINGS)}.")
    with detector._lock, torch.inference_mode():
        said = _run(detector, seen, head, _scaled(seen, boxes), pooling)
    return said.float().cpu()


def proposals(seen: Regions) -> Tensor:
    """The RPN's boxes (P, 4), surest first, in pixels of the picture, on the CPU."""
    (rows, columns), (height, width) = seen.picture, seen.resized
    return seen.proposals.float().cpu() * torch.tensor([columns / width, rows / height] * 2)


def _scaled(seen: Regions, boxes: Tensor) -> Tensor:
    """Pixels of the picture to those that the network saw, on its device."""
    (rows, columns), (height, width) = seen.picture, seen.resized
    return (boxes.float() * torch.tensor([width / columns, height / rows] * 2)).to(seen.proposals.device)


def _run(detector: LoadedDetector, seen: Regions, head: str, scaled: Tensor, pooling: str = AS_TRAINED) -> Tensor:
    pool, layers, predictor = layers_of(detector, head)
    if pooling != AS_TRAINED:
        pool = MultiScalePooling(pool, POOLINGS[pooling])
    said = predictor(layers(pool(seen.features, [scaled], [seen.resized])))
    return said[0] if head == BOXES else said  # which also moves the box


def layers_of(detector: LoadedDetector, head: str) -> tuple[Any, nn.Module, nn.Module]:
    """Pooling, layers and last layers of a head."""
    heads = rcnn_taps.heads_of(detector.module)
    pool, layers, predictor = (getattr(heads, f"{_NAMES[head]}_{part}") for part in ("roi_pool", "head", "predictor"))
    return pool, layers, predictor


def shapes(detector: LoadedDetector, head: str) -> list[tuple[str, tuple[int, ...], int]]:
    """The layers of a head in the order in which they run: kind, shape of the output for one region, parameters."""
    pool, layers, predictor = layers_of(detector, head)
    kinds = {"Conv2d": "convolution", "ConvTranspose2d": "transposed", "Linear": "linear"}
    every = [each for part in (layers, predictor) for each in part.modules() if type(each).__name__ in kinds]
    size = pool.output_size[0]
    found = [(f"{AS_TRAINED} {size} × {size}", (detector.module.backbone.out_channels, size, size), 0)]

    def note(layer: nn.Module, _inputs, output: Tensor) -> None:
        kernel = getattr(layer, "kernel_size", None)
        kind = kinds[type(layer).__name__]
        found.append((f"{kind} {kernel[0]} × {kernel[1]}" if kernel else kind, tuple(output.shape[1:]), _weight(layer)))

    with detector._lock, torch.inference_mode():
        hooks = [layer.register_forward_hook(note) for layer in every]
        try:
            predictor(layers(torch.zeros(1, *found[0][1], device=detector.device)))
        finally:
            for hook in hooks:
                hook.remove()
        if head == KEYPOINTS:  # torchvision enlarges what the last layer says, without parameters
            side = 2 * found[-1][1][-1]
            found.append(("bilinear, × 2", (found[-1][1][0], side, side), 0))
    return found


def parts(detector: LoadedDetector, seen: Regions) -> list[Part]:
    """Trunk, RPN and heads. RoI Align has no weights and is not counted."""
    module, height, width = detector.module, *seen.resized
    with detector._lock:
        picture = torch.zeros(1, 3, height, width, device=detector.device)
        proposer = rcnn_taps.proposer_of(module)
        found = [
            Part("trunk", _weight(module.backbone), _multiply_adds(lambda: module.backbone(picture)), 0),
            Part("RPN", _weight(proposer), _multiply_adds(lambda: proposer.head(list(seen.features.values()))), 0),
        ]
        one = torch.tensor([[0.0, 0.0, width / 2, height / 2]], device=detector.device)
        for head in HEADS:
            _, layers, predictor = layers_of(detector, head)
            work = _multiply_adds(lambda head=head: _run(detector, seen, head, one))
            found.append(Part(head, _weight(layers) + _weight(predictor), 0, work))
    return found


def milliseconds(detector: LoadedDetector, seen: Regions, head: str, boxes: Tensor, repeats: int = 3) -> float:
    """Median time of a head on boxes (N, 4), from the trunk's features to its last layer."""
    scaled, taken = _scaled(seen, boxes), []
    with detector._lock, torch.inference_mode():
        for _ in range(repeats):
            start = perf_counter()
            _run(detector, seen, head, scaled)
            _wait(scaled)
            taken.append(perf_counter() - start)
    return statistics.median(taken) * 1000


def _weight(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def _multiply_adds(work) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() // 2


def _wait(tensor: Tensor) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize()
