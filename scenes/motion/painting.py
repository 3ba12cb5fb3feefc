"""Painting the scenes of a film fast: the backdrop is painted once, and things are stamps laid over it.

The picture is that of `scenes.render_image` up to the rounding of one layer over another, and the truth is that of
`scenes.render`; the tests hold both.
"""

from functools import lru_cache

import numpy as np

from scenes.motion import stamps
from scenes.motion.wide_backdrop import Panned
from scenes.render import _draw, _ground_fog, _painted, _tint, add_noise
from scenes.scene import FRAME
from scenes.shapes import mix

SWAY = 32  # how far the backdrop goes on to each side of the picture, units


def paint(scene: Panned, size: int) -> np.ndarray:
    """The picture of a scene of a film, uint8 (size, size, 3) RGB."""
    image = _behind(scene, size).copy()
    weather = (scene.light, _tint(scene.light), _fog_colour(scene))
    for thing in sorted([*scene.trees, *scene.objects], key=lambda thing: thing.y):
        if thing.box[2] > -8 and thing.box[0] < FRAME + 8:  # 8: for its shadow
            haze = round(_veil(scene, scene.distance(thing.y)), 4)
            stamps.over(image, stamps.painted(thing, size, weather, haze))
    return add_noise(image, scene.seed, scene.noise)


def seen(scene: Panned, size: int) -> list[tuple[int, np.ndarray, float]]:
    """What of each object is in the picture: its index in `objects`, box (4,) xyxy in pixels, and visible share."""
    number = {id(thing): index for index, thing in enumerate(scene.objects)}
    taken, rows = np.zeros((size, size), bool), []
    for thing in sorted([*scene.trees, *scene.objects], key=lambda thing: thing.y)[::-1]:  # from near to far
        down, across, body = stamps.body(thing, size).within(size)
        if not body.any():
            continue
        before = taken[down, across]
        free = body & ~before
        before |= body
        if id(thing) in number and free.any():
            y, x = np.flatnonzero(free.any(1)), np.flatnonzero(free.any(0))
            box = np.array([x[0], y[0], x[-1] + 1, y[-1] + 1], dtype=float) + [across.start, down.start] * 2
            rows.append((number[id(thing)], box, float(free.sum() / body.sum())))
    return rows[::-1]


def _behind(scene: Panned, size: int) -> np.ndarray:
    """The backdrop as the camera sees it; where it moves by whole pixels, it is cut from one wide picture."""
    across = scene.shift * size / FRAME
    looks = tuple((name, tuple(look.items())) for name, look in scene.backdrop.items())
    weather = (scene.horizon, scene.camera, scene.light, scene.fog)
    if across == round(across) and SWAY * size % FRAME == 0:
        left = round(SWAY * size / FRAME - across)
        return _wide_picture(looks, weather, 0.0, size, True)[:, left : left + size]
    return _wide_picture(looks, weather, scene.shift, size, False)


@lru_cache(maxsize=24)  # 0.2 MB each at 224 pixels
def _wide_picture(looks: tuple, weather: tuple, shift: float, size: int, wide: bool) -> np.ndarray:
    horizon, camera, light, fog = weather
    scene = Panned(0, horizon, camera, light, fog, 0.0, {name: dict(look) for name, look in looks}, shift=shift)
    colour, parts = _fog_colour(scene), []
    stretch = f'x="-{SWAY}" width="{FRAME + 2 * SWAY}"'
    for name, shapes in scene.backdrop_shapes().items():
        parts.append(_painted(shapes, (1.0, 1.0, 1.0) if name == "sky" else _tint(light), colour, 0.0, name))
        if name == "sky" and fog:
            parts.append(f'<rect {stretch} height="224" fill="{colour}" fill-opacity="{_veil(scene, 500):.3f}"/>')
    if fog:
        parts.append(_ground_fog(scene, colour, lambda far: _veil(scene, far)).replace('width="224"', stretch))
    margin = round(SWAY * size / FRAME) if wide else 0
    return _draw("".join(parts), (-margin, 0, size + margin, size), size, "geometric_precision")


def _fog_colour(scene: Panned) -> str:
    return mix(mix("#2a3144", "#b9a79c", min(scene.light * 2, 1)), "#dfe5e8", max(scene.light * 2 - 1, 0))


def _veil(scene: Panned, distance: float) -> float:
    return float(1 - np.exp(-(scene.fog + 16 * max(scene.fog - 0.5, 0.0) ** 2) / 90 * distance))
