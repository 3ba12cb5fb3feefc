"""A slider that sends its value while the hand moves, paced by what the page has drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from ui.components import address, live, wire

_COMPONENT = wire.declare("live_slider", "4.75rem")


@contextmanager
def live_slider(
    label: str,
    min_value: float | None = None,
    max_value: float | None = None,
    value: Any = None,
    *,
    key: str,
    step: float | None = None,
    options: Sequence[Any] | None = None,
    format: str = "%g",
    unit: str = "",
    play: bool | Literal["once"] = False,
    play_seconds: float = 4.0,
    window: Literal[1, 2] = 1,
    help: str | None = None,
    disabled: bool = False,
) -> Iterator[Any]:
    """Show a slider and yield its current value; compute and draw inside the block.

        with live_slider("IoU threshold", 0.0, 1.0, 0.5, step=0.01, key="iou") as threshold:
            kept = labs.nms.greedy(boxes, scores, threshold)
            stage.show(...)

    The slider appears where the block begins but is mounted when the block ends (also when it raises). The browser
    sends the next value only then, so it never asks for more than the page can draw, and the last value always arrives.
    (Leave the block early by `return` or an error; `st.stop()` forbids any further drawing, the slider included.)
    Call it inside an `st.fragment` so that only the fragment runs again; outside one, the whole page runs.

    The value is plain session state: `st.session_state[key]` reads it anywhere, and assigning it (a preset button, a
    test) moves the slider. It survives a visit to another page. When the hand lets go, a value other than the default
    is mirrored to the URL query parameter `key`; opening such a link restores it. A value in the URL that is not a
    number (or not one of `options`) is ignored; one outside the range is clamped.

    Parameters
    ----------
    label : text above the track; also the accessible name.
    min_value, max_value, value : range and default. All int (with `step`): the value stays int; otherwise float.
    step : distance of two stops; default 1 for int, a hundredth of the range for float. Values snap to
        min_value + n·step; max_value is always reachable.
    options : named stops instead of a range, e.g. `options=["nearest", "bilinear"]`; `value` is one of them (default:
        the first), and the yielded value is an element of `options`. In the URL it appears as `str(option)`.
    format : printf format of the number, `%g`, `%.2f`, `%d`, `%.0e`.
    unit : shown after the number, or after each of the options, e.g. "px".
    play : show a button that sweeps the range back and forth, one way in `play_seconds` seconds; "once" stops at the
        end, and begins anew when pressed there.
    window : how many values may be under way: 2 when computing and drawing takes under 15 ms, else 1.
    help : one sentence shown under a question mark.
    disabled : show the value, take no input.

    Keyboard: arrows one step, Page keys ten steps, Home and End; double click or Backspace restores the default; Space
    plays and pauses.

    Raises
    ------
    ValueError : if the range is empty, not finite, the step not positive, or the default not inside.
    """
    stops = list(options) if options is not None else None
    low, high, default, step = _range(min_value, max_value, value, step, stops)
    whole = all(isinstance(number, int) for number in (low, high, default, step))
    _take_in(key, low, high, default, step, whole, stops)
    current = st.session_state[key]
    slot = st.container()
    try:
        yield current
    finally:
        number = stops.index(current) if stops else current
        data = {
            "label": label, "min": low, "max": high, "step": step, "default": default, "value": number,
            "format": format, "unit": unit, "play": play, "seconds": play_seconds, "help": help or "",
            "options": [f"{stop}\u202f{unit}" if unit else str(stop) for stop in stops] if stops else None,
            "disabled": disabled,
        }  # fmt: skip
        with slot:
            wire.mount(_COMPONENT, key, data, window=window, followed=True)


def _range(low: Any, high: Any, default: Any, step: Any, stops: list | None) -> tuple[Any, Any, Any, Any]:
    """The slider's numbers: as given, or the positions 0 ... n-1 of named stops."""
    if stops is not None:
        if len(stops) < 2:
            raise ValueError("a slider over options needs at least two of them")
        if default is not None and default not in stops:
            raise ValueError(f"the default {default!r} is not one of the options {stops}")
        return 0, len(stops) - 1, stops.index(default) if default is not None else 0, 1
    if low is None or high is None or not all(map(math.isfinite, (low, high))) or not low < high:
        raise ValueError(f"a slider needs finite min_value < max_value, got {low} and {high}")
    default = low if default is None else default
    if not (math.isfinite(default) and low <= default <= high):
        raise ValueError(f"the default {default} is not between {low} and {high}")
    if step is None:
        step = 1 if all(isinstance(number, int) for number in (low, high, default)) else (high - low) / 100
    if not step > 0:
        raise ValueError(f"the step must be positive, got {step}")
    return low, high, default, step


def snap(number: float, low: float, high: float, step: float) -> float:
    """The stop nearest to `number`: low + n·step inside [low, high], or `high` itself, free of rounding dust."""
    number = min(max(number, low), high)
    stop = low + round((number - low) / step) * step
    if stop > high or abs(high - number) < abs(stop - number):
        return high
    digits = max(0, 10 - math.floor(math.log10(max(abs(low), abs(high), step))))
    return min(max(round(stop, digits), low), high)


def _number(found: Any, low: float, high: float, step: float, whole: bool) -> float | int | None:
    """`found` (a number, or text from the URL) as a legal slider number, or None if it is not a number."""
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):  # a word; a whole number that no float can hold
        return None
    if not math.isfinite(number):
        return None
    number = snap(number, low, high, step)
    return round(number) if whole else float(number)


def _take_in(key: str, low: Any, high: Any, default: Any, step: Any, whole: bool, stops: list | None) -> None:
    """Bring `st.session_state[key]` up to date from browser, URL or default, and then the URL once all hands rest."""

    def from_browser(found: Any) -> Any:
        number = _number(found, low, high, step, whole)
        return number if number is None or stops is None else stops[int(number)]

    def from_session(found: Any) -> Any:
        if stops is not None:
            return found if found in stops else None
        return _number(found, low, high, step, whole) if not isinstance(found, str) else None

    def from_url(text: str) -> Any:
        if stops is not None:
            return next((stop for stop in stops if str(stop) == text), None)
        return _number(text, low, high, step, whole)

    fallback = stops[default] if stops is not None else default
    text = address.linked(key) if wire.entering(key) else None
    linked = None if text is None else from_url(text)
    heard = wire.message(key)
    fresh = wire.news(key, heard)
    current = from_browser(fresh.get("value")) if fresh else linked
    if current is None:
        current = from_session(st.session_state.get(key, fallback))
    st.session_state[key] = fallback if current is None else current
    if heard.get("settled", True) and not live.following():
        now = st.session_state[key]
        address.keep(key, None if now == fallback else repr(now) if isinstance(now, float) else str(now))
