"""The pencil of Lab World: closed curves, strokes and colours, as SVG paths that know their own extent.

Things are drawn in their own frame: x to the right, y down, the ground at y = 0, the thing about 100 units high,
centred on x = 0 and facing right. Every curve is a chain of cubic Bézier segments, so its extent is that of the curve.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypedDict, Unpack

import numpy as np

Point = tuple[float, float]
Points = np.ndarray | Sequence[Point | np.ndarray]  # (n, 2)

# Bernstein weights of nine points along a cubic segment: enough to find its extent to a hundredth of its length.
_T = np.linspace(0.0, 1.0, 9)[:, None]
_BERNSTEIN = np.hstack([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3])
_KAPPA = 0.5522847498  # control length that makes four cubics a circle
_UNIT_CIRCLE = np.array(
    [
        [(1, 0), (1, _KAPPA), (_KAPPA, 1), (0, 1)],
        [(0, 1), (-_KAPPA, 1), (-1, _KAPPA), (-1, 0)],
        [(-1, 0), (-1, -_KAPPA), (-_KAPPA, -1), (0, -1)],
        [(0, -1), (_KAPPA, -1), (1, -_KAPPA), (1, 0)],
    ]
)


@dataclass(frozen=True, eq=False)
class Shape:
    """One painted curve.

    Attributes:
        segments: float array (n, 4, 2), the cubic Bézier segments, end to end.
        closed: whether the path is closed before it is filled and stroked.
        fill, stroke: SVG colours, or None for no paint.
        width: stroke width in units of the frame.
        opacity: 0 to 1.
        silhouette: True where the shape is part of the thing's body and owns its pixels in the ground truth. False for
            what is only painted: patterns inside the body, whiskers, highlights, shadows, glows.
        clip: another shape; this one is painted inside it only.
    """

    segments: np.ndarray
    closed: bool = True
    fill: str | None = None
    stroke: str | None = None
    width: float = 0.0
    opacity: float = 1.0
    silhouette: bool = True
    clip: "Shape | None" = None

    @cached_property
    def d(self) -> str:
        """SVG path data."""
        numbers = self.segments[:, 1:].ravel().tolist()
        curves = ("%.2f " * len(numbers)) % tuple(numbers)  # one formatting call: this is the hot spot of a scene
        return f"M{self.segments[0, 0, 0]:.2f} {self.segments[0, 0, 1]:.2f}C{curves[:-1]}" + (
            "Z" if self.closed else ""
        )

    def points(self) -> np.ndarray:
        """Nine points along each segment, float array (9 n, 2)."""
        return (_BERNSTEIN @ self.segments).reshape(-1, 2)


class Ink(TypedDict, total=False):
    """How a curve is painted beside its fill, as keywords: the attributes of Shape of the same names."""

    stroke: str | None
    width: float
    opacity: float
    silhouette: bool
    clip: Shape | None


class Paint(Ink, total=False):
    """How a curve is painted, as keywords."""

    fill: str | None


@dataclass(frozen=True)
class Drawing:
    """A thing in its own frame: shapes from back to front, and named joints as (x, y, visible) where it has any."""

    shapes: tuple[Shape, ...]
    joints: dict[str, tuple[float, float, bool]] | None = None


def ellipse(centre: Point, rx: float, ry: float, angle: float = 0.0, **paint: Unpack[Paint]) -> Shape:
    """An ellipse with radii rx, ry, turned clockwise by `angle` degrees."""
    return Shape(_turn(_UNIT_CIRCLE * (rx, ry), angle) + centre, **paint)


def polygon(points: Points, **paint: Unpack[Paint]) -> Shape:
    """A closed polygon with straight edges."""
    p = np.asarray(points, dtype=float)
    return Shape(_straight(np.vstack([p, p[:1]])), **paint)


def rectangle(x1: float, y1: float, x2: float, y2: float, radius: float = 0.0, **paint: Unpack[Paint]) -> Shape:
    """An upright rectangle, its corners rounded with `radius`."""
    if radius <= 0:
        return polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], **paint)
    r, k = min(radius, abs(x2 - x1) / 2, abs(y2 - y1) / 2), 1 - _KAPPA
    corners = [
        ((x2, y1), (-1, 0), (0, 1)),
        ((x2, y2), (0, -1), (-1, 0)),
        ((x1, y2), (1, 0), (0, -1)),
        ((x1, y1), (0, 1), (1, 0)),
    ]
    segments, last = [], None
    for corner, come, leave in corners:
        c, a, b = np.array(corner), np.array(come) * r, np.array(leave) * r
        if last is not None:
            segments.append(_straight(np.array([last, c + a]))[0])
        segments.append(np.array([c + a, c + a * k, c + b * k, c + b]))
        last = c + b
    return Shape(np.array(segments, dtype=float), **paint)


def blob(points: Points, tension: float = 1.0, **paint: Unpack[Paint]) -> Shape:
    """A smooth closed curve through the points (a Catmull-Rom spline; tension 0 makes a polygon)."""
    p = np.asarray(points, dtype=float)
    around = np.concatenate([p[-1:], p, p[:2]])
    before, after, beyond = around[:-3], around[2:-1], around[3:]
    t = tension / 6
    segments = np.empty((len(p), 4, 2))
    segments[:, 0], segments[:, 1] = p, p + (after - before) * t
    segments[:, 2], segments[:, 3] = after - (beyond - p) * t, after
    return Shape(segments, **paint)


def curve(points: Points, tension: float = 1.0, **paint: Unpack[Paint]) -> Shape:
    """A smooth open curve through the points, for strokes: tails, limbs, whiskers, smiles. Ends and joins are round."""
    p = np.asarray(points, dtype=float)
    if len(p) == 2:
        return Shape(_straight(p), closed=False, **paint)
    padded = np.vstack([p[:1], p, p[-1:]])
    before, here, after, beyond = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = tension / 6
    return Shape(
        np.stack([here, here + (after - before) * t, after - (beyond - here) * t, after], axis=1), closed=False, **paint
    )


def limb(points: Points, widths: Sequence[float] | np.ndarray, **paint: Unpack[Paint]) -> Shape:
    """A tapering limb along the points, with the given full width at each point and round ends."""
    p, w = np.asarray(points, dtype=float), np.asarray(widths, dtype=float)[:, None] / 2
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    left, right = p + across * w, p - across * w
    start, end = p[:1] - along[:1] * w[:1], p[-1:] + along[-1:] * w[-1:]
    return blob(np.vstack([start, left, end, right[::-1]]), **paint)


def inside(clip: Shape, *shapes: Shape) -> list[Shape]:
    """The shapes painted only inside `clip`: a pattern on a coat. They own no pixels of their own."""
    return [replace(shape, clip=clip, silhouette=False) for shape in shapes]


def moved(
    shape: Shape, dx: float = 0.0, dy: float = 0.0, scale: float = 1.0, angle: float = 0.0, about: Point = (0, 0)
) -> Shape:
    """The shape scaled and turned clockwise by `angle` degrees about a point, then shifted."""
    segments = _turn((shape.segments - about) * scale, angle) + about + (dx, dy)
    clip = moved(shape.clip, dx, dy, scale, angle, about) if shape.clip else None
    # spelled out because dataclasses.replace takes twice as long, and this runs for every shape of every thing
    width, paint = shape.width * abs(scale), (shape.opacity, shape.silhouette, clip)
    return Shape(segments, shape.closed, shape.fill, shape.stroke, width, *paint)


def extent(shapes: Sequence[Shape]) -> np.ndarray:
    """The xyxy box, float array (4,), around every shape that is part of the silhouette, strokes included."""
    body = [shape for shape in shapes if shape.silhouette]
    points = _BERNSTEIN @ np.concatenate([shape.segments for shape in body])
    margins = [shape.width / 2 if shape.stroke else 0.0 for shape in body]
    margin = np.repeat(margins, [len(shape.segments) for shape in body])[:, None, None]
    return np.concatenate([(points - margin).min((0, 1)), (points + margin).max((0, 1))])


def hsl(hue: float, saturation: float, lightness: float) -> str:
    """A colour from hue in degrees, saturation and lightness in 0 to 1, as #rrggbb."""
    return _hex(colorsys.hls_to_rgb(hue / 360 % 1, min(max(lightness, 0), 1), min(max(saturation, 0), 1)))


def mix(a: str, b: str, t: float) -> str:
    """The colour a fraction `t` of the way from a to b, both #rrggbb."""
    return _hex(tuple(x + (y - x) * t for x, y in zip(_rgb(a), _rgb(b), strict=True)))


def shade(colour: str, amount: float) -> str:
    """The colour darkened (amount < 0, to black at -1) or lightened (amount > 0, to white at 1)."""
    return mix(colour, "#000000" if amount < 0 else "#ffffff", abs(amount))


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _hex(rgb: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(min(max(c, 0.0), 1.0) * 255):02x}" for c in rgb)


def _straight(p: np.ndarray) -> np.ndarray:
    a, b = p[:-1], p[1:]
    return np.stack([a, a + (b - a) / 3, a + (b - a) * 2 / 3, b], axis=1)


def _turn(points: np.ndarray, angle: float) -> np.ndarray:
    if not angle:
        return points
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return points @ np.array([[c, s], [-s, c]])
