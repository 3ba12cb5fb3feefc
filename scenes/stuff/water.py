"""Water: a pond, a river or a lake, with ripples."""

import numpy as np

from scenes.shapes import Shape, blob, curve, hsl, inside, shade

VARIANTS = ("pond", "river", "lake")


def sample(rng: np.random.Generator) -> dict:
    """The look: form, place, hue."""
    return {
        "variant": str(rng.choice(VARIANTS)),
        "hue": float(rng.uniform(185, 222)),
        "saturation": float(rng.uniform(0.3, 0.6)),
        "lightness": float(rng.uniform(0.42, 0.62)),
        "x": float(rng.uniform(30, 194)),
        "depth": float(rng.uniform(0.25, 0.85)),
        "size": float(rng.uniform(0.7, 1.3)),
        "seed": int(rng.integers(2**31)),
    }


def draw(look: dict, horizon: float) -> tuple[Shape, ...]:
    """The water on the ground below the horizon."""
    rng = np.random.default_rng(look["seed"])
    deep = 224 - horizon
    colour = hsl(look["hue"], look["saturation"], look["lightness"])
    x, y, s = look["x"], horizon + deep * look["depth"], look["size"]
    if look["variant"] == "pond":
        ry = deep * 0.16 * s
        angles = np.linspace(0, 2 * np.pi, 9)[:-1]
        radii = rng.uniform(0.82, 1.15, 8)
        points = [(x + 68 * s * r * np.cos(a), y + ry * r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]
        points = [(px, max(py, horizon + 3)) for px, py in points]
    elif look["variant"] == "river":
        half = deep * 0.09 * s
        points = [(-60, y - half), (40, y - half * 0.4), (120, y - half * 1.3), (284, y - half)]
        points += [(284, y + half), (130, y + half * 0.6), (50, y + half * 1.4), (-60, y + half)]
        points = [(px, max(py, horizon + 3)) for px, py in points]
    else:
        far = horizon + 2
        near = horizon + deep * (0.2 + 0.25 * look["depth"])
        points = [(-80, far), (112, far), (304, far), (304, near), (180, near * 1.02), (90, near * 0.97), (-80, near)]
    body = blob(points, 0.9, fill=colour, stroke=shade(colour, -0.3), width=1.2)
    ys = body.points()[:, 1]
    ripples = []
    for _ in range(16):
        ry = rng.uniform(ys.min(), ys.max())
        w = 4 + 12 * (ry - horizon) / deep
        rx = rng.uniform(0, 224)
        line = [(rx - w, ry), (rx - w / 3, ry - w * 0.12), (rx + w / 3, ry), (rx + w, ry - w * 0.1)]
        ripples.append(curve(line, stroke=shade(colour, 0.4), width=0.6 + w * 0.04, opacity=0.8))
    return (body, *inside(body, *ripples))
