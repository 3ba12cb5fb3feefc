"""The truth of a rendered scene as a detector is judged by it."""

import numpy as np

from labs.matching import Truths
from models.recipes.coco_metrics import IGNORED_BELOW
from scenes import THINGS, View


def truths_of(view: View) -> Truths:
    """The things of a rendered scene. One that is hardly seen is a crowd: COCO's only mark for what does not count."""
    hidden = np.array([thing.visible < IGNORED_BELOW for thing in view.instances], bool)
    boxes = np.array([thing.box for thing in view.instances], np.float64).reshape(-1, 4)
    labels = np.array([THINGS.index(thing.label) + 1 for thing in view.instances], np.int64)
    areas = np.array([thing.mask.sum() for thing in view.instances], np.float64)
    return Truths(boxes, labels, crowd=hidden, areas=areas)
