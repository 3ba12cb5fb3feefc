"""Students who have left: their sessions are closed in time, and what these held is freed without a run of a page."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tomllib
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.caching.ttl_cache import TTLCache
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from ui import departed

ROOT = Path(__file__).resolve().parents[2]


class Session:
    """A session of Streamlit's that refers to itself, as they do."""

    def __init__(self, name: str):
        self.id, self.closed, self.itself, self._scriptrunner = name, False, self, None
        self.session_state = {}

    def shutdown(self) -> None:
        self.closed = True


@pytest.fixture
def room(monkeypatch):
    """A runtime with sessions in storage, whose clock the test moves."""
    now = [0.0]
    storage = MemorySessionStorage(ttl_seconds=30)
    storage._cache = TTLCache(maxsize=128, ttl=30, timer=lambda: now[0])
    active = []
    manager = SimpleNamespace(_session_storage=storage, list_active_sessions=lambda: active)
    monkeypatch.setattr(Runtime, "_instance", SimpleNamespace(_session_mgr=manager))
    return SimpleNamespace(storage=storage, now=now, active=active)


def test_sessions_are_closed_when_their_time_is_over(room):
    early, late = Session("early"), Session("late")
    room.storage.save(SimpleNamespace(session=early))
    room.now[0] = 20.0
    room.storage.save(SimpleNamespace(session=late))
    room.now[0] = 29.9
    assert departed.close_expired() == 0 and not early.closed
    room.now[0] = 30.0
    assert departed.close_expired() == 1 and early.closed and not late.closed
    assert departed.close_expired() == 0


def test_who_makes_room_for_another_is_closed_too(room, monkeypatch):
    monkeypatch.setattr(MemorySessionStorage, "save", departed.handing_over(MemorySessionStorage.save))
    room.storage._cache = TTLCache(maxsize=2, ttl=30, timer=lambda: room.now[0])
    first, second, third, late = (Session(name) for name in ("first", "second", "third", "late"))
    for each in (first, second, third):
        room.storage.save(SimpleNamespace(session=each))
    assert [each.session for each in room.storage.list()] == [second, third]
    assert departed.close_expired() == 1 and first.closed and not second.closed
    room.now[0] = 30.0
    room.storage.save(SimpleNamespace(session=late))  # Streamlit looks for those whose time is over now
    assert not second.closed
    assert departed.close_expired() == 2 and second.closed and third.closed and not late.closed


def test_what_a_session_holds_is_let_go_without_the_collector(room):
    """It never looks at what was there when the libraries had been loaded."""
    idle, busy = Session("idle"), Session("busy")
    busy._scriptrunner = object()
    for each in (idle, busy):
        each.session_state.update(own=each)
        departed.close(each)
    assert (idle.closed, idle.session_state) == (True, {})
    assert (busy.closed, busy.session_state) == (True, {"own": busy})


def watched(room, **given) -> None:
    """The watch at work until a departed session is freed."""
    room.storage.save(SimpleNamespace(session=(gone := Session("gone"))))
    trace = weakref.ref(gone)
    del gone
    room.now[0] += 30.0

    async def main():
        task = asyncio.create_task(departed.watch(every=0.01, **given))
        end = time.monotonic() + 60
        while trace() is not None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        task.cancel()
        assert trace() is None

    # On a loop of its own: this thread may have that of a browser.
    failed = []
    thread = threading.Thread(target=lambda: failed.extend(_error(main)))
    gc.disable()
    try:
        thread.start()
        thread.join(90)
    finally:
        gc.enable()
    assert not failed and not thread.is_alive()


def _error(main) -> list[BaseException]:
    try:
        asyncio.run(main())
    except BaseException as error:
        return [error]
    return []


def test_what_is_closed_is_freed(room):
    watched(room)


def test_a_class_that_never_rests_does_not_keep_it_for_ever(room):
    room.active.append(SimpleNamespace(session=SimpleNamespace(_scriptrunner=object())))
    assert not departed.quiet()
    watched(room, patience=0.05)


def test_the_collection_waits_while_somebody_is_served(room, monkeypatch):
    at_work = SimpleNamespace(_scriptrunner=object())
    room.active.append(SimpleNamespace(session=at_work))
    collected = []
    monkeypatch.setattr(departed, "collect", lambda: collected.append(at_work._scriptrunner is None))
    room.storage.save(SimpleNamespace(session=Session("gone")))
    room.now[0] = 30.0

    async def main():
        task = asyncio.create_task(departed.watch(every=0.01, patience=3600))
        for _ in range(30):
            await asyncio.sleep(0.01)
        assert not collected
        at_work._scriptrunner = None
        while not collected:
            await asyncio.sleep(0.01)
        task.cancel()

    failed = []
    thread = threading.Thread(target=lambda: failed.extend(_error(main)))
    thread.start()
    thread.join(60)
    assert not failed and collected == [True]


def test_a_departed_session_is_freed_within_a_minute():
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["server"]
    assert server["disconnectedSessionTTL"] + departed.EVERY + departed.PATIENCE < 60
