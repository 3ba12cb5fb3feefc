"""Flesh and clothes of a person below the head: arms, legs, trunk and backpack."""

from typing import Unpack

import numpy as np

from scenes.shapes import Paint, Point, Shape, blob, curve, ellipse, inside, polygon, shade
from scenes.things.anatomy import line_of, paint, stroke
from scenes.things.person_skeleton import Body


def _bar(a: np.ndarray, b: np.ndarray, wa: float, wb: float, **style: Unpack[Paint]) -> Shape:
    """A straight tapering bone of the given full widths with round ends."""
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    if not along.any():
        along = np.array([0.0, 1.0])
    across, rows = np.array([-along[1], along[0]]), []
    for end, out, half in ((b, along, wb / 2), (a, -along, wa / 2)):
        side = across if out is along else -across
        p, tip, q, k = end - side * half, end + out * half, end + side * half, 0.5523 * half
        if rows:
            rows.append(_side(rows[-1][3], p))
        rows += [[p, p + out * k, tip - side * k, tip], [tip, tip + side * k, q + out * k, q]]
    rows.append(_side(rows[-1][3], rows[0][0]))
    return Shape(np.array(rows), **style)


def _side(p: np.ndarray, q: np.ndarray) -> list[np.ndarray]:
    return [p, p + (q - p) / 3, q - (q - p) / 3, q]


def _bend(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _hull(points: np.ndarray) -> np.ndarray:
    """The convex hull of points (n, 2), by Andrew's monotone chain."""
    rows = sorted(map(tuple, points))
    halves = []
    for chain in (rows, rows[::-1]):
        half: list = []
        for p in chain:
            while len(half) > 1 and _bend(half[-2], half[-1], p) <= 0:
                half.pop()
            half.append(p)
        halves += half[:-1]
    return np.array(halves)


def ink(*parts: Shape, width: float = 1.1) -> list[Shape]:
    """Shapes of one form: each has an outline in its own dark, and no line runs between them."""
    under = []
    for part in parts:
        assert part.fill is not None, "A form is filled: its outline is the dark of its fill."
        line = line_of(part.fill)
        under.append(Shape(part.segments, fill=line, stroke=line, width=2 * width))
    return [*under, *parts]


def arm(look: dict, body: Body, side: str, far: bool) -> list[Shape]:
    w, dim = body.wide**0.5, -0.14 if far else 0.0
    skin, cloth = shade(look["skin"], dim), shade(look["top"], dim)
    shoulder, elbow, hand = (body.at[f"{side}_{name}"] for name in ("shoulder", "elbow", "hand"))
    along = (hand - elbow) / max(np.linalg.norm(hand - elbow), 1.0)
    palm = [_bar(hand - along * 1.2, hand + along * 1.0, 5.4 * w, 5.6 * w, fill=skin)]
    if look["pose"] == "waving" and hand[1] < shoulder[1] - 8:
        out = np.array([-along[1], along[0]]) * (1 if hand[0] < body.at["neck"][0] else -1)
        palm.append(_bar(hand, hand + out * 3.6 - along * 0.4, 2.6, 2.2, fill=skin))
        palm += [_bar(hand, hand + along * 4.8 + out * k, 2.5, 2.2, fill=skin) for k in (-2.2, 0, 2.2)]
    fore = (elbow, hand - along * 1.6, 6.3 * w, 5.0 * w)
    if look["sleeves"] == "long" or look["clothes"] == "coat":
        return ink(*palm) + ink(_bar(shoulder, elbow, 7.2 * w, 6.4 * w, fill=cloth), _bar(*fore, fill=cloth))
    bare = ink(*palm, _bar(*fore, fill=skin), _bar(shoulder, elbow, 6.6 * w, 6.2 * w, fill=skin))
    return bare + ink(_bar(shoulder, shoulder + (elbow - shoulder) * 0.55, 7.2 * w, 7.6 * w, fill=cloth))


def leg(look: dict, body: Body, side: str, far: bool) -> list[Shape]:
    w, dim, kind = body.wide**0.5, -0.14 if far else 0.0, look["clothes"]
    hip, knee, ankle, toe = (body.at[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toe"))
    skin, cloth, boot = (shade(look[name], dim) for name in ("skin", "bottom", "shoes"))
    heel = ankle + (ankle - toe) * 0.12
    shoe = _bar(heel, toe, 6.4 * w, 5.6 * w, fill=boot)
    sole = curve([heel + (0, 2.9 * w), toe + (0, 2.6 * w)], stroke=shade("#f6f1e6", dim), width=1.9)
    foot = ink(shoe) + inside(shoe, sole)
    if kind in ("trousers", "dungarees"):
        cuff = knee + (ankle - knee) * 0.94
        return foot + ink(
            _bar(hip, knee, 10.4 * w, 8.4 * w, fill=cloth), _bar(knee, cuff, 8.4 * w, 7.0 * w, fill=cloth)
        )
    tights = shade(look["accent"], dim) if kind in ("skirt", "dress", "coat") and look["sleeves"] == "long" else skin
    bare = ink(_bar(knee, ankle, 6.8 * w, 5.4 * w, fill=tights), _bar(hip, knee, 9.0 * w, 6.8 * w, fill=tights)) + foot
    if kind == "shorts":
        bare += ink(_bar(hip, hip + (knee - hip) * 0.66, 10.4 * w, 10.0 * w, fill=cloth))
    return bare


class _Trunk:
    """Points on the trunk: t runs from the hips (0) to the neck (1), s across from -1 to 1."""

    def __init__(self, body: Body):
        self.body, self.low = body, body.at["left_hip"] / 2 + body.at["right_hip"] / 2
        self.axis = body.at["neck"] - self.low
        self.across = np.array([-self.axis[1], self.axis[0]]) / np.linalg.norm(self.axis)
        self.face = float(np.sin(body.yaw))

    def __call__(self, t: float, s: float) -> np.ndarray:
        half = np.interp(t, [-0.12, 0, 0.35, 0.78, 0.93, 1.02], [self.body.breadth(*w) for w in (
            (8.6, 6.0), (9.0, 6.4), (8.0, 6.2), (9.9, 6.6), (9.4, 5.2), (4.0, 3.8))])  # fmt: skip
        return self.low + self.axis * t + self.across * s * half

    def outline(self, bottom: float, **style: Unpack[Paint]) -> Shape:
        side = [(t, s) for t, s in ((0.0, 1), (0.35, 1), (0.78, 1), (0.94, 0.93), (1.02, 0.9)) if t > bottom + 0.05]
        side.insert(0, (bottom, 0.94))
        return blob([self(t, -s) for t, s in side] + [self(t, s) for t, s in side[::-1]], 0.9, **style)


def trunk(look: dict, body: Body) -> list[Shape]:
    at, kind, w = _Trunk(body), look["clothes"], body.wide**0.5
    neck, head = body.at["neck"], body.at["head"]
    shapes = ink(_bar(neck + (0, 2), head, 7.0 * w, 6.6 * w, fill=shade(look["skin"], -0.1)))
    top, bottom = look["top"], look["bottom"]
    shirt = at.outline(0.22 if kind == "skirt" else -0.1, fill=top)
    if kind in ("trousers", "shorts", "dungarees"):
        hips = (body.breadth(8.6, 5.2) * 0.98, 4.9 * w)
        shapes.append(ellipse(tuple(at.low + (0, 0.6)), *hips, fill=bottom))
        shapes += ink(shirt)
    else:
        reach, flare = {"skirt": (0.86, 5.6), "dress": (1.0, 6.4), "coat": (0.8, 6.2)}[kind]
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        rim = np.stack([np.cos(turn) * flare, np.sin(turn) * 3.2], axis=1) * w
        cloud = [at(0.34, -1), at(0.34, 1), at(0, -1), at(0, 1)]
        for side in ("left", "right"):
            hip, knee = body.at[f"{side}_hip"], body.at[f"{side}_knee"]
            cloud += list(hip + (knee - hip) * reach + rim)
        cloth = bottom if kind == "skirt" else top
        skirt = polygon(_hull(np.array(cloud)), fill=cloth)
        shapes += ink(skirt) + ink(shirt) if kind == "skirt" else ink(skirt, shirt)
        folds = [body.at[f"{side}_knee"] * 0.7 + body.at[f"{side}_hip"] * 0.3 for side in ("left", "right")]
        shapes += inside(
            skirt,
            *[stroke([at(0.02, s), p], shade(cloth, -0.18), 1.0) for s, p in zip((0.3, -0.3), folds, strict=True)],
        )
    marks = []
    if kind == "coat":
        pass
    elif look["pattern"] == "stripes":
        marks += [stroke([at(t, -1.1), at(t, 1.1)], look["accent"], 2.4) for t in (0.16, 0.42, 0.68)]
    elif look["pattern"] == "dots":
        marks += [
            ellipse(tuple(at(t, s)), 1.35, 1.35, fill=look["accent"])
            for t, s in ((0.2, -0.55), (0.2, 0.45), (0.45, -0.1), (0.45, 0.8), (0.7, -0.55), (0.7, 0.45), (0.45, -0.9))
        ]
    elif look["pattern"] == "two-tone":
        marks.append(polygon([at(0.5, -1.3), at(0.5, 1.3), at(-0.3, 1.5), at(-0.3, -1.5)], fill=look["accent"]))
    face = at.face
    if kind == "dungarees":
        wide = 0.62 if look["view"] == "front" else 0.5
        marks.append(polygon([at(0.3, -1.3), at(0.3, 1.3), at(-0.3, 1.5), at(-0.3, -1.5)], fill=bottom))
        marks.append(
            polygon(
                [
                    at(t, s + face * 0.55)
                    for t, s in ((0.28, -wide), (0.68, -wide * 0.9), (0.68, wide * 0.9), (0.28, wide))
                ],
                fill=bottom,
            )
        )
        for s in (-wide * 0.75 + face * 0.5, wide * 0.75 + face * 0.5):
            marks.append(stroke([at(0.66, s), at(1.0, s * 0.9 - face * 0.3)], bottom, 2.4))
            marks.append(ellipse(tuple(at(0.66, s)), 1.0, 1.0, fill="#f3d060"))
    elif kind == "coat":
        edge = shade(top, -0.32)
        marks.append(stroke([at(1.0, face * 0.4), at(0.5, face * 0.85), at(-0.12, face * 0.8)], edge, 1.1))
        marks += [ellipse(tuple(at(t, face * 0.8 + 0.16)), 0.95, 0.95, fill=look["accent"]) for t in (0.66, 0.4, 0.14)]
        marks.append(stroke([at(0.99, -0.9), at(0.93, face * 0.5), at(0.99, 0.9)], look["accent"], 3.4))
    elif kind == "dress":
        marks.append(stroke([at(0.33, -1.2), at(0.33, 1.2)], look["accent"], 2.6))
    else:
        marks.append(ellipse(tuple(at(1.03, face * 0.25)), 3.6 * w, 2.6, fill=look["skin"]))
    shade_side = polygon([at(1.0, -1.2), at(1.0, -0.72), at(-0.2, -0.6), at(-0.2, -1.4)], fill="#1b1430", opacity=0.13)
    shapes += inside(shirt, *[paint(m, opacity=m.opacity) if m.fill else m for m in [*marks, shade_side]])
    if look["backpack"]:
        straps = [-0.62, 0.62] if look["view"] == "front" else [-0.1, 0.8] if look["view"] != "side" else [0.1]
        for s in straps:
            shapes += inside(
                shirt,
                stroke([at(1.02, s * 0.7), at(0.7, s + face * 0.25), at(0.35, s)], line_of(look["gear"]), 4.2),
                stroke([at(1.02, s * 0.7), at(0.7, s + face * 0.25), at(0.35, s)], look["gear"], 2.6),
            )
    return shapes


def backpack(look: dict, body: Body) -> list[Shape]:
    at, fill = _Trunk(body), look["gear"]
    x = -at.face * 8.5 * body.wide
    wide = body.breadth(9.6, 5.0) + 0.6
    points = [
        at(t, 0) + at.across * (x + wide * k)
        for t, k in (
            (0.16, -1),
            (0.5, -1.06),
            (0.86, -0.9),
            (0.98, -0.3),
            (0.98, 0.3),
            (0.86, 0.9),
            (0.5, 1.06),
            (0.16, 1),
            (0.1, 0),
        )
    ]
    pack = blob(points, 0.8, fill=fill)
    pocket = stroke(
        [at(0.42, 0) + at.across * (x - wide), at(0.42, 0) + at.across * (x + wide)], shade(fill, -0.3), 1.3
    )
    return ink(pack) + inside(pack, pocket)
