"""Where a classifier's class activation maps point, measured on scenes with one thing and exact truth."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from labs.class_activation import class_activation_map
from labs.heat_map_quality import points_at
from labs.weak_localization import box_overlap, weak_box
from models.inside.attribution import enlarged
from models.networks.classifier import Classification
from models.recipes.scene_cache import InstanceRecord

LARGE = 80  # pixels, the longer side of a thing that a weak box is judged on


class Pointed(NamedTuple):
    """Where the map of one thing's class points: whether its peak lies on the thing, by how many pixels it lies right
    of and below the middle of the thing's box, the IoU of the 20 % box, and the box's longer side in pixels."""

    on_thing: bool
    right: float
    below: float
    weak_iou: float
    side: float


def pointed_at(seen: Classification, record: InstanceRecord, panoptic: np.ndarray) -> Pointed:
    """Where the map of a thing's class points: a classifier's answer, the thing's record, and the panoptic map of the
    scene, uint8 (H, W). The map is enlarged as pages draw it."""
    coarse = class_activation_map(seen.features, seen.weights[record.category - 1])
    heat = enlarged(coarse, panoptic.shape).numpy()
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    left, top, right, bottom = record.box
    return Pointed(
        points_at(heat, panoptic == record.id),
        float(column + 0.5 - (left + right) / 2),
        float(row + 0.5 - (top + bottom) / 2),
        box_overlap(weak_box(heat), record.box),
        max(right - left, bottom - top),
    )


def pointing(pointed: list[Pointed]) -> dict:
    """The figures of a card: `peak_on_thing`, a share; `offset_x_px` and `offset_y_px`, medians, signed; mean IoU of
    the box at 20 % of the maximum over all things, `weak_box_iou`, and over those of `LARGE` pixels and more,
    `weak_box_iou_large`; their number, `large_things`."""
    large = [each.weak_iou for each in pointed if each.side >= LARGE]
    return {
        "peak_on_thing": _rounded(np.mean, [each.on_thing for each in pointed], 4),
        "offset_x_px": _rounded(np.median, [each.right for each in pointed], 1),
        "offset_y_px": _rounded(np.median, [each.below for each in pointed], 1),
        "weak_box_iou": _rounded(np.mean, [each.weak_iou for each in pointed], 4),
        "weak_box_iou_large": _rounded(np.mean, large, 4),
        "large_things": len(large),
    }


def _rounded(figure: Callable, values: list, digits: int) -> float | None:
    return round(float(figure(values)), digits) if values else None
