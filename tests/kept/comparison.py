"""Drawings of today beside the kept ones: pictures pixel by pixel, what the browser is sent value by value."""

import difflib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.kept import components, lab_world

HERE = Path(__file__).parent
WIDTH = 100  # columns of a kept text
SHOWN = 40  # lines of a difference that are printed

Drawing = np.ndarray | dict[str, Any]

# Kept file → what draws it today.
DRAWINGS: dict[Path, Callable[[], Drawing]] = {
    HERE / "pictures" / f"{name.replace(' ', '_')}.png": partial(lab_world.picture, name) for name in lab_world.NAMES
} | {HERE / "sent" / f"{name}.json": partial(components.sent, name) for name in components.EXAMPLES}


def difference(kept: Path, drawing: Drawing, folder: Path) -> str | None:
    """What differs between a kept file and a drawing of today, which is then put in `folder`; None if nothing does."""
    if not kept.exists():
        found = f"{kept.name} is not kept yet"
    elif isinstance(drawing, np.ndarray):
        found = _pixels_that_differ(kept, drawing)
    else:
        found = _lines_that_differ(kept, drawing)
    if found:
        write(drawing, folder / kept.name)
        found += f"\nkept:  {kept}\ntoday: {folder / kept.name}\nIf it is meant: python -m tests.kept renew"
    return found


def write(drawing: Drawing, path: Path) -> None:
    """A picture as PNG, anything else as JSON."""
    path.parent.mkdir(exist_ok=True)
    if isinstance(drawing, np.ndarray):
        Image.fromarray(drawing).save(path, optimize=True)
    else:
        path.write_text(text(drawing) + "\n", encoding="utf-8")


def text(value: Any, margin: str = "") -> str:
    """JSON in which whatever fits on a line is on one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(margin + line) < WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = margin + " "
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {text(each, inner)}" for key, each in value.items()]
    else:
        items = [text(each, inner) for each in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{inner}" + f",\n{inner}".join(items) + f"\n{margin}{last}"


def _pixels_that_differ(kept: Path, drawing: np.ndarray) -> str | None:
    with Image.open(kept) as file:
        before = np.asarray(file.convert("RGB"))
    if before.shape != drawing.shape:
        (h, w), (y, x) = before.shape[:2], drawing.shape[:2]
        return f"{kept.name} was {w}×{h} pixels and is {x}×{y}"
    apart = np.abs(before.astype(int) - drawing).max(axis=2)
    rows, columns = np.nonzero(apart)
    if not rows.size:
        return None
    return (
        f"{kept.name}: {rows.size} of {apart.size} pixels differ, by up to {apart.max()} of 255, "
        f"in columns {columns.min()} to {columns.max()}, rows {rows.min()} to {rows.max()}"
    )


def _lines_that_differ(kept: Path, drawing: dict[str, Any]) -> str | None:
    before = json.loads(kept.read_text(encoding="utf-8"))
    if before == drawing:
        return None
    lines = list(
        difflib.unified_diff(text(before).split("\n"), text(drawing).split("\n"), "kept", "today", n=1, lineterm="")
    )
    more = [f"... and {len(lines) - SHOWN} lines more"] if len(lines) > SHOWN else []
    return "\n".join([f"{kept.name} differs:", *lines[:SHOWN], *more])
