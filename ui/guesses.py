"""What can be guessed: one of several options, a number on an axis.

A kind draws its control, reads a guess from an address, and says guess and answer in words. `page.predict` takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Choice:
    """One of `options`, whose texts all differ. It counts as soon as it is made."""

    options: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        if len({str(option) for option in self.options}) < len(self.options):
            raise ValueError(f"Two options look alike: {', '.join(map(str, self.options))}.")

    @property
    def open(self) -> bool:
        """Whether there is anything to choose from."""
        return len(self.options) > 1

    def ask(self, label: str, key: str, guess: Any, given: Callable[[Any], None]) -> None:
        """The control, which calls `given` with a guess."""
        st.session_state[key] = guess if guess in self.options else None

        def chosen() -> None:
            if (option := st.session_state[key]) is not None:
                given(option)

        st.pills(label, self.options, required=True, format_func=str, label_visibility="collapsed",
                 key=key, on_change=chosen)  # fmt: skip

    def read(self, text: str) -> Any | None:
        """The guess that an address means; None if it means none."""
        return next((option for option in self.options if str(option) == text), None)

    def write(self, guess: Any) -> str:
        return str(guess)

    def say(self, value: Any) -> str:
        return f"“{value}”" if isinstance(value, str) and not value[:1].isdigit() else str(value)

    def possible(self, answer: Any) -> bool:
        return answer in self.options

    def right(self, guess: Any, answer: Any) -> bool:
        return guess == answer


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high` in steps of `step` > 0, all int or all taken as float; `unit` stands after it."""

    low: float
    high: float
    step: float = 1
    unit: str = ""
    open = True

    def __post_init__(self) -> None:
        if not self.low < self.high or not self.step > 0:
            raise ValueError(f"There is no number from {self.low:g} to {self.high:g} in steps of {self.step:g}.")

    @property
    def _whole(self) -> bool:
        return all(isinstance(each, int) for each in (self.low, self.high, self.step))

    def _stop(self, number: float) -> float | int:
        """The stop nearest to `number`."""
        stop = min(max(self.low + round((number - self.low) / self.step) * self.step, self.low), self.high)
        return round(stop) if self._whole else round(float(stop), 10)

    def compose(self, label: str, key: str, guess: float | None) -> None:
        """The axis, for a hand that has not yet said that this is its guess."""
        kind = int if self._whole else float
        shown = "%d" if self._whole else "%g"
        start = self._stop((self.low + self.high) / 2) if guess is None else guess
        st.slider(label, kind(self.low), kind(self.high), start, kind(self.step), key=key, label_visibility="collapsed",
                  format=f"{shown} {self.unit.replace('%', '%%')}".strip())  # fmt: skip

    def composed(self, key: str) -> float | None:
        return st.session_state.get(key)

    def read(self, text: str) -> float | int | None:
        try:
            number = float(text)
        except (ValueError, OverflowError):
            return None
        if not self.low <= number <= self.high:
            return None
        stop = self._stop(number)
        return stop if abs(stop - number) < 1e-9 * max(1, abs(number)) else None

    def write(self, guess: float) -> str:
        return str(guess)

    def say(self, value: float) -> str:
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
        return f"{number} {self.unit}".strip()

    def possible(self, answer: float) -> bool:
        return self.low <= answer <= self.high

    def right(self, guess: float, answer: float) -> bool:
        """Whether no other stop is nearer."""
        return abs(guess - answer) <= self.step / 2


Kind = Choice | Number


def kind_of(given: Kind | Sequence[Hashable]) -> Kind:
    """The kind itself, or the choice between the options given."""
    return given if isinstance(given, Kind) else Choice(tuple(given))
