"""Load the heavy libraries behind the first page.

``import torch, torchvision`` takes seconds and holds the interpreter for most of them. A thread does it once per
process, after the first page is painted.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import threading

GRACE = 3.0  # seconds that the loading waits for a first page
LIBRARIES = ("torch", "torchvision", "scipy.ndimage", "captum.attr")

_LOG = logging.getLogger(__name__)
_painted = threading.Event()
_finished = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def start() -> None:
    """Start loading, once, as soon as a page is painted or ``GRACE`` is over; later calls do nothing."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="warm-up", daemon=True)
            _thread.start()


def painted() -> None:
    """A page is on the screen: load now."""
    _painted.set()


def finished() -> bool:
    """True when everything is loaded."""
    return _finished.is_set()


def threads() -> int:
    """Threads for one network: half the cores, because other sessions want the rest; 1 on a two-core machine."""
    return max(1, (os.cpu_count() or 2) // 2)


def _load() -> None:
    _painted.wait(GRACE)
    try:
        for name in LIBRARIES:
            importlib.import_module(name)
        importlib.import_module("torch").set_num_threads(threads())
    except Exception:  # the page that needs the library says what is missing
        _LOG.exception("Warm-up failed")
    finally:
        # What is loaded stays for good: collections that walk it again stop every session for 0.3 s.
        gc.collect()
        gc.freeze()
        _finished.set()
