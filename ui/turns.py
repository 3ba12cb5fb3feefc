"""Turns among threads, first come, first served: of all visitors' reruns, and of all runs of one visitor."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

TO_THE_END = 1e9  # seconds: a lease that no work outlasts
ASIDE = 3.0  # seconds for which whoever has stepped aside lets the others pass at most


class Waiting(NamedTuple):
    """Who waits: called when it may be her turn; from `passed` (`time.monotonic`) on nobody passes her any more."""

    called: threading.Event
    passed: float


class Turns:
    """At most `at_once` blocks begin at a time, first come, first served; a block that lasts longer than `lease`
    seconds no longer counts, so that nobody waits for long work."""

    def __init__(self, at_once: int, lease: float):
        self.at_once, self.lease = at_once, lease
        self._lock = threading.Lock()
        self._mine = threading.local()  # the turns that this thread has
        self._working: dict[object, float] = {}  # who is at work, until when that counts
        self._waiting: deque[Waiting] = deque()
        self._aside: deque[Waiting] = deque()  # in the order in which they stepped aside

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, then keep it for the block."""
        mine = vars(self._mine).setdefault("turns", [])
        mine.append(self._wait(self._waiting, 0.0))
        try:
            yield
        finally:
            self.give_back(mine.pop())

    def step_aside(self) -> bool:
        """Let all pass who wait for a turn, for `ASIDE` seconds at most, then go on with one's own; returns whether
        anybody was there. For a thread that has found out within its turn that it has much to do."""
        mine = vars(self._mine).get("turns")
        if not mine or not self._waiting:
            return False
        self.give_back(mine[-1])
        mine[-1] = self._wait(self._aside, time.monotonic() + ASIDE)
        return True

    def take_at_once(self) -> object | None:
        """A turn if nobody has one or waits for one, else None; any thread may give it back."""
        with self._lock:
            return None if self.taken() else self._begin()

    def taken(self) -> bool:
        """Whether anybody is at work or waits."""
        return bool(self._working or self._waiting or self._aside)

    def give_back(self, turn: object) -> None:
        """The end of a turn that `take_at_once` has given."""
        with self._lock:
            del self._working[turn]
            self._call_next()

    def _wait(self, queue: deque[Waiting], passed: float) -> object:
        """Wait at the end of the queue for a turn, and begin it."""
        me = Waiting(threading.Event(), passed)
        with self._lock:
            queue.append(me)
        was_called = False
        while True:
            with self._lock:
                now = time.monotonic()
                counted = [until for until in self._working.values() if until > now]
                first = self._next(now) is me
                if first and len(counted) < self.at_once:
                    queue.popleft()
                    turn = self._begin()
                    self._call_next()
                    return turn
                if was_called and not first:  # who stepped aside has waited for long enough meanwhile
                    self._call_next()
                patience = min(counted) - now if first else None  # who becomes the next is called
            me.called.wait(patience)
            me.called.clear()
            was_called = True

    def _next(self, now: float) -> Waiting | None:
        """Whose turn is the next."""
        if self._aside and (not self._waiting or self._aside[0].passed <= now):
            return self._aside[0]
        return self._waiting[0] if self._waiting else None

    def _begin(self) -> object:
        turn = object()
        self._working[turn] = time.monotonic() + self.lease
        return turn

    def _call_next(self) -> None:
        if (following := self._next(time.monotonic())) is not None:
            following.called.set()
