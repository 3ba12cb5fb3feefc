"""Street signs on poles: octagons, triangles, discs, squares, arrows, diamonds, sometimes two on one pole."""

import numpy as np

from scenes.shapes import Drawing, Point, Shape, curve, ellipse, inside, limb, mix, moved, polygon, rectangle, shade
from scenes.things.anatomy import centred, line_of, pick

VARIANTS = (
    "stop", "warning", "diamond", "speed limit", "prohibition", "no entry", "direction", "parking", "crossing",
    "one way", "give way", "priority", "fingerpost",
)  # fmt: skip
PLATES = ("none", "none", "none", "bar", "arrow", "second")
POLES = ("grey", "striped", "dark", "wooden", "white")
METALS = {"grey": "#a3a9b0", "striped": "#f4f1ea", "dark": "#4b4f58", "wooden": "#a8774a", "white": "#e9e7e1"}
COLOURS = {
    "red": "#cf2e32", "orange": "#e8812a", "yellow": "#f5c932", "green": "#3b8f4e", "teal": "#2a8e90",
    "blue": "#2b66b8", "purple": "#7650a6", "brown": "#8a5a36", "black": "#33343c",
}  # fmt: skip
USUAL = {
    "stop": "red", "warning": "red", "diamond": "yellow", "speed limit": "red", "prohibition": "red",
    "no entry": "red", "direction": "blue", "parking": "blue", "crossing": "blue", "one way": "blue",
    "give way": "red", "priority": "yellow", "fingerpost": "green",
}  # fmt: skip
PICTOGRAMS = ("exclamation", "curve", "bumps", "junction", "walker")
LIMITS = ("20", "30", "40", "50", "60", "70", "80", "90")
# A stroke font on a box one unit high: each glyph a list of (points, tension).
GLYPHS = {
    "S": [([(0.5, 0.14), (0.28, 0), (0.05, 0.22), (0.28, 0.48), (0.53, 0.76), (0.28, 1), (0.02, 0.86)], 1)],
    "T": [([(0, 0), (0.56, 0)], 0), ([(0.28, 0), (0.28, 1)], 0)],
    "O": [([(0.28, 0), (0.05, 0.28), (0.05, 0.72), (0.28, 1), (0.51, 0.72), (0.51, 0.28), (0.28, 0)], 1)],
    "P": [([(0.06, 1), (0.06, 0), (0.3, 0)], 0),
        ([(0.3, 0), (0.54, 0.14), (0.54, 0.4), (0.3, 0.54), (0.06, 0.54)], 0.7)],
    "2": [([(0.04, 0.22), (0.27, 0), (0.5, 0.24), (0.36, 0.56), (0.04, 1)], 1), ([(0.04, 1), (0.54, 1)], 0)],
    "3": [([(0.06, 0.12), (0.3, 0), (0.5, 0.22), (0.24, 0.47), (0.53, 0.73), (0.28, 1), (0.03, 0.86)], 1)],
    "4": [([(0.42, 1), (0.42, 0), (0.02, 0.7), (0.58, 0.7)], 0)],
    "5": [([(0.5, 0), (0.1, 0), (0.07, 0.45)], 0),
        ([(0.07, 0.45), (0.3, 0.36), (0.53, 0.66), (0.3, 1), (0.03, 0.88)], 1)],
    "6": [([(0.46, 0.04), (0.14, 0.32), (0.04, 0.7), (0.28, 1), (0.52, 0.7), (0.28, 0.42), (0.06, 0.66)], 1)],
    "7": [([(0.03, 0), (0.53, 0), (0.2, 1)], 0)],
    "8": [([(0.28, 0.46), (0.08, 0.24), (0.28, 0), (0.48, 0.24), (0.28, 0.46), (0.04, 0.74), (0.28, 1), (0.52, 0.74),
        (0.28, 0.46)], 1)],
    "9": [([(0.1, 0.96), (0.42, 0.68), (0.52, 0.3), (0.28, 0), (0.04, 0.3), (0.28, 0.58), (0.5, 0.34)], 1)],
}  # fmt: skip
GLYPHS["0"] = GLYPHS["O"]


def sample(rng: np.random.Generator) -> dict:
    """A sign's look: kind, colour, what it shows, pole, a plate or second sign below."""
    variant = pick(rng, VARIANTS)
    colour = USUAL[variant] if rng.random() < 0.72 else pick(rng, tuple(COLOURS))
    return {
        "variant": variant,
        "colour": colour,
        "tone": float(rng.uniform(-0.15, 0.2)),
        "pictogram": pick(rng, PICTOGRAMS),
        "limit": pick(rng, LIMITS),
        "arrow": pick(rng, ("up", "right", "left", "turn")),
        "pole": pick(rng, POLES, (5, 2, 2, 2, 1)),
        "pole_width": float(rng.uniform(4.2, 6.2)),
        "base": pick(rng, ("none", "plate", "block")),
        "plate": pick(rng, PLATES),
        "second": pick(rng, ("direction", "prohibition", "parking", "warning", "no entry", "speed limit")),
        "size": float(rng.uniform(0.9, 1.16)),
        "height": float(rng.uniform(0.92, 1.04)),
        "tilt": float(rng.normal(0, 2.2)),
        "cream": float(rng.uniform(0, 1)),
        "bolts": bool(rng.random() < 0.6),
    }


def draw(look: dict) -> Drawing:
    """The sign in its own frame, its top about 100 units above the ground."""
    face = _Face(look)
    half, two = 23.0 * look["size"], look["plate"] == "second"
    if two:
        half *= 0.84
    y = -100 * look["height"] + half
    signs = face.sign(look["variant"], (0, y), half)
    if two:
        signs += _Face(look | {"colour": USUAL[look["second"]]}).sign(look["second"], (0, y + half * 1.86), half * 0.78)
    elif look["plate"] != "none" and look["variant"] != "fingerpost":
        signs += face.plate(look["plate"], y + half + 6.5, half)
    tilt = look["tilt"]
    return centred(
        _pole(look, y - half * (1.04 if look["variant"] == "fingerpost" else 0.6))
        + [moved(shape, angle=tilt, about=(0, y)) for shape in signs]
    )


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    kind, colour = look["variant"], look["colour"]
    article = "an" if colour[0] in "aeiou" else "a"
    words = {
        "warning": f"warning triangle ({look['pictogram']})",
        "diamond": f"warning diamond ({look['pictogram']})",
        "speed limit": f"speed limit of {look['limit']}",
        "stop": "stop octagon",
        "prohibition": "disc that bans turning",
        "no entry": "no-entry disc",
        "direction": "disc with an arrow",
        "parking": "parking square",
        "crossing": "square for a pedestrian crossing",
        "one way": "one-way arrow",
        "give way": "give-way triangle",
        "priority": "priority diamond",
        "fingerpost": "pointing board",
    }[kind]
    more = " and a second sign" if look["plate"] == "second" else ""
    return f"a street sign with {article} {colour} {words}{more}, on a {look['pole']} pole"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the sign."""
    signs = "two" if look["plate"] == "second" else "one"
    return {"kind": look["variant"], "colour": look["colour"], "pole": look["pole"], "signs": signs}


def _pole(look: dict, top: float) -> list[Shape]:
    fill, w = METALS[look["pole"]], look["pole_width"] / 2
    line = line_of(fill)
    post = rectangle(-w, top, w, -0.7, 1.2, fill=fill, stroke=line, width=1.4)
    shapes = [post]
    if look["pole"] == "striped":
        band = shade(COLOURS["red" if look["cream"] < 0.4 else "black" if look["cream"] < 0.7 else "blue"], 0.05)
        marks = [rectangle(-w, y, w, y + 8, fill=band) for y in np.arange(-9, top, -16.0)]
        shapes += inside(post, *marks)
    elif look["pole"] == "wooden":
        shapes += inside(
            post,
            *[curve([(d, top), (-d, -38), (d, 0)], stroke=shade(fill, -0.2), width=0.8) for d in (-w * 0.4, w * 0.5)],
        )
    shapes += inside(post, rectangle(w * 0.35, top, w, 0, fill="#1b1430", opacity=0.2))
    shapes += inside(post, rectangle(-w * 0.7, top, -w * 0.25, 0, fill="#ffffff", opacity=0.4))
    if look["base"] == "plate":
        shapes.append(rectangle(-w * 2.6, -3.6, w * 2.6, -0.7, 1.4, fill=shade(fill, -0.15), stroke=line, width=1.4))
    elif look["base"] == "block":
        stone = mix(fill, "#9c968c", 0.75)
        block = [(-w * 2.1, -9), (w * 2.1, -9), (w * 2.8, -0.7), (-w * 2.8, -0.7)]
        shapes.append(polygon(block, fill=stone, stroke=line_of(stone), width=1.4))
        shapes.append(
            polygon(
                [(-w * 2.1, -9), (w * 2.1, -9), (w * 2.25, -6.8), (-w * 2.25, -6.8)],
                fill=shade(stone, 0.3),
                silhouette=False,
            )
        )
    return shapes


class _Face:
    """The colours of a sign and how it is put together: a board with a coloured field and what it shows."""

    def __init__(self, look: dict):
        self.look = look
        self.main = shade(COLOURS[look["colour"]], look["tone"])
        self.white = mix("#fdfbf6", "#f6e6b4", look["cream"] * 0.5)
        self.ink = "#2b2a33"

    @property
    def on_main(self) -> str:
        return self.ink if self.look["colour"] in ("yellow", "orange") else self.white

    def sign(self, kind: str, at: Point, r: float) -> list[Shape]:
        """A sign of half height r around a point."""
        outline, field, show = getattr(self, "_" + kind.replace(" ", "_"))()
        board = self._outlined(outline(1.0), field[0])
        shapes = [self._outlined(outline(1.0), shade(field[0], -0.38), dx=0.05), board]
        shapes += [outline(1 - 0.09 * i, fill=c) for i, c in enumerate(field) if i]
        shapes += show
        marks = inside(
            board,
            *shapes[2:],
            polygon([(-1.2, 0.35), (0.2, -1.3), (0.62, -1.3), (-1.2, 0.9)], fill="#ffffff", opacity=0.16),
        )
        return [moved(s, *at, scale=r) for s in shapes[:2] + marks]

    def _outlined(self, shape: Shape, fill: str, dx: float = 0.0) -> Shape:
        return moved(Shape(shape.segments, fill=fill, stroke=line_of(fill) if not dx else fill, width=0.065), dx)

    def plate(self, kind: str, y: float, half: float) -> list[Shape]:
        """A small board below the sign."""
        board = rectangle(
            -half * 0.72, y - 5, half * 0.72, y + 5, 1.2, fill=self.white, stroke=line_of(self.white), width=1.4
        )
        if kind == "arrow":
            marks = [moved(s, 0, y, scale=9) for s in self._arrow("right", self.ink)]
        else:
            marks = [
                rectangle(-half * 0.5, y + d, half * e, y + d + 1.7, 0.8, fill=self.ink)
                for d, e in ((-2.9, 0.5), (1.2, 0.2))
            ]
        return [board, *inside(board, *marks)]

    # --- kinds: (outline of a size, colours from the rim inwards, what is shown), half height 1 around (0, 0)

    def _ngon(self, angles, radius: float = 1.0, rounded: float = 0.0, lift: float = 0.0):
        def outline(size: float, **ink) -> Shape:
            a = np.radians(angles)
            p = np.stack([np.cos(a), np.sin(a)], axis=1) * radius * size + (0, lift)
            if rounded:
                p = np.vstack(
                    [
                        corner + (np.roll(p, k, 0)[i] - corner) * rounded / size**0.3
                        for i, corner in enumerate(p)
                        for k in (1, -1)
                    ]
                )
            return polygon(p, **ink)

        return outline

    def _disc(self, size: float, **ink) -> Shape:
        return ellipse((0, 0), size, size, **ink)

    def _square(self, size: float, **ink) -> Shape:
        return rectangle(-0.9 * size, -0.9 * size, 0.9 * size, 0.9 * size, 0.16, **ink)

    def _stop(self):
        outline = self._ngon(np.arange(22.5, 360, 45), 1.06)
        return outline, [self.white, self.main], self._text("STOP", 0.47, 0.115, self.on_main)

    def _warning(self):
        up = self._ngon([-90, 30, 150], 1.3, 0.09, 0.28)
        field = self.white if self.look["cream"] < 0.6 else "#f6cf45"
        return up, [self.main, self.main, self.main, field], self._pictogram(0.62, (0, 0.34))

    def _give_way(self):
        return self._ngon([90, 210, 330], 1.3, 0.09, -0.28), [self.main] * 3 + [self.white], []

    def _diamond(self):
        return (
            self._ngon([0, 90, 180, 270], 1.16, 0.06),
            [self.main, self.ink, self.main],
            self._pictogram(0.7, (0, 0), self.on_main),
        )

    def _priority(self):
        field = [self.white, self.white, self.white, self.main]
        return self._ngon([0, 90, 180, 270], 1.16, 0.06), field, []

    def _speed_limit(self):
        return (
            self._disc,
            [self.main, self.main, self.main, self.white],
            self._text(self.look["limit"], 0.8, 0.15, self.ink),
        )

    def _prohibition(self):
        turn = self._arrow("turn", self.ink)
        bar = curve([(-0.58, -0.58), (0.58, 0.58)], stroke=self.main, width=0.18)
        return self._disc, [self.main, self.main, self.main, self.white], [*turn, bar]

    def _no_entry(self):
        bar = rectangle(-0.66, -0.19, 0.66, 0.19, 0.06, fill=self.white)
        return self._disc, [self.white, self.main], [bar]

    def _direction(self):
        return self._disc, [self.white, self.main], self._arrow(self.look["arrow"], self.on_main)

    def _parking(self):
        return self._square, [self.white, self.main], self._text("P", 1.15, 0.24, self.on_main)

    def _crossing(self):
        up = [(0, -0.68), (0.7, 0.6), (-0.7, 0.6)]
        stripes = [
            polygon([(x, 0.6), (x + 0.14, 0.6), (x * 0.8 + 0.1, 0.34), (x * 0.8, 0.34)], fill=self.ink)
            for x in (-0.5, -0.2, 0.1, 0.4)
        ]
        walker = [moved(s, 0, 0.06, scale=0.42) for s in self._walker(self.ink)]
        return self._square, [self.white, self.main], [polygon(up, fill=self.white), *stripes, *walker]

    def _one_way(self):
        def outline(size: float, **ink) -> Shape:
            e = 1 - size
            return rectangle(-1.35 + e, -0.62 + e, 1.35 - e, 0.62 - e, 0.1, **ink)

        side = -1 if self.look["arrow"] == "left" else 1
        points = [(-0.95, -0.15), (0.25, -0.15), (0.25, -0.4), (1.02, 0), (0.25, 0.4), (0.25, 0.15), (-0.95, 0.15)]
        return outline, [self.white, self.main], [polygon([(x * side, y) for x, y in points], fill=self.on_main)]

    def _fingerpost(self):
        side = -1 if self.look["arrow"] == "left" else 1

        def outline(size: float, **ink) -> Shape:
            e = (1 - size) * 0.9
            return polygon(
                [
                    (side * x, y)
                    for x, y in (
                        (-1.1 + e, -0.5 + e),
                        (0.95 - e * 0.4, -0.5 + e),
                        (1.5 - e * 1.3, 0),
                        (0.95 - e * 0.4, 0.5 - e),
                        (-1.1 + e, 0.5 - e),
                    )
                ],
                **ink,
            )

        lines = [
            curve([(side * -0.75, y), (side * x, y)], stroke=self.on_main, width=0.14)
            for y, x in ((-0.16, 0.85), (0.17, 0.35))
        ]
        return outline, [self.white, self.main], lines

    # --- what signs show

    def _text(self, text: str, height: float, width: float, colour: str) -> list[Shape]:
        step = height * 0.56 + width * 1.45
        start = -(len(text) - 1) / 2 * step - height * 0.28
        return [
            curve(
                [(start + i * step + x * height, (y - 0.5) * height) for x, y in points],
                tension,
                stroke=colour,
                width=width,
            )
            for i, glyph in enumerate(text)
            for points, tension in GLYPHS[glyph]
        ]

    def _arrow(self, way: str, colour: str) -> list[Shape]:
        if way == "turn":
            tail = curve([(-0.3, 0.58), (-0.3, 0.05), (-0.14, -0.16), (0.22, -0.18)], 0.8, stroke=colour, width=0.24)
            return [tail, polygon([(0.16, -0.52), (0.62, -0.18), (0.16, 0.16)], fill=colour)]
        shapes = [
            curve([(0, 0.58), (0, -0.1)], stroke=colour, width=0.26),
            polygon([(-0.42, -0.06), (0, -0.66), (0.42, -0.06)], fill=colour),
        ]
        return [moved(s, angle={"up": 0, "right": 90, "left": -90}[way]) for s in shapes]

    def _walker(self, colour: str) -> list[Shape]:
        lines = [
            [(0.02, -0.5), (0, 0.1)],
            [(0, 0.1), (0.24, 0.46), (0.34, 0.9)],
            [(0, 0.1), (-0.1, 0.5), (-0.38, 0.88)],
            [(0.02, -0.44), (0.3, -0.12), (0.44, 0.06)],
            [(0.02, -0.44), (-0.26, -0.16), (-0.36, 0.12)],
        ]
        return [ellipse((0.06, -0.84), 0.2, 0.2, fill=colour)] + [
            curve(p, 0.4, stroke=colour, width=0.2) for p in lines
        ]

    def _pictogram(self, size: float, at: Point, colour: str | None = None) -> list[Shape]:
        ink, name = colour or self.ink, self.look["pictogram"]
        if name == "exclamation":
            shapes = [limb([(0, -0.75), (0, 0.22)], [0.34, 0.2], fill=ink), ellipse((0, 0.66), 0.18, 0.18, fill=ink)]
        elif name == "curve":
            shapes = [
                curve([(-0.2, 0.8), (-0.2, 0.35), (0.2, 0.0), (0.2, -0.35)], 0.9, stroke=ink, width=0.24),
                polygon([(-0.14, -0.3), (0.2, -0.85), (0.54, -0.3)], fill=ink),
            ]
        elif name == "bumps":
            shapes = [polygon([(-0.9, 0.55), (0.9, 0.55), (0.9, 0.4), (-0.9, 0.4)], fill=ink)]
            shapes += [ellipse((x, 0.42), 0.36, 0.42, fill=ink) for x in (-0.42, 0.42)]
        elif name == "junction":
            shapes = [
                curve([(0, 0.8), (0, -0.75)], stroke=ink, width=0.3),
                curve([(-0.5, 0.08), (0.5, 0.08)], stroke=ink, width=0.2),
            ]
        else:
            shapes = [moved(s, scale=0.86) for s in self._walker(ink)]
        return [moved(s, *at, scale=size) for s in shapes]
