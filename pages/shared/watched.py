"""What goes on in a thread of its own while somebody watches: a plot on its way, a network or a head that learns."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from models.device import start_on_one_core

AT_ONCE = 2  # in one process; the others wait
PATIENCE = 20.0  # seconds that it goes on unwatched

_LOG = logging.getLogger(__name__)
_places = threading.BoundedSemaphore(AT_ONCE)
Frame = TypeVar("Frame")


class Watched(Generic[Frame]):
    """Takes one frame after the other, on one core, until there are no more, it is stopped, or nobody looks any more.

    Args:
        frames: what makes them; started again after a stop, it goes on where it was.
        patience: seconds without a `look` after which it stops.

    Attributes:
        state: "new", "waiting", "running", "stopped", "done" or "failed".
    """

    def __init__(self, frames: Iterator[Frame], patience: float = PATIENCE):
        self.state, self.patience = "new", patience
        self._frames = frames
        self._newest: Frame | None = None
        self._asked_to_stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_look = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether it goes on or waits for its turn."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def over(self) -> bool:
        """Whether there is nothing more to come."""
        return self.state in ("done", "failed")

    def start(self) -> None:
        """Begin, or go on where it was stopped; nothing while it runs or when it is over."""
        if self.running or self.over:
            return
        self._asked_to_stop.clear()
        self._last_look, self.state = time.monotonic(), "waiting"
        self._thread = start_on_one_core(self._run, "watched")

    def stop(self, wait: float = 0.0) -> None:
        """Ask it to stop after the frame under way; `wait` up to so many seconds for that."""
        self._asked_to_stop.set()
        if wait and self._thread is not None:
            self._thread.join(wait)

    def look(self) -> Frame | None:
        """The newest frame, None before the first; also the sign that somebody still watches."""
        self._last_look = time.monotonic()
        return self._newest

    def _left(self) -> bool:
        return self._asked_to_stop.is_set() or time.monotonic() - self._last_look > self.patience

    def _run(self) -> None:
        while not _places.acquire(timeout=0.1):
            if self._left():
                self.state = "stopped"
                return
        try:
            self.state = "running"
            while not self._left():
                try:
                    self._newest = next(self._frames)
                except StopIteration:
                    self.state = "done"
                    return
                time.sleep(0.002)  # other sessions first
            self.state = "stopped"
        except Exception:
            _LOG.exception("What was watched broke off")
            self.state = "failed"
        finally:
            _places.release()
