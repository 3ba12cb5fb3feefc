"""Cats: round head with pricked triangular ears, whiskers, a long tail; six coats and five poses."""

# An outline reads as rows of points, not one point per line.
# fmt: off

import numpy as np

from scenes.shapes import Drawing, Shape, blob, ellipse, inside, limb, mix, moved, shade
from scenes.things.anatomy import COLLARS, centred, coat_colour, collar, dark, eye, fused, line_of, paint, pick, stroke

VARIANTS = ("solid", "tabby", "tuxedo", "calico", "siamese", "patched")
POSES = ("standing", "walking", "sitting", "lying", "loaf")
TAILS = ("up", "hook", "low", "wave")
DARK = ("black", "charcoal", "chocolate", "grey", "red-brown", "brown")
ANY = (*DARK, "white", "cream", "golden", "ginger", "ginger", "grey")
IRISES = {
    "green": "#8fc24a",
    "amber": "#eeb32c",
    "yellow": "#f2d84b",
    "copper": "#d98332",
    "blue": "#69b7e6",
    "teal": "#4fb8a6",
}


def sample(rng: np.random.Generator) -> dict:
    """A cat's look: coat, pose, colours as #rrggbb, proportions as factors near 1."""
    variant, pose = pick(rng, VARIANTS), pick(rng, POSES)
    if variant == "siamese":
        name, base = coat_colour(rng, ("cream", "white"), 0.0)
        _, mark = coat_colour(rng, ("chocolate", "charcoal", "brown", "grey", "red-brown"), 0.1)
    elif variant == "calico":
        name, base = coat_colour(rng, ("white", "cream"), 0.0)
        _, mark = coat_colour(rng, ("ginger", "golden"), 0.0)
    elif variant == "patched":
        name, mark = coat_colour(rng, ("black", "ginger", "grey", "brown", "red-brown"))
        base = coat_colour(rng, ("white",), 0.0)[1]
    else:
        name, base = coat_colour(rng, DARK if variant == "tuxedo" else ANY)
        mark = shade(base, -float(rng.uniform(0.34, 0.5)))
    mood = "closed" if rng.random() < (0.3 if pose in ("loaf", "lying") else 0.06) else "open"
    return {
        "variant": variant,
        "pose": pose,
        "colour": name,
        "base": base,
        "mark": mark,
        "second": coat_colour(rng, ("black", "charcoal", "chocolate"), 0.0)[1],
        "iris": "blue" if variant == "siamese" else pick(rng, tuple(IRISES)),
        "mood": mood,
        "tail": pick(rng, TAILS),
        "turn": float(rng.uniform(0.0, 1.0)),
        "tilt": float(rng.uniform(-8, 8)),
        "stride": float(rng.uniform(0.6, 1.1)),
        "head": float(rng.uniform(0.94, 1.1)),
        "ears": float(rng.uniform(0.85, 1.12)),
        "plump": float(rng.uniform(0.9, 1.14)),
        "stripes": int(rng.integers(4, 7)),
        "white_chin": bool(rng.random() < 0.5),
        "collar": pick(rng, COLLARS) if rng.random() < 0.35 else "",
    }


def draw(look: dict) -> Drawing:
    """The cat in its own frame; ears reach about 100 units when it sits."""
    coat, parts = _Coat(look), []
    {"sitting": _sitting, "lying": _lying, "loaf": _loaf}.get(look["pose"], _on_legs)(look, coat, parts)
    return centred(parts)


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    coat = look["variant"]
    words = {"tabby": f"{look['colour']} tabby cat", "solid": f"{look['colour']} cat"}.get(coat)
    words = words or {"patched": f"white and {look['colour']} cat",
        "tuxedo": f"{look['colour']} tuxedo cat"}.get(coat, f"{coat} cat")
    pose = "sitting like a loaf" if look["pose"] == "loaf" else look["pose"]
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}, {pose}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the cat."""
    return {
        "coat": look["variant"],
        "colour": look["colour"],
        "pose": look["pose"],
        "eyes": "closed" if look["mood"] == "closed" else look["iris"],
        "collar": "yes" if look["collar"] else "no",
    }


class _Coat:
    """The colours of each part of the body under one coat."""

    def __init__(self, look: dict):
        kind, self.base, self.mark, self.second = look["variant"], look["base"], look["mark"], look["second"]
        self.kind, self.stripes = kind, look["stripes"]
        light = mix(self.base, "#fff8ec", 0.72)
        self.pale = "#fbf6ee" if kind in ("tuxedo", "patched", "calico") else light
        self.line = line_of(mix(self.base, self.mark, 0.35) if kind == "siamese" else self.base)
        if kind in ("patched", "calico"):
            self.line = mix(line_of(self.base), "#4a3b3a", 0.55)
        self.tail = self.mark if kind in ("siamese", "patched") else self.second if kind == "calico" else self.base
        self.ear = self.mark if kind in ("siamese", "patched", "calico") else self.base
        self.far_ear = self.second if kind == "calico" else self.ear
        self.paw = {"tuxedo": self.pale,
            "siamese": self.mark}.get(kind, self.pale if look["white_chin"] and kind == "tabby" else self.base)
        self.chest = kind == "tuxedo" or (look["white_chin"] and kind in ("tabby", "solid"))

    def on(self, body: Shape, x1: float, x2: float, top: float, bottom: float) -> list[Shape]:
        """The pattern of the trunk whose back runs from (x1, top) to (x2, top), painted inside `body`."""
        h, w = bottom - top, x2 - x1
        at = lambda u, v: (x1 + u * w, top + v * h)  # noqa: E731
        marks = [ellipse(at(0.5, 1.08), w * 0.62, h * 0.3, fill=shade(self.base, -0.13))]
        if self.kind == "tabby":
            for i in range(self.stripes):
                u = 0.06 + 0.8 * i / (self.stripes - 1)
                curl = [at(u + 0.03, -0.12), at(u, 0.2), at(u - 0.035, 0.5 + 0.1 * (i % 2))]
                marks.append(limb(curl, [w * 0.075, w * 0.062, w * 0.015], fill=self.mark))
        elif self.kind == "calico":
            marks.append(blob([at(-0.1, -0.2), at(0.3, -0.2), at(0.36, 0.2), at(0.2, 0.55),
                at(-0.1, 0.6)], fill=self.second))
            marks.append(blob([at(0.45, -0.2), at(0.85, -0.2), at(0.8, 0.3), at(0.66, 0.52),
                at(0.5, 0.3)], fill=self.mark))
            marks.append(ellipse(at(0.3, 0.62), w * 0.11, h * 0.17, fill=self.mark))
        elif self.kind == "patched":
            marks.append(blob([at(-0.15, -0.2), at(0.34, -0.2), at(0.4, 0.15), at(0.26, 0.62),
                at(-0.15, 0.75)], fill=self.mark))
            marks.append(ellipse(at(0.66, 0.06), w * 0.14, h * 0.3, fill=self.mark))
        return inside(body, *[paint(m) for m in marks])


def _leg(top: tuple, foot: tuple, bend: float, widths: tuple, paw: str | None) -> list[Shape]:
    """A leg down to a paw that rests on the ground at foot[1]."""
    middle = ((top[0] + foot[0]) / 2 + bend, (top[1] + foot[1]) / 2)
    ankle = (foot[0], foot[1] - 4.5)
    return [limb([top, middle, ankle], widths), ellipse((foot[0] + 1.6, foot[1] - 4.0), 6.4, 4.0, fill=paw)]


def _toes(x: float, y: float, line: str) -> list[Shape]:
    return [stroke([(x + d, y - 4.6), (x + d + 0.5, y - 1.6)], line, 0.9) for d in (2.2, 4.9)]


def _tail(points: list, coat: _Coat) -> list[Shape]:
    widths = np.interp(np.linspace(0, 1, len(points)), [0, 0.6, 1], [9.5, 8.4, 6.4])
    tail = limb(points, widths)
    shapes = fused([tail], coat.tail, line=line_of(coat.tail))
    p = np.asarray(points, dtype=float)
    if coat.kind == "tabby":
        rings = [ellipse(tuple(p[-1]), 6.5, 6.5, fill=coat.mark)]
        for i in range(1, len(p) - 1):
            d = p[i + 1] - p[i - 1]
            rings.append(ellipse(tuple(p[i]), 1.9, 8, float(np.degrees(np.arctan2(d[1], d[0]))), fill=coat.mark))
        shapes += inside(tail, *[paint(r) for r in rings])
    elif coat.kind in ("tuxedo", "calico"):
        shapes += inside(tail, paint(ellipse(tuple(p[-1]), 8, 8, fill=coat.pale)))
    return shapes


def _on_legs(look: dict, coat: _Coat, parts: list) -> None:
    f, walk = look["plump"], look["stride"] if look["pose"] == "walking" else 0.0
    tails = {
        "up": [(-34, -50), (-45, -58), (-50, -72), (-49, -86), (-45, -97)],
        "hook": [(-34, -50), (-46, -56), (-53, -70), (-51, -86), (-41, -93), (-33, -87)],
        "low": [(-34, -50), (-46, -50), (-54, -38), (-56, -24), (-64, -16)],
        "wave": [(-34, -50), (-46, -56), (-56, -52), (-63, -58), (-62, -70), (-56, -79)],
    }
    parts += _tail(tails[look["tail"]], coat)
    far, low = shade(coat.base, -0.16), -1.0
    far_paw = shade(coat.paw, -0.14)
    for shapes in (_leg((22, -40), (31 - 17 * walk, low - 1), -2 * walk, (14, 10.5, 8.5), far_paw), _leg((-24, -38),
        (-21 + 15 * walk, low - 1), -4, (19, 12, 8.5), far_paw)):
        parts += fused(shapes, far, line=coat.line)
    belly = -28 + (f - 1) * 26
    torso = blob([(32, -60), (12, -57), (-10, -58), (-28, -59), (-40, -51), (-41, -38), (-26, belly - 2),
        (-4, belly + 1), (18, belly + 1)] + [(32, -33), (38, -46)])
    front = _leg((24, -42), (23 + 17 * walk, low), 2 - 2 * walk, (17, 11, 9), coat.paw)
    hind = _leg((-29, -42), (-32 - 12 * walk, low), -5 + 3 * walk, (25, 13, 9), coat.paw)
    parts += fused([torso, *front, *hind], coat.base, line=coat.line)
    parts += coat.on(torso, -40, 34, -59, belly)
    if coat.kind == "tabby":
        for shape in (front[0], hind[0]):
            x = float(shape.points()[:, 0].mean())
            bands = [limb([(x - 9, y), (x, y + 1.5), (x + 9, y - 1)], [2.6, 2.6, 2]) for y in (-22,)]
            parts += inside(shape, *[paint(b, coat.mark) for b in bands])
    if coat.chest:
        parts += inside(torso, paint(ellipse((38, -42), 10, 17, 12, fill=coat.pale)))
    parts.append(stroke([(-17, -45), (-16, -36), (-22, -28)], coat.line, 1.1))
    parts += _toes(23 + 17 * walk, low, coat.line) + _toes(-32 - 12 * walk, low, coat.line)
    parts += _collar(look, (32, -53)) + _head(look, coat, (37, -69))


def _sitting(look: dict, coat: _Coat, parts: list) -> None:
    f = look["plump"]
    wrapped = look["tail"] in ("low", "wave")
    tails = {
        "up": [(-24, -8), (-38, -9), (-47, -20), (-45, -34), (-38, -46)],
        "hook": [(-24, -7), (-40, -6), (-52, -12), (-55, -24), (-48, -32)],
    }
    if not wrapped:
        parts += _tail(tails[look["tail"]], coat)
    parts += fused(_leg((18, -38), (24, -2), 1, (13, 10, 9), shade(coat.paw, -0.14)),
        shade(coat.base, -0.16), line=coat.line)
    b = -31 * f
    torso = blob([(12, -68), (-4, -63), (-16, -50), (b + 3, -30), (b, -12), (b + 8, -2.5), (-6, -1.5), (10, -4),
        (22, -24), (27, -44), (24, -60)])
    front = _leg((14, -42), (14, -1), 2, (17, 11, 9.5), coat.paw)
    hind = [ellipse((6, -5), 9.5, 4.0, fill=coat.paw if coat.kind != "tabby" else None)]
    parts += fused([torso, *front, *hind], coat.base, line=coat.line)
    parts += coat.on(torso, b, 16, -62, 0)
    if coat.chest:
        parts += inside(torso, paint(blob([(14, -66), (30, -62), (30, -34), (20, -26), (14, -42)], fill=coat.pale)))
    parts.append(stroke([(4, -26), (-5, -31), (-15, -26), (-17, -14), (-11, -4)], coat.line, 1.2))
    parts += _toes(14, -1, coat.line) + _toes(8, -1, coat.line)
    if wrapped:
        end = [(22, -4.8), (33, -7)] if look["tail"] == "low" else [(20, -5.2), (30, -12)]
        parts += _tail([(b + 6, -10), (b + 10, -5.8), (-10, -5.4), (8, -5.4), *end], coat)
    parts += _collar(look, (15, -58)) + _head(look, coat, (16, -74))


def _lying(look: dict, coat: _Coat, parts: list) -> None:
    f = look["plump"]
    tails = {
        "up": [(-36, -12), (-50, -14), (-58, -26), (-54, -40)],
        "hook": [(-36, -10), (-54, -8), (-64, -16), (-60, -27), (-51, -27)],
        "low": [(-36, -8), (-50, -5.8), (-62, -5.8), (-74, -6.5)],
        "wave": [(-36, -8), (-50, -5.8), (-60, -7), (-68, -14), (-76, -14)],
    }
    parts += _tail(tails[look["tail"]], coat)
    parts += fused([limb([(18, -12), (36, -7), (54, -6.4)], [15, 10, 9]), ellipse((57, -6), 6.5, 4.2, fill=coat.paw)],
        shade(coat.base, -0.14), line=coat.line)
    top = -37 * f
    torso = blob([(24, -44), (8, top), (-14, top - 1), (-34, -33), (-45, -18), (-42, -3), (-20, -1.5), (10, -1.5),
        (28, -4), (34, -20), (33, -36)])
    front = [limb([(16, -14), (32, -6.5), (46, -5.6)], [17, 10.5, 9]), ellipse((49, -5.2), 6.5, 4.2, fill=coat.paw)]
    hind = [ellipse((-12, -5.2), 10.5, 4.2, fill=coat.paw)]
    parts += fused([torso, *hind, *front], coat.base, line=coat.line)
    parts += coat.on(torso, -44, 20, top - 1, 0)
    if coat.chest:
        parts += inside(torso, paint(ellipse((32, -24), 9, 16, 8, fill=coat.pale)))
    parts.append(stroke([(-6, -9), (-9, -22), (-22, -27), (-34, -20)], coat.line, 1.2))
    parts += [stroke([(x, -7.4), (x + 1.6, -4.6)], coat.line, 0.9) for x in (50, 52.6)]
    parts += _collar(look, (27, -39)) + _head(look, coat, (29, -55))


def _loaf(look: dict, coat: _Coat, parts: list) -> None:
    f = look["plump"]
    top = -40 * f
    torso = blob([(26, -42), (8, top - 1), (-14, top - 1), (-33, -33), (-43, -17), (-39, -3), (-16, -1.5), (12, -1.5),
        (33, -2), (41, -12), (38, -30)])
    paws = [ellipse((33, -5), 8, 4.4, fill=coat.paw), ellipse((21, -4.8), 8, 4.2, fill=coat.paw)]
    parts += fused([torso, *paws], coat.base, line=coat.line)
    parts += coat.on(torso, -43, 24, top, 0)
    if coat.chest:
        parts += inside(torso, paint(ellipse((34, -22), 11, 14, 8, fill=coat.pale)))
    parts += [stroke([(-2, -3), (-3, -16), (-15, -22), (-28, -16)], coat.line, 1.2)]
    parts += [stroke([(14, -8), (21, -9.6), (28, -7.5), (34, -9.8), (40, -6)], coat.line, 1.1)]
    end = [(4, -5.2), (14, -6.4)] if look["tail"] in ("low", "up") else [(0, -5.6), (9, -11)]
    parts += _tail([(-38, -10), (-33, -5.6), (-18, -4.9), *end], coat)
    parts += _collar(look, (29, -38)) + _head(look, coat, (30, -53))


def _collar(look: dict, at: tuple) -> list[Shape]:
    if not look["collar"]:
        return []
    x, y = at
    return collar([(x - 13, y - 3), (x - 2, y + 3), (x + 9, y - 1)], look["collar"], 4.6, (x + 3, y + 7))


def _head(look: dict, coat: _Coat, at: tuple) -> list[Shape]:
    """The head, turned from the viewer (turn 0) towards the right (turn 1)."""
    t, e = look["turn"], look["ears"]
    dx, kind, line = 6.0 * t, coat.kind, coat.line
    skull = blob([(0, -16), (12, -14), (19, -5), (20 + t, 5), (12 + t, 13), (dx / 2, 15.5), (-12, 13), (-20 + t, 5),
        (-19, -5), (-12, -14)])
    near = blob([(-19, -4), (-19.5 + t, -16), (-17 + 2 * t, -16 - 14 * e), (-9, -22), (-1, -13)], 0.55, fill=coat.ear)
    far = blob([(19, -4), (19.5 + t, -16), (17 + 2 * t, -16 - 14 * e), (9 + t, -22), (2 + t, -13)],
        0.55, fill=coat.far_ear)
    out = fused([near, far, skull], coat.base, line=line)
    rose = mix("#f0a4a0", coat.base, 0.25)
    out += [paint(blob([(-16 + t, -11), (-15.6 + 2 * t, -13 - 11.5 * e), (-5.5 + t, -14.5)], 0.4), rose)]
    out += [paint(blob([(16.5 + t, -11), (16 + 2 * t, -13 - 11.5 * e), (7.5 + 2 * t, -14.5)], 0.4), rose)]
    marks = []
    if kind == "tabby":
        for x in (-5, 0, 5):
            marks.append(limb([(x * 1.2 + dx, -17), (x + dx, -12), (x * 0.8 + dx, -8.5)], [3.2, 2.8,
                1.2], fill=coat.mark))
        for s in (-1, 1):
            marks += [limb([(s * 21, y), (s * 16 + t * 2, y + 0.5), (s * 12.5 + dx * 0.6, y - 0.6)], [3, 2.2,
                0.8], fill=coat.mark) for y in (4.5,)]
    elif kind == "siamese":
        marks.append(ellipse((dx, 4), 13.5, 12.5, fill=mix(coat.base, coat.mark, 0.55)))
        marks.append(ellipse((dx, 6), 9.5, 9.5, fill=coat.mark))
    elif kind == "calico":
        marks.append(blob([(-22, -18), (-2 + dx * 0.5, -18), (-1 + dx * 0.7, -6), (-7 + dx, 4),
            (-22, 4)], fill=coat.mark))
        marks.append(blob([(22, -18), (6 + dx * 0.5, -18), (5 + dx, -6), (12 + dx, 1), (23, 2)], fill=coat.second))
    elif kind == "patched":
        marks.append(blob([(-22, -20), (-2 + dx, -18), (-2.5 + dx, -5), (-8 + dx, 5), (-23, 4)], fill=coat.mark))
        marks.append(blob([(23, -20), (3 + dx, -18), (3.5 + dx, -5), (10 + dx, 5), (24, 4)], fill=coat.mark))
    elif kind == "tuxedo":
        marks.append(blob([(dx, -7), (3 + dx, 1), (11 + dx, 8), (8 + dx, 18), (-8 + dx, 18), (-11 + dx, 8),
            (-3 + dx, 1)], fill=coat.pale))
    if coat.chest and kind != "tuxedo":
        marks.append(ellipse((dx, 12), 9.5, 7, fill=coat.pale))
    out += inside(skull, *[paint(m) for m in marks])
    muzzle = coat.mark if kind == "siamese" else coat.pale
    muzzle = shade(muzzle, 0.14) if kind == "siamese" else muzzle
    out += [ellipse((s * 4.0 + dx, 8.2), 5.2, 4.1, fill=muzzle, silhouette=False) for s in (-1, 1)]
    iris = IRISES[look["iris"]]
    masks = {"siamese": (coat.mark,) * 2, "patched": (coat.mark,) * 2, "calico": (coat.mark, coat.second)}
    for s, mask in zip((-1, 1), masks.get(kind, (coat.base,) * 2), strict=True):
        rim = "#efe6da" if dark(mask) and look["mood"] == "closed" else "#2a2024"
        wide = 4.5 - (0.9 * t if s > 0 else 0.0)
        out += eye((s * 8.3 + dx * 0.9, -0.8), wide, 5.0, iris, (1.9, 4.1), rim, look["mood"])
    out.append(paint(blob([(-2.6 + dx, 4.4), (2.6 + dx, 4.4),
        (dx, 7.4)], 0.5), "#3b2a2c" if kind == "siamese" else "#e07f86"))
    smile = "#4d3538" if kind != "siamese" else "#1c1416"
    out.append(stroke([(-4.6 + dx, 9.6), (-2.2 + dx, 10.9), (dx, 9.2), (2.2 + dx, 10.9), (4.6 + dx, 9.6)], smile, 1.1))
    white = mix("#ffffff", coat.line, 0.12)
    for s in (-1, 1):
        out += [stroke([(s * 7.5 + dx, 8 + k), (s * 16 + dx, 6.6 + 2.2 * k), (s * 25 + dx, 6.6 + 3.6 * k)],
            white, 0.8) for k in (-0.4, 1.4)]
    x, y = at
    return [moved(p, x, y, look["head"], look["tilt"]) for p in out]
