"""What can be guessed: one of several options, a number on an axis, an order, a place or a box on a picture.

A kind draws its control, reads a guess from an address, and compares it with the answer in words. `page.predict` takes
it. Whoever makes a guess in several steps says when it counts; a choice counts at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ui.components import Box, Boxes, Points, stage

MATCH = 0.5  # IoU from which two boxes count as the same
AFTER = ">"  # between the items of an order, in an address


def _differ(options: Sequence[Hashable]) -> None:
    if len({str(option) for option in options}) < len(options):
        raise ValueError(f"Two options look alike: {', '.join(map(str, options))}.")


def _plainly(guess: str, answer: str, right: bool) -> str:
    return f"You said **{guess}**, and that is right" if right else f"You said **{guess}**. {_truth(answer)}"


def _truth(answer: str) -> str:
    return f"The answer is **{answer}**" if answer.startswith("“") else f"It is **{answer}**"


class Kind:
    """What the kinds share; a guess and an answer are whatever the kind says."""

    open = True  # whether there is anything to guess

    def compose(self, label: str, key: str, guess: Any | None) -> None:
        """Draw the control, which begins with `guess`; not for a choice."""
        raise NotImplementedError

    def composed(self, key: str) -> Any | None:
        """What the control says now; None while that is no guess yet."""
        raise NotImplementedError

    def read(self, text: str) -> Any | None:
        """The guess that an address means; None if it means none."""
        raise NotImplementedError

    def write(self, guess: Any) -> str:
        """The guess in an address."""
        return str(guess)

    def say(self, value: Any) -> str:
        """A guess or an answer in words."""
        return str(value)

    def possible(self, answer: Any) -> bool:
        """Whether somebody could have guessed it."""
        raise NotImplementedError

    def right(self, guess: Any, answer: Any) -> bool:
        return guess == answer

    def truth(self, answer: Any) -> str:
        """The answer alone, a sentence without its end."""
        return _truth(self.say(answer))

    def compare(self, guess: Any, answer: Any) -> str:
        """Both side by side, in Markdown, without the end of the sentence."""
        return _plainly(self.say(guess), self.say(answer), self.right(guess, answer))


@dataclass(frozen=True)
class Choice(Kind):
    """One of `options`, whose texts all differ."""

    options: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        _differ(self.options)

    @property
    def open(self) -> bool:
        return len(self.options) > 1

    def ask(self, label: str, key: str, guess: Any, given: Callable[[Any], None]) -> None:
        """The options as buttons, which call `given`: arrow keys go through them without choosing one."""
        st.session_state[key] = guess if guess in self.options else None

        def chosen() -> None:
            if (option := st.session_state[key]) is not None:
                given(option)

        st.pills(label, self.options, required=True, format_func=str, label_visibility="collapsed",
                 key=key, on_change=chosen)  # fmt: skip

    def read(self, text: str) -> Any | None:
        return next((option for option in self.options if str(option) == text), None)

    def say(self, value: Any) -> str:
        return f"“{value}”" if isinstance(value, str) and not value[:1].isdigit() else str(value)

    def possible(self, answer: Any) -> bool:
        return answer in self.options


@dataclass(frozen=True)
class Number(Kind):
    """A number from `low` to `high` in steps of `step` > 0, int if all three are; `unit` stands after it.

    The answer may lie between two steps; the guess nearest to it is right.
    """

    low: float
    high: float
    step: float = 1
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.low < self.high or not self.step > 0:
            raise ValueError(f"There is no number from {self.low:g} to {self.high:g} in steps of {self.step:g}.")

    @property
    def _type(self) -> type:
        return int if all(isinstance(each, int) for each in (self.low, self.high, self.step)) else float

    def _stop(self, number: float) -> float:
        """The stop nearest to `number`."""
        stop = self.low + round((number - self.low) / self.step) * self.step
        return self._type(round(min(max(stop, self.low), self.high), 10))

    def compose(self, label: str, key: str, guess: float | None) -> None:
        low, high, step = map(self._type, (self.low, self.high, self.step))
        start = self._stop((low + high) / 2) if guess is None else guess
        shown = f"{'%d' if self._type is int else '%g'} {self.unit.replace('%', '%%')}".strip()
        st.slider(label, low, high, start, step, key=key, format=shown, label_visibility="collapsed")

    def composed(self, key: str) -> float | None:
        return st.session_state.get(key)

    def read(self, text: str) -> float | None:
        try:
            number = float(text)
        except ValueError:
            return None
        if not self.low <= number <= self.high:
            return None
        stop = self._stop(number)
        return stop if math.isclose(stop, number, abs_tol=1e-9) else None

    def say(self, value: float) -> str:
        return f"{value:,} {self.unit}".strip() if isinstance(value, int) else f"{value:,.6g} {self.unit}".strip()

    def possible(self, answer: float) -> bool:
        return self.low <= answer <= self.high

    def right(self, guess: float, answer: float) -> bool:
        return abs(guess - answer) <= self.step / 2

    def compare(self, guess: float, answer: float) -> str:
        if guess != answer and self.right(guess, answer):
            return f"You said **{self.say(guess)}**, as near as can be: it is **{self.say(answer)}**"
        return super().compare(guess, answer)


@dataclass(frozen=True)
class Order(Kind):
    """The `items`, texts that all differ and hold no ">", from first to last. Guess and answer are tuples of them."""

    items: Sequence[str]

    def __post_init__(self) -> None:
        _differ(self.items)
        if any(AFTER in item for item in self.items):
            raise ValueError(f"What is put in order holds no {AFTER}: {', '.join(self.items)}.")

    @property
    def open(self) -> bool:
        return len(self.items) > 1

    def compose(self, label: str, key: str, guess: tuple[str, ...] | None) -> None:
        so_far = [item for item in st.session_state.get(key, guess or ()) if item in self.items]
        st.session_state[key] = so_far
        st.pills(label, self.items, selection_mode="multi", key=key, label_visibility="collapsed")
        ranks = " · ".join(f"{rank}. {item}" for rank, item in enumerate(so_far, start=1))
        st.caption(ranks or "Press them one after the other, the first one first; press again to take one back.")

    def composed(self, key: str) -> tuple[str, ...] | None:
        return self._complete(tuple(st.session_state.get(key, ())))

    def read(self, text: str) -> tuple[str, ...] | None:
        return self._complete(tuple(text.split(AFTER)))

    def _complete(self, found: tuple[str, ...]) -> tuple[str, ...] | None:
        return found if sorted(found) == sorted(self.items) else None

    def write(self, guess: tuple[str, ...]) -> str:
        return AFTER.join(guess)

    def say(self, value: Sequence[str]) -> str:
        return ", then ".join(value)

    def possible(self, answer: Sequence[str]) -> bool:
        return sorted(answer) == sorted(self.items)

    def right(self, guess: Sequence[str], answer: Sequence[str]) -> bool:
        return tuple(guess) == tuple(answer)


@dataclass(frozen=True, eq=False)
class Region(Kind):
    """A box put on `picture`, uint8 (H, W, 3), that is at `start` first; without `start`, a place pointed at.

    The guess is (x1, y1, x2, y2) or (x, y), the answer always a box, all in picture pixels. A box is right from an IoU
    of 0.5 on, a place inside the answer. `alt` describes the picture, `width` is as in `stage`.
    """

    picture: np.ndarray
    start: tuple[float, float, float, float] | None = None
    alt: str = "Picture"
    width: int | None = 360

    def compose(self, label: str, key: str, guess: tuple[float, ...] | None) -> None:
        if self.start is not None:
            view = stage(key, [Box("guess", guess or self.start, "your guess", editable=True)], width=self.width)
            st.session_state[f"{key}-place"] = self._within(view.boxes[0].xyxy)
            view.show(self.picture, alt=f"{self.alt}. {label}", caption="Move the box and its corners.")
            return
        view = stage(key, width=self.width)
        if view.clicked and view.click:
            st.session_state[f"{key}-place"] = self._within((view.click.x, view.click.y))
        place = st.session_state.setdefault(f"{key}-place", guess)
        alt = f"{self.alt}. {label}"
        view.show(self.picture, self.layers(place), alt=alt, pick=(0.5, 1), caption="Click the place.")

    def composed(self, key: str) -> tuple[float, ...] | None:
        return st.session_state.get(f"{key}-place")

    def layers(self, guess: tuple[float, ...] | None) -> list[Boxes | Points]:
        """The guess, for a stage that shows the same picture; nothing without one."""
        if guess is None:
            return []
        if self.start is None:
            return [Points(np.array([guess]), labels=["your guess"], ids=["guess"])]
        return [Boxes([Box("guess", guess, "your guess", dash=True)])]

    def read(self, text: str) -> tuple[float, ...] | None:
        try:
            found = tuple(float(part) for part in text.split(","))
        except ValueError:
            return None
        wanted = 2 if self.start is None else 4
        return found if len(found) == wanted and self._within(found) == found else None

    def write(self, guess: tuple[float, ...]) -> str:
        return ",".join(f"{each:g}" for each in guess)

    def say(self, value: Sequence[float]) -> str:
        if len(value) == 2:
            return f"x {value[0]:.0f}, y {value[1]:.0f}"
        return f"x {value[0]:.0f} to {value[2]:.0f}, y {value[1]:.0f} to {value[3]:.0f}"

    def possible(self, answer: Sequence[float]) -> bool:
        return len(answer) == 4 and self._within(answer) == tuple(answer)

    def right(self, guess: Sequence[float], answer: Sequence[float]) -> bool:
        if self.start is None:
            return answer[0] <= guess[0] <= answer[2] and answer[1] <= guess[1] <= answer[3]
        return _iou(guess, answer) >= MATCH

    def compare(self, guess: Sequence[float], answer: Sequence[float]) -> str:
        both = f"You said **{self.say(guess)}**. It is **{self.say(answer)}**"
        if self.start is None:
            return f"{both}: your place is {'inside' if self.right(guess, answer) else 'outside'}"
        return f"{both}: the two boxes have an IoU of **{_iou(guess, answer):.2f}**"

    def _within(self, place: Sequence[float]) -> tuple[float, ...]:
        """The place cut to the picture, to a tenth of a pixel."""
        height, width = self.picture.shape[:2]
        return tuple(round(min(max(each, 0.0), float((width, height)[axis % 2])), 1) for axis, each in enumerate(place))


def _iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes; 0 if both are empty."""
    sides = [max(0.0, min(first[axis + 2], second[axis + 2]) - max(first[axis], second[axis])) for axis in (0, 1)]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    common = sides[0] * sides[1]
    return common / union if (union := sum(areas) - common) else 0.0


def kind_of(given: Kind | Sequence[Hashable]) -> Kind:
    """The kind itself, or the choice between the options given."""
    return given if isinstance(given, Kind) else Choice(tuple(given))
