"""A stage as JSON: rasters become PNG or WebP bytes sent once per visitor, vector layers become lists of numbers."""

from __future__ import annotations

import base64
import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

import cv2
import numpy as np
import streamlit as st
from PIL import Image

from ui import recording
from ui.components import live, wire
from ui.components.stage.layers import Box, Boxes, GridLines, Heat, Labels, Layer, Lines, Points

PALETTES = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "inferno": cv2.COLORMAP_INFERNO,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "turbo": cv2.COLORMAP_TURBO,
}
REMEMBERED = 16  # rasters of a stage that the browser surely still holds; shelf.js keeps 32
SHARED = 128  # encoded rasters kept for all visitors
SKETCH = "~"  # ends the names of pictures that were sent while a hand moved; at rest they come without loss
CLEARING = 0.75  # how fast a diverging map clears towards its middle: 1 would be in proportion
MOST_COLOURS = 255  # of a label map: its indices are bytes, and one is for what has no colour
PHOTOGRAPH = 512 * 512  # pixels from which a picture is sent as WebP instead of lossless PNG


class Rasters:
    """The rasters of one drawing; bytes go out only for those this visitor's browser has not been sent before.

    `missing` are the names the browser says it lacks after all (a message can be overtaken by a newer one).
    """

    def __init__(self, key: str, missing: Collection[str] = ()):
        if wire.entering(key):  # a new stage in the browser, with empty hands
            st.session_state[f"{key}.rasters"] = []
        self.key = key
        if (noted := recording.current()) is not None:
            noted.lacking(key, list(missing))
        self.sent: list[str] = st.session_state.setdefault(f"{key}.rasters", [])
        self.sent[:] = [name for name in self.sent if name not in missing]
        self.bytes: dict[str, str] = {}

    def add(self, pixels: np.ndarray, colours: bytes = b"") -> str:
        """Name (content hash) of `pixels`, uint8 (H, W), (H, W, 3) RGB or (H, W, 4) RGBA; with `colours`, 4 bytes RGBA
        each, indices (H, W) of these."""
        pixels = np.ascontiguousarray(pixels)
        known = hashlib.blake2b(pixels, digest_size=9, key=str(pixels.shape).encode())
        known.update(colours)
        name = known.hexdigest()
        if live.following() and pixels.shape[2:] == (3,) and name not in self.sent:
            name += SKETCH
        self.show(name, lambda: data_url(name, pixels, colours))
        if (noted := recording.current()) is not None:
            noted.raster(self.key, name, data_url(name, pixels, colours))
        return name

    def show(self, name: str, address: Callable[[], str]) -> None:
        """The raster `name` is shown; its data URL is asked for if the browser lacks it."""
        if name in self.sent:
            self.sent.remove(name)
        elif name not in self.bytes:
            self.bytes[name] = address()
        self.sent.append(name)
        del self.sent[:-REMEMBERED]


_encoded: OrderedDict[str, str] = OrderedDict()  # name → data URL, for all visitors, least recent first
_lock = Lock()


def data_url(name: str, pixels: np.ndarray, colours: bytes) -> str:
    """The pixels as a data URL, remembered by `name`: visitors looking at the same picture share one encoding."""
    with _lock:
        if name in _encoded:
            _encoded.move_to_end(name)
            return _encoded[name]
    address = encode_indices(pixels, colours) if colours else encode(pixels, sketch=name.endswith(SKETCH))
    with _lock:
        _encoded[name] = address
        while len(_encoded) > SHARED:
            _encoded.popitem(last=False)
    return address


def encode(pixels: np.ndarray, sketch: bool = False) -> str:
    """`pixels` as a data URL: lossless PNG, WebP for a photograph, JPEG for a sketch: a picture on the move."""
    colour = pixels
    if pixels.ndim == 3:
        colour = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    large = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.shape[0] * pixels.shape[1] > PHOTOGRAPH
    kind = "jpeg" if sketch else "webp" if large else "png"
    flags = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, 90],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
    }[kind]
    done, data = cv2.imencode(f".{kind}", colour, flags)
    if not done:
        raise ValueError(f"a picture of shape {pixels.shape} cannot be encoded")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def encode_indices(indices: np.ndarray, colours: bytes) -> str:
    """Indices uint8 (H, W) into `colours`, 4 bytes RGBA each, as the data URL of a PNG with a palette: a fifth of the
    time of a PNG with four channels."""
    picture, file = Image.fromarray(indices), io.BytesIO()
    picture.putpalette(colours, "RGBA")
    picture.save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@lru_cache
def palette_table(name: str) -> np.ndarray:
    """(256, 3) uint8 RGB colours of a heat map palette."""
    ramp = np.arange(256, dtype=np.uint8)
    if name == "gray":
        return np.repeat(ramp[:, None], 3, axis=1)
    if name == "diverging":
        ends = np.array([[0, 84, 148], [247, 247, 247], [192, 64, 0]], dtype=float)
        return (
            np.stack([np.interp(ramp, [0, 127.5, 255], ends[:, c]) for c in range(3)], axis=1).round().astype(np.uint8)
        )
    if name not in PALETTES:
        raise ValueError(f"unknown palette {name!r}: one of {', '.join([*PALETTES, 'gray', 'diverging'])}")
    return cv2.applyColorMap(ramp[:, None], PALETTES[name])[:, 0, ::-1].copy()


def heat_pixels(heat: Heat) -> np.ndarray:
    """RGBA uint8 (H, W, 4) of a heat map."""
    values = np.asarray(heat.values, dtype=float)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"a heat map needs values of shape (H, W), got {values.shape}")
    finite = np.isfinite(values)
    seen = values[finite] if finite.any() else np.array([0.0, 1.0])
    low = float(seen.min() if heat.vmin is None else heat.vmin)
    high = float(seen.max() if heat.vmax is None else heat.vmax)
    span = high - low if high > low else 1.0
    index = (np.clip((np.where(finite, values, low) - low) / span, 0, 1) * 255).round().astype(np.uint8)
    rgba = np.empty((*values.shape, 4), np.uint8)
    colours = palette_table(heat.palette)
    if heat.palette == "diverging":  # white over all that says nothing would wash the picture out
        strength = np.abs(index / 127.5 - 1) ** CLEARING
        rgba[..., :3] = colours[np.where(index < 128, 0, 255)]
        rgba[..., 3] = np.where(finite, (255 * strength).round(), 0)
    else:
        rgba[..., :3] = colours[index]
        rgba[..., 3] = np.where(finite, 255, 0)
    return rgba


def label_indices(labels: Labels) -> tuple[np.ndarray, bytes]:
    """A class map as uint8 (H, W) indices into a table of RGBA colours; classes without colour, or beyond the palette,
    are transparent."""
    values = np.asarray(labels.values)
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"a label map needs integers of shape (H, W), got {values.dtype} {values.shape}")
    if len(labels.palette) > MOST_COLOURS:
        raise ValueError(f"a label map can have at most {MOST_COLOURS} colours, got {len(labels.palette)}")
    rows = [bytes(4) if colour is None else bytes.fromhex(colour.lstrip("#")) + b"\xff" for colour in labels.palette]
    inside = (values >= 0) & (values < len(rows))
    return np.where(inside, values, len(rows)).astype(np.uint8), b"".join([*rows, bytes(4)])


def _numbers(array: Any, columns: int) -> list[list[float]]:
    """(N, columns) finite numbers as nested lists, rounded to a thousandth of a pixel."""
    rows = np.asarray(array, dtype=float).reshape(-1, columns)
    if not np.isfinite(rows).all():
        raise ValueError("coordinates on a stage must be finite numbers")
    return rows.round(3).tolist()


def box_json(box: Box) -> dict[str, Any]:
    """A box as stage.js draws it."""
    return {
        "id": box.id, "xyxy": _numbers(box.xyxy, 4)[0], "label": box.label, "colour": box.colour, "dash": box.dash,
        "editable": box.editable, "width": box.width, "fill": box.fill, "note": box.note,
    }  # fmt: skip


def _layer(layer: Layer, rasters: Rasters) -> dict[str, Any]:
    """One layer as the plain dict that stage.js draws."""
    match layer:
        case Boxes():
            return {"kind": "boxes", "boxes": [box_json(box) for box in layer.boxes]}
        case Heat():
            pixels = heat_pixels(layer)
            place = None if layer.xyxy is None else _numbers(layer.xyxy, 4)[0]
            return {
                "kind": "raster",
                "name": rasters.add(pixels),
                "opacity": layer.opacity,
                "smooth": layer.smooth,
                "xyxy": place,
            }
        case Labels():
            return {
                "kind": "raster",
                "name": rasters.add(*label_indices(layer)),
                "opacity": layer.opacity,
                "smooth": False,
                "xyxy": None,
            }
        case Points():
            return {
                "kind": "points", "xy": _numbers(layer.xy, 2), "colour": layer.colour, "radius": layer.radius,
                "labels": layer.labels and list(layer.labels), "notes": layer.notes and list(layer.notes),
                "colours": layer.colours and list(layer.colours), "ids": layer.ids and list(layer.ids),
            }  # fmt: skip
        case Lines():
            return {
                "kind": "lines", "segments": _numbers(layer.segments, 4), "colour": layer.colour, "width": layer.width,
                "dash": layer.dash, "arrow": layer.arrow, "colours": layer.colours and list(layer.colours),
            }  # fmt: skip
        case GridLines():
            return {
                "kind": "grid", "rows": layer.rows, "cols": layer.cols, "stride": layer.stride,
                "offset": list(layer.offset), "colour": layer.colour, "width": layer.width,
            }  # fmt: skip
    raise ValueError(f"a stage cannot draw a {type(layer).__name__}")


def describe(
    picture: np.ndarray | None,
    layers: Sequence[Layer],
    *,
    size: tuple[float, float] | None,
    smooth: bool | None,
    rasters: Rasters,
) -> dict[str, Any]:
    """Everything stage.js needs to draw, as JSON values."""
    if picture is None and size is None:
        raise ValueError("a stage needs a picture, or size=(width, height) when there is none")
    base = None
    if picture is not None:
        picture = np.asarray(picture)
        if (
            picture.dtype != np.uint8
            or picture.ndim not in (2, 3)
            or (picture.ndim == 3 and picture.shape[2] not in (3, 4))
        ):
            raise ValueError(f"a picture must be uint8 (H, W, 3) or (H, W), got {picture.dtype} {picture.shape}")
        base = rasters.add(picture)
        size = size or (picture.shape[1], picture.shape[0])
    boxes = [box.id for layer in layers if isinstance(layer, Boxes) for box in layer.boxes]
    if len(set(boxes)) != len(boxes):
        raise ValueError("every box on a stage needs an id of its own")
    drawn = [_layer(layer, rasters) for layer in layers]
    return {"size": list(size), "picture": base, "smooth": smooth, "layers": drawn, "rasters": rasters.bytes}
