"""What the server logs is bounded: a disk that an attack or a broken client can fill stops everybody.

Of one kind of message, `EACH` a minute are written, of all together `ALL`; the last one says that others follow.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

EACH = 20  # messages of one kind in one WINDOW
ALL = 400  # messages in one WINDOW
WINDOW = 60.0  # seconds
MORE = " (more of this kind are left out for a minute)"


class Budget:
    """How many messages may still be written in this window; `clock` counts seconds."""

    def __init__(self, each: int, all_of_them: int, window: float, clock: Callable[[], float] = time.monotonic):
        self.each, self.all_of_them, self.window, self.clock = each, all_of_them, window, clock
        self._lock = threading.Lock()
        self._written: Counter[tuple] = Counter()
        self._ends = 0.0

    def takes(self, record: logging.LogRecord) -> bool:
        """True if the record may be written; the last of its kind is marked."""
        kind = record.name, record.levelno, record.pathname, record.lineno
        with self._lock:
            now = self.clock()
            if now >= self._ends:
                self._written.clear()
                self._ends = now + self.window
            if self._written[kind] >= self.each or self._written.total() >= self.all_of_them:
                return False
            self._written[kind] += 1
            if self._written[kind] == self.each or self._written.total() == self.all_of_them:
                record.msg = record.getMessage() + MORE
                record.args = None
            return True


def bound(budget: Budget | None = None) -> None:
    """Put all loggers of this process under one budget; a second call does nothing."""
    real = logging.Logger.handle
    if hasattr(real, "bounded"):
        return
    budget = budget or Budget(EACH, ALL, WINDOW)

    @functools.wraps(real)
    def handle(self, record):
        if budget.takes(record):
            real(self, record)

    handle.bounded = True
    logging.Logger.handle = handle
