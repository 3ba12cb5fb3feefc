"""A person's hair, headscarf and hat, in the local units of the head."""

from dataclasses import replace

import numpy as np

from scenes.shapes import Shape, blob, inside, polygon, shade
from scenes.things.anatomy import line_of, stroke
from scenes.things.person_clothes import ink
from scenes.things.person_head import TURN, ball, face, placed
from scenes.things.person_skeleton import Body


def back_hair(look: dict, body: Body) -> list[Shape]:
    """What hangs or stands behind the head."""
    style, fill, view = look["hair"], look["hair_paint"], look["gaze"]
    b = {"front": 0.0, "three-quarter": -0.28, "side": -0.42}[view]
    shapes = []
    if style == "long":
        end = 1.9 if view == "front" else 2.0
        shapes = [
            blob(
                [
                    (b - 1.0, -0.5),
                    (b - 1.16, 0.5),
                    (b - 1.12, end),
                    (b - 0.3, end + 0.1),
                    (b + 0.4, end),
                    (b + (1.16 if view == "front" else 0.7), end - 0.05),
                    (b + 1.14 * (view == "front") + 0.5 * (view != "front"), 0.5),
                    (b + 0.9, -0.5),
                    (b, -1.0),
                ],
                fill=fill,
            )
        ]
    elif style == "bob":
        shapes = [
            blob(
                [
                    (b - 0.9, -0.5),
                    (b - 1.2, 0.3),
                    (b - 1.12, 0.98),
                    (b, 1.02),
                    (b + 1.12 + b, 0.98),
                    (b + 1.2 + b, 0.3),
                    (b + 0.9, -0.5),
                ],
                fill=fill,
            )
        ]
    elif style == "curly":
        t = np.arange(36) * 2 * np.pi / 36
        r = np.choose(np.arange(36) % 3, (1.2, 1.33, 1.33))
        shapes = [blob(np.stack([b * 0.6 + r * np.cos(t), -0.16 + r * np.sin(t) * 0.98], axis=1), fill=fill)]
    elif style == "ponytail":
        if view == "front":
            points = [(0.5, -0.7), (1.1, -0.85), (1.5, -0.3), (1.42, 0.5)]
        else:
            points = [(-0.7, -0.5), (-1.25, -0.6), (-1.62, -0.05), (-1.6, 0.75)]
        shapes = [_tress(points, fill)]
    elif style == "bun":
        shapes = [ball(b * 1.7, -1.22 if view == "front" else -1.0, 0.46, 0.42, fill)]
    elif style == "pigtails":
        sides = (-1, 1) if view == "front" else (-1,)
        shapes = [_tress([(k * 0.9, 0.1), (k * 1.28, 0.3), (k * 1.4, 0.85), (k * 1.26, 1.4)], fill) for k in sides]
    if not shapes:
        return []
    return ink(*placed(shapes, look, body))


def _tress(points: list, fill: str) -> Shape:
    p = np.array(points)
    d = np.gradient(p, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], axis=1) / np.linalg.norm(d, axis=1, keepdims=True)
    w = np.array([[0.2], [0.33], [0.34], [0.12]])
    return blob(np.vstack([p + n * w, (p - n * w)[::-1]]), fill=fill)


def hair(look: dict, body: Body) -> list[Shape]:
    """Hair over the skull, ears beside it, and the hat."""
    style, fill, view = look["hair"], look["hair_paint"], look["gaze"]
    d = TURN[view]
    ear = {"front": None, "three-quarter": -0.62, "side": -0.16}[view]
    low = {"front": 0.0, "three-quarter": 0.3, "side": 0.55}[
        view
    ]  # how far the hair comes down at the back of the head
    shapes: list[Shape] = []
    if style == "headscarf":
        around = [
            (0, -1.12),
            (0.78, -0.86),
            (1.1, -0.1),
            (0.98, 0.66),
            (0.72, 1.2),
            (0, 1.42),
            (-0.8, 1.2),
            (-1.06, 0.6),
            (-1.12, -0.1),
            (-0.8, -0.86),
        ]
        oval = ball(d * 0.62, 0.12, 0.72 - d * 0.1, 0.78, look["skin"], silhouette=False)
        shapes = ink(*placed([blob(around, fill=look["gear"])], look, body))
        opening = replace(oval, stroke=line_of(look["gear"]), width=0.09)
        return shapes + placed([opening, *face(look, d * 0.9)], look, body)
    if style != "bald":
        left = [(-1.02, low), (-1.05, -0.4), (-0.66, -0.98), (0, -1.14), (0.62, -1.0), (0.98, -0.46)]
        if view == "front":
            left[0] = (-1.0, 0.12)
            line = [(1.0, 0.12), (0.84, -0.1), (0.7, -0.44), (0.1, -0.6), (-0.7, -0.44), (-0.84, -0.1)]
            if style in ("parted", "bob", "long"):
                line = [(1.0, 0.16), (0.84, -0.1), (0.62, -0.36), (-0.36, -0.74), (-0.72, -0.4), (-0.86, -0.06)]
        elif view == "three-quarter":
            line = [(0.98, -0.16), (0.8, -0.42), (0.3, -0.6), (-0.34, -0.4), (-0.5, 0.0), (-0.56, 0.36), (-0.8, 0.5)]
            if style in ("parted", "bob", "long"):
                line = [
                    (0.98, -0.1),
                    (0.86, -0.34),
                    (0.6, -0.64),
                    (-0.1, -0.46),
                    (-0.44, -0.1),
                    (-0.5, 0.4),
                    (-0.8, 0.6),
                ]
        else:
            left[-2:] = [(0.5, -1.06), (0.86, -0.62)]
            line = [(0.74, -0.5), (0.3, -0.36), (0.06, -0.04), (-0.02, 0.2), (-0.3, 0.34), (-0.4, 0.74), (-0.84, 0.72)]
        if style == "spiky" and look["hat"] == "none":
            crown = []
            for i, a in enumerate(np.radians(np.linspace(190, 350, 13))):
                r = (1.04, 1.36)[i % 2]
                crown.append((r * np.cos(a), r * np.sin(a) * 1.02))
            top = polygon([left[0], *crown, *line], fill=fill)
        else:
            top = blob(left + line, 0.9, fill=fill)
        shapes += ink(*placed([top], look, body), width=0.9)
        gleam = shade(fill, 0.24)
        shapes += inside(
            shapes[-1], *placed([stroke([(-0.6, -0.72), (-0.2, -0.93), (0.24, -0.94)], gleam, 0.1)], look, body)
        )
    if ear is not None and style not in ("long", "bob", "curly"):
        lobe = ball(ear, 0.16, 0.15, 0.21, look["skin"], stroke=shade(look["skin"], -0.4), width=0.08, silhouette=False)
        shapes += placed([lobe], look, body)
    return shapes + _hat(look, body, d)


def _hat(look: dict, body: Body, d: float) -> list[Shape]:
    kind, fill = look["hat"], look["gear"]
    if kind == "none":
        return []
    dome = blob(
        [
            (-1.08, -0.36),
            (-0.98, -0.86),
            (-0.5, -1.26),
            (0.1, -1.34),
            (0.62, -1.2),
            (1.0, -0.82),
            (1.06, -0.36),
            (0.5, -0.46 + d * 0.1),
            (0, -0.5),
            (-0.5, -0.44),
        ],
        0.9,
        fill=fill,
    )
    if kind == "beanie":
        band = blob(
            [(-1.12, -0.62), (0, -0.8), (1.1, -0.62), (1.12, -0.28), (0, -0.44), (-1.14, -0.26)],
            0.7,
            fill=shade(look["accent"], -0.05),
        )
        return ink(*placed([ball(0, -1.44, 0.28, 0.26, look["accent"]), dome], look, body)) + ink(
            *placed([band], look, body), width=0.9
        )
    if kind == "cap":
        reach = {"front": 0.0, "three-quarter": 0.5, "side": 0.78}[look["gaze"]]
        visor = blob(
            [
                (-0.72 + reach, -0.5),
                (reach, -0.62),
                (0.72 + reach, -0.5),
                (0.86 + reach, -0.34),
                (reach, -0.3),
                (-0.76 + reach, -0.36),
            ],
            0.8,
            fill=shade(fill, -0.2),
        )
        return ink(*placed([ball(0, -1.36, 0.12, 0.09, fill), dome], look, body)) + ink(
            *placed([visor], look, body), width=0.9
        )
    crown = placed([dome], look, body)
    brim = placed([ball(0.04, -0.5, 1.72, 0.27, fill)], look, body)
    band = placed([stroke([(-1.0, -0.78), (0, -0.86), (1.0, -0.78)], look["accent"], 0.2)], look, body)
    return (
        ink(*brim)
        + ink(*crown)
        + inside(crown[0], *band)
        + inside(brim[0], *placed([ball(0.04, -0.34, 1.6, 0.12, shade(fill, -0.15))], look, body))
    )
