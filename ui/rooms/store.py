"""Where rooms are kept: tables of texts that end with their room. In this process here, in Redis in `redis_store`.

Both have the same few verbs and the same tests, tests/ui/test_rooms_store.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

ROOM = ""  # the table that makes a room: it is there as long as its room
Hear = Callable[[str, str], None]  # is told the code of a room and what has been said in it
MISSED = ""  # in place of a code: something may have been said in any room that was not heard


class UnreachableError(Exception):
    """The server that keeps the rooms does not answer."""


class Store(Protocol):
    """Rooms by their code, each with tables from field to text. Every verb may raise UnreachableError."""

    def create(self, code: str, fields: Mapping[str, str], seconds: float) -> bool:
        """A room that ends by itself after so many seconds; False if there is one of this code."""

    def read(self, code: str, table: str = ROOM) -> dict[str, str]:
        """A table; empty where there is none."""

    def write(self, code: str, fields: Mapping[str, str], table: str = ROOM) -> bool:
        """Put texts into a table; False if there is no such room."""

    def count(self, code: str, table: str) -> int:
        """How many fields a table has."""

    def clear(self, code: str, table: str) -> None:
        """Empty a table."""

    def end(self, code: str) -> None:
        """Forget a room with all its tables."""

    def tell(self, code: str, said: str) -> None:
        """Say something to everybody who listens, in every process."""

    def listen(self, hear: Hear) -> None:
        """From now on `hear` is called, in any thread, with what is said in any room; with MISSED after a silence."""


class Memory:
    """Rooms of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, tuple[float, dict[str, dict[str, str]]]] = {}
        self._hearing: list[Hear] = []

    def _tables(self, code: str) -> dict[str, dict[str, str]]:
        ends, tables = self._rooms.get(code, (0.0, {}))
        if tables and self._clock() >= ends:
            del self._rooms[code]
            return {}
        return tables

    def create(self, code: str, fields: Mapping[str, str], seconds: float) -> bool:
        with self._lock:
            for other in list(self._rooms):
                self._tables(other)  # those that are over are forgotten
            if code in self._rooms:
                return False
            self._rooms[code] = (self._clock() + seconds, {ROOM: dict(fields)})
            return True

    def read(self, code: str, table: str = ROOM) -> dict[str, str]:
        with self._lock:
            return dict(self._tables(code).get(table, {}))

    def write(self, code: str, fields: Mapping[str, str], table: str = ROOM) -> bool:
        with self._lock:
            tables = self._tables(code)
            if tables:
                tables.setdefault(table, {}).update(fields)
            return bool(tables)

    def count(self, code: str, table: str) -> int:
        with self._lock:
            return len(self._tables(code).get(table, {}))

    def clear(self, code: str, table: str) -> None:
        with self._lock:
            self._tables(code).pop(table, None)

    def end(self, code: str) -> None:
        with self._lock:
            self._rooms.pop(code, None)

    def tell(self, code: str, said: str) -> None:
        for hear in list(self._hearing):
            hear(code, said)

    def listen(self, hear: Hear) -> None:
        self._hearing.append(hear)
