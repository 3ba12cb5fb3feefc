"""What a rerun has left is cleared away in a moment in which nobody is being served."""

from __future__ import annotations

import asyncio
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime

from ui import young_garbage


class Left:
    """What refers to itself."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def student(monkeypatch):
    """A session that is being served, the only one of the lab."""
    session = SimpleNamespace(_scriptrunner=object())
    manager = SimpleNamespace(list_active_sessions=lambda: [SimpleNamespace(session=session)])
    monkeypatch.setattr(Runtime, "_instance", SimpleNamespace(_session_mgr=manager))
    gc.disable()
    yield session
    gc.enable()


def at_work(main, patience: float = 0.05) -> None:
    """Run `main` beside the clearing."""

    async def both():
        task = asyncio.create_task(young_garbage.clear(0.01, patience))
        await main()
        assert not task.done()
        task.cancel()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(both())).result(60)


async def gone(trace) -> None:
    while trace() is not None:
        await asyncio.sleep(0.01)


def aged() -> weakref.ref:
    """Something that has outlived a look at the newest and that nobody has any more."""
    left = Left()
    gc.collect(0)
    return weakref.ref(left)


def test_it_waits_until_nobody_is_served(student, monkeypatch):
    served, collect, trace = [], gc.collect, aged()

    def watched(generation):
        served.append(student._scriptrunner is not None)
        return collect(generation)

    monkeypatch.setattr(gc, "collect", watched)

    async def main():
        for _ in range(30):
            await asyncio.sleep(0.01)
        assert served == []
        student._scriptrunner = None
        await gone(trace)

    at_work(main, patience=3600)
    assert served == [False]


def test_a_class_that_never_rests_does_not_keep_it_for_ever(student):
    at_work(lambda: gone(aged()))


def test_where_nothing_has_grown_old_nothing_is_looked_at(student, monkeypatch):
    looked = []
    gc.collect(1)
    monkeypatch.setattr(gc, "collect", looked.append)

    async def main():
        for _ in range(40):
            await asyncio.sleep(0.01)

    student._scriptrunner = None
    at_work(main)
    assert gc.get_count()[1] == 0 and looked == []
