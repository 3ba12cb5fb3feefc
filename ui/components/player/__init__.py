"""A player for films: pictures with boxes on them, play and pause, a slider over the frames, a line to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.components import address, wire
from ui.components.player.reels import CHUNK, Mark, Marked, Reel, hold, short

__all__ = ["Mark", "Marked", "Player", "Reel", "player"]

_COMPONENT = wire.declare("player", "20rem")
SPEEDS = (0.25, 0.5, 1.0, 2.0)
LARGEST = 4096.0  # pixels: no end of a line is further away

Line = tuple[float, float, float, float]


@dataclass(frozen=True)
class Player:
    """What the visitor has done, and the way to show a film.

    Attributes:
        frame: the frame at which the film stood when it was last paused or moved; while it plays it is the last such.
        playing: whether it plays.
        speed: one of SPEEDS.
        line: (x1, y1, x2, y2) in pixels of the frame, or None without one.
    """

    key: str
    frame: int
    playing: bool
    speed: float
    line: Line | None
    options: dict[str, Any]
    window: int

    def show(self, reel: Reel, *, alt: str, caption: str = "", sides: tuple[str, str] = ("", "")) -> None:
        """Put `reel` on the player; call it once per run, last in the block.

        `alt` says to a screen reader what is to be seen; `caption` is a line below. `sides` name what lies to the left
        and to the right of whoever goes along the line from its first end to its second.
        """
        data = {
            "reel": {
                "token": hold(self.key, reel), "name": short(reel.name),
                "marked": short(reel.marked or "marks") if reel.marks else "",
                "frames": reel.frames, "rate": reel.rate, "size": list(reel.size), "chunk": CHUNK,
            },
            "frame": min(self.frame, reel.frames - 1), "speed": self.speed, "speeds": list(SPEEDS),
            "line": None if self.line is None else list(self.line), "sides": list(sides),
            "alt": alt, "caption": caption, **self.options,
        }  # fmt: skip
        wire.mount(_COMPONENT, self.key, data, window=self.window)


def player(
    key: str, *, line: Sequence[float] | None = None, start: int = 0, tall: int = 420, follow: bool = False,
    window: int = 1,
) -> Player:  # fmt: skip
    """Begin a player: returns what the visitor has done; call `.show(reel)` on the result.

        view = player("video_play")
        view.show(Reel("seed 7", 200, 25, (224, 224), film.frame), alt="A street with two cars")

    Space plays and pauses, the arrow keys go one frame (Shift: a second), Home and End to either end. The film begins
    anew at its end, or stops there for those who want less motion. It never starts by itself, and rests while it is out
    of sight. Playing asks nothing of Python; where it stands once it rests is in the address, as `<key>_frame`, beside
    `<key>_speed` and `<key>_line`.

    Parameters
    ----------
    key : unique on the page.
    line : two ends (x1, y1, x2, y2) in pixels of the frame that the visitor can drag, or move with the arrow keys.
    start : the frame at first.
    tall : greatest height of the picture in CSS pixels.
    follow : report the frame also while a hand moves the slider.
    window : how many updates may be under way: 2 when computing and drawing takes under 15 ms, else 1.
    """
    state = st.session_state
    defaults = {"frame": start, "speed": 1.0, "line": None if line is None else tuple(map(float, line))}
    readers = {"frame": (_frame, 1), "speed": (_speed, 1), "line": (_line, 4)}
    for name, default in defaults.items():
        if default is not None and f"{key}_{name}" not in state:
            read, count = readers[name]
            linked = _linked(f"{key}_{name}", count)
            told = None if linked is None else read(list(linked) if count > 1 else linked[0])
            if linked is not None and told is None:
                address.keep(f"{key}_{name}", None)
            state[f"{key}_{name}"] = default if told is None else told
    heard = wire.message(key)
    fresh = wire.news(key, heard) or {}
    for name, default in defaults.items():
        full = f"{key}_{name}"
        if default is None:
            continue
        told = readers[name][0](fresh.get(name))
        if told is not None:
            state[full] = told
        if state[full] != default:
            values = state[full] if isinstance(state[full], tuple) else (state[full],)
            address.keep(full, ",".join(f"{value:g}" for value in values))
        elif address.linked(full) is not None:
            address.keep(full, None)
    return Player(
        key, state[f"{key}_frame"], heard.get("playing") is True, state[f"{key}_speed"], state.get(f"{key}_line"),
        {"tall": tall, "follow": follow}, window,
    )  # fmt: skip


def _linked(name: str, count: int) -> tuple[float, ...] | None:
    """What a link says, or None where it says nothing that makes sense."""
    try:
        return address.numbers(name, count)
    except ValueError:
        return None


def _frame(found: Any) -> int | None:
    """A frame number; which is the last one only the reel knows."""
    return int(found) if type(found) in (int, float) and 0 <= found < 1e6 and found == int(found) else None


def _speed(found: Any) -> float | None:
    return float(found) if type(found) in (int, float) and found in SPEEDS else None


def _line(found: Any) -> Line | None:
    """Two ends that are apart."""
    if not isinstance(found, list) or len(found) != 4:
        return None
    if not all(type(value) in (int, float) and -LARGEST <= value <= LARGEST for value in found):
        return None
    x1, y1, x2, y2 = (round(float(value), 1) for value in found)
    return (x1, y1, x2, y2) if (x1, y1) != (x2, y2) else None
