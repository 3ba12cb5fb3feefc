"""Grass: the ground under everything, with hills, tufts, flowers or mown stripes."""

import numpy as np

from scenes.shapes import Shape, blob, curve, ellipse, hsl, polygon, shade

VARIANTS = ("meadow", "mown", "flowers", "dry", "plain")


def sample(rng: np.random.Generator) -> dict:
    """The look: variant, hue from fresh green to straw, hills."""
    variant = str(rng.choice(VARIANTS))
    hue = rng.uniform(42, 62) if variant == "dry" else rng.uniform(70, 130)
    return {
        "variant": variant,
        "hue": float(hue),
        "saturation": float(rng.uniform(0.3, 0.55)),
        "lightness": float(rng.uniform(0.38, 0.56)),
        "hills": int(rng.integers(0, 4)),
        "seed": int(rng.integers(2**31)),
    }


def draw(look: dict, horizon: float) -> tuple[Shape, ...]:
    """Hills above the horizon and everything below it."""
    rng = np.random.default_rng(look["seed"])
    base = hsl(look["hue"], look["saturation"], look["lightness"])
    shapes = []
    for i in range(look["hills"]):
        x, w, h = rng.uniform(0, 224), rng.uniform(60, 130), rng.uniform(8, 30)
        tone = hsl(look["hue"] + rng.uniform(-6, 14), look["saturation"] * 0.8, look["lightness"] - 0.03 * (3 - i))
        ridge = [(x - w * 0.45, horizon - h * 0.7), (x, horizon - h), (x + w * 0.5, horizon - h * 0.6)]
        foot = [(x + w, horizon + 6), (x, horizon + 14)]
        shapes.append(blob([(x - w, horizon + 6), *ridge, *foot], fill=tone))
    shapes.append(polygon([(-60, horizon), (284, horizon), (284, 284), (-60, 284)], fill=base))
    if look["variant"] == "mown":
        for i in range(0, 9, 2):
            a, b = horizon + (224 - horizon) * (i / 9) ** 1.8, horizon + (224 - horizon) * ((i + 1) / 9) ** 1.8
            stripe = [(-60, a), (284, a), (284, b), (-60, b)]
            shapes.append(polygon(stripe, fill=shade(base, 0.1), silhouette=False))
    for _ in range(26 if look["variant"] in ("meadow", "dry") else 10):
        y = horizon + (224 - horizon) * rng.random() ** 0.7
        s = 0.3 + 1.5 * (y - horizon) / (224 - horizon)
        x = rng.uniform(0, 224)
        tuft = [(x - 2.2 * s, y - 2.5 * s), (x - 0.4 * s, y), (x + 1.8 * s, y - 3 * s)]
        shapes.append(curve(tuft, stroke=shade(base, -0.22), width=0.7 * s, silhouette=False))
    if look["variant"] == "flowers":
        for _ in range(24):
            y = horizon + 4 + (220 - horizon) * rng.random()
            s = 0.4 + 1.4 * (y - horizon) / (224 - horizon)
            colour = str(rng.choice(["#ffffff", "#ffd84d", "#e86a92", "#8f7ae5"]))
            shapes.append(ellipse((rng.uniform(0, 224), y), 1.3 * s, 1.1 * s, fill=colour, silhouette=False))
    return tuple(shapes)
