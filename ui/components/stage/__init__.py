"""One canvas for pictures: raster layers below, boxes, points and lines above, boxes that can be edited."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import streamlit as st

from ui.components import wire
from ui.components.stage.layers import BLUE, Box, Boxes, GridLines, Heat, Labels, Layer, Lines, Points
from ui.components.stage.wire_format import Rasters, box_json, describe, heat_pixels

__all__ = [
    "Box", "Boxes", "GridLines", "Heat", "Labels", "Layer", "Lines", "Points", "Spot", "Stage", "heat_pixels", "stage",
]  # fmt: skip

_COMPONENT = wire.declare("stage", "12rem")


@dataclass(frozen=True)
class Spot:
    """A place on the picture: `x`, `y` in picture pixels, and `what` lies there: the id of a box or point, or None."""

    x: float
    y: float
    what: str | None


@dataclass
class Stage:
    """What the visitor has done on a stage, and the way to draw on it.

    Attributes
    ----------
    boxes : the editable boxes as they are now (list of `Box`).
    selected : id of the selected box, or None.
    hover : `Spot` under the pointer, or None when it is elsewhere (only with `stage(..., hover=True)`).
    click : `Spot` of the last click, or None. It stays until the next click.
    clicked : True only in the run caused by a click.
    """

    key: str
    boxes: list[Box]
    selected: str | None
    hover: Spot | None
    click: Spot | None
    clicked: bool
    template: Box
    options: dict[str, Any]
    window: int
    missing: list[str]

    def by_now(self) -> list[Box]:
        """The boxes, for the callback of a button that changes them. It is called before `stage`, which would put what
        the hand has done just before the press in place of what the callback has."""
        fresh = wire.news(self.key, wire.message(self.key))
        return _taken_in(self.key, fresh, self.template if self.options["drawable"] else None, self.options["most"])

    def show(
        self,
        picture: np.ndarray | None = None,
        layers: Sequence[Layer] = (),
        *,
        size: tuple[float, float] | None = None,
        alt: str = "Picture",
        caption: str = "",
        smooth: bool | None = None,
        pick: tuple[float, float] | None = None,
    ) -> None:
        """Draw `picture` with `layers` on top, in the given order; call it once per run, last in the block.

        `picture` is uint8 (H, W, 3) or (H, W), or None for an empty stage of `size` = (width, height) units. It is
        encoded once per content and travels once per visitor. Editable boxes (`Box.editable`) may be given in a
        `Boxes` layer, for example recoloured with `dataclasses.replace`; if none is given, `self.boxes` are drawn on
        top. `alt` describes the picture to a screen reader; `caption` is a line under it; `smooth` says whether
        enlarged pixels are interpolated; None does so until they are four screen pixels wide. Heat and label maps lie
        below boxes, points and lines whatever their order.

        `pick` says that a click on the picture has a meaning, and at which places: (first, distance), the same along
        both axes, in picture pixels; (16, 32) are the middles of cells of 32 pixels. With it the arrow keys move a
        cross from place to place (Shift: ten places) and Enter clicks there. Notes are read the same way on any stage.

        Raises ValueError if neither picture nor size is given or a shape is wrong, or if `pick` is no such pair.
        """
        if pick is not None and not (len(pick) == 2 and all(map(math.isfinite, pick)) and pick[0] >= 0 < pick[1]):
            raise ValueError(f"the places of clicks are a first one and a positive distance, got {pick}")
        layers = list(layers)
        given = [box for layer in layers if isinstance(layer, Boxes) for box in layer.boxes]
        if self.boxes and not any(box.editable for box in given):
            layers.append(Boxes(self.boxes))
        rasters = Rasters(self.key, self.missing)
        data = describe(picture, layers, size=size, smooth=smooth, rasters=rasters)
        data |= {"alt": alt, "caption": caption, "selected": self.selected, "pick": pick, **self.options}
        wire.mount(_COMPONENT, self.key, data, window=self.window, followed=True)


def stage(
    key: str,
    boxes: Sequence[Box] | None = None,
    *,
    width: int | None = None,
    drawable: bool = False,
    hollow: bool = False,
    new_box: Box | None = None,
    most: int = 30,
    hover: bool = False,
    zoom: bool = True,
    window: Literal[1, 2] = 1,
) -> Stage:
    """Begin a stage: returns what the visitor has done so far; call `.show(...)` on the result to draw.

        view = stage("iou", boxes=[Box("a", (20, 20, 120, 120), editable=True)])
        score = labs.boxes.iou(view.boxes[0].xyxy, truth)
        view.show(picture, layers=[Boxes([replace(view.boxes[0], label=f"IoU {score:.2f}")])])

    Boxes are sent while they are dragged, the next position only once the last is drawn. `st.session_state[key]` holds
    the list of `Box`; assign it to set or reset the boxes from Python (any time before `stage` is called).

    Parameters
    ----------
    key : unique on the page.
    boxes : the boxes at first; those with `editable=True` can be moved, resized by eight handles and nudged with the
        arrow keys (Shift: by 10 pixels; Alt + arrows resize).
    width : widest display in CSS pixels; None fills the column.
    drawable : dragging on empty space (or the key n) draws a new box, Delete removes the selected one.
    hollow : boxes are moved by their lines alone; inside of one a drag draws another (a rider on a motorcycle), and a
        click selects it. For a drawable stage.
    new_box : the look of a newly drawn box (id and xyxy are replaced).
    most : no more editable boxes than this can be drawn.
    hover : report the pointer position to Python (`.hover`), at the pace of drawing.
    zoom : buttons, Ctrl + wheel, pinch and the keys + - 0 zoom; dragging (with Space on a drawable stage) pans.
    window : how many updates may be under way: 2 when computing and drawing takes under 15 ms, else 1.
    """
    template = replace(new_box or Box("new", (0, 0, 1, 1), colour=BLUE), editable=True)
    start = list(boxes or [])
    st.session_state.setdefault(key, start)
    heard = wire.message(key)
    fresh = wire.news(key, heard)
    current = _taken_in(key, fresh, template if drawable else None, most)
    selected = heard.get("selected")
    return Stage(
        key=key,
        boxes=list(current),
        selected=selected if any(box.id == selected for box in current) else None,
        hover=_spot(heard.get("hover")) if hover else None,
        click=_spot(heard.get("click")),
        clicked=_clicked(key, heard) if fresh else False,
        template=template,
        options={
            "width": width,
            "drawable": drawable,
            "hollow": hollow,
            "most": most,
            "hover": hover,
            "zoom": zoom,
            "newBox": box_json(template),
        },
        window=window,
        missing=_names((fresh or {}).get("missing")),
    )


def _finite(found: Any) -> bool:
    """True for a number that a float can hold (a whole number of JSON may have any length)."""
    return type(found) in (int, float) and abs(found) < 1e300


def _names(found: Any) -> list[str]:
    """The texts of a list from a browser message; none of anything else."""
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _xyxy(found: Any) -> tuple[float, float, float, float] | None:
    """Four finite numbers in order, or None."""
    if not isinstance(found, list) or len(found) != 4:
        return None
    if not all(map(_finite, found)):
        return None
    x1, y1, x2, y2 = map(float, found)
    return (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _taken_in(key: str, fresh: dict[str, Any] | None, template: Box | None, most: int) -> list[Box]:
    """The boxes of a stage, with what the browser has said anew."""
    current = st.session_state[key]
    if fresh and "boxes" in fresh:
        current = st.session_state[key] = _edited(current, fresh["boxes"], template, most)
    return current


def _edited(current: Sequence[Box], sent: Any, template: Box | None, most: int) -> list[Box]:
    """`current` with the positions the browser sent: moved, deleted and (if `template`) newly drawn boxes."""
    if not isinstance(sent, list):
        return list(current)
    told = [item for item in sent if isinstance(item, dict) and isinstance(item.get("id"), str)]
    places = {item["id"]: xyxy for item in told if (xyxy := _xyxy(item.get("xyxy")))}
    known = {box.id for box in current}
    result = []
    for box in current:
        if not box.editable:
            result.append(box)
        elif box.id in places:
            result.append(replace(box, xyxy=places[box.id]))
        elif template is None:  # only a drawable stage lets boxes be deleted
            result.append(box)
    if template is not None:
        drawn = [replace(template, id=name[:40], xyxy=xyxy) for name, xyxy in places.items() if name not in known]
        result += drawn[: max(0, most - sum(box.editable for box in result))]
    return result


def _clicked(key: str, heard: dict[str, Any]) -> bool:
    """True if the message holds a click not seen before."""
    moment = heard["click"].get("when") if _spot(heard.get("click")) else None
    seen = st.session_state.get(f"{key}.click")
    st.session_state[f"{key}.click"] = moment
    return moment is not None and moment != seen


def _spot(found: Any) -> Spot | None:
    """A `Spot` from a browser message, or None."""
    if not isinstance(found, dict):
        return None
    x, y, what = found.get("x"), found.get("y"), found.get("what")
    if not (_finite(x) and _finite(y)):
        return None
    return Spot(float(x), float(y), what if isinstance(what, str) else None)
