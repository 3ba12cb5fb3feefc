"""What a network makes of a picture, layer by layer: the mean of each feature map, one vector per layer.

The vectors of the gallery are shipped, one safetensors file per network in half precision, with the sha256 of the
weights that made them. Nothing is hooked: the layers are called one after the other.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.inside import gallery
from models.networks.classifier import Classifier, LoadedClassifier
from models.networks.efficientnet_lite import EfficientNetLite
from models.networks.encoder import normalised
from models.networks.published import PretrainedClassifier

UNTRAINED = "untrained"
SEED = 0  # of the untrained weights
SIDE = 96  # pixels of a picture for the lab's networks: a thing that fills it is as large as in the scenes they know
PICTURE = "picture"  # the layer before all: the mean of each colour channel
Signatures = Mapping[str, Tensor]  # by layer, from early to late: float32 (n, channels)
Network = LoadedClassifier | PretrainedClassifier


@cache
def untrained() -> LoadedClassifier:
    """The lab's classifier with 28×28 cells as it is before training: the weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = Classifier("average", 8).eval().requires_grad_(False)
    digest = hashlib.sha256()
    for value in module.state_dict().values():
        digest.update(value.numpy().tobytes())
    return LoadedClassifier(UNTRAINED, module, torch.device("cpu"), {"name": UNTRAINED, "sha256": digest.hexdigest()})


def weights_of(network: Network) -> str:
    """The sha256 of a network's weights, from its card."""
    return network.card["sha256"]


def of_pictures(network: Network, images: np.ndarray) -> dict[str, Tensor]:
    """The signatures of uint8 RGB pictures (n, H, W, 3), by layer from early to late, on the CPU."""
    lock = network.lock if isinstance(network, PretrainedClassifier) else nullcontext()
    with lock, torch.inference_mode():
        pixels = torch.stack([_pixels(each) for each in images])
        found = {PICTURE: pixels.mean((2, 3))}
        for name, maps in (
            _lite(network, images) if isinstance(network, PretrainedClassifier) else _lab(network, pixels)
        ):
            found[name] = maps.mean((2, 3)).float().cpu()
    return {name: each.clone() for name, each in found.items()}


def _pixels(image: np.ndarray) -> Tensor:
    """A uint8 picture (H, W, 3) as float32 (3, SIDE, SIDE) in 0 to 1."""
    shrinks = max(image.shape[:2]) > SIDE
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return torch.from_numpy(small).permute(2, 0, 1).float() / 255


def _lab(network: LoadedClassifier, pixels: Tensor) -> Iterator[tuple[str, Tensor]]:
    maps = normalised(pixels.to(network.device))
    for name, layer in network.module.trunk.named_children():
        maps = layer(maps)
        yield name, maps


def _lite(network: PretrainedClassifier, images: np.ndarray) -> Iterator[tuple[str, Tensor]]:
    """The stem, the last block of every stage, and the head; stages are named after how many maps they have.

    Raises:
        ValueError: a network of another architecture.
    """
    module = network.module
    if not isinstance(module, EfficientNetLite):
        raise ValueError(f"{network.name} has no layers that this lab knows how to look at.")
    maps = torch.stack([network.tensor(each) for each in images])
    maps = module._swish(module._bn0(module._conv_stem(maps.to(module._conv_stem.weight.dtype))))
    name = "stem"
    for block in module._blocks:
        after = block(maps)
        if after.shape[1] != maps.shape[1]:  # the first block of the next stage
            yield name, maps
            name = f"stage{after.shape[1]}"
        maps = after
    yield name, maps
    yield "head", module._swish(module._bn1(module._conv_head(maps)))


def file_of(name: str) -> Path:
    """Where the gallery's signatures by the network of that name lie."""
    return gallery.FEATURES / f"{name}.safetensors"


def shipped(network: Network) -> dict[str, Tensor] | None:
    """The gallery's signatures by this network, read from their file; None if there is no file, or one that other
    weights have made."""
    file = file_of(network.name)
    if not file.exists():
        return None
    with safe_open(file, "pt") as opened:
        made = opened.metadata() or {}
        if made.get("sha256") != weights_of(network):
            return None
        return {name: opened.get_tensor(name).float() for name in made["layers"].split()}


def compute(
    network: Network, pictures: np.ndarray, report: Callable[[int, int], None], batch: int = 20
) -> dict[str, Tensor]:
    """The signatures of all pictures (n, H, W, 3), some at a time; `report` hears how many are done."""
    parts = []
    for start in range(0, len(pictures), batch):
        parts.append(of_pictures(network, pictures[start : start + batch]))
        report(min(start + batch, len(pictures)), len(pictures))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def write(network: Network, found: Signatures) -> None:
    """Ship them: fp16, with the sha256 of the network's weights."""
    facts = {"sha256": weights_of(network), "layers": " ".join(found)}
    save_file({name: each.half().contiguous() for name, each in found.items()}, file_of(network.name), facts)
