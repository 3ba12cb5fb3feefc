"""The whole outline of a thing of Lab World, also where something hides it or the picture ends.

What scenes draw does not depend on this module.
"""

from dataclasses import dataclass

import numpy as np

from scenes.render import FIRST_THING, SMALLEST_LARGEST_SIZE, _draw, _identity_group
from scenes.scene import FRAME, Placed, Scene

FINE = 4  # pixels a side of a cell: counted, since smooth edges of one shape over another cover too much
_WHOLE = 255  # the blue of a pixel that the thing fills


@dataclass(frozen=True, eq=False)
class Silhouette:
    """A thing alone on a grid of square cells.

    Attributes:
        coverage: float array (h, w), the share of each cell that the thing covers, 0 to 1; at least one empty cell all
            around.
        corner: x and y of the grid's upper left corner, in units of the frame (pixels of a picture of 224 x 224).
        cell: the side of a cell in the same units.
    """

    coverage: np.ndarray
    corner: tuple[float, float]
    cell: float


def thing_of(scene: Scene, identity: int) -> Placed:
    """The thing that has this identity in the scene's panoptic map (`Instance.id`).

    Raises:
        ValueError: the scene has no such thing.
    """
    if not FIRST_THING <= identity < FIRST_THING + len(scene.objects):
        raise ValueError(f"This scene has no thing with the identity {identity}.")
    return scene.objects[identity - FIRST_THING]


def silhouette(thing: Placed, cells: int = 48) -> Silhouette:
    """The whole silhouette of a thing, its longer side being about that many cells."""
    low, high = SMALLEST_LARGEST_SIZE
    x1, y1, x2, y2 = thing.box
    size = int(np.clip(round(FRAME * cells * FINE / max(x2 - x1, y2 - y1)), low, high))
    cell = FRAME * FINE / size
    left, top = (np.floor(np.array([x1, y1]) / cell).astype(int) - 1).tolist()
    right, bottom = (np.ceil(np.array([x2, y2]) / cell).astype(int) + 1).tolist()
    window = (left * FINE, top * FINE, right * FINE, bottom * FINE)
    body = _draw(_identity_group(thing, _WHOLE), window, size, "crisp_edges")[..., 2] == _WHOLE
    coverage = body.reshape(bottom - top, FINE, right - left, FINE).mean((1, 3))
    return Silhouette(coverage, (left * cell, top * cell), cell)
