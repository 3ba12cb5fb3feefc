"""What goes on in a thread of its own while somebody watches: a plot on its way, a network or a head that learns."""

import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from models.background import PATIENCE, Background

AT_ONCE = 2  # in one process; the others wait

_places = threading.BoundedSemaphore(AT_ONCE)
Frame = TypeVar("Frame")


class Watched(Background, Generic[Frame]):
    """Takes one frame after the other, on one core, until there are no more, it is stopped, or nobody looks any more.

    Args:
        frames: what makes them; started again after a stop, it goes on where it was.
        patience: seconds without a `look` after which it stops.

    Attributes:
        state: "new", "waiting", "running", "stopped", "done" or "failed".
    """

    def __init__(self, frames: Iterator[Frame], patience: float = PATIENCE):
        super().__init__("watched", _places, patience, working="running")
        self._frames = frames
        self._newest: Frame | None = None

    @property
    def over(self) -> bool:
        """Whether there is nothing more to come."""
        return self.state in ("done", "failed")

    finished = over

    def look(self) -> Frame | None:
        """The newest frame, None before the first; also the sign that somebody still watches."""
        self._looked()
        return self._newest

    def _work(self) -> bool:
        while not self._left():
            try:
                self._newest = next(self._frames)
            except StopIteration:
                return True
            time.sleep(0.002)  # other sessions first
        return False
