"""What cars and motorcycles share: panels with rounded corners, wheels and paint colours."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np

from scenes.shapes import Paint, Point, Shape, ellipse, hsl, mix, polygon, shade

LINE = 1.5  # outline width, units of the frame
TYRE, RUBBER_LINE = "#34343c", "#1d1c23"

# Paint names: hue range in degrees, saturation range, lightness range.
PAINTS = {
    "red": ((352, 364), (0.65, 0.8), (0.44, 0.54)),
    "orange": ((18, 30), (0.78, 0.9), (0.52, 0.6)),
    "yellow": ((43, 52), (0.82, 0.95), (0.55, 0.64)),
    "lime": ((72, 92), (0.45, 0.6), (0.5, 0.6)),
    "green": ((115, 150), (0.35, 0.5), (0.34, 0.46)),
    "mint": ((150, 170), (0.35, 0.5), (0.68, 0.78)),
    "teal": ((175, 190), (0.5, 0.65), (0.34, 0.46)),
    "light blue": ((196, 210), (0.55, 0.75), (0.64, 0.74)),
    "blue": ((208, 224), (0.55, 0.7), (0.42, 0.54)),
    "navy": ((218, 232), (0.4, 0.55), (0.25, 0.32)),
    "purple": ((262, 290), (0.3, 0.45), (0.42, 0.54)),
    "pink": ((335, 352), (0.6, 0.8), (0.7, 0.8)),
    "brown": ((18, 30), (0.35, 0.5), (0.32, 0.42)),
    "cream": ((38, 46), (0.55, 0.75), (0.82, 0.88)),
    "white": ((30, 220), (0.1, 0.2), (0.93, 0.96)),
    "silver": ((205, 225), (0.06, 0.14), (0.70, 0.78)),
    "grey": ((205, 225), (0.05, 0.12), (0.44, 0.54)),
    "black": ((220, 250), (0.08, 0.15), (0.18, 0.23)),
}


def paint_colour(rng: np.random.Generator, names: Sequence[str] = tuple(PAINTS)) -> tuple[str, str]:
    """The name and the #rrggbb of a coat of paint."""
    name = str(names[int(rng.integers(len(names)))])
    return name, hsl(*(float(rng.uniform(*limits)) for limits in PAINTS[name]))


def outline_of(fill: str) -> str:
    """The outline colour that goes with a paint; never so dark that it is lost at night."""
    return mix(shade(fill, -0.5), "#23202c", 0.25)


def panel(corners: Sequence[tuple[float, float, float]], closed: bool = True, **ink: Unpack[Paint]) -> Shape:
    """Straight edges between (x, y, cut) corners, each rounded where the edges meet, starting `cut` units away."""
    p, cut = np.array([c[:2] for c in corners], dtype=float), [c[2] for c in corners]
    n, segments, last = len(p), [], None if closed else p[0]
    for i in range(n) if closed else range(1, n - 1):
        before, after = p[i - 1] - p[i], p[(i + 1) % n] - p[i]
        back, ahead = np.linalg.norm(before), np.linalg.norm(after)
        a = p[i] + before / max(back, 1e-9) * min(cut[i], back / 2)
        b = p[i] + after / max(ahead, 1e-9) * min(cut[i], ahead / 2)
        if last is not None:
            segments.append(_edge(last, a))
        segments.append(np.stack([a, a + (p[i] - a) * 0.56, b + (p[i] - b) * 0.56, b]))
        last = b
    assert last is not None, "A panel has corners."
    segments.append(_edge(last, segments[0][0] if closed else p[-1]))
    return Shape(np.array(segments), closed=closed, **ink)


def star(
    centre: Point, outer: float, inner: float, arms: int, wide: float, turn: float = 0.0, **ink: Unpack[Paint]
) -> Shape:
    """Straight spokes from a hub: `arms` of them, of half-width `wide` at the rim."""
    points = []
    for k in range(arms):
        a = turn + 2 * np.pi * k / arms
        along, across = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
        b = a + np.pi / arms
        points += [along * outer - across * wide, along * outer + across * wide]
        points.append(np.array([np.cos(b), np.sin(b)]) * inner)
    return polygon(np.array(points) + centre, **ink)


def wheel(
    centre: Point, radius: float, style: str, metal: str, turn: float, tyre: float = 0.34, accent: str = "#f5f1e8"
) -> list[Shape]:
    """A wheel seen from the side.

    Args:
        centre, radius: where it is and how large, tyre included.
        style: "disc", "spokes", "cap", "wire" or "whitewall".
        metal: colour of the rim.
        turn: how far it has rolled, radians.
        tyre: share of the radius that is tyre.
        accent: colour of a whitewall.
    """
    dark, rim = shade(metal, -0.62), radius * (1 - tyre)
    tread = ellipse(centre, radius - 0.6, radius - 0.6, fill=TYRE, stroke=RUBBER_LINE, width=1.2)
    marks = []
    if style == "whitewall":
        marks.append(ellipse(centre, rim * 1.2, rim * 1.2, fill=accent))
    line = shade(metal, -0.45)
    if style == "spokes":
        marks.append(ellipse(centre, rim, rim, fill=dark, stroke=metal, width=rim * 0.22))
        marks.append(star(centre, rim * 0.95, rim * 0.3, 5, rim * 0.15, turn, fill=metal))
    elif style == "wire":
        marks.append(ellipse(centre, rim, rim, fill=mix(metal, "#4a4c57", 0.75), stroke=metal, width=rim * 0.16))
        marks.append(star(centre, rim * 0.97, rim * 0.14, 11, rim * 0.035, turn, fill=shade(metal, 0.3)))
    elif style == "disc":
        marks.append(ellipse(centre, rim, rim, fill=metal, stroke=line, width=1.1))
        for k in range(5):
            a = turn + 2 * np.pi * k / 5
            hole = (centre[0] + rim * 0.6 * np.cos(a), centre[1] + rim * 0.6 * np.sin(a))
            marks.append(ellipse(hole, rim * 0.16, rim * 0.16, fill=dark))
    else:
        marks.append(ellipse(centre, rim * 0.95, rim * 0.95, fill=metal, stroke=line, width=1.1))
        marks.append(ellipse(centre, rim * 0.55, rim * 0.55, fill=shade(metal, 0.35), stroke=line, width=0.8))
    marks.append(ellipse(centre, rim * 0.22, rim * 0.22, fill=shade(metal, 0.45), stroke=line, width=0.7))
    return [tread, *(replace(mark, silhouette=False) for mark in marks)]


def _edge(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.stack([a, a + (b - a) / 3, a + (b - a) * 2 / 3, b])
