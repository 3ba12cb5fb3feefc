"""Persons who walk: the skeleton of `scenes.things.person`, its bones swung through one cycle of two steps.

Angles follow the joints of a healthy gait (Winter 1991, hip and knee in the sagittal plane), a little exaggerated.
"""

from functools import lru_cache

import numpy as np

from scenes.shapes import Drawing, extent, moved
from scenes.things import person
from scenes.things.person_skeleton import Body

# Degrees at every tenth of a cycle that begins as the heel touches the ground, forward positive.
HIP = (28, 24, 15, 5, -6, -16, -14, 4, 22, 31, 28)
KNEE = (5, 15, 15, 8, 6, 14, 38, 60, 48, 18, 5)
ARM_FORWARD, ARM_SWING, ELBOW = 2.0, 0.85, (14.0, 26.0)


def bones(phase: float, stride: float = 1.0) -> list[tuple[float, float]]:
    """Bones as `person.POSES` has them, at a phase of 0 to 1; at 0 the left heel touches the ground.

    stride: how far the legs swing, a factor near 1.
    """
    rows, arms = [], []
    for shift in (0.0, 0.5):
        at = (phase + shift) % 1 * 10
        hip, knee = np.interp(at, range(11), HIP) * stride, np.interp(at, range(11), KNEE)
        rows += [(float(hip), 2.0), (float(hip - knee), 2.0)]
        opposite = np.interp((at + 5) % 10, range(11), HIP) - 6  # an arm goes with the other leg
        swing = ARM_FORWARD + ARM_SWING * opposite
        bend = np.interp(opposite, (-22, 25), ELBOW)
        arms += [(float(swing), 12.0), (float(swing + bend), 4.0)]
    return rows + arms


def cycle(look: dict) -> float:
    """How far a person gets in one cycle, in units of its own frame: the foot on the ground stays where it is."""
    strike, leave = (_body(look, phase).at["left_foot"][0] for phase in (0.0, 0.5))
    return 2 * float(strike - leave)


def draw(look: dict, phase: float) -> Drawing:
    """The person in its own frame at a phase of 0 to 1 of its cycle, the pelvis over x = 0."""
    body = _body(look, phase)
    parts = person._dressed(look, body)
    shapes = [shape for _, drawn in parts for shape in drawn]
    dy = -float(extent(shapes)[3])
    outlines = [(part, shape.points()) for part, drawn in parts for shape in drawn if shape.silhouette and shape.fill]
    outlines = [(part, points, points.min(0), points.max(0)) for part, points in outlines]
    joints = {}
    for name in person.JOINTS:
        x, y = body.at[name]
        joints[name] = (float(x), float(y + dy), not person._hidden(name, body, outlines))
    return Drawing(tuple(moved(shape, 0.0, dy) for shape in shapes), joints)


@lru_cache(maxsize=64)
def _lean(variant: str) -> float:
    return {"child": 2.0, "broad": 2.0}.get(variant, 3.5)


def _body(look: dict, phase: float) -> Body:
    return Body(look, person.VIEWS[look["view"]], _lean(look["variant"]), bones(phase, look["stride"]))
