"""What a detector of boxes is judged by: COCO's AP on held-out scenes, and the time of a picture."""

import statistics
from collections.abc import Callable
from typing import Protocol

import numpy as np

from models.recipes import coco_metrics
from models.recipes.coco_metrics import Detected
from models.recipes.scene_cache import cached_scenes, held_out_seeds


class Timed(Detected, Protocol):
    """Detections and the `seconds` of the forward pass."""

    @property
    def seconds(self) -> float: ...


def evaluate(ask: Callable[[np.ndarray], Timed], report: Callable[[int, int], None], count: int) -> dict:
    """COCO's metrics of boxes by pycocotools, per class and per size, and `forward_ms_p50` at 224x224.

    Args:
        ask: what the detector says of a uint8 RGB picture (224, 224, 3).
    """
    data = cached_scenes(held_out_seeds(count))
    judge = coco_metrics.Judge()
    milliseconds = []
    for index in range(count):
        found = ask(np.asarray(data.images[index]))
        judge.add(found, np.asarray(data.panoptic[index]), data.records[index])
        milliseconds.append(found.seconds * 1000)
        report(index + 1, count)
    return judge.metrics() | {"forward_ms_p50": round(statistics.median(milliseconds), 1), "scenes": count}
