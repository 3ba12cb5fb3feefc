"""Lab World, class by class: each thing and each stuff alone on a plain ground, one look beside the next."""

import numpy as np

from scenes.classes import CLASSES
from scenes.render import _draw, _flat, _identity_group, _painted, _transform
from scenes.scene import FRAME, Placed
from scenes.stuff import MODULES as STUFF
from scenes.things import MODULES as THINGS

NAMES = CLASSES
FEATURES = {"variant": "VARIANTS", "pose": "POSES", "clothes": "CLOTHES", "hair": "HAIR"}
CELL = 64  # pixels
GROUND = "#e8ecef"
DAYLIGHT = (1.0, 1.0, 1.0)
HORIZON = 40.0
IDENTITY = 255


def picture(label: str) -> np.ndarray:
    """uint8 (128, 64 n, 3) RGB: n looks of a class, and below each its silhouette, which is its ground truth."""
    return np.hstack([_cell(label, look) for look in looks(THINGS.get(label) or STUFF[label])])


def looks(module) -> list[dict]:
    """So many looks that each variant, pose, clothing and hair is among them, each the first of its kind by seed."""
    chosen: list[dict] = []
    for feature, values in FEATURES.items():
        for value in getattr(module, values, ()):
            if all(look[feature] != value for look in chosen):
                drawn = (module.sample(np.random.default_rng(seed)) for seed in range(1000))
                chosen.append(next(look for look in drawn if look[feature] == value))
    return chosen


def _cell(label: str, look: dict) -> np.ndarray:
    """uint8 (128, 64, 3) RGB: the class as it is painted, above its silhouette with crisp edges."""
    if label in THINGS:
        thing = _standing(label, look)
        shapes, place = thing.drawing.shapes, f' transform="{_transform(thing)}"'
        truth = _identity_group(thing, IDENTITY)
    else:
        shapes, place = STUFF[label].draw(look, 1.0 if label == "sky" else HORIZON), ""
        truth = "".join(_flat(shape, IDENTITY) for shape in shapes if shape.silhouette)
    painted = f"<g{place}>{_painted(shapes, DAYLIGHT, GROUND, 0.0, 'kept')}</g>"
    ground = f'<rect width="{FRAME}" height="{FRAME}" fill="{GROUND}"/>'
    window = (0, 0, CELL, CELL)
    above = _draw(ground + painted, window, CELL, "geometric_precision")
    return np.vstack([above, _draw(ground + truth, window, CELL, "crisp_edges")])


def _standing(label: str, look: dict) -> Placed:
    """A thing in the middle of the frame, its longer side nine tenths of it."""
    x1, y1, x2, y2 = Placed(label, look, 0.0, 0.0, 1.0, flip=False).box
    scale = 0.9 * FRAME / max(x2 - x1, y2 - y1)
    middle = [FRAME / 2 - scale * (low + high) / 2 for low, high in ((x1, x2), (y1, y2))]
    return Placed(label, look, *middle, scale, flip=False)
