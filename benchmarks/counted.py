"""The lab with one more address, /api/left, which counts what the process holds. For `benchmarks.dropped` alone.

Nobody has to list what could be left: every container that a module of the lab or of Streamlit keeps is measured, also
inside the objects there, and every session that has not been freed is known. Nothing is freed for the counting.

streamlit run benchmarks/counted.py
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any
from weakref import WeakSet

import streamlit as st
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession

import app as door
from ui.components.live import Session
from ui.own_files import Shelf

OURS = ("app", "ui", "pages", "models", "labs", "scenes", "streamlit", "uvicorn")  # modules that are looked through
DEEP = 5  # steps from a module to a container
CONTAINERS = (Mapping, Set, list, deque)
PLAIN = (str, int, float, bool, bytes, type(None), tuple)

alive: dict[str, WeakSet] = {}  # by class, what of it has been made and not been freed


def followed(kind: type) -> None:
    """From now on the objects of this class are counted."""
    begin, made = kind.__init__, alive.setdefault(kind.__name__, WeakSet())

    @functools.wraps(begin)
    def init(self, *given, **named):
        begin(self, *given, **named)
        made.add(self)

    kind.__init__ = init


def ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in OURS


def bounded(value: Any) -> bool:
    """Whether a container or a cached function has a size that it never exceeds."""
    cached = type(value) is functools._lru_cache_wrapper
    return (value.cache_info().maxsize if cached else getattr(value, "maxlen", None)) is not None


def held() -> dict[str, int]:
    """How many things lie in each container, by where it is: `ui.own_files._shelves`. Containers inside a container
    count together, as `name[]`. Without what is bounded, and the values of Streamlit's caches, which are."""
    seen: set[int] = set()
    found: Counter[str] = Counter()
    for name, module in list(sys.modules.items()):
        if ours(name):
            for key, value in list(vars(module).items()):
                for place, count in _held(f"{name}.{key}", value, DEEP, seen):
                    found[place] += count
    return dict(found)


def _held(place: str, value: Any, deep: int, seen: set[int]) -> Iterator[tuple[str, int]]:
    kind = type(value)
    if deep == 0 or id(value) in seen or kind in PLAIN or bounded(value):
        return
    seen.add(id(value))
    if kind is functools._lru_cache_wrapper:
        yield place, value.cache_info().currsize
    elif ours(kind.__module__) or (kind is type and ours(value.__module__)):
        for key, each in list(getattr(value, "__dict__", {}).items()):
            if not key.startswith("__"):
                yield from _held(f"{place}.{key}", each, deep - 1, seen)
    elif isinstance(value, CONTAINERS):
        yield place, len(value)
        for each in list(value.values() if isinstance(value, Mapping) else value):
            yield from _held(f"{place}[]", each, deep - 1, seen)


def descriptors() -> dict[str, int]:
    """Open files by kind: socket, pipe, anon_inode, or a path."""
    kinds: Counter[str] = Counter()
    for each in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{each}")
        except OSError:  # the one with which this folder is read
            continue
        kinds[target.partition(":")[0]] += 1
    return dict(kinds)


async def left(_request) -> JSONResponse:
    """What is there now, all as counts, memory in MB."""
    sessions = Runtime.instance()._session_mgr
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return JSONResponse({
        "connected": sessions.num_active_sessions(),
        "kept": len(sessions._session_storage.list()),
        "alive": {kind: len(made) for kind, made in alive.items()},
        "threads": dict(Counter(each.name.rstrip("0123456789-_") for each in threading.enumerate())),
        "descriptors": descriptors(),
        "tasks": dict(Counter(each.get_coro().__qualname__ for each in asyncio.all_tasks())),
        "timers": len(asyncio.get_running_loop()._scheduled),
        "held": held(),
        "rss_mb": round(rss, 1),
    })  # fmt: skip


for kind in (AppSession, Session, Shelf):
    followed(kind)
app = st.App(
    door.ROOT / "ui" / "main.py",
    lifespan=door.lifespan,
    routes=[Route("/api/left", left), *door.routes("")],
    middleware=door.app._user_middleware,
    on_script_error=door.page.show_unexpected,
)
