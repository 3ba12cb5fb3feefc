"""Number grids as JSON for matrix.js."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np


def _nested(table: Any, shape: tuple[int, int], what: str) -> list[list[Any]]:
    """`table` as nested lists of that shape, or ValueError."""
    rows = [list(row) for row in table]
    if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
        raise ValueError(f"{what} must have the grid's shape {shape[0]}×{shape[1]}")
    return rows


def _scale(grid: Any, values: np.ndarray) -> tuple[float, float]:
    """Ends of the colour scale: as given, else from the values; symmetric around 0 when diverging."""
    finite = values[np.isfinite(values)]
    low = float(finite.min()) if finite.size else 0.0
    high = float(finite.max()) if finite.size else 0.0
    if grid.colour == "diverging":
        reach = max(abs(low), abs(high)) or 1.0
        low, high = -reach, reach
    low = low if grid.vmin is None else float(grid.vmin)
    high = high if grid.vmax is None else float(grid.vmax)
    return low, high if high > low else low + 1.0


def _grid(grid: Any, declared: Mapping[str, np.ndarray]) -> dict[str, Any]:
    values = np.asarray(grid.values, dtype=float)
    values = values[None, :] if values.ndim == 1 else values
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"grid {grid.name!r} needs values of shape (R, C), got {values.shape}")
    if grid.editable and grid.name not in declared:
        raise ValueError(f"grid {grid.name!r} is editable, so name it in matrices(key, {{{grid.name!r}: default}})")
    if grid.editable and values.shape != declared[grid.name].shape:
        raise ValueError(f"editable grid {grid.name!r} must be shown in its own shape, pass grids[{grid.name!r}]")
    for heading, length in ((grid.rows, values.shape[0]), (grid.columns, values.shape[1])):
        if heading is not None and len(heading) != length:
            raise ValueError(f"grid {grid.name!r} needs {length} headings, got {len(heading)}")
    low, high = _scale(grid, values)
    by_value = isinstance(grid.colour, str)
    return {
        "name": grid.name,
        "title": grid.name if grid.title is None else grid.title,
        "values": [[None if not np.isfinite(v) else float(f"{v:.9g}") for v in row] for row in values.tolist()],
        "editable": grid.editable,
        "text": None if grid.text is None else _nested(grid.text, values.shape, "text"),
        "scale": grid.colour if by_value else "none",
        "colours": None if by_value else _nested(grid.colour, values.shape, "colour"),
        "low": low,
        "high": high,
        "rows": None if grid.rows is None else list(grid.rows),
        "columns": None if grid.columns is None else list(grid.columns),
        "format": grid.format,
        "cell": grid.cell,
    }


def describe(
    items: Sequence[Any],
    links: Mapping[tuple[str, int, int], Sequence[tuple[str, int, int, float]]],
    explain: Mapping[tuple[str, int, int], str],
    highlight: Collection[tuple[str, int, int]] | Mapping[tuple[str, int, int], float],
    declared: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Everything matrix.js needs to draw, as JSON values. Cells are addressed as "name:row:column"."""
    shown = [item if isinstance(item, str) else _grid(item, declared) for item in items]
    shapes = {item["name"]: (len(item["values"]), len(item["values"][0])) for item in shown if isinstance(item, dict)}
    if len(shapes) != sum(isinstance(item, dict) for item in shown):
        raise ValueError("grids shown together need different names")

    def address(cell: Sequence[Any]) -> str:
        name, row, column = cell[0], int(cell[1]), int(cell[2])
        if name not in shapes or not (0 <= row < shapes[name][0] and 0 <= column < shapes[name][1]):
            raise ValueError(f"no cell ({row}, {column}) in a shown grid {name!r}")
        return f"{name}:{row}:{column}"

    weights = highlight if isinstance(highlight, Mapping) else dict.fromkeys(map(tuple, highlight), 1.0)
    return {
        "items": shown,
        "links": {
            address(cell): [[address(s), float(f"{s[3]:.6g}")] for s in sources] for cell, sources in links.items()
        },
        "explain": {address(cell): text for cell, text in explain.items()},
        "highlight": {address(cell): float(weight) for cell, weight in weights.items()},
    }
