"""Cars and motorcycles that drive: the drawing of `scenes.things`, its wheels turned as far as it has rolled."""

import numpy as np

from scenes import things
from scenes.shapes import Drawing

RADIUS = {"car": 13.6, "motorcycle": 19.5}  # units of the frame
SPOKES = {"spokes": 5, "disc": 5, "wire": 11}  # the other wheels look alike however they are turned


def cycle(label: str, look: dict) -> float:
    """How far it gets until its wheels look as before, in units of its own frame."""
    return 2 * np.pi / SPOKES.get(look["wheels"], 5) * RADIUS[label]


def draw(label: str, look: dict, phase: float) -> Drawing:
    """The car or motorcycle in its own frame at a phase of 0 to 1 until its wheels look as before."""
    turn = 2 * np.pi / SPOKES.get(look["wheels"], 5) * phase
    return things.MODULES[label].draw(look | {"turn": turn})
