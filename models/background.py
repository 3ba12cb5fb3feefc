"""Work in a thread of its own, on one core, that goes on as long as somebody watches."""

import logging
import threading
import time

from models.device import start_on_one_core

PATIENCE = 20.0  # seconds that it goes on unwatched

_LOG = logging.getLogger(__name__)


class Background:
    """Works until it is done, is stopped, or nobody looks any more; started again after a stop, it goes on.

    A kind of work defines `finished`, and `_work`, which looks at `_left` after every step and says whether all is
    done.

    Args:
        name: of the thread.
        places: as many as run at once in the process; the others wait.
        patience: seconds without a look after which it stops.
        working: what `state` says while it works.

    Attributes:
        state: "new", "waiting", `working`, "stopped", "done" or "failed".
    """

    def __init__(self, name: str, places: threading.BoundedSemaphore, patience: float, working: str):
        self.state, self.patience = "new", patience
        self._name, self._places, self._working = name, places, working
        self._asked_to_stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_look = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether it works or waits for its turn."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def finished(self) -> bool:
        """Whether there is nothing to start any more."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin, or go on where it was stopped; nothing while it runs or when it is finished."""
        if self.running or self.finished:
            return
        self._asked_to_stop.clear()
        self._last_look, self.state = time.monotonic(), "waiting"
        self._thread = start_on_one_core(self._run, self._name)

    def stop(self, wait: float = 0.0) -> None:
        """Ask it to stop after the step under way; `wait` up to so many seconds for that."""
        self._asked_to_stop.set()
        if wait and self._thread is not None:
            self._thread.join(wait)

    def _looked(self) -> None:
        self._last_look = time.monotonic()

    def _left(self) -> bool:
        return self._asked_to_stop.is_set() or time.monotonic() - self._last_look > self.patience

    def _work(self) -> bool:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._places.acquire(timeout=0.1):
            if self._left():
                self.state = "stopped"
                return
        try:
            self.state = self._working
            self.state = "done" if self._work() else "stopped"
        except Exception:
            _LOG.exception("The work of %s broke off", self._name)
            self.state = "failed"
        finally:
            self._places.release()
