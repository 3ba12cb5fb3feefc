"""Cars: nine bodies seen from the side, six of them also from the front and from behind."""

# A panel reads as rows of corners, not one corner per line.
# fmt: off

import numpy as np

from scenes.shapes import Drawing, Shape, blob, ellipse, inside, mix, polygon, rectangle, shade
from scenes.things.anatomy import centred, pick, stroke
from scenes.things.machines import LINE, outline_of, paint_colour, panel, wheel

VARIANTS = ("hatchback", "sedan", "estate", "van", "pick-up", "sports", "classic", "SUV", "convertible")
POSES = ("side", "front", "rear")
FINISHES = ("plain", "two-tone", "roof", "stripe", "checks", "racing", "wood")
ROOFS = ("none", "rack", "luggage", "surfboard", "taxi sign", "light bar", "canoe")
LOADS = ("none", "hay", "crates", "pumpkins")
WHEELS = ("spokes", "disc", "cap", "whitewall")
BARE = ("sports", "convertible")  # nothing goes on these roofs

# Corners are (x, y, cut): the body clockwise from the rear bumper; then the panes; wheels at x, x, radius; belt line y.
BODIES = {
    "hatchback": (
        [(-62, -9, 4), (-64.5, -22, 4), (-62, -37, 6), (-50, -59, 11), (6, -61, 22), (31, -39, 12), (58, -33, 12),
         (65, -20, 6), (63.5, -9, 4)],
        [[(-53.5, -38, 3), (-44.5, -54.5, 4), (-18, -56, 1.5), (-17, -38, 1.5)],
         [(-13, -38, 1.5), (-13.5, -56, 1.5), (2, -56, 6), (23.5, -38, 3)]], (-40, 40, 13.5), -36),
    "sedan": (
        [(-73, -9, 4), (-76, -22, 4), (-74, -38, 6), (-46, -41, 12), (-27, -59, 14), (10, -59, 20), (34, -39, 12),
         (68, -34, 12), (75.5, -20, 6), (74, -9, 4)],
        [[(-39, -39.5, 3), (-23.5, -54, 6), (-5, -54, 1.5), (-5, -39.5, 1.5)],
         [(-1, -39.5, 1.5), (-1, -54, 1.5), (8, -54, 6), (25.5, -39.5, 3)]], (-47, 47, 13.2), -37),
    "estate": (
        [(-73, -9, 4), (-75.5, -22, 4), (-74, -38, 5), (-63, -59, 9), (8, -60, 22), (34, -39, 12), (68, -34, 12),
         (75.5, -20, 6), (74, -9, 4)],
        [[(-67, -39, 3), (-59, -55, 3), (-38, -55, 1.5), (-38, -39, 1.5)],
         [(-34, -39, 1.5), (-34, -55, 1.5), (-7, -55, 1.5), (-7, -39, 1.5)],
         [(-3, -39, 1.5), (-3, -55, 1.5), (6, -55, 6), (25.5, -39, 3)]], (-47, 47, 13.2), -37),
    "van": (
        [(-65, -9, 5), (-68, -34, 5), (-64, -73, 17), (40, -74, 32), (59, -43, 14), (66, -34, 12), (67, -9, 6)],
        [[(-60.5, -44, 4), (-57.5, -65, 5), (-37, -65, 3), (-37, -44, 3)],
         [(-32, -44, 3), (-32, -65, 3), (-10, -65, 3), (-10, -44, 3)],
         [(-5, -44, 3), (-5, -65, 3), (17, -65, 3), (17, -44, 3)],
         [(22, -44, 3), (22, -65, 3), (38, -65, 9), (52, -44, 5)]], (-41, 40, 13.2), -38),
    "pick-up": (
        [(-77, -12, 3), (-79, -26, 3), (-78.5, -38, 2), (-21, -38, 4), (-19, -62, 7), (13, -62.5, 18), (32, -40, 11),
         (66, -36, 12), (76, -22, 6), (75, -11, 4)],
        [[(-14, -40, 2), (-13.5, -57.5, 3), (11, -57.5, 7), (25.5, -40, 4)]], (-48, 47, 15), -37),
    "sports": (
        [(-71, -8, 4), (-75, -22, 4), (-71, -34, 5), (-44, -38, 14), (-18, -47.5, 18), (4, -47.5, 20), (34, -31, 16),
         (64, -25, 18), (77, -13, 5), (74, -7, 3)],
        [[(-33, -35.5, 4), (-16, -43.5, 6), (-5, -43.8, 1.5), (-5, -34.5, 1.5)],
         [(-1.5, -34.5, 1.5), (-1.5, -43.8, 1.5), (3, -43.5, 5), (22, -33, 4)]], (-46, 47, 13.4), -31),
    "classic": (
        [(-58, -10, 5), (-63, -22, 10), (-52, -44, 26), (-26, -62, 24), (10, -62, 20), (28, -40, 12), (50, -38, 18),
         (64, -24, 12), (64, -10, 5)],
        [[(-42, -40, 5), (-31, -54.5, 9), (-12, -56, 2), (-12, -40, 2)],
         [(-8, -40, 2), (-8, -56, 2), (6, -55, 7), (18.5, -40, 4)]], (-40, 42, 13.2), -37),
    "SUV": (
        [(-67, -14, 4), (-70, -28, 3), (-69, -44, 5), (-62, -68, 9), (14, -69, 16), (32, -47, 9), (64, -45, 10),
         (71.5, -32, 6), (70, -14, 4)],
        [[(-63.5, -46, 3), (-57.5, -63.5, 4), (-40, -63.5, 2), (-40, -46, 2)],
         [(-36, -46, 2), (-36, -63.5, 2), (-12, -63.5, 2), (-12, -46, 2)],
         [(-8, -46, 2), (-8, -63.5, 2), (11, -63.5, 6), (24, -46, 3)]], (-43, 44, 16), -43),
    "convertible": (
        [(-72, -9, 4), (-75, -22, 4), (-73, -37, 7), (-38, -40, 6), (22, -38, 6), (66, -34, 14), (74.5, -20, 6),
         (73, -9, 4)],
        [], (-46, 46, 13.4), -33),
}
# Seen from the front or from behind: half width at the belt, half width of the roof, belt, roof, sill.
FACES = {
    "hatchback": (37, 26, -36, -60, -10), "sedan": (39, 26, -35, -57, -10), "van": (37, 31, -42, -74, -10),
    "sports": (41, 25, -27, -46, -8), "classic": (35, 23, -36, -62, -11), "SUV": (41, 32, -43, -69, -15),
}


def sample(rng: np.random.Generator) -> dict:
    """A car's look: body, view, paint as #rrggbb, finish, what is on the roof, wheels, factors near 1."""
    variant = pick(rng, VARIANTS)
    pose = pick(rng, POSES, (0.76, 0.14, 0.10)) if variant in FACES else "side"
    name, base = paint_colour(rng)
    second_name, second = paint_colour(rng, ("white", "cream", "black", "red", "light blue", "yellow", "mint",
        "silver"))
    while second_name == name:
        second_name, second = paint_colour(rng, ("white", "black", "red", "yellow"))
    weights = {"van": (3, 5, 2, 2, 0.3, 0, 1), "estate": (4, 1, 2, 1, 0.3, 0, 4), "sports": (4, 1, 1, 2, 1, 4, 0)}
    finish = pick(rng, FINISHES, weights.get(variant, (5, 2, 2, 2, 0.6, 0.8, 0.4)))
    roof = pick(rng, ROOFS, (6, 1.2, 1.5, 1, 1, 0.8, 0.7))
    if variant in BARE or (variant == "pick-up" and roof in ("luggage", "surfboard", "canoe")):
        roof = "none"
    if variant == "convertible" and finish == "roof":
        finish = "stripe"
    return {
        "variant": variant,
        "pose": pose,
        "colour": name,
        "base": base,
        "second_colour": second_name,
        "second": second,
        "finish": finish,
        "roof": roof,
        "cargo": pick(rng, ("#b4652e", "#7d4b2a", "#2f7a78", "#c23b3f", "#e0a526", "#4a5fa5")),
        "load": pick(rng, LOADS) if variant == "pick-up" else "none",
        "wheels": pick(rng, WHEELS, (2, 2, 2, 6) if variant in ("classic", "van") else (5, 3, 3, 0.8)),
        "metal": pick(rng, ("#c9ced6", "#e4e6ea", "#8d929c", "#d8c27a"), (4, 3, 2, 0.6)),
        "turn": float(rng.uniform(0, 1.25)),
        "glass": pick(rng, ("#a9d4e6", "#bfe3ea", "#7fa9c4", "#4d5b70", "#cfe6dc")),
        "chrome": bool(rng.random() < 0.4),
        "lit": bool(rng.random() < 0.4),
        "spare": bool(rng.random() < 0.5),
        "aerial": bool(rng.random() < 0.3),
        "length": float(rng.uniform(0.93, 1.07)),
        "height": float(rng.uniform(0.95, 1.06)),
    }


def draw(look: dict) -> Drawing:
    """The car in its own frame, about 60 units high and 120 to 160 long from the side."""
    parts = _side(look) if look["pose"] == "side" else _end(look)
    return centred(parts)


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    noun = "car with a van body" if look["variant"] == "van" else f"{look['variant']} car"
    colour = look["colour"]
    if look["finish"] == "two-tone":
        colour = f"{colour} and {look['second_colour']}"
    words = f"{colour} {noun}"
    if look["roof"] != "none":
        words += {"rack": " with a roof rack", "luggage": " with luggage on the roof",
            "surfboard": " with a surfboard on the roof", "taxi sign": " with a taxi sign",
            "light bar": " with a blue light", "canoe": " with a canoe on the roof"}[look["roof"]]
    elif look["load"] != "none":
        words += f" loaded with {look['load']}"
    view = {"side": "from the side", "front": "from the front", "rear": "from behind"}[look["pose"]]
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}, seen {view}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the car."""
    keys = {"body": "variant", "colour": "colour", "finish": "finish", "view": "pose", "on the roof": "roof"}
    return {name: look[key] for name, key in keys.items()}



# --- from the side


def _side(look: dict) -> list[Shape]:
    kind, base, second = look["variant"], look["base"], look["second"]
    corners, panes, (rear, front, radius), belt = BODIES[kind]
    sx, sy, line = look["length"], look["height"], outline_of(look["base"])
    rear, front, belt = rear * sx, front * sx, belt * sy

    def cut(points, **ink):
        return panel([(x * sx, y * sy, c) for x, y, c in points], **ink)

    body = cut(corners, fill=base, stroke=line, width=LINE)
    x1, top, x2, sill = (*body.points().min(0), *body.points().max(0))
    parts = _load(look, x1, belt) + _on_roof(look, x1, x2, top)
    if look["aerial"] and kind not in BARE:
        foot = min(x * sx for x, y, _ in corners if y * sy < top + 5) + 9
        parts.append(stroke([(foot, top + 3), (foot - 9, top - 10)], "#3a3a44", 0.9))
    if kind == "SUV" and look["spare"]:
        parts.append(rectangle(x1 - 6, -46, x1 + 3, -23, 4, fill="#34343c", stroke="#1d1c23", width=1.2))
    if kind == "convertible":
        parts += _open_top(look, sx, belt)
    if kind == "sports" and look["finish"] in ("racing", "stripe", "plain"):
        wing = [(x1 - 1, -44, 1.5), (x1 + 15, -46, 1.5), (x1 + 15, -42.5, 1.5), (x1 + 10, -32, 1), (x1 + 6, -32, 1),
            (x1 + 8, -41, 1), (x1 - 1, -40, 1)]
        parts.append(panel(wing, fill=shade(base, -0.18), stroke=line, width=1.2))
    parts.append(rectangle(rear, sill - 6, front, sill + 3, 2, fill="#2b2a33", stroke="#1d1c23", width=1))
    parts.append(body)
    coat = _finish(look, x1, x2, top, belt, sill)
    coat.append(rectangle(x1 - 2, sill - 7, x2 + 2, sill + 2, fill=shade(second if look["finish"] == "two-tone" else
        base, -0.22)))
    coat.append(polygon([(x1, belt + 5.5), (x2 - 6, belt + 6.5), (x2 - 4, belt + 8.5), (x1, belt + 7.5)],
        fill="#ffffff", opacity=0.4))
    coat.append(blob([(x1 + 20, top - 6), (x2 - 50, top - 6), (x2 - 56, top + 2.4), (0, top + 2), (x1 + 22, top + 3)],
        fill="#ffffff", opacity=0.35))
    coat += [ellipse((x, -radius - 0.5), radius + 3, radius + 3, fill="#24232b") for x in (rear, front)]
    parts += inside(body, *coat)
    if kind == "classic":
        for x, flip in ((rear, 1), (front, -1)):
            fender = [(x - 21, -9, 3), (x - 19, -27, 10), (x - 7, -35, 12), (x + 10, -34, 12), (x + 20, -24, 10),
                (x + 22, -9, 3)]
            fill = second if look["finish"] == "two-tone" else shade(base, -0.08)
            wing = panel(fender, fill=fill, stroke=line, width=LINE)
            parts += [wing, *inside(wing, ellipse((x, -radius), radius + 2.4, radius + 2.4, fill="#24232b"),
                ellipse((x - 2, -32), 9, 1.6, -4 * flip, fill="#ffffff", opacity=0.45))]
    for index, pane in enumerate(panes):
        parts += _glass(cut(pane, fill=look["glass"], stroke=line, width=1.2, silhouette=False), index, belt)
    parts += _doors(look, body, panes, sx, belt, sill, line)
    parts += _side_lamps(look, x1, x2, belt, sill, line)
    for x in (rear, front):
        parts += wheel((x, -radius), radius, look["wheels"], look["metal"], look["turn"])
    return parts


def _finish(look: dict, x1: float, x2: float, top: float, belt: float, sill: float) -> list[Shape]:
    second, kind = look["second"], look["finish"]
    if kind == "two-tone":
        return [rectangle(x1 - 3, belt + 9, x2 + 3, 0, fill=second)]
    if kind == "roof":
        return [rectangle(x1 - 3, top - 5, x2 + 3, belt - 2.5, fill=second)]
    if kind == "stripe":
        return [rectangle(x1 - 3, belt + 12, x2 + 3, belt + 16, fill=second)]
    if kind == "checks":
        y, size = belt + 10, 3.6
        there, back = [], []
        for i, x in enumerate(np.arange(x1, x2, size)):  # squares that meet at their corners: one outline goes round all
            (there if i % 2 == 0 else back).append([(x, y + size), (x, y + size * (i % 2 * 2)),
                (x + size, y + size * (i % 2 * 2)), (x + size, y + size)])
        outline = [p for square in there for p in square] + [p for square in back[::-1] for p in square[::-1]]
        return [rectangle(x1 - 3, y, x2 + 3, y + 2 * size, fill="#f4efe2"), polygon(outline, fill="#2a2932")]
    if kind == "racing":
        slant = [polygon([(x, sill), (x + 5, sill), (x + 17, top - 4), (x + 12, top - 4)], fill=second)
            for x in (x1 + 24, x1 + 32)]
        return [*slant, ellipse((2, belt + 12), 8.5, 8.5, fill="#fbf8ef", stroke="#2a2932", width=1.2)]
    if kind == "wood":
        wood = rectangle(x1 + 6, belt + 7.5, x2 - 30, sill - 7, 3, fill="#a9713f", stroke="#e0b878", width=2)
        grain = [rectangle(x1 + 9, y, x2 - 33, y + 0.9, fill="#8a5830") for y in (belt + 11.5, belt + 15)]
        return [wood, *grain]
    return []


def _glass(pane: Shape, index: int, belt: float) -> list[Shape]:
    (x1, y1), (x2, y2) = pane.points().min(0), pane.points().max(0)
    w, middle = x2 - x1, (x1 + x2) / 2 - 1
    seat = [ellipse((middle - w * 0.1, y2 - 6), 3.2, 4.2, fill="#2d3240", opacity=0.55),
        rectangle(middle - w * 0.1 - 5, y2 - 4, middle - w * 0.1 + 4, y2 + 6, 3, fill="#2d3240", opacity=0.55)]
    glint = polygon([(x1 + w * 0.45, y1 - 1), (x1 + w * 0.68, y1 - 1), (x1 + w * 0.4, y2 + 1), (x1 + w * 0.17, y2 + 1)],
        fill="#ffffff", opacity=0.5)
    return [pane, *inside(pane, *seat, glint)]


def _doors(look: dict, body: Shape, panes: list, sx: float, belt: float, sill: float, line: str) -> list[Shape]:
    ends = [pane[0][0] * sx - 2 for pane in panes] + [panes[-1][-1][0] * sx + 2] if panes else [-20 * sx, 18 * sx]
    if look["variant"] in ("hatchback", "classic", "sports"):
        ends = ends[1:]
    if look["variant"] == "van":
        ends = ends[1:2] + ends[3:]
    parts = [stroke([(x, belt + 1), (x, sill - 8)], line, 1.1) for x in ends if -58 < x < 60]
    metal = "#f1f2f4" if look["chrome"] else shade(look["base"], -0.5)
    for x in ends[:-1]:
        parts.append(rectangle(x + 3, belt + 8.5, x + 9, belt + 10.5, 1, fill=metal, silhouette=False))
    mirror = ends[-1] - 2.5
    rear = shade(look["base"], -0.12)
    parts.append(rectangle(mirror - 4, belt - 6.5, mirror + 1.5, belt - 1.5, 2, fill=rear, stroke=line, width=1.1))
    if look["chrome"]:
        parts += inside(body, stroke([(-90, belt + 4), (90, belt + 4.6)], "#eceef2", 1.1))
    return parts


def _side_lamps(look: dict, x1: float, x2: float, belt: float, sill: float, line: str) -> list[Shape]:
    glow = "#fff3b0" if look["lit"] else "#eef4f6"
    y, kind = belt + 11, look["variant"]
    trim = "#dfe2e8" if look["chrome"] else "#3b3b45"
    parts = [panel([(x, sill - 7, 2), (x + 11, sill - 7, 2), (x + 11, sill - 1.5, 2), (x, sill - 1.5, 2)], fill=trim,
        stroke=outline_of(trim), width=1) for x in (x1 - 2.2, x2 - 8.8)]
    if kind in ("classic", "van", "SUV"):
        at = {"classic": (x2 - 9, belt + 10), "van": (x2 - 3.5, belt + 11), "SUV": (x2 - 3, belt + 9)}[kind]
        parts.append(ellipse(at, 4.2, 6, fill=glow, stroke=line, width=1.3))
    elif kind == "sports":
        parts.append(panel([(x2 - 20, y - 3, 1), (x2 - 8, y - 0.5, 3), (x2 - 5, y + 3, 2), (x2 - 15, y + 2.5, 3)],
            fill=glow,
            stroke=line, width=1.1, silhouette=False))
    else:
        parts.append(panel([(x2 - 10, y - 5, 2), (x2 - 3, y - 4.5, 3), (x2 - 0.5, y + 3, 2), (x2 - 8, y + 3, 3)],
            fill=glow, stroke=line, width=1.1))
    high = {"van": 9, "SUV": 8}.get(kind, 5.5)
    parts.append(rectangle(x1 - 0.3, belt + 4, x1 + 4.5, belt + 4 + high, 1.6, fill="#e0433c", stroke="#8f2228",
        width=1))
    return parts


def _open_top(look: dict, sx: float, belt: float) -> list[Shape]:
    line, seat = outline_of(look["second"]), look["second"]
    parts = []
    for x in (-20 * sx, 2 * sx):
        back = [(x - 7, belt + 4, 2), (x - 9, -50, 4), (x - 3, -50, 4), (x + 3, belt + 4, 2)]
        parts.append(panel(back, fill=seat, stroke=line, width=1.2))
    screen = [(17 * sx, -58, 2), (20 * sx, -58, 2), (33 * sx, belt + 3, 2), (21 * sx, belt + 3, 2)]
    parts.append(panel(screen, fill=look["glass"], stroke=outline_of(look["base"]), width=1.6))
    parts.append(stroke([(8 * sx, -44), (13 * sx, belt)], "#2b2a33", 2.0))
    hood = [(-54 * sx, belt + 4, 3), (-54 * sx, -45, 5), (-33 * sx, -45, 4), (-30 * sx, belt + 4, 3)]
    parts.append(panel(hood, fill=shade(look["cargo"], -0.25), stroke=outline_of(look["cargo"]), width=1.2))
    return parts


# --- what cars carry


def _on_roof(look: dict, x1: float, x2: float, top: float) -> list[Shape]:
    kind, cargo = look["roof"], look["cargo"]
    if kind == "none":
        return []
    left, right = {"van": (-48, 28), "pick-up": (-16, 14), "estate": (-50, 10), "SUV": (-50, 12)}.get(
        look["variant"], (-26, 8))
    if look["pose"] != "side":
        left, right = -20, 20
    middle, line = (left + right) / 2, outline_of(cargo)
    if kind == "taxi sign":
        return [rectangle(middle - 8, top - 7.5, middle + 8, top + 3, 2.5, fill="#ffd84d", stroke="#8a6a1c", width=1.2),
            rectangle(middle - 4.5, top - 5, middle + 4.5, top - 2.5, 0.8, fill="#37342f", silhouette=False)]
    if kind == "light bar":
        return [rectangle(middle - 8, top - 6.5, middle + 8, top + 3, 3, fill="#3f7fe0", stroke="#21407c", width=1.2),
            rectangle(middle - 5.5, top - 5, middle - 1, top - 2.5, 1, fill="#bfe0ff", silhouette=False)]
    rail = [rectangle(left, top - 4.2, right, top - 1.8, 1, fill="#6d717c", stroke="#3a3c45", width=0.9)]
    rail += [rectangle(x - 1.6, top - 4, x + 1.6, top + 4, fill="#6d717c", stroke="#3a3c45", width=0.9)
        for x in (left + 6, right - 6)]
    if kind == "luggage":
        width = (right - left) / 2
        cases = [(left + 1, width * 0.95, 12, cargo), (middle + 1, width * 0.8, 8, mix(cargo, "#f0d9a0", 0.6))]
        for x, w, high, fill in cases:
            ink = outline_of(fill)
            rail.append(rectangle(x, top - 4 - high, x + w, top - 3.4, 2.4, fill=fill, stroke=ink, width=1.2))
            rail += [stroke([(x + w * t, top - 4 - high), (x + w * t, top - 4)], ink, 1.2) for t in (0.25, 0.75)]
    elif kind == "surfboard":
        board = ellipse((middle, top - 6), (right - left) / 2 + 13, 3.4, -2, fill=mix(cargo, "#ffffff", 0.55),
            stroke=line,
            width=1.1)
        rail += [board, *inside(board, rectangle(left - 20, top - 6.6, right + 20, top - 4.8, fill=cargo))]
    elif kind == "canoe":
        a, b = left - 15, right + 16
        rail.append(blob([(a, top - 5), (a + 10, top - 12), (middle, top - 14), (b - 10, top - 12), (b, top - 5),
            (middle, top - 3.5)], 0.8, fill=cargo, stroke=line, width=1.2))
        rail.append(stroke([(a + 4, top - 5.6), (middle, top - 5.4), (b - 4, top - 5.6)], shade(cargo, 0.4), 1.4))
    return rail


def _load(look: dict, x1: float, belt: float) -> list[Shape]:
    kind, a = look["load"], x1 + 5
    if kind == "hay":
        fill = "#e2b84f"
        bales = [(a, 24, 17), (a + 24, 25, 14)]
        return [s for x, w, h in bales for s in (
            rectangle(x, belt - h, x + w, belt + 4, 4, fill=fill, stroke=outline_of(fill), width=1.2),
            stroke([(x + w * 0.3, belt - h + 1), (x + w * 0.3, belt)], "#b1832c", 1.4),
            stroke([(x + w * 0.7, belt - h + 1), (x + w * 0.7, belt)], "#b1832c", 1.4))]
    if kind == "crates":
        sizes = [(a + 1, 19, 17), (a + 22, 20, 11)]
        return [s for x, w, h in sizes for s in (
            rectangle(x, belt - h, x + w, belt + 4, 1, fill="#b98750", stroke="#6b4522", width=1.3),
            stroke([(x + 2, belt - h + 5.5), (x + w - 2, belt - h + 5.5)], "#6b4522", 1.0),
            stroke([(x + 2, belt - h + 10.5), (x + w - 2, belt - h + 10.5)], "#6b4522", 1.0))]
    if kind == "pumpkins":
        return [s for x, r in ((a + 8, 8.5), (a + 41, 8), (a + 25, 10.5)) for s in (
            ellipse((x, belt - r * 0.45), r, r * 0.85, fill="#e98a2e", stroke="#8a4813", width=1.2),
            ellipse((x, belt - r * 0.45), r * 0.42, r * 0.82, stroke="#b9641c", width=0.9, silhouette=False),
            stroke([(x, belt - r * 1.25), (x + 1.5, belt - r * 1.6)], "#4f7a35", 1.8))]
    return []


# --- from the front and from behind


def _end(look: dict) -> list[Shape]:
    belt_half, roof_half, belt, top, sill = FACES[look["variant"]]
    w, r, high = belt_half * look["length"], roof_half * look["length"], look["height"]
    belt, top = belt * high, top * high
    base, second, line, front = look["base"], look["second"], outline_of(look["base"]), look["pose"] == "front"
    parts = _on_roof(look, -w, w, top)
    for s in (-1, 1):
        parts.append(rectangle(s * (w - 1.5) - 6.5 * (s > 0) - 2.5 * (s < 0), -18, s * (w - 1.5) + 6.5 * (s < 0)
            + 2.5 * (s > 0), 0, 3, fill="#34343c", stroke="#1d1c23", width=1.2))
        ear = (s * (w + 1), belt - 2)
        parts.append(ellipse(ear, 5, 3.6, fill=shade(base, -0.1), stroke=line, width=1.2))
    parts.append(rectangle(-w + 8, sill - 4, w - 8, sill + 4, 2, fill="#2b2a33", stroke="#1d1c23", width=1))
    cab_fill = second if look["finish"] == "roof" else base
    cab = panel([(-w + 2, belt + 6, 2), (-r, top, 11), (r, top, 11), (w - 2, belt + 6, 2)], fill=cab_fill, stroke=line,
        width=LINE)
    rim = 4.2
    pane = panel([(-w + 7, belt - 1, 3), (-r + rim - 1, top + rim, 6), (r - rim + 1, top + rim, 6), (w - 7, belt - 1,
        3)],
        fill=look["glass"], stroke=line, width=1.2, silhouette=False)
    seats = [rectangle(x - 5.5, belt - 12, x + 5.5, belt + 4, 4, fill="#2d3240", opacity=0.5) for x in (-w * 0.4,
        w * 0.4)]
    glint = [polygon([(x, top), (x + d, top), (x + d - 13, belt), (x - 13, belt)], fill="#ffffff", opacity=0.5)
        for x, d in ((2, 9), (15, 3.5))]
    parts += [cab, pane, *inside(pane, *seats, *glint)]
    body = panel([(-w, sill, 5), (-w - 1.5, belt + 10, 8), (-w + 6, belt - 0.5, 8), (w - 6, belt - 0.5, 8),
        (w + 1.5, belt + 10, 8), (w, sill, 5)], fill=base, stroke=line, width=LINE)
    middle = (belt + sill) / 2
    marks = []
    if look["finish"] == "two-tone":
        marks.append(rectangle(-w - 4, middle + 1, w + 4, 0, fill=second))
    elif look["finish"] in ("stripe", "racing", "checks"):
        marks += [rectangle(x - 3, belt - 4, x + 3, 0, fill=second) for x in (-6, 6)]
    marks.append(rectangle(-w - 3, sill - 6, w + 3, sill + 2, fill=shade(base, -0.22)))
    marks.append(ellipse((0, belt + 2), w * 0.75, 2.2, fill="#ffffff", opacity=0.4))
    parts += [body, *inside(body, *marks)]
    trim = "#dfe2e8" if look["chrome"] else "#3b3b45"
    parts.append(rectangle(-w - 2, sill - 6.5, w + 2, sill - 0.5, 2.8, fill=trim, stroke=outline_of(trim), width=1.1))
    parts.append(rectangle(-9, sill - 7.5, 9, sill - 1, 1, fill="#f7f3e4", stroke="#4a4a52", width=0.9,
        silhouette=False))
    lamp = (w * 0.7, middle - 0.5)
    if not front:
        for s in (-1, 1):
            tall = rectangle(s * lamp[0] - 4.5, middle - 6, s * lamp[0] + 4.5, middle + 4.5, 2.5, fill="#e0433c",
                stroke="#8f2228",
                width=1.2, silhouette=False)
            parts += [tall, rectangle(s * lamp[0] - 2.5, middle - 4.5, s * lamp[0] + 2, middle - 2, 1, fill="#ffb3a0",
                silhouette=False)]
        parts.append(rectangle(-6, middle - 1.5, 6, middle + 0.8, 1, fill=trim, silhouette=False))
        parts.append(stroke([(-w * 0.5, belt + 4), (-w * 0.5, sill - 8), (w * 0.5, sill - 8), (w * 0.5, belt + 4)],
            line, 0.9))
        return parts
    if look["variant"] == "classic":
        parts.append(stroke([(-w * 0.36, belt + 3), (-w * 0.2, sill - 9), (w * 0.2, sill - 9), (w * 0.36, belt + 3)],
            line, 1.0))
    elif look["variant"] == "van":
        parts.append(stroke([(-w, belt + 6), (0, sill - 9), (w, belt + 6)], mix(second, line, 0.2), 2.4))
    else:
        grille = rectangle(-w * 0.38, middle - 4, w * 0.38, middle + 4, 3, fill="#2b2a33", stroke=trim, width=1.3,
            silhouette=False)
        parts += [grille, *[stroke([(-w * 0.34, y), (w * 0.34, y)], "#8d929c", 0.9) for y in (middle - 1.4,
            middle + 1.4)]]
    glow = "#fff3b0" if look["lit"] else "#eef4f6"
    size = 5.0 if look["variant"] == "sports" else 6.6
    for s in (-1, 1):
        at = (s * lamp[0], lamp[1])
        if look["lit"]:
            parts.append(ellipse(at, size * 1.7, size * 1.7, fill="#fff3b0", opacity=0.35, silhouette=False))
        parts.append(ellipse(at, size, size, fill=glow, stroke=trim, width=1.6, silhouette=False))
        parts.append(ellipse((at[0] - 1.6, at[1] - 1.8), size * 0.3, size * 0.3, fill="#ffffff", silhouette=False))
    return parts
