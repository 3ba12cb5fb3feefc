"""Solids that a hand turns: closed meshes side by side, drawn by WebGL, or by the processor where there is none."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ui.components import address, wire

_COMPONENT = wire.declare("solid", "12rem")
START = (-30.0, 15.0)  # degrees: a little from the left and from above, so that depth is seen at once
STEEPEST = 90.0


@dataclass(frozen=True, eq=False)
class Solid:
    """A mesh and its look.

    Attributes:
        id: names it in `Touched`.
        vertices: float array (V, 3), x to the right, y down, z away from whoever looks.
        faces: integer array (F, 3), three vertices each, seen from outside where (b - a) × (c - a) points.
        title: a line above it.
        colour: #rrggbb, of the whole; `colours`, uint8 array (V, 3), of each vertex instead.
        flat: True shows every triangle by itself, False a smooth surface.
        wires: whether the edges of the triangles are drawn.
    """

    id: str
    vertices: np.ndarray
    faces: np.ndarray
    title: str = ""
    colour: str = "#56B4E9"
    colours: np.ndarray | None = None
    flat: bool = False
    wires: bool = False


@dataclass(frozen=True)
class Touched:
    """The vertex under the pointer: the `id` of its solid and its number."""

    id: str
    vertex: int


@dataclass(frozen=True)
class Solids:
    """What the visitor has done, and the way to draw.

    Attributes:
        turn: (to the side, up or down) in degrees; (0, 0) looks from the front, as the picture does.
        hover: the vertex under the pointer (with `solids(..., hover=True)`), else None. It stays until the next one.
    """

    key: str
    turn: tuple[float, float]
    hover: Touched | None
    options: dict[str, Any]
    window: int

    def show(
        self,
        shown: Sequence[Solid],
        *,
        alt: str,
        caption: str = "",
        middle: Sequence[float] | None = None,
        radius: float | None = None,
        mark: Touched | None = None,
    ) -> None:
        """Draw the solids side by side, all turned alike and at one scale; call it once per run, last in the block.

        `middle` (x, y, z) is what they turn around and `radius` how far from it the picture reaches; by default the
        middle of all and whatever holds them. Give both where vertices move, so that nothing jumps. `mark` is a vertex
        that is shown as a dot.

        Raises ValueError if vertices or faces have a wrong shape, or a face names a vertex that is not there.
        """
        for each in shown:
            _check(each)
        every = np.concatenate([np.zeros((0, 3)), *(each.vertices for each in shown)])
        if middle is None:
            middle = (every.min(0) + every.max(0)) / 2 if len(every) else np.zeros(3)
        if radius is None:
            radius = float(np.linalg.norm(every - np.asarray(middle), axis=1).max(initial=0)) or 1.0
        data = {
            "solids": [_described(each, np.asarray(middle), radius) for each in shown],
            "alt": alt, "caption": caption, "turn": list(self.turn),
            "mark": None if mark is None else [mark.id, mark.vertex], **self.options,
        }  # fmt: skip
        wire.mount(_COMPONENT, self.key, data, window=self.window, followed=True)


def solids(
    key: str, *, start: tuple[float, float] = START, tall: int = 320, hover: bool = False, window: int = 1
) -> Solids:
    """Begin a view of solids: returns what the visitor has done; call `.show(...)` on the result.

        view = solids("mesh_truth")
        view.show([Solid("truth", vertices, faces, title="truth")], alt="The cat as a solid")

    A hand turns it by dragging, the arrow keys turn it by 10 degrees, + and - zoom, 0 brings back the front. Turning
    asks nothing of Python; once the hand rests the direction is in the address, as `<key>_turn`.

    Parameters
    ----------
    key : unique on the page.
    start : the direction at first, in degrees.
    tall : height of each solid's picture in CSS pixels, less where the column is narrow.
    hover : report the vertex under the pointer.
    window : how many updates may be under way: 2 when computing and drawing takes under 15 ms, else 1.
    """
    name = f"{key}_turn"
    current = st.session_state.get(key)
    if current is None:
        current = st.session_state[key] = _linked(name) or start
    heard = wire.message(key)
    fresh = wire.news(key, heard)
    if fresh and (told := _turn(fresh.get("turn"))):
        current = st.session_state[key] = told
    if current != start or address.linked(name) is not None:
        address.keep(name, ",".join(f"{value:g}" for value in current))
    return Solids(key, current, _touched(heard.get("hover")) if hover else None, {"tall": tall, "hover": hover}, window)


def _linked(name: str) -> tuple[float, float] | None:
    """What a link says, or None where it says nothing that makes sense."""
    try:
        return _turn(list(address.numbers(name, 2) or ()))
    except ValueError:
        return None


def _turn(found: Any) -> tuple[float, float] | None:
    """Two finite numbers, the first within half a turn, the second between straight down and straight up."""
    if not isinstance(found, list) or len(found) != 2:
        return None
    if not all(type(value) in (int, float) and abs(value) < 1e9 for value in found):
        return None
    aside, up = map(float, found)
    aside = math.remainder(aside, 360.0)
    return round(aside, 1), round(min(max(up, -STEEPEST), STEEPEST), 1)


def _touched(found: Any) -> Touched | None:
    if not isinstance(found, dict):
        return None
    name, vertex = found.get("id"), found.get("vertex")
    return Touched(name, vertex) if isinstance(name, str) and type(vertex) is int and 0 <= vertex < 2**31 else None


def _check(each: Solid) -> None:
    for what, array in (("vertices", each.vertices), ("faces", each.faces)):
        if array.ndim != 2 or array.shape[1] != 3:
            raise ValueError(f"the {what} of a solid are an array (n, 3), not {array.shape}")
    if len(each.faces) and not 0 <= each.faces.min() <= each.faces.max() < len(each.vertices):
        raise ValueError(f"a face names a vertex that is not among the {len(each.vertices)} of the solid")
    if each.colours is not None and each.colours.shape != each.vertices.shape:
        raise ValueError(f"one colour for each vertex has the shape {each.vertices.shape}, not {each.colours.shape}")


def _described(each: Solid, middle: np.ndarray, radius: float) -> dict[str, Any]:
    placed = (each.vertices - middle) / radius
    return {
        "id": each.id, "title": each.title, "colour": each.colour, "flat": each.flat, "wires": each.wires,
        "vertices": _base64(placed.astype("<f4")), "faces": _base64(each.faces.astype("<u4")),
        "colours": None if each.colours is None else _base64(each.colours.astype(np.uint8)),
    }  # fmt: skip


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
