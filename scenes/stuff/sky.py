"""Sky: bands of colour for the light, clouds, sun or moon, stars."""

import numpy as np

from scenes.shapes import Shape, blob, ellipse, hsl, mix, rectangle, shade

VARIANTS = ("clear", "puffs", "streaks", "overcast")


def sample(rng: np.random.Generator) -> dict:
    """The look: cloud style and places, hue of the day, where the sun or moon stands."""
    return {
        "variant": str(rng.choice(VARIANTS)),
        "hue": float(rng.uniform(190, 222)),
        "paleness": float(rng.uniform(0, 0.35)),
        "sun_x": float(rng.uniform(20, 204)),
        "sun_y": float(rng.uniform(16, 48)),
        "seed": int(rng.integers(2**31)),
    }


def draw(look: dict, light: float) -> tuple[Shape, ...]:
    """The backdrop for light 0 (night) to 1 (day); stars show below 0.35."""
    rng = np.random.default_rng(look["seed"])
    day = (hsl(look["hue"], 0.6 - look["paleness"], 0.62), hsl(look["hue"] - 8, 0.6 - look["paleness"], 0.86))
    dusk, night = ("#5b5f9e", "#f5b37f"), ("#0d1430", "#2c3a66")
    low, high, t = (night, dusk, light * 2) if light < 0.5 else (dusk, day, light * 2 - 1)
    top, bottom = (mix(a, b, t) for a, b in zip(low, high, strict=True))
    shapes = [rectangle(-60, -60, 284, 284, fill=top)]
    bands = 14
    for i in range(1, bands):
        y = -60 + (130 + 60) * i / bands
        shapes.append(rectangle(-60, y, 284, 284, fill=mix(top, bottom, i / (bands - 1)), silhouette=False))
    if light < 0.35:
        for x, y, size in rng.uniform((0, 0, 0.3), (224, 100, 0.9), (26, 3)):
            shapes.append(ellipse((x, y), size, size, fill="#fff6d8", opacity=1 - light * 2.5, silhouette=False))
    shapes += _orb(look, light)
    shapes += _clouds(look["variant"], rng, mix(bottom, "#ffffff", 0.25 + 0.6 * light), bottom)
    return tuple(shapes)


def _orb(look: dict, light: float) -> list[Shape]:
    x, y = look["sun_x"], look["sun_y"] + 40 * max(0, 1 - abs(light - 0.5) * 4)
    if light < 0.3:
        return [
            ellipse((x, y), 11, 11, fill="#f6efd0", silhouette=False),
            ellipse((x - 3, y - 3), 2.4, 2.4, fill="#ddd3ab", silhouette=False),
            ellipse((x + 4, y + 2), 1.7, 1.7, fill="#ddd3ab", silhouette=False),
        ]
    colour = mix("#ff8f4d", "#ffe27a", max(0, light * 2 - 1))
    return [
        ellipse((x, y), 20, 20, fill=shade(colour, 0.4), opacity=0.35, silhouette=False),
        ellipse((x, y), 12, 12, fill=colour, silhouette=False),
    ]


def _clouds(variant: str, rng: np.random.Generator, colour: str, shadow: str) -> list[Shape]:
    shapes = []
    if variant == "puffs":
        for _ in range(int(rng.integers(2, 5))):
            x, y, s = rng.uniform(0, 224), rng.uniform(12, 60), rng.uniform(0.6, 1.4)
            for dx, dy, r in ((-14, 2, 8), (-4, -4, 11), (8, -2, 9), (17, 3, 6)):
                shapes.append(ellipse((x + dx * s, y + dy * s), r * s, r * s * 0.85, fill=colour, silhouette=False))
            shapes.append(rectangle(x - 21 * s, y + 2 * s, x + 22 * s, y + 9 * s, 4 * s, fill=colour, silhouette=False))
    elif variant == "streaks":
        for _ in range(int(rng.integers(3, 7))):
            x, y, w = rng.uniform(-20, 224), rng.uniform(10, 75), rng.uniform(25, 70)
            shapes.append(ellipse((x, y), w, rng.uniform(1.2, 3.2), fill=colour, opacity=0.75, silhouette=False))
    elif variant == "overcast":
        for _ in range(5):
            x, y = rng.uniform(-10, 234), rng.uniform(-10, 30)
            points = [(x - 60, y), (x - 20, y - 16), (x + 30, y - 12), (x + 62, y), (x + 20, y + 10), (x - 30, y + 9)]
            tone = mix(colour, shadow, rng.uniform(0.1, 0.5))
            shapes.append(blob(points, fill=tone, opacity=0.8, silhouette=False))
    return shapes
