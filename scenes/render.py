"""From a scene to its picture and its exact ground truth.

The picture is one SVG. The truth is the same SVG again, each thing in one flat colour that is its identity and with
crisp edges, so labels are exact by construction: nobody traced an outline.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal

import cv2
import numpy as np
import resvg_py
from scipy import ndimage

from scenes import things
from scenes.classes import CLASSES, JOINTS
from scenes.scene import FRAME, Placed, Scene
from scenes.shapes import Shape, ellipse, mix

FIRST_THING = 10  # panoptic identities: 1 to 5 are sky, grass, road, water, tree; things count from here
NOISE_AT_ONE = 0.25  # standard deviation of the noise at knob 1, of an intensity range of 0 to 1
Rendering = Literal["crisp_edges", "geometric_precision"]
SMALLEST_LARGEST_SIZE = (16, 2048)


@dataclass(frozen=True, eq=False)
class Instance:
    """The truth about one thing of which at least one pixel is seen.

    Attributes:
        id: its value in the panoptic map.
        label: its class name.
        mask: bool array (H, W), its visible pixels.
        box: float array (4,), xyxy in pixels around the visible pixels.
        full_box: the same around its full extent, also where hidden or outside the picture.
        visible: visible pixels over all its pixels in the picture, 0 to 1.
        keypoints: float array (14, 3) of x, y in pixels and COCO's visibility (0 outside the picture, 1 hidden, 2
            visible), in the order of `scenes.JOINTS`; None for all but persons.
        attributes: words for its look.
        caption: one sentence.
    """

    id: int
    label: str
    mask: np.ndarray
    box: np.ndarray
    full_box: np.ndarray
    visible: float
    keypoints: np.ndarray | None
    attributes: dict[str, str]
    caption: str


@dataclass(frozen=True, eq=False)
class View:
    """A rendered scene: `image` uint8 (H, W, 3) RGB, `panoptic` int32 (H, W), `semantic` uint8 (H, W) with indices into
    `scenes.CLASSES`, and `instances` from far to near."""

    scene: Scene
    image: np.ndarray
    panoptic: np.ndarray
    semantic: np.ndarray
    instances: tuple[Instance, ...]


def render(scene: Scene, size: int = 224) -> View:
    """Paint a scene and its ground truth.

    Args:
        scene: what to paint.
        size: width and height of the picture in pixels, 16 to 2048.
    """
    backdrop = scene.backdrop_shapes()
    placed = sorted([*scene.trees, *scene.objects], key=lambda p: p.y)
    identity = {id(thing): FIRST_THING + i for i, thing in enumerate(scene.objects)}
    flat = [_flat(shape, _CLASS_ID[name]) for name, shapes in backdrop.items() for shape in shapes if shape.silhouette]
    flat += [_identity_group(thing, identity.get(id(thing), _CLASS_ID["tree"])) for thing in placed]
    panoptic = _identities(flat, size)
    semantic = _semantic_table(tuple(thing.label for thing in scene.objects))[panoptic]
    instances = _instances(scene, placed, identity, panoptic, size)
    return View(scene, _image(scene, backdrop, placed, size), panoptic, semantic, instances)


def render_image(scene: Scene, size: int = 224) -> np.ndarray:
    """The picture alone, uint8 (size, size, 3), without the ground truth."""
    placed = sorted([*scene.trees, *scene.objects], key=lambda p: p.y)
    return _image(scene, scene.backdrop_shapes(), placed, size)


# --- the picture


def _image(scene: Scene, backdrop: dict, placed: list[Placed], size: int) -> np.ndarray:
    fog_colour = mix(mix("#2a3144", "#b9a79c", min(scene.light * 2, 1)), "#dfe5e8", max(scene.light * 2 - 1, 0))

    # Denser faster in the upper half of the knob, which no training scene reaches.
    density = (scene.fog + 16 * max(scene.fog - 0.5, 0.0) ** 2) / 90

    def veil(distance: float) -> float:
        return 1 - np.exp(-density * distance)  # Beer-Lambert's law

    tint = _tint(scene.light)
    parts = []
    for name, shapes in backdrop.items():
        day = (1.0, 1.0, 1.0) if name == "sky" else tint
        parts.append(_painted(shapes, day, fog_colour, 0.0, name))
        if name == "sky" and scene.fog:
            parts.append(f'<rect width="224" height="224" fill="{fog_colour}" fill-opacity="{veil(500):.3f}"/>')
    if scene.fog:
        parts.append(_ground_fog(scene, fog_colour, veil))
    for index, thing in enumerate(placed):
        haze = veil(scene.distance(thing.y))
        parts.append(_shadow(thing, scene.light, 1 - haze))
        inner = _painted(thing.drawing.shapes, tint, fog_colour, round(haze, 2), str(index))
        parts.append(f'<g transform="{_transform(thing)}">{inner}</g>')
    image = _draw("".join(parts), (0, 0, size, size), size, "geometric_precision")
    return add_noise(image, scene.seed, scene.noise)


def add_noise(image: np.ndarray, seed: int, noise: float) -> np.ndarray:
    """A uint8 picture with the sensor noise that belongs to a seed and a knob of 0 to 1."""
    if not noise:
        return image
    rng = np.random.default_rng([seed, 7, len(image)])
    grain = rng.standard_normal(image.shape, dtype=np.float32) * (noise * NOISE_AT_ONE * 255)
    return np.clip(image + grain + 0.5, 0, 255).astype(np.uint8)


def _tint(light: float) -> tuple[float, float, float]:
    """What the light does to the colour of everything but the sky."""
    night, dusk, day = np.array([0.50, 0.56, 0.78]), np.array([0.92, 0.78, 0.70]), np.ones(3)
    rgb = night + (dusk - night) * light * 2 if light < 0.5 else dusk + (day - dusk) * (light * 2 - 1)
    return tuple(np.round(rgb, 3).tolist())


@lru_cache(maxsize=8192)
def _lit(colour: str, tint: tuple[float, float, float], fog_colour: str, haze: float) -> str:
    if not colour.startswith("#"):
        return colour
    rgb = "#" + "".join(f"{round(int(colour[i : i + 2], 16) * t):02x}" for i, t in zip((1, 3, 5), tint, strict=True))
    return mix(rgb, fog_colour, haze) if haze else rgb


def _painted(shapes: Sequence[Shape], tint: tuple, fog_colour: str, haze: float, name: str) -> str:
    parts = []
    # Clipping is what costs most in resvg: neighbours with the same clip share one.
    for number, (_, group) in enumerate(groupby(shapes, key=_clip_key)):
        members = list(group)
        paths = "".join(_path(shape, tint, fog_colour, haze) for shape in members)
        if clip := members[0].clip:
            clip_id = f"c{name}-{number}"
            paths = (
                f'<clipPath id="{clip_id}"><path d="{clip.d}"/></clipPath><g clip-path="url(#{clip_id})">{paths}</g>'
            )
        parts.append(paths)
    return "".join(parts)


def _clip_key(shape: Shape) -> bytes:
    return shape.clip.segments.tobytes() if shape.clip else b""


def _path(shape: Shape, tint: tuple, fog_colour: str, haze: float) -> str:
    # fill-opacity and stroke-opacity, not opacity: that would make resvg paint a layer for every path
    veiled = shape.opacity < 1
    paint = f'fill="{_lit(shape.fill, tint, fog_colour, haze)}"' if shape.fill else 'fill="none"'
    if veiled and shape.fill:
        paint += f' fill-opacity="{shape.opacity:.2f}"'
    if shape.stroke:
        paint += f' stroke="{_lit(shape.stroke, tint, fog_colour, haze)}" stroke-width="{shape.width:.2f}"'
        if veiled:
            paint += f' stroke-opacity="{shape.opacity:.2f}"'
    return f'<path d="{shape.d}" {paint}/>'


def _ground_fog(scene: Scene, colour: str, veil) -> str:
    stops = []
    for t in (0.0, 0.03, 0.1, 0.25, 0.5, 1.0):
        y = scene.horizon + 2 + (FRAME - scene.horizon) * t
        stops.append(f'<stop offset="{t}" stop-color="{colour}" stop-opacity="{veil(scene.distance(y)):.3f}"/>')
    ramp = f'<linearGradient id="fog" x1="0" y1="0" x2="0" y2="1">{"".join(stops)}</linearGradient>'
    box = f'y="{scene.horizon:.2f}" width="224" height="{FRAME - scene.horizon:.2f}"'
    return f'<defs>{ramp}</defs><rect {box} fill="url(#fog)"/>'


def _shadow(thing: Placed, light: float, strength: float) -> str:
    if thing.look.get("pose") == "swimming":
        return ""
    x1, _, x2, _ = thing.box
    width = (x2 - x1) / 2 * (0.45 if thing.label in ("tree", "street sign") else 0.95)
    if thing.label == "street sign":
        width *= 0.4
    shadow = ellipse(((x1 + x2) / 2, thing.y), width, max(width * 0.16, 0.8), fill="#10131c", opacity=1.0)
    return f'<path d="{shadow.d}" fill="#10131c" fill-opacity="{(0.14 + 0.14 * light) * strength:.2f}"/>'


# --- the truth

_CLASS_ID = {name: i + 1 for i, name in enumerate(CLASSES[:5])}


def _flat(shape: Shape, identity: int) -> str:
    colour = f"#0000{identity:02x}"
    stroke = f' stroke="{colour}" stroke-width="{shape.width:.2f}"' if shape.stroke else ""
    return f'<path d="{shape.d}" fill="{colour if shape.fill else "none"}"{stroke}/>'


def _identity_group(thing: Placed, identity: int) -> str:
    outlined, parts = set(), []
    for shape in thing.drawing.shapes:
        if shape.silhouette:
            curve = shape.segments.tobytes()
            if shape.stroke or curve not in outlined:  # a fill over its own outline adds no pixel
                parts.append(_flat(shape, identity))
            if shape.stroke and shape.fill:
                outlined.add(curve)
    inner = "".join(parts)
    return f'<g transform="{_transform(thing)}">{inner}</g>'


def _identities(parts: list[str], size: int) -> np.ndarray:
    return _draw("".join(parts), (0, 0, size, size), size, "crisp_edges")[..., 2].astype(np.int32)


def _pixels_alone(thing: Placed, identity: int, size: int) -> int:
    """How many pixels of the picture a thing would cover if nothing stood before it; only its corner is drawn."""
    x1, y1, x2, y2 = thing.box * size / FRAME
    window = (
        *np.floor(np.clip([x1 - 1, y1 - 1], 0, size - 1)).astype(int),
        *np.ceil(np.clip([x2 + 1, y2 + 1], 1, size)).astype(int),
    )
    return int((_draw(_identity_group(thing, identity), window, size, "crisp_edges")[..., 2] == identity).sum())


@lru_cache(maxsize=512)
def _semantic_table(labels: tuple[str, ...]) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    table[1:6] = np.arange(5)
    table[FIRST_THING : FIRST_THING + len(labels)] = [CLASSES.index(label) for label in labels]
    return table


def _instances(scene: Scene, placed: list, identity: dict, panoptic: np.ndarray, size: int) -> tuple:
    found = ndimage.find_objects(panoptic)
    zoom = size / FRAME
    instances = []
    for order, thing in enumerate(placed):
        number = identity.get(id(thing))
        if number is None or number > len(found) or found[number - 1] is None:
            continue
        rows, columns = found[number - 1]
        mask = panoptic == number
        hiders = _hiders(thing, placed[order + 1 :])
        visible = 1.0
        if hiders:
            visible = float(mask.sum() / max(_pixels_alone(thing, number, size), 1))
        full = thing.box * zoom
        module = things.MODULES[thing.label]
        attributes = module.attributes(thing.look)
        caption = module.phrase(thing.look) + _where(thing, scene.ground(thing.x, thing.y))
        if visible < 0.98:
            nearest = max(hiders, key=lambda other: _common(thing.box, other.box))
            caption += f", partly hidden behind {_article(nearest.label)}"
        if full[:2].min() < -0.5 or full[2:].max() > size + 0.5:
            caption += ", cut off by the edge of the picture"
        box = np.array([columns.start, rows.start, columns.stop, rows.stop], dtype=float)
        keypoints = _keypoints(thing, mask, zoom)
        sentence = caption[0].upper() + caption[1:] + "."
        instances.append(Instance(number, thing.label, mask, box, full, visible, keypoints, attributes, sentence))
    return tuple(instances)


def _where(thing: Placed, floor: str) -> str:
    if thing.lift:
        return f", in the air over the {floor}"
    return {"water": " on the water", "road": " on the road", "grass": " on the grass"}[floor]


def _article(label: str) -> str:
    return f"a {label}"


def _hiders(thing: Placed, nearer: list[Placed]) -> list[Placed]:
    return [other for other in nearer if _common(thing.box, other.box) > 0]


def _common(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)))


def _keypoints(thing: Placed, mask: np.ndarray, zoom: float) -> np.ndarray | None:
    if not thing.drawing.joints:
        return None
    rows = []
    for name in JOINTS:
        if thing.flip:  # in a mirror the left hand becomes the right one
            name = re.sub("left|right", lambda m: "right" if m[0] == "left" else "left", name)
        x, y, seen = thing.drawing.joints[name]
        x = (thing.x + (-x if thing.flip else x) * thing.scale) * zoom
        y = (thing.y - thing.lift + y * thing.scale) * zoom
        column, row = int(np.floor(x)), int(np.floor(y))
        if not (0 <= column < mask.shape[1] and 0 <= row < mask.shape[0]):
            rows.append((x, y, 0))
        else:
            # a joint at the tip of a foot or at the crown may fall just beside the last crisp pixel
            near = mask[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].any()
            rows.append((x, y, 2 if seen and near else 1))
    return np.array(rows, dtype=float)


# --- shared


def _transform(thing: Placed) -> str:
    side = -thing.scale if thing.flip else thing.scale
    return f"matrix({side:.5f} 0 0 {thing.scale:.5f} {thing.x:.3f} {thing.y - thing.lift:.3f})"


def _draw(body: str, window: tuple[int, int, int, int], size: int, shape_rendering: Rendering) -> np.ndarray:
    """Pixels uint8 (h, w, 3) RGB of the window (xyxy in pixels) of a picture of size x size pixels."""
    low, high = SMALLEST_LARGEST_SIZE
    if not low <= size <= high:
        raise ValueError(f"A picture is {low} to {high} pixels wide, not {size}.")
    x1, y1, x2, y2 = window
    unit = FRAME / size
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{x2 - x1}" height="{y2 - y1}" '
        f'viewBox="{x1 * unit:.6f} {y1 * unit:.6f} {(x2 - x1) * unit:.6f} {(y2 - y1) * unit:.6f}" '
        f'stroke-linecap="round" stroke-linejoin="round">{body}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, shape_rendering=shape_rendering)
    bgr = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None, "resvg writes PNG, which OpenCV reads."
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
