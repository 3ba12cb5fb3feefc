"""Balls: patterns on a sphere that has rolled any way, seen from the front; seven kinds."""

from typing import Unpack

import numpy as np

from scenes.shapes import Drawing, Ink, Shape, blob, curve, ellipse, inside, mix, polygon, shade
from scenes.things.anatomy import line_of, pick

VARIANTS = ("football", "beach", "basketball", "tennis", "striped", "star", "dotted")
RADIUS = 49.0
COLOURS = {
    "red": "#d63c3c", "orange": "#ea8030", "yellow": "#f4cd3f", "green": "#4a9e55", "lime": "#c6dd4a",
    "teal": "#2f9c97", "blue": "#3470c0", "sky blue": "#74bce8", "purple": "#7f52ad", "pink": "#ec84ac",
    "brown": "#8c5a38", "white": "#f8f5ee", "cream": "#f3e2bd", "grey": "#9aa0a8", "black": "#33323a",
}  # fmt: skip
PALE = ("white", "cream", "yellow", "sky blue", "pink", "lime", "grey")
STRONG = tuple(name for name in COLOURS if name not in ("white", "cream", "grey"))


def sample(rng: np.random.Generator) -> dict:
    """A ball's look: kind, three colours, the turn of the sphere (unit quaternion in four numbers), wear."""
    variant = pick(rng, VARIANTS)
    base, second = pick(rng, tuple(COLOURS)), pick(rng, STRONG)
    if variant == "football":
        base, second = pick(rng, PALE, (9, 2, 1, 1, 1, 1, 1)), "black" if rng.random() < 0.55 else pick(rng, STRONG)
    elif variant == "basketball":
        base, second = "orange" if rng.random() < 0.5 else pick(rng, STRONG), "black"
    elif variant == "tennis":
        base, second = "lime" if rng.random() < 0.5 else pick(rng, STRONG), "white"
    elif variant == "beach" and rng.random() < 0.6:
        base = "white"
    if base == second:
        second = "white" if base != "white" else "red"
    if variant == "basketball" and base == "black":
        second = "white"
    others = [name for name in STRONG if name not in (base, second)]
    turn = rng.normal(size=4)
    turn /= np.linalg.norm(turn)
    return {
        "variant": variant,
        "base": base,
        "second": second,
        "third": pick(rng, others) if variant == "beach" or rng.random() < 0.4 else second,
        "tone": float(rng.uniform(-0.12, 0.1)),
        "gores": int(rng.choice([6, 8])),
        "bands": int(rng.integers(1, 4)),
        "lean": float(rng.uniform(-180, 180)),
        "tip": float(rng.uniform(8, 62)),
        "turn_w": float(turn[0]),
        "turn_x": float(turn[1]),
        "turn_y": float(turn[2]),
        "turn_z": float(turn[3]),
    }


def draw(look: dict) -> Drawing:
    """The ball in its own frame, 100 units high, resting on the ground."""
    base, second, third = (shade(COLOURS[look[k]], look["tone"]) for k in ("base", "second", "third"))
    line = line_of(mix(base, second, 0.3))
    body = ellipse((0, -RADIUS - 0.8), RADIUS, RADIUS, fill=base, stroke=line, width=1.8)
    marks = _MARKS[look["variant"]](look, base, second, third)
    rim = np.radians(np.linspace(-50, 160, 16))
    rim = np.stack([np.cos(rim), np.sin(rim)], axis=1)
    crescent = np.vstack([rim * 1.06, rim[::-1] - (0.14, 0.2)]) * RADIUS + (0, -RADIUS - 0.8)
    return Drawing(
        (
            ellipse((0, -RADIUS - 0.8), RADIUS, RADIUS, fill=base, stroke=line, width=1.8),
            *inside(body, *marks),
            *inside(body, polygon(crescent, fill="#1b1430", opacity=0.2)),
            *inside(body, ellipse((-18, -75), 15, 8.5, -38, fill="#ffffff", opacity=0.5)),
            *inside(body, ellipse((-31.5, -61), 3.2, 4.6, 18, fill="#ffffff", opacity=0.5)),
            ellipse((0, -RADIUS - 0.8), RADIUS, RADIUS, stroke=line, width=1.8, silhouette=False),
        )
    )


def phrase(look: dict) -> str:
    """The noun phrase of a caption."""
    base, second = look["base"], look["second"]
    words = {
        "football": f"{base} football with {second} pentagons",
        "beach": f"{base}, {second} and {look['third']} beach ball",
        "basketball": f"{base} basketball",
        "tennis": f"{base} tennis ball",
        "striped": f"{base} ball with {second} stripes",
        "star": f"{base} ball with a {second} star",
        "dotted": f"{base} ball with {second} dots",
    }[look["variant"]]
    words = words.replace("with a orange", "with an orange")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def attributes(look: dict) -> dict[str, str]:
    """What can be asked about the ball."""
    return {"kind": look["variant"], "colour": look["base"], "second colour": look["second"]}


# --- marks on the unit sphere: x right, y down, z towards the viewer


def _turned(look: dict, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) turned by the look's unit quaternion."""
    w, x, y, z = (look[f"turn_{k}"] for k in "wxyz")
    axis = np.array([x, y, z])
    return points + 2 * w * np.cross(axis, points) + 2 * np.cross(axis, np.cross(axis, points))


def _flat(points: np.ndarray) -> np.ndarray:
    """Points (n, 3) on the sphere as (n, 2) in the frame; those on the far side go to the nearest point of the rim."""
    xy = points[:, :2].copy()
    rim = np.maximum(np.linalg.norm(xy, axis=1, keepdims=True), 1e-6)
    xy = np.where(points[:, 2:] < 0, xy / rim * 1.02, xy)
    return xy * RADIUS + (0, -RADIUS - 0.8)


def _patch(points: np.ndarray, fill: str, smooth: bool = True, **ink: Unpack[Ink]) -> list[Shape]:
    if points[:, 2].max() < 0.02:
        return []
    return [blob(_flat(points), fill=fill, **ink) if smooth else polygon(_flat(points), fill=fill, **ink)]


def _line(points: np.ndarray, colour: str, width: float, closed: bool = True) -> list[Shape]:
    """The runs of a path on the sphere that face the viewer."""
    seen = points[:, 2] > -0.08
    if closed and seen.all():
        return [blob(_flat(points), stroke=colour, width=width)]
    if closed:  # start on the far side, so that no run is cut in two
        points = np.roll(points, -int(np.argmin(seen)), 0)
    shapes, run = [], []
    for point, facing in zip([*points, points[0]], [*(points[:, 2] > -0.08), False], strict=True):
        if facing:
            run.append(point)
        elif run:
            if len(run) > 1:
                shapes.append(curve(_flat(np.array(run)), stroke=colour, width=width))
            run = []
    return shapes


def _frame(axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    other = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    other /= np.linalg.norm(other)
    return other, np.cross(axis, other)


def _circle(axis: np.ndarray, height: float, count: int = 28) -> np.ndarray:
    """The circle of the sphere `height` along a unit axis."""
    u, v = _frame(axis)
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)[:, None]
    return axis * height + np.sqrt(1 - height**2) * (np.cos(t) * u + np.sin(t) * v)


def _pole(look: dict) -> np.ndarray:
    """An axis tipped away from the viewer by `tip` degrees, so that what sits on the pole stays in sight."""
    a, b = np.radians(look["tip"]), np.radians(look["lean"])
    return np.array([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)])


def _icosahedron() -> np.ndarray:
    g = (1 + 5**0.5) / 2
    corners = np.array([(0, a, b * g) for a in (-1, 1) for b in (-1, 1)], dtype=float)
    corners = np.vstack([corners, np.roll(corners, 1, 1), np.roll(corners, 2, 1)])
    return corners / np.linalg.norm(corners, axis=1, keepdims=True)


def _football(look: dict, base: str, second: str, third: str) -> list[Shape]:
    # A truncated icosahedron: a pentagon at every corner, a seam along the middle of every edge.
    corners, seams, patches = _turned(look, _icosahedron()), [], []
    for i, corner in enumerate(corners):
        near = [j for j in range(12) if j != i and corner @ corners[j] > 0.4]
        u, v = _frame(corner)
        near.sort(key=lambda j: np.arctan2(corners[j] @ v, corners[j] @ u))
        tips = np.array([corner * 2 + corners[j] for j in near]) / 3
        tips /= np.linalg.norm(tips, axis=1, keepdims=True)
        patches += _patch(tips, second, smooth=False, stroke=second, width=2.0)
        for j in near:
            if j > i:
                ends = np.array([corner * t + corners[j] * (1 - t) for t in (0.67, 0.5, 0.33)])
                seams += _line(ends / np.linalg.norm(ends, axis=1, keepdims=True), shade(base, -0.42), 1.5, False)
    return seams + patches


def _beach(look: dict, base: str, second: str, third: str) -> list[Shape]:
    pole, n = _pole(look), look["gores"]
    u, v = _frame(pole)
    down = np.linspace(0.02, np.pi - 0.02, 24)[:, None]
    edges = [np.cos(down) * pole + np.sin(down) * (u * np.cos(a) + v * np.sin(a)) for a in np.arange(n) * 2 * np.pi / n]
    fills = [base, second, base, third] * 2 if n == 8 else [base, second, third] * 2
    marks = []
    for i, fill in enumerate(fills):
        if fill != base:
            one, other = (_flat(edge[: int((edge[:, 2] >= 0).sum()) + 1]) for edge in (edges[i], edges[(i + 1) % n]))
            # where both seams have gone behind, the gore ends on the rim
            ends = [np.arctan2(*(end - (0, -RADIUS - 0.8))[::-1]) for end in (one[-1], other[-1])]
            sweep = ends[0] + ((ends[1] - ends[0] + np.pi) % (2 * np.pi) - np.pi) * np.linspace(0, 1, 8)
            arc = np.stack([np.cos(sweep), np.sin(sweep)], axis=1) * RADIUS * 1.05 + (0, -RADIUS - 0.8)
            marks.append(polygon(np.vstack([one, arc, other[::-1]]), fill=fill))
    for edge in edges:
        marks += _line(edge, line_of(mix(base, second, 0.4)), 0.9, False)
    return marks + _patch(_circle(pole, 0.97, 14), base, stroke=line_of(base), width=1.0)


def _basketball(look: dict, base: str, second: str, third: str) -> list[Shape]:
    marks = []
    for axis, height in (((1, 0, 0), 0), ((0, 1, 0), 0), ((0, 0, 1), 0.62), ((0, 0, 1), -0.62)):
        marks += _line(_turned(look, _circle(np.array(axis, float), height, 40)), second, 2.6)
    return marks


def _tennis(look: dict, base: str, second: str, third: str) -> list[Shape]:
    t = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    a, b = 0.76, 0.24
    seam = np.stack(
        [a * np.cos(t) + b * np.cos(3 * t), a * np.sin(t) - b * np.sin(3 * t), 2 * np.sqrt(a * b) * np.sin(2 * t)],
        axis=1,
    )
    seam = _turned(look, seam / np.linalg.norm(seam, axis=1, keepdims=True))
    return _line(seam, shade(base, -0.25), 7.0) + _line(seam, second, 5.0)


def _striped(look: dict, base: str, second: str, third: str) -> list[Shape]:
    pole = _pole(look | {"tip": 35 + look["tip"] * 0.85})
    heights = {1: (0.3, -0.3), 2: (0.62, 0.2, -0.2, -0.62), 3: (0.78, 0.46, 0.16, -0.16, -0.46, -0.78)}[look["bands"]]
    marks = []
    for i, height in enumerate(reversed(heights)):  # caps from the largest to the smallest
        marks += _patch(
            _circle(pole, height), (second, base, third, base)[i % 4] if look["bands"] > 1 else (second, base)[i]
        )
    return marks


def _star(look: dict, base: str, second: str, third: str) -> list[Shape]:
    pole = _pole(look | {"tip": look["tip"] * 0.5})
    u, v = _frame(pole)
    ring = look["third"] != look["base"]
    marks = _patch(_circle(pole, 0.35), third) + _patch(_circle(pole, 0.5), base) if ring else []
    points = []
    for i in range(10):
        a, far = i * np.pi / 5, (0.78, 0.33)[i % 2]
        points.append(pole + far * (np.cos(a) * u + np.sin(a) * v))
    points = np.array(points) / np.linalg.norm(points, axis=1, keepdims=True)
    return marks + _patch(points, second, smooth=False, stroke=line_of(second), width=1.2)


def _dotted(look: dict, base: str, second: str, third: str) -> list[Shape]:
    marks = []
    for i, centre in enumerate(_turned(look, _icosahedron())):
        marks += _patch(_circle(centre, 0.95, 14), (second, third)[i % 2])
    return marks


_MARKS = {
    "football": _football, "beach": _beach, "basketball": _basketball, "tennis": _tennis, "striped": _striped,
    "star": _star, "dotted": _dotted,
}  # fmt: skip
