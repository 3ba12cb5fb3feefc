"""What can lie on a stage: boxes, points, lines, grid lines, heat maps and label maps, in picture pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Okabe and Ito's colours, safe for colour-blind eyes.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442",
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """A rectangle; `xyxy` = (x1, y1, x2, y2) in picture pixels, x1 <= x2, y1 <= y2.

    `id` is unique on the stage; `label` stands in a filled tag; `note` is the tooltip; `fill` is the opacity (0 to
    1) of the inside; `width` is in screen pixels. With `editable` the visitor can move, resize and delete it.
    """

    id: str
    xyxy: tuple[float, float, float, float]
    label: str = ""
    colour: str = BLUE
    dash: bool = False
    editable: bool = False
    width: float = 2.0
    fill: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Boxes:
    """A layer of boxes, the first at the bottom."""

    boxes: Sequence[Box]


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map stretched over the picture (or over `xyxy`, picture pixels).

    `values` (H, W) float, NaN is transparent. `vmin`..`vmax` (default: smallest and largest value) run through
    `palette`: "viridis", "magma", "inferno", "cividis", "turbo", "gray" or "diverging" (blue below the middle,
    vermilion above, clear in it; meant for vmin = -vmax). `smooth=False` shows each value as a hard-edged block.
    `opacity` 0 to 1.
    """

    values: np.ndarray
    palette: str = "viridis"
    vmin: float | None = None
    vmax: float | None = None
    opacity: float = 0.6
    smooth: bool = True
    xyxy: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """A class map: `values` (H, W) integers indexing `palette`, a list of "#rrggbb" or None (transparent)."""

    values: np.ndarray
    palette: Sequence[str | None]
    opacity: float = 0.5


@dataclass(frozen=True, eq=False)
class Points:
    """Dots at `xy` (N, 2) in picture pixels; `radius` in screen pixels.

    Optional per point: `labels` (text beside it), `notes` (tooltip), `colours`, `ids` (reported by hover and click;
    default "point-0", ...).
    """

    xy: np.ndarray
    colour: str = ORANGE
    radius: float = 5.0
    labels: Sequence[str] | None = None
    notes: Sequence[str] | None = None
    colours: Sequence[str] | None = None
    ids: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight segments, `segments` (N, 4) as x1, y1, x2, y2 in picture pixels; `width` in screen pixels.

    `colours` gives one colour per segment; `arrow` puts a head at the second end.
    """

    segments: np.ndarray
    colour: str = ORANGE
    width: float = 2.0
    dash: bool = False
    arrow: bool = False
    colours: Sequence[str] | None = None


@dataclass(frozen=True)
class GridLines:
    """Horizontal and vertical lines: `rows` and `cols` equal parts of the picture, or one line every `stride` pixels
    beginning at `offset` (x, y)."""

    rows: int | None = None
    cols: int | None = None
    stride: float | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    colour: str = "#888888"
    width: float = 1.0


Layer = Boxes | Heat | Labels | Points | Lines | GridLines
