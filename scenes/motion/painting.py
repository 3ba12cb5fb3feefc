"""Painting the scenes of a film fast: what stands still is painted once, what moves is laid over it.

The picture is that of `scenes.render_image` up to the rounding of one layer over another, which the tests hold.
"""

from functools import lru_cache

import cv2
import numpy as np
import resvg_py
from scipy import ndimage

from scenes.motion.moving import Moving, drawn
from scenes.motion.wide_backdrop import Panned
from scenes.render import (
    FIRST_THING,
    _draw,
    _ground_fog,
    _hiders,
    _identities,
    _identity_group,
    _painted,
    _pixels_alone,
    _shadow,
    _tint,
    _transform,
    add_noise,
)
from scenes.scene import FRAME, Placed
from scenes.shapes import mix

SWAY = 32  # how far the backdrop goes on to each side of the picture, units


def paint(scene: Panned, size: int) -> np.ndarray:
    """The picture of a scene of a film, uint8 (size, size, 3) RGB."""
    image = _behind(scene, size)
    things = sorted([*scene.trees, *scene.objects], key=lambda thing: thing.y)
    things = [thing for thing in things if thing.box[2] > -8 and thing.box[0] < FRAME + 8]  # 8: its shadow
    if things:
        image = _over("".join(_painting(scene, thing, order) for order, thing in enumerate(things)), image)
    return add_noise(image, scene.seed, scene.noise)


def seen(scene: Panned, size: int) -> list[tuple[int, np.ndarray, float]]:
    """What of each object is in the picture: its index in `objects`, box (4,) xyxy in pixels, and visible share."""
    near = [thing for thing in scene.objects if thing.box[2] > -1 and thing.box[0] < FRAME + 1]
    number = {id(thing): FIRST_THING + index for index, thing in enumerate(scene.objects)}
    placed = sorted([*scene.trees, *near], key=lambda thing: thing.y)
    panoptic = _identities([_identity_group(thing, number.get(id(thing), 1)) for thing in placed], size)
    places, rows = ndimage.find_objects(panoptic), []
    for order, thing in enumerate(placed):
        identity = number.get(id(thing))
        if identity is None or identity > len(places) or places[identity - 1] is None:
            continue
        down, across = places[identity - 1]
        visible = 1.0
        if _hiders(thing, placed[order + 1 :]):
            pixels = (panoptic[down, across] == identity).sum()
            visible = float(pixels / max(_pixels_alone(thing, identity, size), 1))
        box = np.array([across.start, down.start, across.stop, down.stop], dtype=float)
        rows.append((identity - FIRST_THING, box, visible))
    return rows


def _behind(scene: Panned, size: int) -> np.ndarray:
    """The backdrop as the camera sees it; for whole pixels it is cut from one wide picture."""
    across = scene.shift * size / FRAME
    looks = tuple((name, tuple(look.items())) for name, look in scene.backdrop.items())
    weather = (scene.horizon, scene.camera, scene.light, scene.fog)
    if abs(across - round(across)) < 1e-9 and abs(scene.shift) <= SWAY and SWAY * size % FRAME == 0:
        wide = _wide_picture(looks, weather, 0.0, size, True)
        left = round(SWAY * size / FRAME - across)
        return wide[:, left : left + size]
    return _wide_picture(looks, weather, scene.shift, size, False)


@lru_cache(maxsize=24)  # 0.2 MB each at 224 pixels
def _wide_picture(looks: tuple, weather: tuple, shift: float, size: int, wide: bool) -> np.ndarray:
    horizon, camera, light, fog = weather
    backdrop = {name: dict(look) for name, look in looks}
    scene = Panned(0, horizon, camera, light, fog, 0.0, backdrop, shift=shift)
    colour, parts = _fog_colour(scene), []
    stretch = f'x="-{SWAY}" width="{FRAME + 2 * SWAY}"'
    for name, shapes in scene.backdrop_shapes().items():
        day = (1.0, 1.0, 1.0) if name == "sky" else _tint(light)
        parts.append(_painted(shapes, day, colour, 0.0, name))
        if name == "sky" and fog:
            parts.append(f'<rect {stretch} height="224" fill="{colour}" fill-opacity="{_veil(scene, 500):.3f}"/>')
    if fog:
        parts.append(_ground_fog(scene, colour, lambda far: _veil(scene, far)).replace('width="224"', stretch))
    margin = round(SWAY * size / FRAME) if wide else 0
    return _draw("".join(parts), (-margin, 0, size + margin, size), size, "geometric_precision")


def _painting(scene: Panned, thing: Placed, order: int) -> str:
    haze = _veil(scene, scene.distance(thing.y))
    phase = thing.phase if isinstance(thing, Moving) else None
    look = tuple(thing.look.items())
    inner = _strokes(thing.label, look, phase, _tint(scene.light), _fog_colour(scene), round(haze, 2))
    shadow = _shadow(thing, scene.light, 1 - haze)
    return f'{shadow}<g transform="{_transform(thing)}">{inner.replace("c@-", f"c{order}-")}</g>'


@lru_cache(maxsize=512)  # 15 kB each
def _strokes(label: str, look: tuple, phase: int | None, tint: tuple, fog_colour: str, haze: float) -> str:
    return _painted(drawn(label, look, phase)[0].shapes, tint, fog_colour, haze, "@")


def _over(body: str, image: np.ndarray) -> np.ndarray:
    """What an SVG paints, laid over a picture."""
    size = len(image)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {FRAME} {FRAME}" '
        f'stroke-linecap="round" stroke-linejoin="round">{body}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, shape_rendering="geometric_precision")
    layer = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_UNCHANGED)
    assert layer is not None, "resvg writes PNG, which OpenCV reads."
    layer = cv2.cvtColor(layer, cv2.COLOR_BGRA2RGBA).astype(np.uint16)
    cover = layer[..., 3:]
    return ((layer[..., :3] * cover + image * (255 - cover) + 127) // 255).astype(np.uint8)


def _fog_colour(scene: Panned) -> str:
    return mix(mix("#2a3144", "#b9a79c", min(scene.light * 2, 1)), "#dfe5e8", max(scene.light * 2 - 1, 0))


def _veil(scene: Panned, distance: float) -> float:
    return float(1 - np.exp(-(scene.fog + 16 * max(scene.fog - 0.5, 0.0) ** 2) / 90 * distance))
