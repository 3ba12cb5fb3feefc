"""What cats, dogs and ducks share: fused body parts, coat colours, eyes and collars."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scenes.shapes import Drawing, Point, Points, Shape, curve, ellipse, extent, hsl, moved, shade

LINE = 1.5  # outline width outside a body part, units of the frame

# Coat colour names: hue range in degrees, saturation range, lightness range. The last four are picture-book colours.
COATS = {
    "white": ((30, 50), (0.2, 0.5), (0.93, 0.97)),
    "cream": ((34, 44), (0.5, 0.7), (0.80, 0.87)),
    "golden": ((34, 42), (0.6, 0.8), (0.58, 0.68)),
    "ginger": ((22, 31), (0.75, 0.9), (0.52, 0.62)),
    "red-brown": ((12, 20), (0.5, 0.65), (0.36, 0.45)),
    "brown": ((22, 30), (0.3, 0.5), (0.34, 0.46)),
    "chocolate": ((16, 24), (0.3, 0.45), (0.22, 0.29)),
    "grey": ((200, 230), (0.04, 0.14), (0.50, 0.66)),
    "charcoal": ((210, 240), (0.06, 0.14), (0.26, 0.34)),
    "black": ((220, 260), (0.06, 0.14), (0.15, 0.20)),
    "blue": ((200, 222), (0.35, 0.55), (0.58, 0.70)),
    "lilac": ((255, 285), (0.25, 0.4), (0.66, 0.76)),
    "pink": ((335, 352), (0.45, 0.7), (0.72, 0.80)),
    "mint": ((140, 170), (0.25, 0.4), (0.62, 0.72)),
}
FANCY = ("blue", "lilac", "pink", "mint")
COLLARS = ("#c8323c", "#2f6fb5", "#2f9e6e", "#e0a526", "#8a4fa3", "#e3642c", "#23272f")


def pick(rng: np.random.Generator, options: Sequence[str], weights: Sequence[float] | None = None) -> str:
    """One of the options, as a plain str."""
    p = None if weights is None else np.asarray(weights, dtype=float) / np.sum(weights)
    return str(options[int(rng.choice(len(options), p=p))])


def coat_colour(rng: np.random.Generator, names: Sequence[str], fancy: float = 0.12) -> tuple[str, str]:
    """A named coat colour and its #rrggbb; with probability `fancy` a picture-book colour, else one of `names`."""
    name = pick(rng, FANCY) if rng.random() < fancy else pick(rng, names)
    return name, hsl(*(float(rng.uniform(*limits)) for limits in COATS[name]))


def line_of(fill: str) -> str:
    """The outline colour that goes with a fill."""
    return shade(fill, -0.45)


def fused(parts: Sequence[Shape], fill: str, width: float = LINE, line: str | None = None) -> list[Shape]:
    """Body parts as one form: every outline first, every fill on top, so no line runs between the parts.

    A part with a fill of its own keeps it; the others take `fill`.
    """
    line = line or line_of(fill)
    under = [replace(part, fill=line, stroke=line, width=2 * width) for part in parts]
    return under + [replace(part, fill=part.fill or fill, stroke=None, width=0.0) for part in parts]


def centred(parts: Sequence[Shape]) -> Drawing:
    """The parts as a drawing whose silhouette is centred on x = 0."""
    x1, _, x2, _ = extent(parts)
    return Drawing(tuple(moved(part, -float(x1 + x2) / 2) for part in parts))


def dark(colour: str) -> bool:
    """Whether a dark line would be lost on the colour: mean of its three channels under 85 of 255."""
    return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) < 3 * 85


def paint(shape: Shape, fill: str | None = None, opacity: float = 1.0) -> Shape:
    """The shape as a mark on a body: filled, without outline, owning no pixels."""
    return replace(shape, fill=fill or shape.fill, stroke=None, width=0.0, opacity=opacity, silhouette=False)


def stroke(points: Points, colour: str, width: float = 1.3) -> Shape:
    """A thin drawn line that owns no pixels: a smile, a toe, a whisker."""
    return curve(points, stroke=colour, width=width, silhouette=False)


def eye(centre: Point, rx: float, ry: float, iris: str, pupil: Point, line: str, mood: str = "open") -> list[Shape]:
    """An eye with an iris, a pupil of radii `pupil` and two glints; mood "closed" draws a content, shut eye."""
    x, y = centre
    if mood == "closed":
        return [stroke([(x - rx, y - 0.3), (x, y + ry * 0.55), (x + rx, y - 0.3)], line, 1.6)]
    shapes = [ellipse(centre, rx, ry, fill=iris, stroke=line, width=1.2, silhouette=False)]
    shapes.append(ellipse((x + 0.25, y), pupil[0], pupil[1], fill="#17141a", silhouette=False))
    shapes.append(ellipse((x + rx * 0.3, y - ry * 0.36), rx * 0.3, rx * 0.3, fill="#ffffff", silhouette=False))
    shapes.append(
        ellipse((x - rx * 0.28, y + ry * 0.4), rx * 0.15, rx * 0.15, fill="#ffffff", opacity=0.8, silhouette=False)
    )
    return shapes


def collar(points: Points, colour: str, width: float = 5.0, tag: Point | None = None) -> list[Shape]:
    """A collar along the points, with a golden tag hanging at `tag`."""
    shapes = [stroke(points, line_of(colour), width + 1.8), stroke(points, colour, width)]
    if tag is not None:
        gold = "#f2c230"
        shapes.append(ellipse(tag, 3.0, 3.0, fill=gold, stroke=line_of(gold), width=1.0, silhouette=False))
        shapes.append(ellipse((tag[0] + 0.8, tag[1] - 0.9), 0.8, 0.8, fill="#fff3c0", silhouette=False))
    return shapes
