"""A person's head and face, in local units of one head radius, x towards where the face looks."""

from dataclasses import replace
from typing import Unpack

import numpy as np

from scenes.shapes import Ink, Shape, blob, ellipse, inside, mix, moved, shade
from scenes.things.anatomy import dark, stroke
from scenes.things.person_clothes import ink
from scenes.things.person_skeleton import Body

TURN = {"front": 0.0, "three-quarter": 0.26, "side": 0.5}  # how far each gaze moves the face off the middle


def placed(shapes: list[Shape], look: dict, body: Body) -> list[Shape]:
    return [moved(s, *body.at["head"], scale=body.head, angle=look["nod"]) for s in shapes]


def ball(x: float, y: float, rx: float, ry: float, fill: str, **style: Unpack[Ink]) -> Shape:
    return ellipse((x, y), rx, ry, fill=fill, **style)


def head(look: dict, body: Body) -> list[Shape]:
    """Skull, beard and face."""
    view, skin = look["gaze"], look["skin"]
    d = TURN[view]
    skull = blob(
        [
            (0, -0.97),
            (0.66, -0.76),
            (0.96, -0.16),
            (0.86, 0.46),
            (0.44 + d * 0.3, 0.9),
            (d * 0.5, 0.99),
            (-0.44 + d * 0.3, 0.9),
            (-0.86, 0.46),
            (-0.96, -0.16),
            (-0.66, -0.76),
        ],
        fill=skin,
    )
    form = [skull]
    if view == "side":
        form.append(ball(0.99, 0.2, 0.15, 0.13, skin))
    else:
        form = [ball(k * 0.95 - d * 0.25, 0.14, 0.17, 0.22, skin) for k in ((-1, 1) if view == "front" else ())] + form
    shapes = ink(*placed(form, look, body))
    local: list[Shape] = []
    if look["beard"]:
        beard = [
            (-0.88 + d * 0.9, 0.12),
            (-0.62 + d, 0.34),
            (d, 0.3),
            (0.62 + d * 0.6, 0.34),
            (0.9, 0.1),
            (0.92, 0.7),
            (0.5, 1.06),
            (d * 0.5, 1.12),
            (-0.5 + d * 0.4, 1.04),
            (-0.86 + d * 0.6, 0.66),
        ]
        local += inside(skull, blob(beard, 0.8, fill=look["hair_paint"]))
    return shapes + placed(local + face(look, d), look, body)


def face(look: dict, d: float) -> list[Shape]:
    skin, view = look["skin"], look["gaze"]
    line = shade(skin, -0.62) if not dark(skin) else "#1d1210"
    eyes = {"front": (-0.36, 0.36), "three-quarter": (-0.12, 0.56), "side": (0.52,)}[view]
    blush = mix(skin, "#e2574f", 0.34)
    marks = [ball(x + (0.1 * np.sign(x - d) if view != "side" else -0.04), 0.4, 0.17, 0.12, blush) for x in eyes]
    for x in eyes:
        thin = 0.82 if view == "three-quarter" and x > d else 0.8 if view == "side" else 1.0
        marks += [
            ball(x, 0.06, 0.19 * thin, 0.23, "#fdfbf7"),
            ball(x + d * 0.08, 0.075, 0.125 * thin, 0.175, "#2a1c18"),
            ball(x + d * 0.08 + 0.04, 0.0, 0.05, 0.055, "#ffffff"),
        ]
        lift = 0.05 if look["mood"] in ("open", "grin") else 0.0
        brow = line if look["hair"] in ("bald", "headscarf") else shade(look["hair_paint"], -0.25)
        marks.append(stroke([(x - 0.17, -0.26 - lift), (x, -0.32 - lift), (x + 0.17, -0.27 - lift)], brow, 0.085))
    if view != "side":
        marks.append(
            stroke(
                [(d * 1.15 + 0.02, 0.22), (d * 1.15 + 0.09, 0.32), (d * 1.15 - 0.04, 0.34)], shade(skin, -0.35), 0.07
            )
        )
    x, w = (d * 1.0, 0.28) if view != "side" else (0.66, 0.17)
    lips = mix(skin, "#c8574f", 0.65) if dark(skin) else mix(line, "#b4443f", 0.45)
    if look["beard"]:
        lips = "#f0c3b4" if dark(look["hair_paint"]) else "#7c2f2c"
    mood = look["mood"]
    if mood in ("grin", "open"):
        depth = 0.24 if mood == "grin" else 0.3
        rim = [
            (x - w, 0.54),
            (x, 0.58 if mood == "grin" else 0.52),
            (x + w, 0.54),
            (x + w * 0.55, 0.54 + depth * 0.8),
            (x, 0.54 + depth),
            (x - w * 0.55, 0.54 + depth * 0.8),
        ]
        mouth = blob(rim, 0.8, fill="#7c2a2c")
        marks += [mouth, *inside(mouth, ball(x, 0.56 + depth, w * 0.7, 0.12, "#e5827c"))]
    else:
        bow = 0.13 if mood == "smile" else 0.05
        marks.append(stroke([(x - w, 0.56), (x, 0.56 + bow), (x + w, 0.55)], lips, 0.085))
    if look["glasses"]:
        rims = [
            ellipse((x, 0.07), 0.3 if view != "side" else 0.26, 0.3, stroke="#2f2b33", width=0.08, silhouette=False)
            for x in eyes
        ]
        marks += rims + [stroke([(eyes[0] - 0.3, 0.05), (-0.85 + d * 0.2, 0.0)], "#2f2b33", 0.07)]
        if len(eyes) == 2:
            marks.append(stroke([(eyes[0] + 0.29, 0.05), (eyes[1] - 0.29, 0.05)], "#2f2b33", 0.08))
    return [replace(m, silhouette=False) for m in marks]
