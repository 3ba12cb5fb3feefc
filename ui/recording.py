"""What a run of a fragment reads and does, so that the next visitor with the same controls need not run it.

A page marks a fragment whose drawing depends on its controls alone::

    @st.fragment
    @page.guard()
    @page.alike
    def overlap() -> None:

While such a body runs, a `Recording` notes what it reads of its session (`reads`) and what it does (`acts`), in order.
`shared_runs` makes and replays them. What is not the same for everybody spoils a recording, and it is thrown away:
a guess, a vote, a file, a picture from outside, an error, whatever cannot be compared.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np


class Missing(enum.Enum):
    """There is nothing under a name."""

    ABSENT = enum.auto()


ABSENT = Missing.ABSENT
SEQUENCE, MESSAGE = ".sequence", ".live"  # of a live component: how many messages it took in, and the newest
OF_ITS_OWN = ("sequence", "since")  # in a message
# Kept by ui/components, which note what they do with them themselves.
OWN = ("address.kept", "address.told", "address.states", "live.")
# A value under these is somebody's own: guesses, answers, a seat in a class, files.
PRIVATE = ("predict-", "class.", "hand_in", "address.shelf")
PLAIN = (str, int, float, bool, bytes, type(None))
ALIKE = "alike"  # attribute of a body that is marked


def alike(body: Callable) -> Callable:
    """Mark the body of a fragment: what it draws depends on its arguments, its controls and the address alone.

    Not for pictures that a visitor brings, networks that may be replaced, chance, time, or what others do.
    """
    setattr(body, ALIKE, True)
    return body


class OwnError(Exception):
    """A value that cannot be compared with another session's."""


def frozen(value: Any) -> Hashable:
    """`value` so that two are equal exactly if nobody can tell the originals apart: 1, 1.0 and True differ, and -0.0
    from 0.0. Raises OwnError for what is no plain value, list, dict, array or data class."""
    kind = type(value)
    if kind is str or value is None:
        return value
    if kind is float:
        return kind, value.hex()
    if kind in PLAIN:
        return kind, value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
        return kind, value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return kind, *map(frozen, value)
    if isinstance(value, dict):
        return kind, *((frozen(name), frozen(each)) for name, each in value.items())
    if isinstance(value, (set, frozenset)):
        return kind, frozenset(map(frozen, value))
    if isinstance(value, enum.Enum):
        return kind, value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return kind, *(frozen(getattr(value, field.name)) for field in dataclasses.fields(value))
    raise OwnError(f"{kind.__name__} cannot be compared")


def for_all(value: Any) -> Any:
    """A component's state without what its newest message has of this session alone: its number, which counts what the
    browser has sent, and the state of a class that it came after. Whether it counts is another question (`fresh`)."""
    if isinstance(value, dict) and isinstance(message := value.get("message"), dict):
        return value | {"message": {name: each for name, each in message.items() if name not in OF_ITS_OWN}}
    return value


def own(value: Any) -> Any:
    """The same value, which nobody else can change."""
    return value if type(value) in PLAIN else copy.deepcopy(value)


@dataclasses.dataclass
class Put:
    """`key` of the session is set to `value`; removed if that is ABSENT."""

    key: str
    value: Any


@dataclasses.dataclass
class Took:
    """The newest message of a component is taken in."""

    key: str  # of its sequence


@dataclasses.dataclass
class Kept:
    """The address: parameter `name` is written; None for `name` puts it right."""

    name: str | None
    text: str | None = None


@dataclasses.dataclass
class Again:
    """What is done in every session; False says that the body must run there."""

    do: Callable[[], bool]


@dataclasses.dataclass
class Registered:
    """A widget; `found` is what Streamlit answered, frozen."""

    metadata: Any
    key: str | None
    found: Hashable


@dataclasses.dataclass
class Said:
    """A message to the browser."""

    message: Any


@dataclasses.dataclass
class Drawn:
    """A component: the message that mounts it, its data as JSON without what is each session's own, and the rasters it
    shows by name, None if it is no stage."""

    message: Any
    key: str
    fragment: str | None
    data: str
    window: int
    rasters: list[tuple[str, str]] | None
    missing: list[str]


class Recording:
    """One run of a body."""

    def __init__(self) -> None:
        self.reads: dict[tuple[str, str], Hashable] = {}
        self.acts: list[Any] = []
        self.spoilt = ""  # why it is of no use to others
        self.written: set[str] = set()
        self._looked_at: dict[str, Any] = {}  # values that the body may change in place
        self._rasters: dict[str, tuple[list[tuple[str, str]], list[str]]] = {}
        self._mounting: Drawn | None = None
        self.aside = 0  # depth of calls that are made again in every session

    def spoil(self, why: str) -> None:
        self.spoilt = self.spoilt or why

    def read(self, kind: str, name: str, value: Any) -> None:
        """`value` was there when the body looked first."""
        if (kind, name) in self.reads:
            return
        if name.startswith(PRIVATE) and not (value is ABSENT or value is None or value is False):
            self.spoil(f"{name} is somebody's own")
        try:
            self.reads[kind, name] = frozen(value)
        except OwnError as error:
            self.spoil(f"{name}: {error}")

    def read_state(self, key: str, value: Any) -> None:
        if self.aside or key.startswith(OWN) or key.endswith(".rasters") or key in self.written:
            return
        self.read("state", key, for_all(value) if key.endswith(MESSAGE) else value)
        if type(value) not in PLAIN:
            self._looked_at.setdefault(key, value)

    def wrote(self, key: str, value: Any) -> None:
        if self.aside or key.startswith(OWN) or key.endswith(".rasters"):
            return
        self.written.add(key)
        self.acts.append(Took(key) if key.endswith(SEQUENCE) else Put(key, value))

    def raster(self, key: str, name: str, address: str) -> None:
        """Stage `key` shows a raster, whose data URL is `address`."""
        self._rasters.setdefault(key, ([], []))[0].append((name, address))

    def lacking(self, key: str, missing: list[str]) -> None:
        """The browser says that it lacks these rasters of stage `key`, which begins to draw."""
        self._rasters[key] = ([], missing)

    def mounting(self, key: str, data: dict[str, Any], window: int, fragment: str | None) -> None:
        """The next message mounts component `key` (of the session state)."""
        rasters, missing = self._rasters.pop(key.removesuffix(MESSAGE), (None, []))
        try:
            text = json.dumps({name: each for name, each in data.items() if rasters is None or name != "rasters"})
        except TypeError as error:
            self.spoil(str(error))
            text = "{}"
        self._mounting = Drawn(None, key, fragment, text, window, rasters, missing)

    def linked(self, name: str, text: str | None) -> None:
        """The address has `text` under this name."""
        if not any(isinstance(act, Kept) and act.name == name for act in self.acts):
            self.read("linked", name, text)

    def said(self, message: Any, mounts: bool) -> None:
        """`message`, a copy of it, goes to the browser."""
        if not mounts:
            self.acts.append(Said(message))
        elif self._mounting is None:
            self.spoil("a component that is not the lab's")
        else:
            self._mounting.message, drawn, self._mounting = message, self._mounting, None
            self.acts.append(drawn)

    def end(self) -> None:
        """The body has ended: what it changed in place, and copies of what it leaves."""
        try:
            for key, value in self._looked_at.items():
                now = frozen(for_all(value) if key.endswith(MESSAGE) else value)
                if key not in self.written and now != self.reads["state", key]:
                    self.acts.append(Put(key, value))
            for act in self.acts:
                if isinstance(act, Put):
                    frozen(act.value)
                    act.value = own(act.value)
        except (OwnError, KeyError) as error:
            self.spoil(str(error))


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


def current() -> Recording | None:
    """The recording of which this code is a part."""
    return _current.get()


def spoil(why: str) -> None:
    """The run of which this code is a part, if it is noted, is of no use to others."""
    if (noted := current()) is not None:
        noted.spoil(why)


@contextmanager
def aside() -> Iterator[Recording | None]:
    """What is done in this block is done again in every session, by whoever replays; yields the recording."""
    noted = current()
    if noted is None:
        yield None
        return
    noted.aside += 1
    try:
        yield noted
    finally:
        noted.aside -= 1


def begin(recording: Recording | None) -> Any:
    """What follows is a part of this recording; returns what `over` wants."""
    return _current.set(recording)


def over(begun: Any) -> None:
    _current.reset(begun)
