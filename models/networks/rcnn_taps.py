"""The one place that knows torchvision's R-CNN from the inside: hooks, and its semi-private helpers.

Held to torchvision's behaviour by tests/models/test_rcnn_taps.py.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, concat_box_prediction_layers
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign

POINTS = (
    "transform",
    "backbone",
    "rpn.head",
    "rpn.anchor_generator",
    "roi_heads.box_roi_pool",
    "roi_heads.box_predictor",
)


@dataclass(frozen=True, eq=False)
class Level:
    """One level of the feature pyramid: `objectness` logits (K, h, w), `transforms` (K, 4, h, w), `anchors` (h·w·K, 4)
    with K fastest, `features` (C, h, w), and `stride` in pixels."""

    name: str
    stride: int
    objectness: Tensor
    transforms: Tensor
    anchors: Tensor
    features: Tensor


# torchvision declares the parts of its networks as plain nn.Module; these say which they are.
def transform_of(module: FasterRCNN) -> GeneralizedRCNNTransform:
    """What resizes the pictures, and the boxes back."""
    return cast(GeneralizedRCNNTransform, module.transform)


def proposer_of(module: FasterRCNN) -> RegionProposalNetwork:
    """The region proposal network."""
    return cast(RegionProposalNetwork, module.rpn)


def heads_of(module: FasterRCNN) -> RoIHeads:
    """The heads on the regions."""
    return cast(RoIHeads, module.roi_heads)


def level_of_regions(heads: RoIHeads, regions: list[Tensor]) -> Tensor:
    """Which level of the pyramid the last pooling took each region from, int64 (R,), 0 for the finest: by its size
    (Lin et al. 2017, equation 1)."""
    pool = cast(MultiScaleRoIAlign, heads.box_roi_pool)
    assert pool.map_levels is not None, "It is set by the first pooling."
    return pool.map_levels(regions)


def mask_logits(heads: RoIHeads, levels: dict[str, Tensor], regions: list[Tensor], size: int) -> Tensor:
    """What the mask head says of regions (R, 4) of each picture of that many pixels a side: (R, classes, 28, 28)."""
    pool, head, predictor = (
        cast(nn.Module, part) for part in (heads.mask_roi_pool, heads.mask_head, heads.mask_predictor)
    )
    return predictor(head(pool(levels, regions, [(size, size)] * len(regions))))


def resized(
    transform: GeneralizedRCNNTransform,
    images: list[Tensor],
    regions: list[Tensor],
    targets: list[dict[str, Tensor]] | None = None,
) -> tuple[ImageList, list[Tensor], list[dict[str, Tensor]] | None]:
    """Pictures normalised and brought to the size of the network, and regions (R, 4) and targets with them."""
    seen, targets = transform(images, targets)
    scaled = [
        boxes * boxes.new_tensor([after[1] / before.shape[-1], after[0] / before.shape[-2]] * 2)
        for boxes, before, after in zip(regions, images, seen.image_sizes, strict=True)
    ]
    return seen, scaled, targets


@contextmanager
def taps(module: nn.Module, names: Sequence[str]) -> Generator[dict[str, Any]]:
    """Record what submodules return during the block; the hooks are gone after it, also after an error."""
    recorded: dict[str, Any] = {}
    handles = []
    try:
        for name in names:
            hook = lambda _module, _inputs, output, name=name: recorded.__setitem__(name, output)  # noqa: E731
            handles.append(module.get_submodule(name).register_forward_hook(hook))
        yield recorded
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def attributes_set(module: nn.Module, values: dict[str, object]) -> Generator[None]:
    """Set attributes for the block and put them back after it."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


@contextmanager
def training_mode(module: nn.Module) -> Generator[None]:
    """Train mode for everything but batch normalisation, whose statistics must stay; modes are as before after it."""
    before = {child: child.training for child in module.modules()}
    try:
        module.train()
        for child in module.modules():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                child.eval()
        yield
    finally:
        for child, mode in before.items():
            child.training = mode


def read(module: FasterRCNN, tapped: dict, size: tuple[int, int], names: Sequence[str]) -> dict[str, Any]:
    """What the taps recorded of one picture, in pixels of the picture; the fields of `detector.Detection`."""
    images, _ = tapped["transform"]
    features = list(tapped["backbone"].values())
    objectness, transforms = tapped["rpn.head"]
    anchors = tapped["rpn.anchor_generator"][0]
    counts = [o[0].numel() for o in objectness]
    flat_objectness, flat_transforms = concat_box_prediction_layers(list(objectness), list(transforms))
    decoded = proposer_of(module).box_coder.decode(flat_transforms, [anchors])[:, 0]
    # The RPN returns its proposals without their scores: its own filter gives both.
    proposals, scores = proposer_of(module).filter_proposals(
        decoded[None], flat_objectness.reshape(1, -1), images.image_sizes, counts
    )
    logits, regression = tapped["roi_heads.box_predictor"]
    raw_boxes = heads_of(module).box_coder.decode(regression, [proposals[0]])
    height, width = images.image_sizes[0]
    scale = torch.tensor([size[1] / width, size[0] / height] * 2, device=anchors.device)
    levels, start = [], 0
    for name, o, t, f, count in zip(names, objectness, transforms, features, counts, strict=True):
        k, h, w = o.shape[1:]
        levels.append(
            Level(
                name,
                images.tensors.shape[-1] // f.shape[-1],
                o[0].float().cpu(),
                t[0].reshape(k, 4, h, w).float().cpu(),
                (anchors[start : start + count] * scale).cpu(),
                f[0].float().cpu(),
            )
        )
        start += count
    return {
        "proposals": (proposals[0] * scale).cpu(),
        "proposal_scores": scores[0].float().cpu(),
        "raw_boxes": (raw_boxes[:, 1:] * scale).float().cpu(),
        "raw_scores": logits.softmax(-1).float().cpu(),
        "levels": levels,
        "anchors": (anchors * scale).cpu(),
        "decoded": (decoded * scale).cpu(),
        "decoded_scores": flat_objectness.flatten().sigmoid().float().cpu(),
        "level_of": torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)),
        "roi_features": tapped["roi_heads.box_roi_pool"].float().cpu(),
    }
