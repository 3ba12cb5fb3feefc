"""A thing painted alone on a small window, to be laid over many frames: a step repeats, and its picture with it."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import resvg_py

from scenes.render import _draw, _identity_group, _painted, _shadow, _transform
from scenes.scene import FRAME, Placed
from scenes.shapes import extent

_BODY = 255  # the blue of a pixel that is the thing's


@dataclass(frozen=True, eq=False)
class Stamp:
    """`pixels` uint8 (h, w, 4) RGBA or bool (h, w), with its corner `left`, `top` in pixels of the picture."""

    pixels: np.ndarray
    left: int
    top: int

    def within(self, size: int) -> tuple[slice, slice, np.ndarray]:
        """Rows and columns of a picture of size x size that it covers, and its pixels there."""
        height, width = self.pixels.shape[:2]
        x1, y1 = max(self.left, 0), max(self.top, 0)
        x2, y2 = max(min(self.left + width, size), x1), max(min(self.top + height, size), y1)
        cut = self.pixels[y1 - self.top : y2 - self.top, x1 - self.left : x2 - self.left]
        return slice(y1, y2), slice(x1, x2), cut


def painted(thing: Placed, size: int, weather: tuple, haze: float) -> Stamp:
    """The thing with its shadow as light and fog leave it.

    weather: light, tint and fog colour; haze: 0 (clear) to 1, the share of the fog before it.
    """
    local, x, y = _local(thing, size)
    stamp = _painted_stamp(_Key(local), size, weather, haze)
    return Stamp(stamp.pixels, stamp.left + x, stamp.top + y)


def body(thing: Placed, size: int) -> Stamp:
    """The pixels that the thing would own if nothing stood before it."""
    local, x, y = _local(thing, size)
    stamp = _body_stamp(_Key(local), size)
    return Stamp(stamp.pixels, stamp.left + x, stamp.top + y)


def over(image: np.ndarray, stamp: Stamp) -> None:
    """Lay a painted stamp over a picture, uint8 (size, size, 3)."""
    rows, columns, layer = stamp.within(len(image))
    if layer.size:
        below = image[rows, columns]
        cover = layer[..., 3:].astype(np.uint16)
        below[...] = (layer[..., :3] * cover + below * (255 - cover) + 127) // 255


class _Key:
    """A thing as the key of a cache: two are equal where they are drawn alike."""

    def __init__(self, thing: Placed):
        self.thing = thing
        moment = (getattr(thing, "phase", None), getattr(thing, "phases", None))
        self.values = (thing.label, *thing.look.values(), thing.x, thing.y, thing.scale, thing.flip, *moment)

    def __hash__(self) -> int:
        return hash(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.values == other.values


def _local(thing: Placed, size: int) -> tuple[Placed, int, int]:
    """The thing moved by whole pixels to the corner of the picture, and by how many."""
    zoom = size / FRAME
    x, y = int(np.floor(thing.x * zoom)), int(np.floor(thing.y * zoom))
    return replace(thing, x=round(thing.x - x / zoom, 9), y=round(thing.y - y / zoom, 9)), x, y


@lru_cache(maxsize=384)  # 20 kB each at 224 pixels
def _painted_stamp(key: _Key, size: int, weather: tuple, haze: float) -> Stamp:
    thing, (light, tint, fog_colour) = key.thing, weather
    # who comes nearer is another size in every frame, but takes the same step again
    own_frame = replace(thing, x=0.0, y=0.0, scale=1.0, flip=False)
    inner, (x1, y1, x2, y2) = _strokes(_Key(own_frame), tint, fog_colour, round(haze, 2))
    x1, x2 = (-x2, -x1) if thing.flip else (x1, x2)
    wide = max(thing.box[2] - thing.box[0], 4)
    box = np.array([x1, y1, x2, y2]) * thing.scale + [thing.x, thing.y] * 2
    box[3] = max(box[3], thing.y + 0.1 * wide + 1)  # its shadow
    window = _window(box, size)
    content = f'{_shadow(thing, light, 1 - haze)}<g transform="{_transform(thing)}">{inner}</g>'
    return Stamp(_drawn(content, window, size), *window[:2])


@lru_cache(maxsize=256)  # 15 kB each
def _strokes(key: _Key, tint: tuple, fog_colour: str, haze: float) -> tuple[str, tuple[float, ...]]:
    """A thing in its own frame as SVG, and the extent of all that is painted of it, xyxy."""
    shapes = key.thing.drawing.shapes
    everything = [replace(shape, silhouette=True) for shape in shapes if shape.clip is None]
    return _painted(shapes, tint, fog_colour, haze, ""), tuple(extent(everything).tolist())


@lru_cache(maxsize=1024)  # 4 kB each at 224 pixels
def _body_stamp(key: _Key, size: int) -> Stamp:
    window = _window(key.thing.box, size)
    flat = _draw(_identity_group(key.thing, _BODY), window, size, "crisp_edges")
    return Stamp(flat[..., 2] == _BODY, *window[:2])


def _window(box: np.ndarray, size: int) -> tuple[int, int, int, int]:
    low, high = np.floor(box[:2] * size / FRAME - 1), np.ceil(box[2:] * size / FRAME + 1)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _drawn(content: str, window: tuple[int, int, int, int], size: int) -> np.ndarray:
    """What an SVG paints on nothing, uint8 (h, w, 4) RGBA."""
    x1, y1, x2, y2 = window
    unit = FRAME / size
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{x2 - x1}" height="{y2 - y1}" '
        f'viewBox="{x1 * unit:.6f} {y1 * unit:.6f} {(x2 - x1) * unit:.6f} {(y2 - y1) * unit:.6f}" '
        f'stroke-linecap="round" stroke-linejoin="round">{content}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, shape_rendering="geometric_precision")
    layer = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_UNCHANGED)
    assert layer is not None, "resvg writes PNG, which OpenCV reads."
    return cv2.cvtColor(layer, cv2.COLOR_BGRA2RGBA)
