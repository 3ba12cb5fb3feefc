"""A server that is about to be stopped says so: after SIGUSR1 `/api/ready` answers 404, so that HAProxy sends no new
visitors here (`http-check disable-on-404` in deploy/haproxy.cfg), and those who are here go on until it is stopped.
"""

from __future__ import annotations

import signal
import threading

_asked = threading.Event()


def announced() -> bool:
    """Whether the server is about to be stopped."""
    return _asked.is_set()


def listen() -> None:
    """From now on SIGUSR1 announces the stop; does nothing on Windows, which has no such signal, and in a thread."""
    if hasattr(signal, "SIGUSR1") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, lambda _number, _frame: _asked.set())
