"""COCO's average precision of boxes, masks and keypoints, by pycocotools."""

import contextlib
import io
from typing import TYPE_CHECKING, Protocol

import numpy as np
from torch import Tensor

from labs import pose
from scenes import THINGS
from scenes.coco import CATEGORIES, run_lengths

if TYPE_CHECKING:
    from models.recipes.scene_cache import InstanceRecord

SIGMAS = np.array(pose.SIGMAS)
PERSON = THINGS.index("person") + 1
IGNORED_BELOW = 0.15  # of a thing visible: neither a hit nor a miss
SIZES = {"small": (0, 32**2), "medium": (32**2, 64**2), "large": (64**2, 1e10)}  # areas in pixels, at 224 pixels a side


class Detected(Protocol):
    """What every detector gives: `boxes` (N, 4) xyxy in pixels, `labels` (N,) from 1, `scores` (N,), best first; and
    `masks` (N, H, W) and `keypoints` (N, 14, 3), or None."""

    @property
    def boxes(self) -> Tensor: ...
    @property
    def labels(self) -> Tensor: ...
    @property
    def scores(self) -> Tensor: ...
    @property
    def masks(self) -> Tensor | None: ...
    @property
    def keypoints(self) -> Tensor | None: ...


class Judge:
    """Collects detections and truths scene by scene, then hands both to COCOeval."""

    def __init__(self):
        self._images: list[dict] = []
        self._truths: list[dict] = []
        self._boxes: list[dict] = []
        self._masks: list[dict] = []
        self._keypoints: list[dict] = []

    def add(
        self,
        detection: Detected,
        panoptic: np.ndarray,
        records: "list[InstanceRecord]",
    ) -> None:
        """Add one scene: what was detected, its panoptic map (H, W) and its instances."""
        from pycocotools import mask as coco_mask

        height, width = panoptic.shape
        image_id = len(self._images) + 1
        self._images.append({"id": image_id, "height": height, "width": width})
        for record in records:
            mask = panoptic == record.id
            joints = np.array(record.keypoints)
            joints[joints[:, 2] == 0] = 0
            self._truths.append(
                {
                    "id": len(self._truths) + 1,
                    "image_id": image_id,
                    "category_id": record.category,
                    "bbox": _xywh(record.box),
                    "area": int(mask.sum()),
                    "segmentation": coco_mask.frPyObjects(run_lengths(mask), height, width),
                    "iscrowd": int(record.visible < IGNORED_BELOW),  # the only mark that COCOeval ignores by
                    "keypoints": joints.ravel().tolist(),
                    "num_keypoints": int((joints[:, 2] > 0).sum()),
                }
            )
        for i in range(len(detection.boxes)):
            base = {"image_id": image_id, "category_id": int(detection.labels[i]), "score": float(detection.scores[i])}
            self._boxes.append(base | {"bbox": _xywh(detection.boxes[i].tolist())})
            if detection.masks is not None:
                flat = np.asfortranarray((detection.masks[i] >= 0.5).numpy().astype(np.uint8))
                self._masks.append(base | {"segmentation": coco_mask.encode(flat)})
            if detection.keypoints is not None and base["category_id"] == PERSON:
                self._keypoints.append(base | {"keypoints": detection.keypoints[i].flatten().tolist()})

    def metrics(self) -> dict:
        """`box_ap`, `box_ap50`, `box_ar`, `mask_ap`, `keypoint_ap`, and box AP per class and per size."""
        box = self._evaluate("bbox", self._boxes)
        masks = self._evaluate("segm", self._masks) if self._masks else None
        persons = self._evaluate("keypoints", self._keypoints) if self._keypoints else None
        found = {
            "box_ap": _mean(box["precision"][:, :, :, 0, -1]),
            "box_ap50": _mean(box["precision"][0, :, :, 0, -1]),
            "box_ar": _mean(box["recall"][:, :, 0, -1]),
        }
        if masks:
            found["mask_ap"] = _mean(masks["precision"][:, :, :, 0, -1])
        if persons:
            found["keypoint_ap"] = _mean(persons["precision"][:, :, :, 0, -1])
        found["box_ap_per_class"] = {name: _mean(box["precision"][:, :, k, 0, -1]) for k, name in enumerate(THINGS)}
        found["box_ap_per_size"] = {
            name: _mean(box["precision"][:, :, :, a, -1]) for a, name in enumerate(SIZES, start=1)
        }
        return found

    def mask_metrics(self) -> dict:
        """`mask_ap`, `mask_ap50`, `mask_ap75`, and mask AP per class and per size."""
        precision = self._evaluate("segm", self._masks)["precision"]
        return {
            "mask_ap": _mean(precision[:, :, :, 0, -1]),
            "mask_ap50": _mean(precision[0, :, :, 0, -1]),
            "mask_ap75": _mean(precision[5, :, :, 0, -1]),
            "mask_ap_per_class": {name: _mean(precision[:, :, k, 0, -1]) for k, name in enumerate(THINGS)},
            "mask_ap_per_size": {name: _mean(precision[:, :, :, a, -1]) for a, name in enumerate(SIZES, start=1)},
        }

    def _evaluate(self, kind: str, results: list[dict]) -> dict:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        if not results:
            results = [{"image_id": 1, "category_id": 1, "score": 0.0, "bbox": [0, 0, 1, 1]}]
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints as it goes
            truth = COCO()
            truth.dataset = {"info": {}, "images": self._images, "annotations": self._truths, "categories": CATEGORIES}
            truth.createIndex()
            own = [dict(each) for each in results]  # loadRes writes into them, and reads them otherwise a second time
            judge = COCOeval(truth, truth.loadRes(own), kind)
            if kind == "keypoints":
                judge.params.kpt_oks_sigmas = SIGMAS
                judge.params.catIds = [PERSON]
            else:
                judge.params.areaRng = [[0, 1e10], *map(list, SIZES.values())]
                judge.params.areaRngLbl = ["all", *SIZES]
            judge.evaluate()
            judge.accumulate()
        return judge.eval


def _xywh(box: list[float]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _mean(values: np.ndarray) -> float:
    valid = values[values > -1]
    return round(float(valid.mean()), 4) if valid.size else float("nan")
