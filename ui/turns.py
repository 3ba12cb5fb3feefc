"""Turns among threads, first come, first served: of all visitors' reruns, and of all runs of one visitor."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

TO_THE_END = 1e9  # seconds: a lease that no work outlasts


class Turns:
    """At most `at_once` blocks begin at a time, first come, first served; a block that lasts longer than `lease`
    seconds no longer counts, so that nobody waits for long work."""

    def __init__(self, at_once: int, lease: float):
        self.at_once, self.lease = at_once, lease
        self._lock = threading.Lock()
        self._working: dict[object, float] = {}  # who is at work, until when that counts
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, then keep it for the block."""
        called = threading.Event()
        with self._lock:
            self._waiting.append(called)
        while True:
            with self._lock:
                now = time.monotonic()
                counted = [until for until in self._working.values() if until > now]
                first = self._waiting[0] is called
                if first and len(counted) < self.at_once:
                    self._waiting.popleft()
                    me = self._begin()
                    self._call_next()
                    break
                patience = min(counted) - now if first else None  # who becomes the first is called
            called.wait(patience)
            called.clear()
        try:
            yield
        finally:
            self.give_back(me)

    def take_at_once(self) -> object | None:
        """A turn if nobody has one or waits for one, else None; any thread may give it back."""
        with self._lock:
            return None if self.taken() else self._begin()

    def taken(self) -> bool:
        """Whether anybody is at work or waits."""
        return bool(self._working or self._waiting)

    def give_back(self, turn: object) -> None:
        """The end of a turn that `take_at_once` has given."""
        with self._lock:
            del self._working[turn]
            self._call_next()

    def _begin(self) -> object:
        me = object()
        self._working[me] = time.monotonic() + self.lease
        return me

    def _call_next(self) -> None:
        if self._waiting:
            self._waiting[0].set()
