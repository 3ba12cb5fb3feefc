"""Number grids side by side: editable cells, colour by value, and hover that shows which cells made which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st

from ui.components import address, live, wire
from ui.components.matrix import linked
from ui.components.matrix.wire_format import describe

__all__ = ["Cell", "Grid", "Matrices", "matrices"]

_COMPONENT = wire.declare("matrix", "10rem")


class Cell(NamedTuple):
    """A cell: grid name, row, column (both from 0). Equal to the plain tuple ("output", 0, 1)."""

    grid: str
    row: int
    column: int


@dataclass(frozen=True, eq=False)
class Grid:
    """One number grid.

    Parameters
    ----------
    name : unique among the grids shown together; used in links.
    values : (R, C) or (N,) numbers (one row); NaN is a blank cell. For an editable grid pass `grids[name]`.
    title : caption above (default: the name); the shape "R×C" is added to it.
    editable : cells take typed numbers; the grid must be named in `matrices(...)`.
    text : (R, C) nested list of str or None; a string replaces the printed number ("a·x"), "" shows nothing.
    colour : "diverging" (blue below 0, vermilion above), "sequential" (from vmin, light, to vmax, dark), "none", or an
        (R, C) nested list of "#rrggbb" or None per cell.
    vmin, vmax : ends of the colour scale; default from the values (diverging: symmetric around 0).
    rows, columns : headings, one per row or column.
    format : printf format of numbers, "%.4g", "%.2f"; whole numbers under %g are written out in full.
    cell : side of a cell in CSS pixels; default 44, smaller for wide grids. Below 22 no numbers are printed.
    """

    name: str
    values: np.ndarray
    title: str | None = None
    editable: bool = False
    text: Sequence[Sequence[str | None]] | None = None
    colour: Literal["diverging", "sequential", "none"] | Sequence[Sequence[str | None]] = "diverging"
    vmin: float | None = None
    vmax: float | None = None
    rows: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    format: str = "%.4g"
    cell: int | None = None


Links = Mapping[tuple[str, int, int], Sequence[tuple[str, int, int, float]]]


@dataclass
class Matrices:
    """The visitor's numbers, and the way to draw.

    `grids["input"]` is the current (R, C) float array (a copy) of an editable grid; `selected` is the `Cell` the
    visitor chose by click or Enter, or None; `edited` is the `Cell` whose edit caused this run, or None.
    """

    key: str
    values: dict[str, np.ndarray]
    selected: Cell | None
    edited: Cell | None
    options: dict[str, Any]
    window: int

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name].copy()

    def chosen(self, name: str, shape: Sequence[int]) -> tuple[int, int] | None:
        """(row, column) of the selection if it is in grid `name` and inside `shape` (R, C), else None.

        The grid may have shrunk since the visitor selected; `selected` does not know.
        """
        if self.selected is None or self.selected.grid != name:
            return None
        _, row, column = self.selected
        return (row, column) if row < shape[0] and column < shape[1] else None

    def show(
        self,
        items: Sequence[Grid | str],
        *,
        links: Links | None = None,
        explain: Mapping[tuple[str, int, int], str] | None = None,
        highlight: Collection[tuple[str, int, int]] | Mapping[tuple[str, int, int], float] = (),
        caption: str = "",
        sums: bool = True,
    ) -> None:
        """Draw grids and operators ("×", "=", "→") in one row that wraps on a narrow screen; call once per run, last.

        links : {("output", r, c): [("input", r, c, weight), ...]}. Hovering or focusing a linked cell marks its
            sources, stronger for a larger |weight|, and writes "weight × value + ... = result" below; hovering a source
            marks the cells it feeds.
        explain : the sentence to write for a cell instead of the generated arithmetic.
        highlight : cells marked without hover (for step-by-step animation), or {cell: weight between -1 and 1}.
        caption : shown under the grids while nothing is hovered or selected.
        sums : an output is the weighted sum of its links. False where it is not, as with a maximum: weights then only
            say how strongly a cell is marked and are not written into it; give every linked cell its `explain`.

        Raises ValueError if a shape is wrong, names repeat, or an editable grid was not declared in `matrices`.
        """
        data = describe(items, links or {}, explain or {}, highlight, self.values)
        selected = self.selected
        if selected and selected.grid not in {item.name for item in items if isinstance(item, Grid)}:
            selected = None
            if not wire.message(self.key):  # the address names a grid that is not there
                address.keep(f"{self.key}_at", None)
        data |= {"caption": caption, "selected": list(selected) if selected else None, "sums": sums}
        data |= self.options
        wire.mount(_COMPONENT, self.key, data, window=self.window, followed=True)


def matrices(
    key: str,
    editable: Mapping[str, np.ndarray] | None = None,
    *,
    integer: bool = False,
    minimum: float = -999.0,
    maximum: float = 999.0,
    window: Literal[1, 2] = 1,
) -> Matrices:
    """Begin a row of number grids: returns the visitor's numbers; call `.show(...)` on the result to draw.

        grids = matrices("upsampling", {"input": np.array([[1, 2], [3, 4]])})
        output, links = labs.upsampling.bilinear(grids["input"], 2)
        grids.show([Grid("input", grids["input"], editable=True), "→", Grid("output", output)], links=links)

    `st.session_state[key]` is a dict of name to (R, C) array: assign into it to set numbers from Python (a preset
    button). If the default of an editable grid changes shape, what overlaps is kept and the rest is taken from the
    default. Numbers that differ from the default and the chosen cell are mirrored to the URL as `{key}_{name}` and
    `{key}_at`; opening such a link restores them.

    Parameters
    ----------
    editable : name to default values, (R, C) or (N,) finite numbers.
    integer : only whole numbers are accepted.
    minimum, maximum : numbers outside are refused, in a sentence on the page.
    window : how many updates may be under way: 2 when computing and drawing takes under 15 ms, else 1.
    """
    defaults = {name: _table(values) for name, values in (editable or {}).items()}
    stored = st.session_state.setdefault(key, {})
    heard = wire.message(key)
    fresh = wire.news(key, heard)
    for name, default in defaults.items():
        given = None
        if wire.entering(key):
            given = linked.numbers(linked.parameter(key, name), default, integer, minimum, maximum)
        stored[name] = _fitted(stored.get(name), default) if given is None else given
    edited = None
    if fresh:
        edited = _apply(stored, fresh.get("edits"), defaults, integer, minimum, maximum)
    place = f"{key}_at"
    selected = _cell(heard.get("selected") if heard else linked.cell(place))
    if not live.following():
        for name, default in defaults.items():
            address.keep(linked.parameter(key, name), linked.text(stored[name], default))
        if heard:
            address.keep(place, ",".join(map(str, selected)) if selected else None)
    return Matrices(
        key=key,
        values={name: stored[name].copy() for name in defaults},
        selected=selected,
        edited=edited,
        options={"integer": integer, "minimum": minimum, "maximum": maximum},
        window=window,
    )


def _table(values: Any) -> np.ndarray:
    """`values` as a float (R, C) array; a vector becomes one row."""
    table = np.asarray(values, dtype=float)
    table = table[None, :] if table.ndim == 1 else table
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"a grid needs a table of numbers (R, C), got shape {table.shape}")
    return table


def _fitted(stored: Any, default: np.ndarray) -> np.ndarray:
    """`stored` in the shape of `default`: what overlaps is kept, the rest comes from `default`."""
    if stored is None:
        return default.copy()
    stored = _table(stored)
    if stored.shape == default.shape:
        return stored
    result = default.copy()
    rows, columns = (min(a, b) for a, b in zip(stored.shape, default.shape, strict=True))
    result[:rows, :columns] = stored[:rows, :columns]
    return result


def _cell(found: Any) -> Cell | None:
    """A `Cell` from a browser message, or None."""
    if not isinstance(found, list) or len(found) != 3 or not isinstance(found[0], str):
        return None
    if not all(type(index) is int and index >= 0 for index in found[1:]):
        return None
    return Cell(*found)


def _apply(
    stored: dict[str, np.ndarray],
    edits: Any,
    defaults: Mapping[str, np.ndarray],
    integer: bool,
    low: float,
    high: float,
) -> Cell | None:
    """Write the browser's edits [[name, r, c, number], ...] into `stored`; returns the last cell written."""
    last = None
    for item in edits if isinstance(edits, list) else []:
        cell = _cell(item[:3]) if isinstance(item, list) and len(item) == 4 else None
        number = item[3] if cell else None
        if (
            cell is None
            or cell.grid not in defaults
            or isinstance(number, bool)
            or not isinstance(number, (int, float))
        ):
            continue
        rows, columns = stored[cell.grid].shape
        legal = low <= number <= high and (not integer or float(number).is_integer())
        if legal and cell.row < rows and cell.column < columns:
            stored[cell.grid][cell.row, cell.column] = number
            last = cell
    return last
