"""Motorcycles from the side: seven builds, from scooter to tourer, with or without cases."""

# A panel reads as rows of corners, not one corner per line.
# fmt: off

from typing import Unpack

import numpy as np

from scenes.shapes import Drawing, Ink, Shape, blob, curve, ellipse, inside, limb, moved, polygon, rectangle, shade
from scenes.things.anatomy import centred, pick, stroke
from scenes.things.machines import LINE, outline_of, paint_colour, panel, wheel

VARIANTS = ("classic", "cruiser", "scooter", "sports", "dirt bike", "tourer", "chopper")
FINISHES = ("plain", "two-tone", "stripe", "flames", "dots")
LUGGAGE = ("none", "top case", "panniers", "basket", "roll")
SADDLES = {"black": "#2f2d36", "brown": "#8a5433", "tan": "#c08a56", "red": "#a5303a", "cream": "#e8d9b8"}
STEEL, DARK = "#b9bec8", "#3b3b45"
# Rear hub, front hub, rear and front wheel radius.
WHEELS = {
    "classic": ((-37, -20), (38, -20), 20, 20), "cruiser": ((-42, -19), (46, -19), 19, 19),
    "scooter": ((-29, -13), (34, -13), 13, 13), "sports": ((-37, -20), (37, -20), 20, 20),
    "dirt bike": ((-38, -20), (41, -22), 20, 22), "tourer": ((-41, -19), (43, -19), 19, 19),
    "chopper": ((-42, -19), (56, -21), 19, 21),
}


def sample(rng: np.random.Generator) -> dict:
    """A motorcycle's look: build, paint as #rrggbb, finish, luggage, saddle, wheels, factors near 1."""
    variant = pick(rng, VARIANTS)
    name, base = paint_colour(rng)
    second_name, second = paint_colour(rng, ("white", "cream", "black", "red", "yellow", "light blue", "orange", "silver"))
    while second_name == name:
        second_name, second = paint_colour(rng, ("white", "black", "yellow"))
    luggage = pick(rng, LUGGAGE, {"scooter": (4, 3, 0, 3, 0), "tourer": (1, 3, 5, 0, 0), "sports": (8, 1, 0, 0, 0),
        "dirt bike": (8, 0, 0, 0, 1), "classic": (5, 1, 2, 0, 2)}.get(variant, (4, 0, 3, 0, 3)))
    style = {"scooter": (1, 3, 2, 0, 3), "sports": (6, 1, 0, 0, 0), "tourer": (5, 1, 1, 0, 0),
        "dirt bike": (0, 0, 0, 1, 0)}.get(variant, (1, 0, 0, 4, 1))
    return {
        "variant": variant,
        "colour": name,
        "base": base,
        "second_colour": second_name,
        "second": second,
        "finish": pick(rng, FINISHES, (4, 2, 3, 1.5, 0.7)),
        "luggage": luggage,
        "saddle": pick(rng, tuple(SADDLES), (4, 2, 1, 1, 1)),
        "case": pick(rng, ("leather", "painted", "black")),
        "wheels": pick(rng, ("spokes", "disc", "cap", "wire", "whitewall"), style),
        "metal": pick(rng, ("#c9ced6", "#e4e6ea", "#8d929c", "#d8b45a"), (4, 3, 2, 1)),
        "engine": pick(rng, ("#a9aeb8", "#6e727d", "#4a4b55")),
        "pipe": pick(rng, ("#d5d9e0", "#8d929c", "#4a4b55", "#c9a56a")),
        "screen": bool(rng.random() < 0.4),
        "lit": bool(rng.random() < 0.4),
        "turn": float(rng.uniform(0, 1.25)),
        "length": float(rng.uniform(0.94, 1.06)),
        "height": float(rng.uniform(0.95, 1.06)),
        "lean": float(rng.uniform(-1.5, 1.5)),
    }


def draw(look: dict) -> Drawing:
    """The motorcycle in its own frame, about 70 units high and 100 to 150 long."""
    return centred(_BUILDS[look["variant"]](_Bike(look)))


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    colour = look["colour"]
    if look["finish"] in ("two-tone", "stripe"):
        colour = f"{colour} and {look['second_colour']}"
    noun = {"scooter": "scooter motorcycle", "dirt bike": "motocross motorcycle",
        "chopper": "chopper motorcycle"}.get(look["variant"], f"{look['variant']} motorcycle")
    extra = {"top case": " with a top case", "panniers": " with panniers", "basket": " with a basket",
        "roll": " with a bedroll"}.get(look["luggage"], "")
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {noun}{extra}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the motorcycle."""
    keys = {"build": "variant", "colour": "colour", "finish": "finish", "luggage": "luggage", "saddle": "saddle"}
    return {name: look[key] for name, key in keys.items()}


class _Bike:
    """The parts all builds are made of, in the colours of one look."""

    r_rear: float  # radii of the wheels
    r_front: float

    def __init__(self, look: dict):
        self.look, self.base, self.second = look, look["base"], look["second"]
        self.line = outline_of(self.base)
        self.sx, self.sy = look["length"], look["height"]
        rear, front, self.r_rear, self.r_front = WHEELS[look["variant"]]
        self.rear, self.front = (rear[0] * self.sx, rear[1]), (front[0] * self.sx, front[1])

    def at(self, points) -> list:
        """Points stretched as this bike is; what lies at hub height or below stays on its wheels."""
        return [(x * self.sx, y if y > -20 else -20 + (y + 20) * self.sy, *rest) for x, y, *rest in points]

    def wheels(self, tyre: float = 0.3) -> list[Shape]:
        style, metal, turn = self.look["wheels"], self.look["metal"], self.look["turn"]
        return (wheel(self.rear, self.r_rear, style, metal, turn, tyre)
            + wheel(self.front, self.r_front, style, metal, turn + 0.4, tyre))

    def bar(self, points, width: float, fill: str = STEEL) -> list[Shape]:
        """A tube with an outline: a dark stroke under a lighter one; both own pixels."""
        points = self.at(points)
        return [curve(points, 0.8, stroke=outline_of(fill), width=width + 2), curve(points, 0.8, stroke=fill, width=width)]

    def part(self, corners, fill: str | None = None, **ink: Unpack[Ink]) -> Shape:
        fill = fill or self.base
        outline: Ink = {"stroke": outline_of(fill), "width": LINE}
        return panel(self.at(corners), fill=fill, **(outline | ink))

    def smooth(self, points, fill: str | None = None, **ink: Unpack[Ink]) -> Shape:
        fill = fill or self.base
        outline: Ink = {"stroke": outline_of(fill), "width": LINE}
        return blob(self.at(points), fill=fill, **(outline | ink))

    def painted(self, shape: Shape) -> list[Shape]:
        """A painted part with its finish and shine."""
        (x1, y1), (x2, y2) = shape.points().min(0), shape.points().max(0)
        w, h, second, kind = x2 - x1, y2 - y1, self.second, self.look["finish"]
        marks = []
        if kind == "two-tone":
            marks.append(polygon([(x1 - 1, y1 + h * 0.6), (x2 + 1, y1 + h * 0.42), (x2 + 1, y2 + 1), (x1 - 1, y2 + 1)], fill=second))
        elif kind == "stripe":
            marks.append(polygon([(x1 - 1, y1 + h * 0.52), (x2 + 1, y1 + h * 0.36), (x2 + 1, y1 + h * 0.56), (x1 - 1, y1 + h * 0.72)],
                fill=second))
        elif kind == "flames":
            tongues = [(1.02, 0.1), (0.62, 0.16), (0.8, 0.34), (0.36, 0.42), (0.7, 0.56), (0.22, 0.72), (0.74, 0.76), (0.6, 0.94),
                (1.02, 0.95)]
            marks.append(polygon([(x1 + w * u, y1 + h * v) for u, v in tongues], fill=second))
        elif kind == "dots":
            marks += [ellipse((x1 + w * u, y1 + h * v), 2.2, 2.2, fill=second)
                for u, v in ((0.2, 0.6), (0.42, 0.42), (0.6, 0.7), (0.8, 0.45))]
        else:
            marks.append(rectangle(x1 - 1, y2 - h * 0.3, x2 + 1, y2 + 1, fill=shade(self.base, -0.16)))
        marks.append(ellipse((x1 + w * 0.5, y1 + h * 0.2), w * 0.28, h * 0.08 + 0.5, -4, fill="#ffffff", opacity=0.5))
        return [shape, *inside(shape, *marks)]

    def fender(self, centre, radius: float, start: float, end: float, width: float = 5.0, fill: str | None = None) -> list[Shape]:
        """A mudguard from angle start to end, degrees, 0 to the front, -90 up."""
        t = np.radians(np.linspace(start, end, 7))
        arc = np.stack([np.cos(t), np.sin(t)], axis=1)
        band = np.vstack([arc * (radius + width / 2), arc[::-1] * (radius - width / 2)]) + centre
        fill = fill or self.base
        shape = panel([(x, y, 1.2) for x, y in band], fill=fill, stroke=outline_of(fill), width=1.3)
        return [shape]

    def engine(self, x: float, y: float, size: float = 1.0, twin: bool = False) -> list[Shape]:
        """Crankcase and finned cylinders, centred at (x, y)."""
        metal = self.look["engine"]
        line, s = outline_of(metal), size
        parts = []
        for angle in (-24, 24) if twin else (12,):
            block = rectangle(-6 * s, -21 * s, 6 * s, 0, 2, fill=shade(metal, 0.12), stroke=line, width=1.2)
            fins = [rectangle(-7.2 * s, -k * s, 7.2 * s, (-k + 1.5) * s, 0.6, fill=line, silhouette=False) for k in (8, 12, 16)]
            parts += [moved(p, x, y - 2 * s, angle=angle) for p in (block, *fins)]
        case = panel([(x - 16 * s, y - 4 * s, 5), (x - 7 * s, y - 7 * s, 4), (x + 11 * s, y - 6 * s, 5), (x + 14 * s, y + 6 * s, 6),
            (x - 13 * s, y + 8 * s, 5)], fill=metal, stroke=line, width=1.3)
        parts += [case, ellipse((x + 5 * s, y + 0.5 * s), 5 * s, 5 * s, fill=shade(metal, 0.3), stroke=line, width=1, silhouette=False),
            ellipse((x - 8 * s, y + 1.5 * s), 3.4 * s, 3.4 * s, fill=shade(metal, -0.25), stroke=line, width=0.9, silhouette=False)]
        return parts

    def pipe(self, points, widths) -> list[Shape]:
        fill = self.look["pipe"]
        tube = limb(self.at(points), widths, fill=fill, stroke=outline_of(fill), width=1.2)
        end = self.at(points)[-1]
        return [tube, *inside(tube, curve([(x, y - 1) for x, y in self.at(points)], stroke="#ffffff", width=1.1, opacity=0.6)),
            ellipse(end, 1.4, 1.8, fill="#2b2a33", silhouette=False)]

    def lamp(self, x: float, y: float, size: float = 6.0) -> list[Shape]:
        """A headlamp: a shell that looks forward, a glass, a glint."""
        x, y = self.at([(x, y)])[0]
        glow = "#fff3b0" if self.look["lit"] else "#eef4f6"
        shell = blob([(x - size * 1.1, y), (x - size * 0.5, y - size * 0.85), (x + size * 0.4, y - size), (x + size * 0.6, y),
            (x + size * 0.4, y + size), (x - size * 0.5, y + size * 0.85)], fill=self.look["metal"], stroke=DARK, width=1.2)
        return [shell, ellipse((x + size * 0.45, y), size * 0.45, size * 0.95, fill=glow, stroke=DARK, width=1.2),
            ellipse((x + size * 0.4, y - size * 0.4), size * 0.14, size * 0.22, fill="#ffffff", silhouette=False)]

    def tail_light(self, x: float, y: float) -> list[Shape]:
        x, y = self.at([(x, y)])[0]
        return [rectangle(x - 2.4, y - 2.6, x + 2, y + 2.6, 1.6, fill="#e0433c", stroke="#8f2228", width=1.1)]

    def saddle(self, points) -> list[Shape]:
        fill = SADDLES[self.look["saddle"]]
        seat = self.smooth(points, fill)
        (x1, y1), x2 = seat.points().min(0), seat.points()[:, 0].max()
        return [seat, *inside(seat, ellipse(((x1 + x2) / 2, y1 + 1.5), (x2 - x1) * 0.36, 1.3, fill="#ffffff", opacity=0.3))]

    def handlebar(self, points) -> list[Shape]:
        points = list(points)
        tip, before = np.array(points[-1]), np.array(points[-2])
        grip = [tuple(tip + (before - tip) / max(np.linalg.norm(before - tip), 1e-9) * 7), tuple(tip)]
        return self.bar(points, 1.8) + self.bar(grip, 3.2, "#3d3b46")

    def mirror(self, x: float, y: float) -> list[Shape]:
        a, b = self.at([(x, y), (x + 2, y - 9)])
        return [curve([a, b], stroke=DARK, width=1.3), ellipse(b, 3.4, 2.6, -20, fill="#cfd6de", stroke=DARK, width=1.2)]

    def luggage(self, seat: tuple, side: tuple) -> list[Shape]:
        """What the bike carries: on the rack at `seat` or hanging at `side`."""
        kind = self.look["luggage"]
        fill = {"leather": "#9a6238", "painted": self.base, "black": "#383741"}[self.look["case"]]
        line = outline_of(fill)
        (x, y), (u, v) = self.at([seat])[0], self.at([side])[0]
        if kind == "top case":
            box = panel([(x - 10, y, 2), (x - 12, y - 9, 3), (x - 9, y - 17, 5), (x + 8, y - 17, 5), (x + 10, y - 9, 3), (x + 9, y, 2)],
                fill=fill, stroke=line, width=1.4)
            return [box, *inside(box, rectangle(x - 14, y - 9.6, x + 12, y - 8.2, fill=line),
                ellipse((x, y - 15), 6, 1.2, fill="#ffffff", opacity=0.4)),
                rectangle(x - 2, y - 10.5, x + 2, y - 6.5, 1, fill="#d9dde3", silhouette=False)]
        if kind == "panniers":
            bag = panel([(u - 13, v - 9, 4), (u + 12, v - 9, 4), (u + 9, v + 9, 5), (u - 11, v + 9, 5)], fill=fill, stroke=line, width=1.4)
            flap = panel([(u - 14, v - 10, 4), (u + 13, v - 10, 4), (u + 10, v - 1, 4), (u - 12, v - 1, 4)], fill=shade(fill, 0.12),
                stroke=line, width=1.1, silhouette=False)
            straps = [rectangle(u + d - 1.2, v - 5, u + d + 1.2, v + 2.5, 0.8, fill="#e6cf8c", silhouette=False) for d in (-6, 5)]
            return [bag, *inside(bag, flap), *straps]
        if kind == "roll":
            return [rectangle(x - 7, y - 8, x + 8, y + 1, 4.5, fill=self.second, stroke=outline_of(self.second), width=1.3),
                *[stroke([(x + d, y - 7.5), (x + d, y + 0.5)], "#7a4a2a", 1.4) for d in (-3, 4)]]
        if kind == "basket":
            basket = panel([(x - 10, y - 11, 1), (x + 10, y - 11, 1), (x + 8, y, 2), (x - 8, y, 2)], fill="#c99a58", stroke="#7a5526",
                width=1.3)
            weave = [stroke([(x + d, y - 10), (x + d * 0.85, y - 1)], "#8f6630", 0.9) for d in (-6, -2, 2, 6)]
            treats = [ellipse((x + d, y - 12), 4, 4, fill=c, stroke=outline_of(c), width=1)
                for d, c in ((-5, "#d9534a"), (0, "#8fb84c"), (5, "#e9b23c"))]
            return [*treats, basket, *weave, stroke([(x - 8, y - 6), (x + 8, y - 6)], "#8f6630", 0.9)]
        return []


def _classic(b: _Bike) -> list[Shape]:
    parts = b.bar([(30, -52), (38, -20)], 2.6) + b.wheels() + b.fender(b.rear, 22, -170, -45) + b.fender(b.front, 22, -140, -50)
    parts += b.bar([(-37, -20), (-6, -24)], 2.6, DARK) + b.bar([(-37, -20), (-26, -46)], 2.6, STEEL)
    parts += b.bar([(26, -52), (10, -16), (-10, -15), (-18, -46)], 2.4, DARK)
    parts += [b.part([(-22, -46, 2), (-6, -46, 2), (-4, -26, 3), (-16, -26, 4)], shade(b.base, -0.3))]
    parts += b.engine(2, -21) + b.pipe([(10, -20), (4, -12), (-12, -10), (-32, -11), (-50, -14)], [3, 3.4, 3.6, 5.5, 6.5])
    parts += b.bar([(29, -56), (38, -20)], 3.2)
    parts += b.tail_light(-50, -46) + b.saddle([(-48, -47), (-38, -53), (-20, -53), (-4, -50), (-4, -45), (-24, -44), (-44, -43)])
    parts += b.painted(b.smooth([(-7, -46), (-2, -56), (12, -60), (26, -55), (28, -48), (16, -43), (2, -42)]))
    parts += b.handlebar([(27, -56), (25, -64), (16, -67)]) + b.mirror(22, -66) + b.lamp(35, -55, 6.5)
    return parts + b.luggage((-42, -53), (-38, -34))


def _cruiser(b: _Bike) -> list[Shape]:
    parts = b.bar([(26, -50), (46, -19)], 2.6) + b.wheels(0.36) + b.fender(b.front, 21, -150, -35, 6)
    parts += b.bar([(-42, -19), (-4, -18)], 3, DARK) + b.bar([(22, -50), (6, -16), (-14, -14), (-20, -38)], 2.4, DARK)
    rear = b.smooth([(-66, -22), (-62, -34), (-48, -43), (-28, -42), (-18, -34), (-22, -28), (-30, -36), (-46, -38), (-56, -32), (-61, -22)])
    parts += [rear] + b.engine(-2, -18, 1.0, True)
    parts += [b.part([(-24, -40, 3), (-12, -40, 3), (-14, -26, 4), (-22, -26, 4)], shade(b.base, -0.3))]
    parts += b.pipe([(4, -22), (-2, -12), (-22, -9), (-62, -11)], [3, 3.4, 4.4, 5.6])
    parts += b.bar([(24, -54), (46, -19)], 3.4)
    parts += b.saddle([(-50, -44), (-50, -52), (-44, -54), (-38, -46), (-26, -42), (-10, -47), (-6, -43), (-20, -37), (-42, -39)])
    parts += b.tail_light(-62, -36) + b.painted(b.smooth([(-9, -43), (-4, -51), (10, -55), (22, -52), (25, -45), (12, -40), (0, -39)]))
    parts += b.handlebar([(24, -54), (20, -70), (8, -66)]) + b.mirror(16, -70) + b.lamp(32, -54, 6.5)
    return parts + _screen(b, [(29, -60), (24, -76)], 6) + b.luggage((-44, -52), (-42, -30))


def _chopper(b: _Bike) -> list[Shape]:
    parts = b.bar([(22, -54), (56, -21)], 2.4) + b.wheels(0.3) + b.fender(b.rear, 21.5, -185, -40, 6)
    parts += b.bar([(-42, -19), (0, -17)], 3, b.base) + b.bar([(20, -55), (10, -16), (-12, -14), (-24, -36), (20, -52)], 2.6, b.base)
    parts += b.engine(-2, -19, 1.0, True) + b.pipe([(4, -22), (0, -11), (-24, -8), (-64, -14)], [3, 3.2, 4, 5])
    parts += b.bar([(20, -58), (56, -21)], 3.2)
    parts += b.bar([(-36, -40), (-50, -42), (-55, -64), (-52, -66)], 2) + b.tail_light(-62, -32)
    parts += b.saddle([(-50, -42), (-52, -56), (-47, -57), (-42, -45), (-28, -39), (-12, -43), (-10, -39), (-26, -34), (-44, -37)])
    parts += b.painted(b.smooth([(-12, -43), (-4, -50), (8, -56), (18, -55), (16, -48), (2, -42)]))
    parts += b.handlebar([(20, -58), (22, -74), (14, -82), (2, -78)]) + b.mirror(14, -80) + b.lamp(29, -55, 5.5)
    return parts + b.luggage((-48, -56), (-42, -30))


def _scooter(b: _Bike) -> list[Shape]:
    parts = b.bar([(25, -50), (34, -13)], 3) + b.wheels(0.36)
    parts += b.saddle([(-46, -45), (-42, -51), (-24, -52), (-8, -49), (-6, -44), (-24, -42), (-42, -42)])
    floor = b.part([(-16, -14, 3), (22, -14, 3), (24, -8, 3), (-16, -8, 3)], shade(b.base, -0.2))
    body = b.smooth([(-10, -11), (-8, -30), (-11, -42), (-30, -45), (-46, -42), (-54, -30), (-52, -18), (-42, -10), (-24, -8)])
    parts += [floor] + b.painted(body)
    parts += [*inside(body, ellipse(b.rear, 15.5, 15.5, fill="#24232b"))]
    parts += wheel(b.rear, b.r_rear, b.look["wheels"], b.look["metal"], b.look["turn"], 0.36)
    cowl = b.smooth([(-52, -30), (-46, -39), (-30, -41), (-16, -36), (-14, -26), (-24, -21), (-42, -22)], shade(b.base, 0.06))
    parts += [cowl, *inside(cowl, ellipse(b.at([(-34, -37)])[0], 11, 1.6, -6, fill="#ffffff", opacity=0.5))]
    vents = [b.at([(x, -31), (x - 2, -25)]) for x in (-36, -32, -28)]
    parts += [stroke(v, outline_of(b.base), 1.2) for v in vents]
    shield = b.part([(12, -8, 3), (19, -30, 8), (20, -52, 3), (29, -54, 5), (31, -30, 9), (26, -8, 4)], b.base)
    parts += b.painted(shield) + b.fender(b.front, 15, -165, -15, 7)
    parts += b.bar([(25, -52), (23, -64)], 4, b.base)
    head = b.smooth([(14, -66), (22, -71), (32, -68), (34, -61), (26, -57), (17, -60)])
    parts += [head] + b.lamp(33, -64, 5) + b.handlebar([(24, -66), (18, -69), (10, -67)]) + b.mirror(20, -69)
    parts += _screen(b, [(28, -69), (25, -86)], 7) if b.look["screen"] else []
    return parts + b.tail_light(-53, -34) + b.luggage((-46, -48), (-38, -30))


def _sports(b: _Bike) -> list[Shape]:
    parts = b.bar([(24, -50), (37, -20)], 2.6) + b.wheels(0.3) + b.fender(b.front, 22, -150, -60, 5)
    parts += b.bar([(-37, -20), (-6, -26)], 4, STEEL) + b.engine(2, -22)
    parts += b.pipe([(4, -14), (-14, -14), (-26, -20), (-46, -30)], [3, 4, 6, 7])
    parts += b.bar([(27, -52), (37, -20)], 3.4, "#d0a84e")
    tail = b.smooth([(-56, -58), (-40, -58), (-18, -50), (-6, -46), (-10, -36), (-24, -42), (-44, -51)])
    parts += b.painted(tail) + b.tail_light(-55, -56.5)
    parts += b.saddle([(-28, -55), (-16, -53), (-4, -51), (-2, -46), (-14, -47), (-26, -51)])
    parts += b.painted(b.smooth([(-9, -46), (-4, -56), (8, -61), (22, -57), (24, -48), (8, -42)]))
    fairing = b.part([(12, -48, 5), (22, -58, 5), (38, -56, 5), (48, -47, 5), (38, -40, 6), (28, -30, 8), (14, -12, 6), (-14, -11, 4),
        (-8, -18, 4), (6, -26, 8)])
    parts += b.painted(fairing) + [stroke(b.at([(12, -26), (22, -32), (24, -40)]), outline_of(b.base), 1.3)]
    screen = b.smooth([(20, -57), (22, -66), (28, -69), (37, -60), (42, -53), (32, -55)], "#bfe3ea")
    parts += [screen, *inside(screen, stroke(b.at([(25, -65), (33, -57)]), "#ffffff", 1.6))]
    glow = "#fff3b0" if b.look["lit"] else "#eef4f6"
    parts.append(b.part([(37, -51, 2), (44, -49, 2), (44, -45, 2), (36, -47, 2)], glow, stroke=DARK, width=1.2, silhouette=False))
    return parts + b.handlebar([(22, -55), (17, -59), (10, -57)]) + b.luggage((-40, -57), (-38, -34))


def _dirt(b: _Bike) -> list[Shape]:
    knobs = []
    for centre, radius in ((b.rear, b.r_rear), (b.front, b.r_front)):
        t = np.arange(56) * 2 * np.pi / 56 + b.look["turn"]
        r = np.where(np.arange(56) % 4 < 2, radius, radius - 2.4)
        knobs.append(polygon(np.stack([np.cos(t), np.sin(t)], 1) * r[:, None] + centre, fill="#34343c"))
    b.r_rear, b.r_front = b.r_rear - 1.8, b.r_front - 1.8
    parts = b.bar([(28, -60), (41, -22)], 2.6) + knobs + b.wheels(0.26)
    parts += b.bar([(-38, -20), (-4, -27)], 3.6, STEEL) + b.bar([(24, -60), (10, -20), (-8, -18), (-14, -52)], 2.4, b.second)
    parts += b.engine(2, -25, 0.95) + b.pipe([(8, -28), (12, -20), (0, -34), (-20, -40), (-44, -48)], [2.6, 3, 3.4, 5, 6])
    parts += b.bar([(27, -66), (31, -52), (41, -22)], 3.2, "#d0a84e")
    parts += b.painted(b.smooth([(-62, -64), (-44, -63), (-20, -58), (-14, -48), (-30, -52), (-48, -58)]))
    parts += b.painted(b.part([(-6, -56, 4), (8, -63, 5), (24, -62, 4), (26, -46, 4), (14, -32, 4), (6, -44, 5)]))
    parts += b.saddle([(-48, -64), (-36, -66), (-12, -62), (8, -65), (9, -60), (-12, -56), (-44, -60)])
    parts += b.painted(b.smooth([(22, -50), (36, -53), (54, -50), (66, -44), (52, -45), (36, -47)]))
    parts += b.handlebar([(26, -66), (24, -73), (15, -75)])
    parts.append(b.part([(27, -70, 2), (35, -69, 2), (37, -56, 3), (30, -55, 2)], b.second))
    return parts + b.luggage((-44, -66), (-38, -40))


def _tourer(b: _Bike) -> list[Shape]:
    parts = b.bar([(28, -48), (43, -19)], 2.6) + b.wheels(0.36) + b.fender(b.rear, 21.5, -190, -60, 6) + b.fender(b.front, 21.5, -160, -30, 6)
    parts += b.bar([(-41, -19), (-6, -20)], 3, DARK) + b.engine(0, -20, 1.05)
    parts += b.pipe([(8, -18), (0, -11), (-22, -9), (-58, -11)], [3, 3.4, 4.6, 6])
    parts += b.bar([(30, -50), (43, -19)], 3.6)
    body = b.smooth([(-58, -38), (-50, -46), (-26, -44), (-8, -42), (-10, -28), (-26, -30), (-48, -30)], shade(b.base, -0.08))
    parts += [body] + b.saddle([(-46, -45), (-46, -60), (-40, -61), (-36, -50), (-24, -46), (-8, -50), (-4, -44), (-22, -41), (-40, -42)])
    parts += b.painted(b.smooth([(-9, -44), (-4, -54), (8, -58), (22, -55), (22, -46), (6, -40)]))
    parts += _screen(b, [(32, -60), (20, -84)], 9)
    fairing = b.part([(12, -30, 5), (17, -60, 7), (30, -66, 5), (43, -55, 7), (41, -42, 7), (30, -34, 8), (22, -16, 5), (10, -16, 4)])
    parts += b.painted(fairing) + b.lamp(39, -52, 5.5) + b.handlebar([(20, -62), (14, -65), (7, -63)]) + b.mirror(22, -65)
    return parts + b.tail_light(-59, -41) + b.luggage((-53, -47), (-40, -31))


def _screen(b: _Bike, ends: list, wide: float) -> list[Shape]:
    """A windscreen between its foot and its top, where the look has one."""
    if not b.look["screen"] and b.look["variant"] != "tourer":
        return []
    (x1, y1), (x2, y2) = b.at(ends)
    pane = blob([(x1 - 2, y1), (x1 + 2, y1), ((x1 + x2) / 2 + wide * 0.55, (y1 + y2) / 2 - 1), (x2 + 1.6, y2), (x2 - 2, y2 + 1),
        ((x1 + x2) / 2 + wide * 0.05, (y1 + y2) / 2)], 0.9, fill="#bfe3ea", stroke="#5d7f8e", width=1.2)
    return [pane]


_BUILDS = {"classic": _classic, "cruiser": _cruiser, "scooter": _scooter, "sports": _sports, "dirt bike": _dirt, "tourer": _tourer,
    "chopper": _chopper}
