"""Road: across the picture, into the distance, or winding."""

import numpy as np

from scenes.shapes import Shape, blob, ellipse, hsl, inside, polygon, shade

VARIANTS = ("across", "distance", "path")


def sample(rng: np.random.Generator) -> dict:
    """The look: course, surface, markings."""
    surface = str(rng.choice(["asphalt", "cobble", "sand"], p=[0.6, 0.2, 0.2]))
    hue, saturation, lightness = {
        "asphalt": (rng.uniform(200, 280), rng.uniform(0, 0.08), rng.uniform(0.3, 0.52)),
        "cobble": (rng.uniform(20, 50), rng.uniform(0.04, 0.14), rng.uniform(0.45, 0.62)),
        "sand": (rng.uniform(28, 44), rng.uniform(0.25, 0.42), rng.uniform(0.6, 0.74)),
    }[surface]
    return {
        "variant": str(rng.choice(VARIANTS, p=[0.5, 0.3, 0.2])),
        "surface": surface,
        "colour": hsl(hue, saturation, lightness),
        "near": float(rng.uniform(0.55, 0.95)),
        "width": float(rng.uniform(0.2, 0.42)),
        "lean": float(rng.uniform(-60, 60)),
        "marked": bool(rng.random() < 0.75),
        "seed": int(rng.integers(2**31)),
    }


def draw(look: dict, horizon: float) -> tuple[Shape, ...]:
    """The road on the ground below the horizon."""
    depth = 224 - horizon
    bottom = horizon + depth * look["near"]
    top = max(bottom - depth * look["width"], horizon + 6)
    colour, edge = look["colour"], shade(look["colour"], -0.25)
    paint = "#f2efe4" if look["surface"] == "asphalt" else shade(colour, -0.2)
    rng = np.random.default_rng(look["seed"])
    shapes = []
    if look["variant"] == "across":
        shapes.append(polygon([(-60, top), (284, top), (284, bottom), (-60, bottom)], fill=colour))
        for y, t in ((top, 1.2), (bottom - 2, 2)):
            shapes.append(polygon([(-60, y), (284, y), (284, y + t), (-60, y + t)], fill=edge, silhouette=False))
        if look["marked"]:
            y, t = (top * 0.55 + bottom * 0.45), (bottom - top) * 0.06
            for x in range(-20, 244, 34):
                dash = [(x, y), (x + 18, y), (x + 17, y + t), (x - 1, y + t)]
                shapes.append(polygon(dash, fill=paint, silhouette=False))
    elif look["variant"] == "distance":
        x, w = 112 + look["lean"], 90 * look["width"] / 0.3
        shapes.append(polygon([(x - 3, horizon), (x + 3, horizon), (112 + w, 284), (112 - w, 284)], fill=colour))
        if look["marked"]:
            for a, b in ((0.1, 0.16), (0.24, 0.34), (0.46, 0.62), (0.8, 1.0)):
                left, right = ([x + (112 - x) * t, horizon + (284 - horizon) * t, w * t * 0.05] for t in (a, b))
                dash = [(left[0] - left[2], left[1]), (left[0] + left[2], left[1])]
                dash += [(right[0] + right[2], right[1]), (right[0] - right[2], right[1])]
                shapes.append(polygon(dash, fill=paint, silhouette=False))
    else:
        x = 112 + look["lean"]
        points = [(x, horizon + 3), (x + 34, horizon + depth * 0.25), (x - 6, horizon + depth * 0.55), (x + 10, 284)]
        points += [(x + 110, 284), (x + 52, horizon + depth * 0.58), (x + 62, horizon + depth * 0.24)]
        points += [(x + 8, horizon + 3)]
        shapes.append(blob(points, fill=colour, stroke=edge, width=1.4))
    for _ in range(14):
        s = rng.uniform(0.5, 1.3)
        spot = (rng.uniform(0, 224), rng.uniform(top, bottom))
        shapes += inside(shapes[0], ellipse(spot, 1.6 * s, 0.7 * s, fill=edge, opacity=0.5))
    return tuple(shapes)
