"""A picture to paint on: a brush, a bucket and an eraser for mouse, pen, finger and keyboard, with undo and redo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from ui.components import wire
from ui.components.stage.wire_format import Rasters

__all__ = ["Brush", "brush", "from_runs", "to_runs"]

_COMPONENT = wire.declare("brush", "16rem")

Tool = Literal["brush", "fill", "erase"]
SMALLEST_LARGEST_SIDE = (1, 512)


@dataclass
class Brush:
    """What the visitor has painted, and the way to draw under it.

    Attributes
    ----------
    values : uint8 (H, W): the paint of every pixel, an index of the palette; 0 where nothing is painted.
    painting : True while a stroke is under way.
    """

    key: str
    values: np.ndarray
    painting: bool
    options: dict[str, Any]
    window: int
    missing: list[str]

    def show(self, picture: np.ndarray | None = None, *, alt: str = "Picture to paint on", caption: str = "") -> None:
        """Show `picture`, uint8 (H, W, 3), of any size, under the paint; call it once per run, last in the block.

        `alt` describes the picture to a screen reader; `caption` is a line under it.
        """
        rasters = Rasters(self.key, self.missing)
        name = None if picture is None else rasters.add(np.asarray(picture))
        data = {
            "size": [self.values.shape[1], self.values.shape[0]], "runs": to_runs(self.values), "picture": name,
            "rasters": rasters.bytes, "alt": alt, "caption": caption, **self.options,
        }  # fmt: skip
        wire.mount(_COMPONENT, self.key, data, window=self.window)


def brush(
    key: str,
    size: tuple[int, int],
    palette: Sequence[str | None],
    *,
    paint: int = 1,
    name: str = "",
    tool: Tool = "brush",
    radius: float = 8.0,
    opacity: float = 0.65,
    sheet: str = "",
    window: Literal[1, 2] = 1,
) -> Brush:
    """Begin a picture to paint on: returns what is painted so far; call `.show(...)` on the result to draw.

        painted = brush("mask", (224, 224), [None, "#E69F00"], radius=10)
        score = iou(painted.values == 1, truth)
        painted.show(picture, caption=f"IoU {score:.2f}")

    What is painted is sent while the hand moves, the next state only once the last is drawn. `st.session_state[key]`
    holds the values; assign an array of the same shape to change them from Python (any time before `brush` is called).
    Such a change can be undone like a stroke. It survives a visit to another page; undo does not.

    A stroke paints every pixel whose middle is at most `radius` from the way of the hand. The bucket fills all pixels
    of one paint that hang together by their sides.

    Parameters
    ----------
    key : unique on the page.
    size : width and height of what is painted, in pixels, at most 512; the picture below is stretched over it.
    palette : the colour of each paint, "#rrggbb"; the first stands for nothing, so its colour is None.
    paint, name : the index of the paint in hand, and its name for a screen reader.
    tool : what the hand holds: "brush", "fill" (the bucket) or "erase".
    radius : of brush and eraser, in pixels of what is painted.
    opacity : of the paint, 0 to 1.
    sheet : a name for what is painted on. With another one, the steps before can no longer be undone.
    window : how many updates may be under way: 2 when computing and drawing takes under 15 ms, else 1.

    Raises ValueError for a size or a palette out of bounds, a paint that is not in the palette, or an unknown tool.
    """
    width, height = size
    low, high = SMALLEST_LARGEST_SIDE
    if not (low <= width <= high and low <= height <= high):
        raise ValueError(f"what is painted has {low} to {high} pixels a side, not {width} x {height}")
    if not (2 <= len(palette) <= 256 and palette[0] is None):
        raise ValueError("a palette has nothing (None) and then 1 to 255 colours")
    if not 0 < paint < len(palette):
        raise ValueError(f"paint {paint} is not in the palette of {len(palette)}")
    if tool not in ("brush", "fill", "erase"):
        raise ValueError(f"unknown tool {tool!r}: brush, fill or erase")
    heard = wire.message(key)
    fresh = wire.news(key, heard)
    told = None if fresh is None else from_runs(fresh.get("runs"), (height, width), len(palette))
    if told is not None and fresh is not None and fresh.get("sheet") == sheet:
        st.session_state[key] = told
    found = st.session_state.get(key)
    if not (isinstance(found, np.ndarray) and found.shape == (height, width)):
        found = st.session_state[key] = np.zeros((height, width), np.uint8)
    missing = (fresh or {}).get("missing")
    return Brush(
        key=key,
        values=found,
        painting=not heard.get("settled", True),
        options={
            "palette": list(palette),
            "paint": paint, "name": name, "tool": tool, "radius": float(radius), "opacity": opacity, "sheet": sheet,
        },
        window=window,
        missing=[each for each in missing if isinstance(each, str)] if isinstance(missing, list) else [],
    )  # fmt: skip


def to_runs(values: np.ndarray) -> list[int]:
    """A map row by row as paint, length, paint, length ...

    >>> to_runs(np.array([[0, 0, 3], [3, 1, 1]], np.uint8))
    [0, 2, 3, 2, 1, 2]
    """
    flat = values.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.append(starts, len(flat)))
    return np.stack([flat[starts].astype(np.int64), lengths], 1).ravel().tolist()


def from_runs(found: Any, shape: tuple[int, int], paints: int) -> np.ndarray | None:
    """The map (H, W) of such runs, or None if a browser message holds anything else.

    >>> from_runs([0, 2, 3, 2, 1, 2], (2, 3), 4)
    array([[0, 0, 3],
           [3, 1, 1]], dtype=uint8)
    """
    whole = shape[0] * shape[1]
    if not isinstance(found, list) or len(found) % 2 or len(found) > 2 * whole:
        return None
    if not all(type(number) is int and number >= 0 for number in found):
        return None
    values, lengths = found[::2], found[1::2]
    if sum(lengths) != whole or max(values) >= paints:
        return None
    return np.repeat(np.array(values, np.uint8), lengths).reshape(shape)
