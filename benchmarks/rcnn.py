"""What each step from R-CNN to Faster R-CNN saves: milliseconds by part, AP50 and the seconds of the training.

The times are of one picture after the other, on this machine, on the boxes of OpenCV's selective search (fast); Faster
R-CNN finds its own. `ms_network` is what runs on pixels: every crop of R-CNN, the whole picture of the others.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch

from labs import selective_search
from models import catalog
from models.inside import two_stages
from models.recipes import coco_metrics
from models.recipes.regions import LARGEST, MODE
from models.recipes.scene_cache import SIZE, cached_scenes, held_out_seeds

HELD_OUT = 500
METHODS = {
    "R-CNN": "rcnn", "SPP-net": "spp", "Fast R-CNN": "fast-rcnn", "Faster R-CNN, joint": "detector-narrow",
    "Faster R-CNN, alternating": "detector-alternating",
}  # fmt: skip
Said = tuple[Any, float | None, float, float]  # detections; seconds of proposals (None: searched), network, heads


def run(count: int = 20) -> list[dict[str, Any]]:
    """One row a method over the first `count` held-out scenes; methods without weights are left out, and said so."""
    data = cached_scenes(held_out_seeds(HELD_OUT))
    rows = []
    for method, name in METHODS.items():
        if name not in catalog.shipped():
            print(f"{method} left out: {name} has no weights yet", file=sys.stderr)
            continue
        ask, card = caller(name), catalog.card(name)
        warm = np.zeros((SIZE, SIZE, 3), np.uint8)
        ask(warm, np.array([[0.0, 0, SIZE, SIZE]], np.float32))  # a first pass prepares, and would be timed
        judge, times, given = coco_metrics.Judge(), [], []
        for index in range(count):
            image = np.asarray(data.images[index])
            start = perf_counter()
            boxes = selective_search.by_opencv(image, MODE)[:LARGEST].astype(np.float32)
            search = perf_counter() - start
            found, proposals, network, heads = ask(image, boxes)
            times.append((search if proposals is None else proposals, network, heads))
            given.append(len(boxes) if proposals is None else len(found.regions))
            judge.add(found, np.asarray(data.panoptic[index]), data.records[index])
        parts = [round(1000 * statistics.median(each), 1) for each in zip(*times, strict=True)]
        rows.append(
            {"method": method, "network": name, "regions": round(statistics.mean(given))}
            | dict(zip(("ms_proposals", "ms_network", "ms_heads"), parts, strict=True))
            | {"box_ap50": judge.metrics()["box_ap50"], "card_box_ap50": card["metrics"]["box_ap50"],
               "training_s": card["training_seconds"], "scenes": count}
        )  # fmt: skip
    return rows


def caller(name: str) -> Callable[[np.ndarray, np.ndarray], Said]:
    """A network of METHODS as a function of picture and proposals."""
    network: Any = catalog.load(name)

    def rcnn(image: np.ndarray, boxes: np.ndarray) -> Said:
        found = network(image, torch.from_numpy(boxes))
        on_pixels = found.steps["crops"] + found.steps["network"]
        return found, None, on_pixels, found.seconds - on_pixels

    def shared(image: np.ndarray, boxes: np.ndarray) -> Said:
        found = network(image, boxes)
        return found, None, found.trunk_seconds, found.seconds - found.trunk_seconds

    def faster(image: np.ndarray, _boxes: np.ndarray) -> Said:
        found = two_stages.walk(network, image)
        return found, found.proposal_seconds, found.trunk_seconds, found.head_seconds

    return {"rcnn": rcnn, "spp": shared, "fast-rcnn": shared}.get(name, faster)
