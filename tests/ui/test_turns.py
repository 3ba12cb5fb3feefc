"""First come, first served; nobody waits for work that outlasts its lease."""

import contextlib
import threading
import time

from ui import turns as turns_module
from ui.turns import TO_THE_END, Turns


def at_work(turns, count):
    """Blocks of so many threads that have queued up one after the other while all turns were taken: the order of their
    turns, and how many worked at once."""
    order, most, now, lock = [], 0, 0, threading.Lock()
    full = threading.Barrier(turns.at_once, timeout=20)  # as many as may work do so at once

    def work(number):
        nonlocal most, now
        with turns.turn():
            with lock:
                order.append(number)
                now += 1
                most = max(most, now)
            full.wait()
            with lock:
                now -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    with contextlib.ExitStack() as taken:
        for _ in range(turns.at_once):
            taken.enter_context(turns.turn())
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join(20)
    return order, most


def test_one_at_a_time_in_the_order_they_came():
    order, most = at_work(Turns(1, 30.0), 12)
    assert order == list(range(12)) and most == 1


def test_two_at_a_time():
    order, most = at_work(Turns(2, 30.0), 12)
    assert sorted(order) == list(range(12)) and most == 2


def test_nobody_waits_for_long_work():
    turns, through = Turns(1, 0.02), threading.Event()

    def quick():
        with turns.turn():
            through.set()

    with turns.turn():  # never gives its turn back
        threading.Thread(target=quick).start()
        assert through.wait(10)


def test_a_block_that_raises_gives_its_turn_back():
    turns = Turns(1, 30.0)
    for _ in range(3):
        try:
            with turns.turn():
                raise KeyError
        except KeyError:
            pass
    assert not turns._working and not turns._waiting


def test_many_threads_that_come_and_go_all_get_their_turn():
    turns, done = Turns(1, 0.002), []

    def work():
        for _ in range(40):
            with turns.turn():
                done.append(1)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 640 and not turns._working and not turns._waiting


def test_a_turn_taken_at_once_keeps_the_others_in_their_order():
    turns, order = Turns(1, TO_THE_END), []
    held = turns.take_at_once()
    assert held and not turns.take_at_once()

    def wait(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(turns._waiting) < number + 1:
            time.sleep(0.001)
    assert turns.taken() and order == []
    turns.give_back(held)
    for thread in threads:
        thread.join(20)
    assert order == [0, 1, 2, 3] and not turns.taken()


def queued(turns, work, *names):
    """Threads that have begun `work(name)` one after the other; each waits for a turn, or has stepped aside."""
    threads = []
    for name in names:
        before = len(turns._waiting) + len(turns._aside)
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        while len(turns._waiting) + len(turns._aside) == before:
            time.sleep(0.001)
    return threads


def test_who_steps_aside_lets_all_pass_who_wait_and_keeps_the_place_among_those_aside():
    turns, order = Turns(1, TO_THE_END), []

    def work(name: str) -> None:
        with turns.turn():
            order.append(name)
            if name in ("a", "c"):
                assert turns.step_aside()
                order.append(f"{name} again")

    with turns.turn():
        threads = queued(turns, work, "a", "b", "c", "d")
    for thread in threads:
        thread.join(20)
    assert order == ["a", "b", "c", "d", "a again", "c again"]
    assert not turns.taken()


def test_nobody_passes_for_longer_than_is_said(monkeypatch):
    monkeypatch.setattr(turns_module, "ASIDE", 0.0)
    turns, order = Turns(1, TO_THE_END), []

    def work(name: str) -> None:
        with turns.turn():
            order.append(name)
            if name == "a":
                assert turns.step_aside()
                order.append("a again")

    with turns.turn():
        threads = queued(turns, work, "a", "b", "c")
    for thread in threads:
        thread.join(20)
    assert order == ["a", "a again", "b", "c"]


def test_who_has_waited_aside_for_long_enough_is_called_though_another_thread_was_to_be_the_next(monkeypatch):
    """Work that outlasts its lease is under way: the next wakes when the lease ends, and finds that she is not."""
    monkeypatch.setattr(turns_module, "ASIDE", 0.1)
    turns, order, heard, through = Turns(1, 0.2), [], [], threading.Event()

    def work(name: str) -> None:
        with turns.turn():
            if name == "a":
                turns.step_aside()
                through.set()
            order.append(name)
            if name == "b":
                heard.append(through.wait(20))  # does not give its turn back

    with turns.turn():
        threads = queued(turns, work, "a", "b", "c")
    for thread in threads:
        thread.join(30)
    assert order == ["b", "a", "c"] and heard == [True] and not turns.taken()


def test_alone_nobody_steps_aside_and_neither_does_who_has_no_turn():
    turns = Turns(1, TO_THE_END)
    assert not turns.step_aside()

    def work(_) -> None:
        with turns.turn():
            assert not turns.step_aside()

    with turns.turn():
        assert not turns.step_aside()
        (thread,) = queued(turns, work, "waits")
        elsewhere = []
        other = threading.Thread(target=lambda: elsewhere.append(turns.step_aside()))
        other.start()
        other.join(20)
    thread.join(20)
    assert elsewhere == [False] and not turns.taken()
