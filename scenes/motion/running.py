"""Dogs that run: the body of `scenes.things.dog` over legs that gallop, fore and hind pair in turn."""

import numpy as np

from scenes.shapes import Drawing, blob, moved
from scenes.things import dog
from scenes.things.anatomy import fused, shade, stroke

REACH, LIFT, BOUNCE = 0.52, 0.3, 3.5  # of the length of a leg, and units of the frame
# When in the cycle each foot lands: the hind feet almost together, then the fore feet.
LANDS = {"far hind": 0.0, "hind": 0.1, "far fore": 0.5, "fore": 0.6}


def foot(phase: float) -> tuple[float, float]:
    """Where a foot is at a phase of 0 to 1 since it landed: along, 1 (front) to -1 (back), and height, 0 to 1.

    On the ground it goes back at one speed for half the cycle; in the air it swings forward.
    """
    phase %= 1
    if phase < 0.5:
        return 1 - 4 * phase, 0.0
    air = (phase - 0.5) * 2
    return -float(np.cos(np.pi * air)), float(np.sin(np.pi * air))


def cycle(look: dict) -> float:
    """How far a dog gets in one cycle, in units of its own frame."""
    return 4 * _reach(look)


def draw(look: dict, phase: float) -> Drawing:
    """The dog in its own frame at a phase of 0 to 1 of its cycle; between two jumps it leaves the ground."""
    coat, b = dog._Coat(look), dog.BUILDS[look["variant"]]
    leg = b.leg * look["leg"]
    back, half = -(leg + b.depth), b.length / 2
    x1, x2, belly, low = -half - 6, half + 2, -leg - 1, -1.5
    t, w = phase, 1.0 if leg > 20 else 0.92
    feet = {name: foot(t - lands) for name, lands in LANDS.items()}
    reach, lift = _reach(look), leg * LIFT

    def paw(name: str, under: float, ground: float) -> tuple[float, float]:
        along, height = feet[name]
        return under + along * reach, ground - height * lift

    def bend(name: str, still: float) -> float:
        along, height = feet[name]
        return still - 0.08 * reach * along + (7 if "fore" in name else -7) * height

    pitch = 3.0 * np.cos(2 * np.pi * t)  # the chest goes down as the hind feet land
    look = look | {"wag": look["wag"] + 8 * float(np.sin(2 * np.pi * t)), "tilt": look["tilt"] - float(pitch)}
    parts = dog._tail(look, coat, b.tail, (x1 - 1, back + 7))
    far, far_paw = shade(coat.base, -0.17), shade(coat.paw, -0.15)
    fore, hind = paw("far fore", x2 - 6, low - 1), paw("far hind", x1 + 13, low - 1)
    for shapes in (
        dog._leg((x2 - 10, belly - 8), fore, bend("far fore", -1), (15 * w, 11 * w, 9), far_paw),
        dog._leg((x1 + 14, belly - 8), hind, bend("far hind", -4), (19 * w, 12 * w, 9), far_paw),
    ):
        parts += fused(shapes, far, line=coat.line)
    p = 40 * (look["plump"] - 1)
    trunk = [(x2 - 4, back + 1), (0, back + 1.5), (x1 + 12, back - 0.5), (x1 + 1, back + 6)]
    trunk += [(x1 + 1, back + b.depth * 0.55), (x1 + 13, belly - 4 + p * 0.3), (0, belly - 1 + p)]
    trunk += [(x2 - 16, belly + 2 + p), (x2 - 2, belly - 2), (x2 + 6, back + b.depth * 0.55), (x2 + 4, back + 8)]
    torso = blob(trunk)
    fore, hind = paw("fore", x2 - 9, low), paw("hind", x1 + 9, low)
    near_fore = dog._leg((x2 - 8, belly - 8), fore, bend("fore", 0), (18 * w, 11.5 * w, 9.5), coat.paw)
    near_hind = dog._leg((x1 + 12, belly - 10), hind, bend("hind", -4), (26 * w, 13 * w, 9.5), coat.paw)
    thigh = stroke([(x1 + 21, belly - 14), (x1 + 22, belly - 6), (x1 + 15, belly + 1)], coat.line, 1.1)
    toes = dog._toes(*fore, coat.line) + dog._toes(*hind, coat.line)
    details = [*coat.on(torso, x1, x2, back, belly), thigh, *toes]
    shoulder, head = (x2 - 3, back + 11), (x2 + 11, back - 18 + float(pitch))
    parts += dog._finish(look, coat, b, [torso, *near_fore, *near_hind], details, torso, shoulder, head)
    up = -BOUNCE * float(max(np.sin(2 * np.pi * (t - 0.1)) * np.sin(2 * np.pi * (t - 0.1)), 0.0))
    return Drawing(tuple(moved(part, 0.0, up) for part in parts))


def _reach(look: dict) -> float:
    return (8 + REACH * dog.BUILDS[look["variant"]].leg * look["leg"]) * min(look["stride"] + 0.2, 1.1)
