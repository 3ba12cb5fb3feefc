"""The rest of a page waits until the browser has drawn its top, once per visitor."""

from types import SimpleNamespace

import pytest

from ui import page
from ui.components import live


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves; `clock.events[n]` is called in the n-th sleep."""
    told = SimpleNamespace(now=0.0, slept=0, events={})

    def sleep(seconds):
        told.now, told.slept = told.now + seconds, told.slept + 1
        told.events.get(told.slept, lambda: None)()

    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: told.now, sleep=sleep))
    return told


@pytest.fixture
def session(monkeypatch):
    session = SimpleNamespace(line=None, greeted=False)
    monkeypatch.setattr(live.st, "session_state", {live._SESSION: session})
    return session


def test_it_waits_until_the_line_is_open(clock, session):
    clock.events[7] = lambda: setattr(session, "line", "open")
    live.first_drawn(100.0)
    assert clock.slept == 7


def test_a_line_that_never_comes_costs_its_patience_once(clock, session):
    live.first_drawn(live.GLANCE * 3.5)
    assert clock.slept == 4
    live.first_drawn(100.0)
    assert clock.slept == 4, "the second page does not wait again"


def test_an_open_line_and_a_page_without_controls_do_not_wait(clock, session, monkeypatch):
    session.line = "open"
    live.first_drawn(100.0)
    monkeypatch.setattr(live.st, "session_state", {})
    live.first_drawn(100.0)
    assert clock.slept == 0


def test_only_what_comes_after_the_first_section_waits(monkeypatch):
    waits = []
    monkeypatch.setattr(page.live, "first_drawn", waits.append)
    monkeypatch.setattr(page.st, "session_state", {})
    page.section("First")
    assert not waits
    page.section("Second")
    assert waits == [page.FIRST]
    page.section("Second")  # a fragment that runs again alone
    page.section("First")
    assert len(waits) == 1
    page.section("Third")
    assert len(waits) == 2
