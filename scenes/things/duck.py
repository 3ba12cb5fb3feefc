"""Ducks: flat bill, round head on a curved neck, boat-shaped body with a perky tail; standing, walking or swimming."""

# An outline reads as rows of points, not one point per line.
# fmt: off

from dataclasses import replace

import numpy as np

from scenes.shapes import Drawing, Shape, blob, ellipse, hsl, inside, limb, mix, moved, shade
from scenes.things.anatomy import centred, coat_colour, dark, eye, fused, line_of, paint, pick, stroke

VARIANTS = ("mallard", "brown", "farm", "duckling", "tufted", "mandarin", "runner")
POSES = ("standing", "walking", "swimming")
ACCESSORIES = {"red scarf": "#c8323c", "blue scarf": "#2f6fb5", "purple scarf": "#8a4fa3"}


def sample(rng: np.random.Generator) -> dict:
    """A duck's look: kind, pose, colours as #rrggbb, proportions as factors near 1."""
    variant, pose = pick(rng, VARIANTS), pick(rng, POSES, (3, 3, 4))
    u = lambda low, high: float(rng.uniform(low, high))  # noqa: E731
    head, name, chest = "", "", ""
    if variant == "mallard":
        name, body = "grey", hsl(u(25, 50), u(0.05, 0.2), u(0.66, 0.8))
        head, chest = hsl(u(140, 190), u(0.5, 0.75), u(0.24, 0.36)), hsl(u(12, 26), u(0.4, 0.55), u(0.26, 0.36))
    elif variant == "brown":
        name, body = "brown", hsl(u(22, 36), u(0.3, 0.5), u(0.45, 0.62))
    elif variant == "farm":
        name, body = coat_colour(rng, ("white", "white", "white", "black", "cream", "grey"), 0.15)
    elif variant == "duckling":
        name, body = (("yellow", hsl(u(44, 52), u(0.85, 1.0), u(0.6, 0.7))) if rng.random() < 0.75 else coat_colour(rng,
            ("brown", "grey", "cream"), 0.2))
    elif variant == "tufted":
        name, body = coat_colour(rng, ("white", "black", "golden", "ginger", "charcoal"), 0.35)
    elif variant == "mandarin":
        name, body = "chestnut", hsl(u(20, 34), u(0.55, 0.75), u(0.5, 0.62))
        head, chest = hsl(u(10, 200), u(0.3, 0.6), u(0.25, 0.4)), hsl(u(270, 335), u(0.3, 0.5), u(0.26, 0.38))
    else:
        name, body = coat_colour(rng, ("cream", "brown", "chocolate", "white", "grey", "golden"), 0.15)
    return {
        "variant": variant,
        "pose": pose,
        "colour": name,
        "body": body,
        "head": head or body,
        "chest": chest or body,
        "bill": hsl(u(345, 365), 0.7, 0.55) if variant == "mandarin" else hsl(u(22, 48), u(0.8, 1.0), u(0.5, 0.6)),
        "stride": u(0.6, 1.1),
        "tilt": u(-7, 8),
        "neck": u(0.85, 1.2),
        "size": u(0.95, 1.08),
        "plump": u(0.92, 1.1),
        "flap": u(-9, 6),
        "mood": "closed" if rng.random() < 0.07 else "open",
        "speckled": bool(variant == "brown" or (variant in ("runner", "farm") and rng.random() < 0.3)),
        "scarf": pick(rng, tuple(ACCESSORIES)) if rng.random() < 0.14 else "",
    }


def draw(look: dict) -> Drawing:
    """The duck in its own frame; a standing mallard is about 95 units high, a duckling about 70."""
    return centred({"duckling": _duckling, "runner": _runner}.get(look["variant"], _duck)(look))


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    kind, c = look["variant"], look["colour"]
    words = {
        "mallard": "mallard duck",
        "brown": "speckled brown duck",
        "mandarin": "mandarin duck",
        "duckling": f"{c} duckling",
    }
    words = words.get(kind) or {"tufted": f"tufted {c} duck", "runner": f"{c} runner duck"}.get(kind, f"{c} duck")
    scarf = f" with a {look['scarf']}" if look["scarf"] else ""
    return f"a{'n' if words[0] in 'aeiou' else ''} {words}{scarf}, {look['pose']}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the duck."""
    return {"kind": look["variant"], "colour": look["colour"], "pose": look["pose"], "scarf": look["scarf"] or "none"}


def _feet(look: dict, hips: tuple[float, float], top: float, size: float = 1.0) -> list[Shape]:
    """Two legs with webbed feet; none on water."""
    if look["pose"] == "swimming":
        return []
    walk = look["stride"] * 11 * size if look["pose"] == "walking" else 0.0
    out = []
    for x, step, lift, tone in ((hips[1], -walk, min(walk, 5 * size), -0.18), (hips[0], walk, 0.0, 0.0)):
        fx, fy = x + step, -1.4 - lift
        web = blob([(fx - 4 * size, fy - 4 * size), (fx + 3 * size, fy - 5.5 * size), (fx + 14 * size, fy - 1),
            (fx + 9 * size, fy), (fx + 4 * size, fy - 0.4), (fx - 3 * size, fy)], 0.6)
        if lift:
            web = moved(web, angle=22, about=(fx, fy - 3))
        out += fused([limb([(x, top), ((x + fx) / 2 - 1, top / 2), (fx, fy - 3 * size)], [6.5 * size,
            5 * size, 4.6 * size]), web], shade(look["bill"], tone))
    return out


def _bill(look: dict, x: float, y: float, size: float = 1.0) -> list[Shape]:
    """The bill, growing from (x, y) to the right."""
    p = lambda points: [(x + a * size, y + b * size) for a, b in points]  # noqa: E731
    upper = blob(p([(-3, -7), (3, -6.5), (9, -2.5), (18, -1.8), (21.5, 0.8), (18, 3), (6, 4), (-3, 4)]), 0.9)
    lower = blob(p([(-3, 2), (8, 3), (17, 2.5), (15.5, 5.2), (6, 7), (-3, 6)]), 0.9)
    line = line_of(look["bill"])
    marks = [stroke(p([(17.5, 2.6), (8, 3.8), (1, 3.0), (-1.5, 1.2)]), line, 1.1), ellipse(p([(6, -2.6)])[0],
        1.5 * size, 0.8 * size, 20, fill=line, silhouette=False)]
    marks.append(stroke(p([(10.5, -0.6), (16, 0)]), shade(look["bill"], 0.45), 1.3))
    return fused([lower, upper], look["bill"]) + marks


def _afloat(points: list, look: dict, sink: float) -> list:
    """The body's outline on land, or lowered by `sink` with a flat bottom on the water line."""
    if look["pose"] != "swimming":
        return points
    return [(x, min(y + sink, -1.6)) for x, y in points]


def _speckles(look: dict) -> list[Shape]:
    tone = shade(look["body"], -0.32)
    spots = [(-30, -44), (-16, -33), (-2, -26), (10, -33), (20, -40), (-40, -46), (4, -50), (24, -54), (-20, -56),
        (14, -58)]
    return [paint(ellipse((x, y), 2.9, 1.6, 20, fill=tone)) for x, y in spots]


def _duck(look: dict) -> list[Shape]:
    """Mallard, brown, farm, tufted and mandarin ducks share one body."""
    kind, swim = look["variant"], look["pose"] == "swimming"
    sink, f = 19.0, look["plump"]
    line = line_of(mix(look["body"], look["head"], 0.4))
    dy = sink if swim else 0.0
    parts = _feet(look, (-5, 9), -22)
    outline = [(28, -58), (14, -57), (-8, -57), (-28, -55), (-40, -58), (-54, -66), (-52, -54), (-44, -38), (-28, -23),
        (-6, -17 - (1 - f) * 20), (16, -19), (30, -30), (35, -46)]
    body = blob(_afloat(outline, look, sink), 0.95)
    hx, hy = 27 + 3 * look["neck"], -62 - 20 * look["neck"] + dy
    neck = limb([(20, -47 + dy), (26, -60 + dy), (hx - 2, hy + 2)], [30, 19, 17])
    head = ellipse((hx, hy), 14.5 * look["size"], 13.5 * look["size"])
    tuft = []
    if kind == "tufted":
        tuft = [ellipse((hx - 9, hy - 15), 9.5, 8.5, fill=look["head"]), ellipse((hx - 2, hy - 17), 7,
            6, fill=look["head"])]
    if kind == "mandarin":
        crest = [(hx + 6, hy - 12), (hx - 8, hy - 16), (hx - 21, hy - 6), (hx - 24, hy + 10), (hx - 12, hy + 8)]
        tuft = [blob(crest, fill=look["head"])]
    parts += fused([body, replace(neck, fill=look["head"]), *tuft, replace(head, fill=look["head"])],
        look["body"], line=line)
    belly = "#f3e3c3" if kind == "mandarin" else shade(look["body"], -0.13)
    marks = [ellipse((-4, -14 + dy), 48, 19 if kind == "mandarin" else 13, fill=belly)]
    if kind == "mallard":
        marks.append(blob(_up([(-60, -70), (-38, -62), (-36, -46), (-44, -30), (-64, -40)], dy), fill="#2b2a30"))
        marks.append(blob(_up([(-62, -74), (-48, -66), (-47, -57), (-62, -60)], dy), fill="#f4f1ea"))
    blend = ellipse((10, -36 + dy), 30, 20, -12, fill=look["body"])
    chest = ellipse((28, -42 + dy), 21, 21, -14, fill=look["chest"])
    marks += [chest, *([moved(s, 0, dy) for s in _speckles(look)] if look["speckled"] else [])]
    parts += inside(body, *[paint(m) for m in marks]) + inside(neck, paint(blend), paint(chest))
    if kind == "mallard":
        parts += inside(neck, paint(limb([(hx - 18, hy + 14), (hx - 4, hy + 19), (hx + 12, hy + 15)], [4.4,
            4.4, 4.4]), "#fbf8f2"))
    elif kind == "mandarin":
        streaks = [limb([(hx + d, hy + 7), (hx + d - 3, hy + 16), (hx + d - 7, hy + 23)], [5, 4.5, 1.5]) for d in (-5,
            1, 7)]
        parts += inside(neck, *[paint(s, "#d97f2e") for s in streaks])
        brow = [(hx + 10, hy - 8), (hx - 6, hy - 10), (hx - 21, hy + 4), (hx - 8, hy + 2), (hx + 8, hy + 4)]
        parts.append(paint(blob(brow), "#fbf4e4"))
    glint = ellipse((hx - 4, hy - 8.5), 4.6, 2.3, -18, fill=shade(look["head"], 0.35), opacity=0.7, silhouette=False)
    return _top(look, [*parts, *_wing(look, kind, dy), glint], hx, hy, (hx - 3, hy + 20))


def _up(points: list, dy: float) -> list:
    return [(x, y + dy) for x, y in points]


def _top(look: dict, up: list, hx: float, hy: float, throat: tuple, size: float = 1.0) -> list[Shape]:
    """Head with bill, eye, cheek and scarf."""
    bill = _bill(look, hx + 12 * size * look["size"], hy + 2.5 * size, size)
    x, y = throat
    scarf = []
    if look["scarf"]:
        colour = ACCESSORIES[look["scarf"]]
        tail = blob([(x - 6, y), (x + 1, y), (x + 1, y + 14), (x - 7, y + 15)], 0.5, fill=colour,
            stroke=line_of(colour), width=1.3, silhouette=False)
        scarf = [tail, stroke([(x - 10, y - 3), (x, y), (x + 10, y - 3)], line_of(colour), 8), stroke([(x - 10, y - 3),
            (x, y), (x + 10, y - 3)], colour, 5.6)]
    night = dark(look["head"])
    rim = "#e9e2d4" if night and look["variant"] != "mandarin" else "#221b1e"
    face = eye((hx + 5 * size, hy - 3 * size), 3.4 * size, 3.9 * size,
        "#2b1d18" if not night or look["mood"] == "closed" else "#f3ead8", (2.4 * size, 2.9 * size), rim, look["mood"])
    if not night and look["variant"] in ("duckling", "farm", "tufted"):
        face.append(ellipse((hx + 4 * size, hy + 5 * size), 3.4 * size, 2.2 * size, fill="#f39a8f",
            opacity=0.6, silhouette=False))
    return up + scarf + bill + face


def _wing(look: dict, kind: str, dy: float) -> list[Shape]:
    tone = shade(look["body"], -0.1) if kind != "mallard" else shade(look["body"], -0.22)
    line = line_of(look["body"])
    wing = blob([(16, -46), (4, -52), (-18, -51), (-38, -50), (-51, -55), (-44, -42), (-26, -31), (-4, -29), (12, -35)],
        fill=tone, stroke=line, width=1.5)
    wing = moved(wing, 0, dy, angle=look["flap"], about=(10, -42))
    out = [wing]
    if look["speckled"]:
        out += inside(wing, *[moved(s, 0, dy) for s in _speckles(look)])
    if kind in ("mallard", "brown"):
        patch = blob([(-24, -47), (-8, -44), (-12, -35), (-27, -38)], 0.6, fill="#2f62b8", stroke="#f4f1ea", width=1.4)
        out += inside(wing, moved(patch, 0, dy, angle=look["flap"], about=(10, -42)))
    out += [moved(stroke([(x, y), (x + 9, y + 5), (x + 19, y + 4)], line, 1.1), 0, dy, angle=look["flap"],
        about=(10, -42)) for x, y in ((-39, -45), (-28, -38))]
    if kind == "mandarin":
        for x, h, tone in ((-27, 25, "#d87a22"), (-15, 28, "#ec9433")):
            sail = blob([(x + 13, -45), (x + 10, -56), (x + 3, -52 - h * 0.75), (x - 8, -51 - h), (x - 9, -60),
                (x - 3, -45)], 0.7, fill=tone)
            out += [moved(s, 0, dy) for s in fused([sail], tone)]
    return out


def _duckling(look: dict) -> list[Shape]:
    line, dy = line_of(look["body"]), 11.0 if look["pose"] == "swimming" else 0.0
    parts = _feet(look, (-4, 4), -14, 0.75)
    f = look["plump"]
    outline = [(14, -36), (0, -35), (-14, -34), (-25, -40), (-34, -44), (-33, -32), (-26, -19), (-14,
        -12 - (1 - f) * 15), (4, -10), (17, -15), (23, -26)]
    body = blob(_afloat(outline, look, dy))
    hx, hy = 12, -51 + dy
    head = ellipse((hx, hy), 17 * look["size"], 16 * look["size"])
    tuft = [limb([(hx - 3, hy - 13), (hx - 5, hy - 20), (hx - 10, hy - 22)], [5, 3.6, 2]), limb([(hx, hy - 13),
        (hx, hy - 20), (hx - 3, hy - 24)], [5, 3.4, 2])]
    parts += fused([body, *tuft, head], look["body"], line=line)
    parts += inside(body, paint(ellipse((-2, -8 + dy), 28, 9, fill=shade(look["body"], -0.13))))
    if look["colour"] != "yellow":
        parts += inside(head, paint(blob([(hx - 20, hy - 20), (hx + 8, hy - 18), (hx + 10, hy - 9), (hx - 6, hy - 4),
            (hx - 20, hy + 6)]), shade(look["body"], -0.35)))
    wing = blob([(4, -26), (-6, -30), (-18, -28), (-26, -31), (-21, -21), (-10, -16), (1, -19)],
        fill=shade(look["body"], -0.1), stroke=line, width=1.4)
    parts.append(moved(wing, 0, dy, angle=look["flap"], about=(0, -24)))
    parts.append(paint(ellipse((hx - 5, hy - 9), 5, 2.8, -20, fill=shade(look["body"], 0.5))))
    return _top(look, parts, hx + 3, hy + 1, (hx + 1, hy + 17), 0.86)


def _runner(look: dict) -> list[Shape]:
    """The upright Indian runner: a bottle on legs."""
    swim = look["pose"] == "swimming"
    if swim:
        return _duck({**look, "neck": look["neck"] * 1.35})
    line, f = line_of(look["body"]), look["plump"]
    parts = _feet(look, (-4, 3), -22)
    body = blob([(14, -72), (6, -68), (-6, -56), (-18, -40), (-30, -28), (-36, -18), (-24, -17), (-10, -15),
        (6 * f, -18), (17 * f, -32), (20, -50), (20, -64)])
    hx, hy = 15, -101
    neck = limb([(8, -58), (12, -78), (hx - 1, hy + 2)], [28, 15, 15])
    head = ellipse((hx, hy), 13 * look["size"], 12 * look["size"])
    parts += fused([body, neck, head], look["body"], line=line)
    parts += inside(body, paint(blob([(-36, -24), (-10, -24), (12, -28), (22, -40), (20, -10), (-30, -8)],
        fill=shade(look["body"], -0.12))))
    if look["speckled"]:
        parts += inside(body, *[paint(ellipse((x, y), 2.4, 1.5, 40, fill=shade(look["body"], -0.3))) for x,
            y in ((12, -58), (14, -44), (6, -26), (-12, -24), (10, -34), (16, -66))])
    wing = blob([(8, -58), (0, -58), (-12, -42), (-27, -25), (-14, -26), (0, -32), (9, -44)],
        fill=shade(look["body"], -0.1), stroke=line, width=1.5)
    parts += [moved(wing, angle=look["flap"] * 0.6, about=(4, -54)), stroke([(-12, -33), (-4, -36), (2, -42)],
        line, 1.1)]
    parts.append(paint(ellipse((hx - 3, hy - 6), 4, 2.2, -20, fill=shade(look["body"], 0.4))))
    return _top(look, parts, hx, hy, (hx - 2, hy + 18), 0.9)
