"""What is watched goes on in its own thread, stops when told or left alone, and goes on where it was."""

import itertools
import threading
import time

import pytest
import torch

from pages.shared import watched
from pages.shared.watched import Watched


@pytest.fixture
def run():
    """Function: a run over these frames; all are stopped in the end."""
    made = []

    def begin(frames, **options) -> Watched:
        made.append(Watched(iter(frames), **options))
        return made[-1]

    yield begin
    for each in made:
        each.stop(wait=60)


def until(condition) -> None:
    """Looks until it holds; the limit only ends a test that has failed."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_takes_all_frames_and_is_done(run):
    each = run([1, 2, 3])
    assert each.state == "new" and each.look() is None and not each.over
    each.start()
    until(lambda: each.state == "done")
    assert each.look() == 3 and each.over
    until(lambda: not each.running)
    each.start()
    assert not each.running


def test_stopped_it_rests_and_goes_on_where_it_was(run):
    each = run(itertools.count())
    each.start()
    until(lambda: (each.look() or 0) >= 3)
    each.stop(wait=60)
    rested = each.look()
    assert each.state == "stopped" and not each.running
    time.sleep(0.05)
    assert each.look() == rested
    each.start()
    until(lambda: each.look() > rested)


def test_unwatched_it_ends_and_frees_its_place(run):
    each = run(itertools.count(), patience=0.2)
    each.start()
    until(lambda: not each.running)
    assert each.state == "stopped" and watched._places._value == watched.AT_ONCE


def test_one_too_many_waits_and_can_be_stopped(run):
    first, second, third = (run(itertools.count()) for _ in range(3))
    for each in (first, second):
        each.start()
        until(lambda each=each: each.state == "running")
    third.start()
    time.sleep(0.3)
    assert third.state == "waiting" and third.look() is None
    third.stop(wait=60)
    assert third.state == "stopped"
    third.start()
    first.stop(wait=60)
    until(lambda: third.state == "running")


def test_a_failure_frees_the_place_and_is_told(run, caplog):
    def broken():
        yield 1
        raise RuntimeError("no more")

    each = run(broken())
    each.start()
    until(lambda: each.state == "failed")
    until(lambda: not each.running)
    assert each.look() == 1 and each.over and "no more" in caplog.text
    assert watched._places._value == watched.AT_ONCE


def test_it_computes_on_one_core_and_others_keep_theirs(run):
    before, seen = torch.get_num_threads(), []

    def frames():
        seen.append((torch.get_num_threads(), threading.current_thread().name))
        yield 0

    torch.set_num_threads(3)
    try:
        each = run(frames())
        each.start()
        assert torch.get_num_threads() == 3
        until(lambda: each.state == "done")
    finally:
        torch.set_num_threads(before)
    assert seen == [(1, "watched")]
