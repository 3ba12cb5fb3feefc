"""Dogs: a snout with a black nose, floppy or pricked ears, longer legs; eight builds, seven coats, four poses."""

# An outline reads as rows of points, not one point per line.
# fmt: off

from dataclasses import dataclass, replace

import numpy as np

from scenes.shapes import Drawing, Paint, Shape, blob, ellipse, inside, limb, mix, moved, shade
from scenes.things.anatomy import COLLARS, centred, coat_colour, collar, dark, eye, fused, line_of, paint, pick, stroke


@dataclass(frozen=True)
class _Build:
    """Proportions of a kind of dog, units of the frame: leg below the belly, trunk depth and length, snout length."""

    leg: float
    depth: float
    length: float
    snout: float
    head: float
    ears: str
    tail: str
    coat: str
    colours: tuple[str, ...]


BUILDS = {
    "labrador": _Build(33, 29, 56, 17, 1.1, "floppy", "otter", "solid", ("golden", "cream", "black",
        "chocolate", "ginger")),
    "dachshund": _Build(13, 24, 84, 22, 0.98, "floppy", "whip", "points", ("red-brown", "black", "chocolate",
        "brown", "charcoal")),
    "terrier": _Build(28, 26, 46, 15, 1.06, "folded", "stub", "bearded", ("grey", "charcoal", "white", "brown",
        "cream", "black")),
    "spaniel": _Build(26, 27, 54, 14, 1.08, "long", "plume", "patches", ("red-brown", "chocolate", "black",
        "ginger", "golden")),
    "dalmatian": _Build(40, 26, 54, 16, 1.0, "floppy", "whip", "spots", ("white",)),
    "shepherd": _Build(35, 28, 62, 19, 1.04, "pricked", "brush", "saddle", ("golden", "brown", "ginger",
        "cream", "grey")),
    "beagle": _Build(27, 26, 52, 14, 1.04, "floppy", "flag", "saddle", ("ginger", "golden", "brown", "red-brown")),
    "corgi": _Build(14, 27, 62, 15, 1.06, "pricked", "stub", "bib", ("ginger", "golden", "red-brown",
        "charcoal", "cream")),
}
VARIANTS = tuple(BUILDS)
POSES = ("standing", "walking", "sitting", "lying")
COATS = ("solid", "points", "patches", "spots", "saddle", "bib")
DARK = ("black", "charcoal", "chocolate")


def sample(rng: np.random.Generator) -> dict:
    """A dog's look: build, coat, pose, colours as #rrggbb, proportions as factors near 1."""
    variant = pick(rng, VARIANTS)
    build, pose = BUILDS[variant], pick(rng, POSES, (3, 3, 3, 2.5))
    own = variant in ("dalmatian", "terrier") or rng.random() < 0.7
    coat = build.coat if own else pick(rng, COATS)
    name, base = coat_colour(rng, build.colours, 0.0 if variant == "dalmatian" else 0.12)
    mark = coat_colour(rng, DARK, 0.0)[1]
    if coat in ("spots", "patches") and variant != "dalmatian":
        mark, base = base, coat_colour(rng, ("white", "cream"), 0.0)[1]
    return {
        "variant": variant,
        "pose": pose,
        "coat": coat,
        "colour": name,
        "base": base,
        "mark": mark,
        "spots": int(rng.integers(1 << 16)),
        "iris": pick(rng, ("#6b3f1d", "#8a5a24", "#4a2c18", "#7fb4d8"), (4, 3, 3, 0.7)),
        "mood": "closed" if rng.random() < (0.3 if pose == "lying" else 0.05) else "open",
        "tongue": bool(rng.random() < 0.45),
        "tilt": float(rng.uniform(-11, 9)),
        "stride": float(rng.uniform(0.6, 1.1)),
        "wag": float(rng.uniform(-16, 14)),
        "head": float(rng.uniform(0.95, 1.1)),
        "leg": float(rng.uniform(0.9, 1.1)),
        "plump": float(rng.uniform(0.93, 1.1)),
        "snout": float(rng.uniform(0.85, 1.15)),
        "collar": pick(rng, COLLARS) if rng.random() < 0.5 else "",
    }


def draw(look: dict) -> Drawing:
    """The dog in its own frame; the top of a standing labrador's head is about 100 units high."""
    parts = {"sitting": _sitting, "lying": _lying}.get(look["pose"], _on_legs)(look,
        _Coat(look), BUILDS[look["variant"]])
    return centred(parts)


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    coat = {"spots": "spotted ", "patches": "patched ", "bearded": "bearded "}.get(look["coat"], "")
    words = (
        f"spotted {look['variant']}" if look["variant"] == "dalmatian" else f"{coat}{look['colour']} {look['variant']}"
    )
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words} dog, {look['pose']}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the dog."""
    return {
        "build": look["variant"],
        "coat": look["coat"],
        "colour": look["colour"],
        "pose": look["pose"],
        "ears": BUILDS[look["variant"]].ears,
        "collar": "yes" if look["collar"] else "no",
    }


class _Coat:
    """The colours of each part of the body under one coat."""

    def __init__(self, look: dict):
        self.kind, self.base, self.mark, self.seed = look["coat"], look["base"], look["mark"], look["spots"]
        self.beagle = look["variant"] == "beagle" and self.kind == "saddle"
        pale = self.kind in ("patches", "spots")
        self.line = mix(line_of(self.base), "#463a38", 0.6) if pale else line_of(self.base)
        self.pale = ("#fbf5ea" if self.kind == "bib" or self.beagle else mix(self.base,
            "#d99a55", 0.8) if self.kind == "points" else mix(self.base, "#fff6e6", 0.55))
        self.paw = self.pale if self.kind in ("points", "bib", "bearded") or self.beagle else self.base
        self.ear = (
            self.mark
            if pale
            else shade(self.base, -0.16)
            if self.kind != "saddle" or self.beagle
            else mix(self.base, self.mark, 0.6)
        )
        self.tail = self.mark if self.kind == "patches" else self.base
        self.tip = self.pale if self.kind in ("bib", "patches") or self.beagle else None

    def on(self, body: Shape, x1: float, x2: float, top: float, bottom: float) -> list[Shape]:
        """The pattern of the trunk whose back runs from (x1, top) to (x2, top), painted inside `body`."""
        h, w = bottom - top, x2 - x1
        at = lambda u, v: (x1 + u * w, top + v * h)  # noqa: E731
        marks = [ellipse(at(0.5, 1.06), w * 0.6, h * 0.3, fill=self.pale if self.beagle else shade(self.base, -0.12))]
        if self.kind == "saddle":
            saddle = [at(-0.2, -0.3), at(0.95, -0.3), at(0.86, 0.1), at(0.72, 0.42), at(0.4, 0.5), at(0.14, 0.42),
                at(-0.08, 0.62), at(-0.25, 0.4)]
            marks.append(blob(saddle, fill=self.mark))
        elif self.kind == "patches":
            marks.append(blob([at(-0.15, -0.3), at(0.3, -0.3), at(0.36, 0.15), at(0.24, 0.6),
                at(-0.15, 0.7)], fill=self.mark))
            marks.append(blob([at(0.52, -0.3), at(0.86, -0.3), at(0.84, 0.25), at(0.7, 0.5),
                at(0.56, 0.3)], fill=self.mark))
        elif self.kind == "spots":
            rng = np.random.default_rng(self.seed)
            for i in range(14):
                u, v = (i % 5 + 0.1 + 0.8 * rng.random()) / 5, (i // 5 + 0.1 + 0.8 * rng.random()) / 3
                marks.append(ellipse(at(u * 1.06 - 0.03, v), *rng.uniform(1.7, 3.7, 2),
                    rng.uniform(0, 90), fill=self.mark))
        return inside(body, *[paint(m) for m in marks])


def _leg(top: tuple, foot: tuple, bend: float, widths: tuple, paw: str | None) -> list[Shape]:
    """A leg down to a paw that rests on the ground at foot[1]."""
    middle = ((top[0] + foot[0]) / 2 + bend, (top[1] + foot[1]) / 2)
    return [limb([top, middle, (foot[0], foot[1] - 5)], widths), ellipse((foot[0] + 2.4, foot[1] - 4.2), 7.2,
        4.2, fill=paw)]


def _toes(x: float, y: float, line: str) -> list[Shape]:
    return [stroke([(x + d, y - 5.0), (x + d + 0.6, y - 1.8)], line, 1.0) for d in (3.0, 6.2)]


def _tail(look: dict, coat: _Coat, kind: str, at: tuple, low: bool = False) -> list[Shape]:
    shapes = {
        "otter": ([(5, 3), (-9, -3), (-20, -11), (-29, -22)], [11, 9.5, 7.5, 4]),
        "whip": ([(5, 3), (-10, 0), (-22, -6), (-31, -17), (-34, -26)], [8, 6.5, 5.2, 4.2, 3]),
        "flag": ([(5, 3), (-7, -4), (-13, -17), (-14, -31)], [10, 8.5, 7.5, 5]),
        "stub": ([(5, 4), (-4, -3), (-9, -13)], [11, 9.5, 6.5]),
        "plume": ([(5, 3), (-9, -2), (-20, -9), (-28, -21)], [9, 11, 14, 5]),
        "brush": ([(6, 3), (-8, 6), (-17, 18), (-22, 33), (-29, 42)], [12, 14, 17, 15, 4]),
    }
    points, widths = shapes[kind]
    if low:
        points = [(x, min(y, 40) if kind != "brush" else (-3, 0, 1, 0, -2)[i]) for i, (x, y) in enumerate(points)]
        points = [(x * (1.5 if kind == "brush" else 1), y) for x, y in points]
    tail = moved(limb(points, widths), *at, angle=0 if low and kind == "brush" else look["wag"], about=(5, 3))
    out = fused([tail], coat.tail, line=line_of(coat.tail) if coat.kind == "patches" else coat.line)
    if coat.tip:
        end = moved(ellipse(points[-1], 9, 9), *at, angle=look["wag"], about=(5, 3))
        out += inside(tail, paint(end, coat.tip))
    if coat.kind == "saddle" and not coat.tip:
        out += inside(tail, paint(moved(limb(points, [w * 0.5 for w in widths]), at[0], at[1] - 3, angle=look["wag"],
            about=(5, 3)), coat.mark))
    return out


def _on_legs(look: dict, coat: _Coat, b: _Build) -> list[Shape]:
    leg = b.leg * look["leg"]
    back, half = -(leg + b.depth), b.length / 2
    walk = (look["stride"] if look["pose"] == "walking" else 0.0) * (0.45 + leg / 60)
    x1, x2, belly, low = -half - 6, half + 2, -leg - 1, -1.5
    parts = _tail(look, coat, b.tail, (x1 - 1, back + 7))
    far, far_paw = shade(coat.base, -0.17), shade(coat.paw, -0.15)
    w = 1.0 if leg > 20 else 0.92
    for shapes in (_leg((x2 - 10, belly - 8), (x2 + 1 - 15 * walk, low - 1), -walk, (15 * w, 11 * w, 9), far_paw),
        _leg((x1 + 14, belly - 8), (x1 + 17 + 14 * walk, low - 1), -4, (19 * w, 12 * w, 9), far_paw)):
        parts += fused(shapes, far, line=coat.line)
    p = 4 * (look["plump"] - 1) * 10
    torso = blob([(x2 - 4, back + 1), (0, back + 1.5), (x1 + 12, back - 0.5), (x1 + 1, back + 6),
        (x1 + 1, back + b.depth * 0.55), (x1 + 13, belly - 4 + p * 0.3)] + [(0, belly - 1 + p),
        (x2 - 16, belly + 2 + p), (x2 - 2, belly - 2), (x2 + 6, back + b.depth * 0.55), (x2 + 4, back + 8)])
    fx, hx = x2 - 9 + 15 * walk, x1 + 5 - 12 * walk
    front = _leg((x2 - 8, belly - 8), (fx, low), 1 - walk, (18 * w, 11.5 * w, 9.5), coat.paw)
    hind = _leg((x1 + 12, belly - 10), (hx, low), -4 + 2 * walk, (26 * w, 13 * w, 9.5), coat.paw)
    body = [torso, *front, *hind]
    details = coat.on(torso, x1, x2, back, belly) + [stroke([(x1 + 21, belly - 14), (x1 + 22, belly - 6),
        (x1 + 15, belly + 1)], coat.line, 1.1)]
    return parts + _finish(look, coat, b, body, details + _toes(fx, low, coat.line) + _toes(hx, low, coat.line), torso,
        (x2 - 3, back + 11), (x2 + 11, back - 18))


def _sitting(look: dict, coat: _Coat, b: _Build) -> list[Shape]:
    s, f = (b.leg * look["leg"] + b.depth) / 62, look["plump"]
    k = min(1.25, (b.length / 54) / s) ** 0.5
    q = lambda x, y: (x * s * k, y * s)  # noqa: E731
    parts = _tail(look, coat, b.tail, (q(-30, 0)[0], -10), low=True)
    parts += fused(_leg(q(18, -34), (q(26, 0)[0], -2.5), 1, (14, 11, 9), shade(coat.paw, -0.15)),
        shade(coat.base, -0.17), line=coat.line)
    torso = blob([q(16, -66), q(3, -60), q(-10, -46), q(-26 * f, -28), q(-31 * f, -12), (q(-24, 0)[0], -3), (0, -2.5),
        q(12, -6), q(24, -26), q(29, -46), q(26, -60)])
    fx, hx = q(17, 0)[0], q(4, 0)[0]
    front = _leg(q(16, -40), (fx, -1.5), 2, (18, 12, 10), coat.paw)
    hind = [ellipse((hx + 2, -5.6), 11, 4.2, fill=coat.paw)]
    details = coat.on(torso, q(-31 * f, 0)[0], q(20, 0)[0], -60 * s, 0)
    details.append(stroke([q(3, -24), q(-6, -30), q(-17, -25), q(-19, -13), (q(-14, 0)[0], -4)], coat.line, 1.2))
    return parts + _finish(look, coat, b, [torso, *front, *hind], details + _toes(fx, -1.5, coat.line), torso,
        q(17, -58), (q(24, 0)[0] + 2, -66 * s - 15))


def _lying(look: dict, coat: _Coat, b: _Build) -> list[Shape]:
    half, f = b.length / 2 + 6, look["plump"]
    h = b.depth * 1.12 * f + 2
    parts = _tail(look, coat, b.tail, (-half, -11), low=True)
    parts += fused([limb([(half - 20, -12), (half, -7.5), (half + 22, -7)], [15, 11, 9.5]), ellipse((half + 25, -6.6),
        7, 4.4, fill=shade(coat.paw, -0.15))], shade(coat.base, -0.17), line=coat.line)
    torso = blob([(half - 8, -h - 9), (half - 22, -h - 1), (0, -h), (-half + 14, -h + 1), (-half, -h * 0.6),
        (-half - 1, -4), (-half + 16, -2), (8, -2), (half - 8, -3), (half + 3, -14), (half + 3, -h)])
    front = [limb([(half - 18, -14), (half - 4, -7), (half + 12, -6)], [18, 12, 10]), ellipse((half + 15, -6), 7.4,
        4.5, fill=coat.paw)]
    hind = [ellipse((-half + 34, -5.8), 12, 4.3, fill=coat.paw)]
    details = coat.on(torso, -half, half - 6, -h, 0)
    details.append(stroke([(-half + 40, -9), (-half + 35, -22), (-half + 22, -26), (-half + 10, -19)], coat.line, 1.2))
    details += [stroke([(half + d, -8), (half + d + 1.6, -4.6)], coat.line, 1.0) for d in (15.5, 18.5)]
    return parts + _finish(look, coat, b, [torso, *hind, *front], details, torso, (half - 7, -h + 3),
        (half + 6, -h - 24))


def _finish(
    look: dict, coat: _Coat, b: _Build, body: list, details: list, torso: Shape, shoulder: tuple, at: tuple
) -> list[Shape]:
    """Trunk, neck and head as one form, then the face."""
    (x, y), size = at, b.head * look["head"]
    neck = limb([shoulder, ((shoulder[0] + x) / 2 - 1, (shoulder[1] + y) / 2), (x - 2, y + 3)], [28, 23, 22])
    behind, skull, face = _head(look, coat, b)
    place = lambda shape: moved(shape, x, y, size, look["tilt"])  # noqa: E731
    out = [place(s) for s in behind] + fused([*body, neck], coat.base, line=coat.line) + details
    if coat.kind == "bib" or coat.beagle:
        out += inside(neck, paint(ellipse((x + 6, y + 24), 9, 20, 10, fill=coat.pale)))
        out += inside(torso, paint(ellipse((shoulder[0] + 9, shoulder[1] + 10), 8, 17, 6, fill=coat.pale)))
    if look["collar"]:
        c = ((shoulder[0] * 0.45 + x * 0.55), (shoulder[1] * 0.45 + y * 0.55) + 2)
        out += collar([(c[0] - 13, c[1] - 4), (c[0] - 1, c[1] + 3), (c[0] + 11, c[1] + 4)], look["collar"], 4.8,
            (c[0] + 7, c[1] + 10))
    head = [replace(place(s), width=0.0) for s in skull]
    return out + fused(head, coat.base, line=coat.line) + [place(s) for s in face]


def _head(look: dict, coat: _Coat, b: _Build) -> tuple[list[Shape], list[Shape], list[Shape]]:
    """The far ear, the parts of the skull, and the face with the near ear, round a skull centred on (0, 0)."""
    s, kind = b.snout * look["snout"], coat.kind
    deep = 1.25 if look["variant"] in ("terrier", "labrador", "beagle") else 1.0
    skull = blob([(0, -15), (9, -12.5), (14, -4), (13, 6), (5, 13), (-6, 13.5), (-14, 7), (-15.5, -3), (-10, -12)])
    top = -5.5 * deep + 2
    snout = blob([(5, -8), (12, top - 1.5), (8 + s, top), (14 + s, top + 2), (15 + s, 3), (12 + s, 8.5),
        (8, 12.5 * deep**0.5), (0, 11)], 0.9)
    head, face, behind = [skull, snout], [], []
    white = coat.pale if kind in ("bib", "points") or coat.beagle else None
    if white:
        face += inside(snout, paint(blob([(10, 2), (12 + s * 0.4, -1 if kind == "points" else -6), (20 + s, -9),
            (22 + s, 16), (4, 16)]), white))
    if kind == "saddle" and not coat.beagle:
        face += inside(snout, paint(blob([(11, 0), (9 + s * 0.4, -8), (20 + s, -9), (22 + s, 14), (10 + s * 0.4, 14)]),
            mix(coat.base, coat.mark, 0.75)))
    if kind == "bib" or coat.beagle:
        face += inside(skull, paint(blob([(4, -18), (9, -18), (15, -6), (14, 2), (10, -3)]), white))
    elif kind == "patches":
        face += inside(skull, paint(blob([(-18, -18), (9, -16), (12, -6), (11, 1), (3, 5), (-18, 12)]), coat.mark))
    elif kind == "spots":
        face += inside(skull, *[paint(ellipse(c, 1.6, 1.3, fill=coat.mark)) for c in ((-1, -11), (4, -9), (-2, 8),
            (2, 11))])
        face += inside(snout, *[paint(ellipse(c, 1.1, 1.0, fill=coat.mark)) for c in ((6 + s * 0.5, 5.5),
            (3 + s, 3.5))])
    mouth = "#0d0a0c" if dark(coat.base) else "#2a1c1c"
    if kind == "bearded":
        beard = [(9, 0), (14 + s, -1), (16.5 + s, 6), (14 + s, 12), (11 + s, 19), (8 + s, 14), (3 + s, 20),
            (0.3 * s + 7, 14), (5, 17), (3, 9)]
        head.append(blob(beard, 0.6, fill=coat.pale))
    if look["tongue"]:
        tongue = blob([(4 + s, 7), (10 + s, 6), (11.5 + s, 14), (8.5 + s, 19), (5 + s, 15)], fill="#ee7f88",
            stroke="#a84853", width=1.2)
        face += [tongue, stroke([(7.5 + s, 9), (8.2 + s, 14)], "#c85d68", 1.0)]
    face.append(stroke([(14 + s, 3.6), (10 + s, 6.6), (3 + s * 0.7, 6.8), (5 + s * 0.25, 5.2)], mouth, 1.3))
    nose = blob([(10.6 + s, top - 1), (15.2 + s, top - 0.8), (17 + s, top + 1.8), (14.6 + s, top + 4.8),
        (11.4 + s, top + 3)], fill="#241d22", stroke="#120d10", width=0.8)
    face += [nose, ellipse((13.4 + s, top + 0.6), 1.5, 0.8, fill="#8b8790", silhouette=False)]
    rim = "#1d1416" if mouth == "#2a1c1c" or look["mood"] == "open" else "#d8cfc6"
    face += eye((6.0, -3.6), 3.6, 4.1, look["iris"], (2.4, 2.9), rim, look["mood"])
    brow = {"points": coat.pale, "bearded": coat.pale}.get(kind)
    if brow and kind == "bearded":
        face.append(blob([(1, -8), (5, -11.5), (13, -10), (15, -6.5), (10, -6)], 0.7, fill=brow,
            stroke=coat.line, width=1.1))
    else:
        face.append(stroke([(3.5, -10), (6.5, -11), (9, -9.8)], brow or shade(coat.base, -0.35), 2.6 if brow else 1.4))
    ear, edge = coat.ear, line_of(coat.ear)
    tuft: Paint = {"fill": ear, "stroke": edge, "width": 1.6}
    far: Paint = {"fill": shade(ear, -0.18), "stroke": edge, "width": 2.6}
    if b.ears == "pricked":
        behind.append(blob([(1, -9), (4, -22), (8, -31), (12, -20), (12, -7)], 0.5, **far))
        face += [blob([(-12, -7), (-12, -20), (-8, -33), (0, -23), (4, -11), (-4, -8)], 0.5, **tuft)]
        face += [paint(blob([(-8.5, -10), (-8.8, -20), (-6.8, -27), (-1.5, -19), (0, -11.5)], 0.5), mix("#e79d98",
            ear, 0.35))]
    elif b.ears == "folded":
        behind.append(blob([(2, -10), (5, -21), (11, -22), (15, -14), (10, -9)], 0.6, **far))
        face += [blob([(-11, -8), (-10, -19), (-5, -23), (2, -19), (5, -9), (-2, -13)], 0.6, **tuft)]
    else:
        long = 9 if b.ears == "long" else 0
        face += [blob([(-1, -13.5), (-9, -14.5), (-15, -8), (-18 - long * 0.2, 4 + long * 0.4), (-15, 14 + long),
            (-8, 16 + long), (-3, 9 + long * 0.6), (-1.5, -1)], **tuft)]
        if long:
            face += [stroke([(-13 + d, 4 + d), (-12 + d, 12), (-13.5 + d, 18)], edge, 1.0) for d in (0, 4.5)]
    return behind, head, face
