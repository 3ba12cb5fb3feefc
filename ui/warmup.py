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
import time
from collections.abc import Callable

GRACE = 3.0  # seconds that the loading waits for a first visitor
PATIENCE = 15.0  # seconds that it waits for the first visitor's page
DRAWING = 1.0  # seconds for the browser to fetch the scripts that draw, from a process that is not busy yet
# Python looks for garbage so often that the objects of a rerun under way grow old, and then looks through all that is
# old: 0.1 s that every session waits, twice in three seconds with sixty students. Few reruns later they die young.
THRESHOLDS = (20_000, 50, 1000)
# Plotly looks whether these are there and does not wait until they are loaded: app.py loads them before it serves.
WHOLE = ("plotly.graph_objects", "PIL.Image", "pandas")
LIBRARIES = ("torch", "torchvision", "scipy.ndimage", "scipy.stats", "captum.attr")

_LOG = logging.getLogger(__name__)
_visited = threading.Event()
_painted = threading.Event()
_drawing = 0.0
_finished = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def start(networks: Callable[[], object] | None = None) -> None:
    """Start loading, once, as soon as a page is painted or ``GRACE`` is over; later calls do nothing. ``networks`` is
    called when the libraries are there."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, args=(networks,), name="warm-up", daemon=True)
            _thread.start()


def visited() -> None:
    """The first visitor's page is on its way: let it be painted before the loading begins."""
    _visited.set()


def painted(drawing: float = DRAWING) -> None:
    """A page is with the browser: load in ``drawing`` seconds, when what it shows has been drawn."""
    global _drawing
    if not _painted.is_set():
        _drawing = drawing
        _painted.set()


def finished() -> bool:
    """True when everything is loaded."""
    return _finished.is_set()


def threads() -> int:
    """Threads for one network: half the cores, because other sessions want the rest; 1 on a two-core machine."""
    return max(1, (os.cpu_count() or 2) // 2)


def _load(networks: Callable[[], object] | None) -> None:
    if _painted.wait(GRACE) or (_visited.is_set() and _painted.wait(PATIENCE)):
        time.sleep(_drawing)
    try:
        for name in LIBRARIES:
            importlib.import_module(name)
        importlib.import_module("torch").set_num_threads(threads())
        if networks is not None:
            networks()
    except Exception:  # the page that needs the library says what is missing
        _LOG.exception("Warm-up failed")
    finally:
        # What is loaded stays for good: collections that walk it again stop every session for 0.3 s.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        _finished.set()
