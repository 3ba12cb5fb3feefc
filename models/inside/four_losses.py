"""The four losses of a two-stage detector for one picture, opened: which anchors and regions pay how much.

The random choice of both mini-batches is seeded as in `LoadedDetector.losses`, whose four numbers these add up to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.rpn import concat_box_prediction_layers

from labs import region_head_loss, region_proposal_loss
from labs.boxes import decode
from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector, targets_of
from scenes import Instance

OBJECT, RPN_BOX, CLASS, BOX = KINDS = ("loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg")


@dataclass(frozen=True, eq=False)
class MiniBatch:
    """What one stage looked at in a training step on this picture; boxes float32 (n, 4) xyxy in its pixels.

    Attributes:
        boxes: the anchors, or the regions, that were drawn.
        label (n,) int64: of an anchor 1 for object and 0 for background, of a region its class, 0 for background.
        truth (n, 4): the box that each was to become, and `which` (n,) int64 its number; without meaning for
            background.
        right (n,): the probability that the stage gave to that label.
        moved (n, 4): where the stage would move each.
        name, move (n,): what each adds to the two losses of the stage.
    """

    boxes: Tensor
    label: Tensor
    truth: Tensor
    which: Tensor
    right: Tensor
    moved: Tensor
    name: Tensor
    move: Tensor


@dataclass(frozen=True, eq=False)
class FourLosses:
    """Both mini-batches, and what torchvision itself made of the four losses."""

    anchors: MiniBatch
    regions: MiniBatch
    losses: dict[str, float]

    def of(self, kind: str) -> tuple[MiniBatch, Tensor]:
        """The mini-batch behind one of KINDS, and what each of its boxes adds (n,)."""
        batch = self.anchors if kind in (OBJECT, RPN_BOX) else self.regions
        return batch, batch.name if kind in (OBJECT, CLASS) else batch.move


def open_losses(detector: LoadedDetector, image: np.ndarray, instances: Sequence[Instance]) -> FourLosses:
    """One training step on a uint8 picture (224, 224, 3), looked at and not learned from."""
    module, device = detector.module, torch.device(detector.device)
    proposer, heads = rcnn_taps.proposer_of(module), rcnn_taps.heads_of(module)
    target = {key: value.to(device) for key, value in targets_of(instances).items()}
    x = torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1).float() / 255
    drawn, regions, sample = [], [], proposer.fg_bg_sampler

    def recorded(labels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        drawn.append(sample(labels))
        return drawn[0]

    handle = heads.box_roi_pool.register_forward_pre_hook(lambda _module, inputs: regions.extend(inputs[1]))
    points = ("rpn.head", "rpn.anchor_generator", "roi_heads.box_predictor")
    try:
        with (
            detector._lock, torch.no_grad(), rcnn_taps.training_mode(module), torch.random.fork_rng(),
            rcnn_taps.attributes_set(proposer, {"fg_bg_sampler": recorded}), rcnn_taps.taps(module, points) as tapped,
        ):  # fmt: skip
            torch.manual_seed(0)
            losses = {key: float(value) for key, value in module([x], [target]).items()}
    finally:
        handle.remove()
    truths, labels = target["boxes"].float().cpu(), target["labels"].cpu()
    objectness, transforms = (list(each) for each in tapped["rpn.head"])
    logits, transforms = (each.float().cpu() for each in concat_box_prediction_layers(objectness, transforms))
    every = tapped["rpn.anchor_generator"][0].cpu()
    positive, negative = (each[0].nonzero()[:, 0].cpu() for each in drawn[0])
    chosen = torch.cat([positive, negative])
    label = torch.cat([torch.ones_like(positive), torch.zeros_like(negative)])
    anchors = _anchors(every[chosen], logits.flatten()[chosen], transforms[chosen], truths, label)
    scores, moves = (each.float().cpu() for each in tapped["roi_heads.box_predictor"])
    return FourLosses(anchors, _regions(regions[0].cpu(), scores, moves, truths, labels), losses)


def _anchors(boxes: Tensor, logits: Tensor, transforms: Tensor, truths: Tensor, label: Tensor) -> MiniBatch:
    which = region_head_loss.name(boxes, truths, torch.ones(len(truths), dtype=torch.int64)).match
    truth = truths[which] if len(truths) else boxes
    losses = [
        region_proposal_loss.anchor_loss(*row, int(of))
        for *row, of in zip(logits, transforms, boxes, truth, label, strict=True)
    ]
    said, moved = logits.sigmoid(), decode(transforms, boxes)
    objectness, move = (torch.stack(each) / len(losses) for each in list(zip(*losses, strict=True))[:2])
    return MiniBatch(boxes, label, truth, which, torch.where(label == 1, said, 1 - said), moved, objectness, move)


def _regions(boxes: Tensor, logits: Tensor, moves: Tensor, truths: Tensor, labels: Tensor) -> MiniBatch:
    label, which = region_head_loss.name(boxes, truths, labels)
    truth, rows = truths[which] if len(truths) else boxes, torch.arange(len(boxes))
    moves = moves.reshape(len(boxes), -1, 4)
    losses = region_head_loss.region_losses(logits, moves, boxes, truth, label)
    moved = decode(moves[rows, label] / moves.new_tensor(region_head_loss.WEIGHTS), boxes)
    return MiniBatch(boxes, label, truth, which, logits.softmax(1)[rows, label], moved, losses.name, losses.move)
