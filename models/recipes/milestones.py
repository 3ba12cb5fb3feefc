"""Where a detector stands while it learns: its losses and its AP50 on a few held-out scenes, for the curves of a card.

Nothing is chosen by them: the card's figures come from all held-out scenes, at the end.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import torch
from torchvision.models.detection import FasterRCNN

from models.networks import rcnn_taps
from models.recipes import coco_metrics
from models.recipes.scene_cache import cached_scenes, held_out_seeds

SCENES = 64  # the first of the 500 held-out ones
EVERY = 300  # training steps
HELD_OUT = 500
RPN = ("loss_objectness", "loss_rpn_box_reg")
HEADS = ("loss_classifier", "loss_box_reg")


def measure(module: FasterRCNN, device: torch.device, losses: Sequence[str], detects: bool = True) -> dict:
    """The named losses, means over the scenes, and `box_ap50` if the network `detects` by now. Modes stay as they are.

    The random choice of anchors and proposals is seeded: the same network gives the same figures.
    """
    data, judge, found = cached_scenes(held_out_seeds(HELD_OUT)), coco_metrics.Judge(), []
    pictures = [
        torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1).float() / 255 for image in data.images[:SCENES]
    ]
    with torch.no_grad(), torch.random.fork_rng(), rcnn_taps.training_mode(module):
        for picture, records in zip(pictures, data.records, strict=False):
            asked = [record for record in records if record.visible >= coco_metrics.IGNORED_BELOW]
            target = {
                "boxes": torch.tensor([record.box for record in asked]).float().reshape(-1, 4).to(device),
                "labels": torch.tensor([record.category for record in asked], dtype=torch.int64).to(device),
            }
            torch.manual_seed(0)
            said = module([picture], [target])
            found.append([float(said[name]) for name in losses])
        point = dict(zip(losses, np.mean(found, 0).round(4).tolist(), strict=True))
        if not detects:
            return point
        module.eval()
        for index, picture in enumerate(pictures):
            result = {key: value.cpu() for key, value in module([picture])[0].items()}
            judge.add(
                SimpleNamespace(**result, masks=None, keypoints=None),
                np.asarray(data.panoptic[index]), data.records[index],
            )  # fmt: skip
    return point | {"box_ap50": judge.metrics()["box_ap50"]}


class Curve:
    """The milestones of one training, in a file of its folder, so that a stopped training keeps them."""

    def __init__(self, folder: Path):
        self._file = folder / "milestones.json"
        self._points: dict[str, dict] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def mark(
        self,
        step: int,
        stage: int,
        module: FasterRCNN,
        device: torch.device,
        losses: Sequence[str] = (*RPN, *HEADS),
        detects: bool = True,
    ) -> None:
        """Measure after so many steps in all, in a stage of the training, counted from 1."""
        start = perf_counter()
        point = {"step": step, "stage": stage} | measure(module, device, losses, detects)
        self._points[f"{stage} {step}"] = point | {"seconds": perf_counter() - start}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._points))

    def marked(self, step: int, stage: int) -> bool:
        """Whether that was measured already."""
        return f"{stage} {step}" in self._points

    @property
    def points(self) -> list[dict]:
        """For the card: `step`, `stage`, the losses, and `box_ap50` where the network detected."""
        return [{key: value for key, value in point.items() if key != "seconds"} for point in self._points.values()]

    @property
    def seconds(self) -> float:
        """What measuring took, which is no training."""
        return sum(point["seconds"] for point in self._points.values())
