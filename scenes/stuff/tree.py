"""Tree: stuff by class, placed like a thing. Broadleaf, pine, poplar, palm, birch, bush and blossom."""

import numpy as np

from scenes.shapes import Drawing, Paint, Shape, blob, curve, ellipse, hsl, inside, limb, polygon, shade

VARIANTS = ("broadleaf", "pine", "poplar", "palm", "birch", "bush", "blossom")
LINE = 1.4


def sample(rng: np.random.Generator) -> dict:
    """The look: kind, leaf and bark colour, crown proportions."""
    variant = str(rng.choice(VARIANTS))
    hue = rng.uniform(85, 150)
    if variant == "blossom":
        hue = rng.uniform(320, 350)
    elif variant in ("broadleaf", "birch", "poplar") and rng.random() < 0.25:
        hue = rng.uniform(14, 50)  # autumn
    return {
        "variant": variant,
        "leaves": hsl(hue, rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.5) + 0.25 * (variant == "blossom")),
        "bark": hsl(rng.uniform(18, 34), rng.uniform(0.2, 0.4), rng.uniform(0.25, 0.4)),
        "width": float(rng.uniform(0.85, 1.2)),
        "fruit": bool(variant == "broadleaf" and rng.random() < 0.3),
        "seed": int(rng.integers(2**31)),
    }


def draw(look: dict) -> Drawing:
    """About 100 units tall (a bush 45), standing on y = 0."""
    rng = np.random.default_rng(look["seed"])
    leaves, bark, w = look["leaves"], look["bark"], look["width"]
    line, bark_line = shade(leaves, -0.4), shade(bark, -0.4)
    paint: Paint = {"fill": leaves, "stroke": line, "width": LINE}
    trunk_paint: Paint = {"fill": bark, "stroke": bark_line, "width": LINE}
    variant = look["variant"]
    if variant == "pine":
        shapes = [polygon([(-4, 0), (4, 0), (3, -20), (-3, -20)], **trunk_paint)]
        for base, top, half in ((-12, -52, 32), (-34, -74, 25), (-58, -100, 17)):
            tier = [(-half * w, base), (-half * w * 0.45, base + 3), (0, base + 1), (half * w * 0.45, base + 3)]
            shapes.append(polygon([*tier, (half * w, base), (0, top)], **paint))
            shade_side = polygon([(0, top), (half * w, base), (half * w * 0.2, base)], fill=shade(leaves, -0.15))
            shapes += inside(shapes[-1], shade_side)
        return Drawing(tuple(shapes))
    if variant == "palm":
        trunk = limb([(-6, -4), (-2, -30), (2, -55), (8, -76)], [9, 7, 6, 5], **trunk_paint)
        shapes = [trunk]
        for angle in (-165, -130, -55, -20, 10, -190):
            a = np.radians(angle + rng.uniform(-8, 8))
            tip = (8 + 40 * w * np.cos(a), -78 + 26 * np.sin(a) + 14)
            middle = (8 + 22 * w * np.cos(a), -80 + 22 * np.sin(a))
            shapes.append(limb([(8, -77), middle, tip], [4, 11, 1.5], **paint))
        shapes += [ellipse((x, -74), 3, 3, fill="#7a4a21", silhouette=False) for x in (5, 11)]
        return Drawing(tuple(shapes))
    if variant == "bush":
        crown = blob(_cloud(rng, 0, -22, 36 * w, 20, 9), **paint)
        return Drawing((crown, *inside(crown, *_leafage(rng, leaves, 0, -22, 34 * w, 18))))
    if variant == "birch":
        bark, bark_line = "#eeeae0", "#8a857a"
    trunk = polygon([(-6, 0), (6, 0), (3.5, -50), (-3.5, -50)], fill=bark, stroke=bark_line, width=LINE)
    shapes = [trunk]
    if variant == "birch":
        marks = [curve([(-4, y), (rng.uniform(-2, 2), y)], stroke="#4a4640", width=1.4) for y in range(-38, -2, 7)]
        shapes += inside(trunk, *marks)
    if variant == "poplar":
        side = [(12 * w, -78), (15 * w, -46), (9 * w, -18)]
        crown = blob([(0, -100), *side, *((-x, y) for x, y in reversed(side))], **paint)
        shapes += [crown, *inside(crown, *_leafage(rng, leaves, 0, -56, 12 * w, 36))]
    else:
        crown = blob(_cloud(rng, 0, -65, 33 * w, 33, 10), **paint)
        shapes += [crown, *inside(crown, *_leafage(rng, leaves, 0, -65, 30 * w, 30))]
    if look["fruit"]:
        for x, y in rng.uniform((-22 * w, -86), (22 * w, -44), (8, 2)):
            shapes.append(ellipse((x, y), 2.6, 2.6, fill="#d8372a", stroke="#7c1a12", width=0.7, silhouette=False))
    return Drawing(tuple(shapes))


def phrase(look: dict) -> str:
    """A noun phrase."""
    return f"a {look['variant']} tree"


def attributes(look: dict) -> dict[str, str]:
    """Words for its look."""
    return {"kind": look["variant"]}


def _cloud(rng: np.random.Generator, x: float, y: float, rx: float, ry: float, lobes: int) -> list:
    angles = np.linspace(0, 2 * np.pi, 2 * lobes, endpoint=False)
    radii = np.where(np.arange(2 * lobes) % 2, 0.9, 1.04) * rng.uniform(0.95, 1.05, 2 * lobes)
    return [(x + rx * r * np.cos(a), y + ry * r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]


def _leafage(rng: np.random.Generator, leaves: str, x: float, y: float, rx: float, ry: float) -> list[Shape]:
    light, dark = shade(leaves, 0.16), shade(leaves, -0.14)
    shapes = [ellipse((x + rx * 0.35, y + ry * 0.5), rx * 0.9, ry * 0.7, fill=dark)]
    shapes += [ellipse((x - rx * 0.3, y - ry * 0.4), rx * 0.5, ry * 0.42, fill=light)]
    for a, b in rng.uniform(-0.75, 0.75, (7, 2)):
        arc = [(x + a * rx - 3, y + b * ry), (x + a * rx, y + b * ry - 2.4), (x + a * rx + 3, y + b * ry)]
        shapes.append(curve(arc, stroke=shade(leaves, -0.25), width=1.0, opacity=0.8))
    return shapes
