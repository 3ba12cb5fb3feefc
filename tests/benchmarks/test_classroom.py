"""From what happened in class to the summary."""

import asyncio
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks import classroom
from benchmarks.__main__ import parser
from benchmarks.classroom import AT_WORK, Record, Visitor, moments, summary
from benchmarks.servers import Server


def test_a_summary_has_the_keys_and_numbers_of_the_issue():
    record = Record(errors=["one: TimeoutError", "one: TimeoutError"], memory=[(0, 700.0), (61, 800.0), (120, 840.0)])
    record.moves["one"] += [10.0] * 90 + [50.0] * 9
    record.moves["two"] += [20.0] * 20 + [70.0]
    record.by_minute |= {1: [10.0] * 20, 0: [10.0] * 18 + [50.0, 70.0]}
    record.reruns += [(30, 20), (60, 0)]
    found = summary(record, 7, 2.0)
    assert found["shared_percent"] == 81.8 and found["p95_ms_by_minute"] == [50.0, 10.0]
    assert {name: found[name] for name in ("students", "reruns_per_s", "p50_ms", "p95_ms", "errors", "rss_mb")} == {
        "students": 7, "reruns_per_s": 1.0, "p50_ms": 10.0, "p95_ms": 50.0, "errors": 2, "rss_mb": 840.0,
    }  # fmt: skip
    assert (found["rss_mb_after_1_minute"], found["growth_percent"]) == (800.0, 5.0)
    assert found["views"][1] == {"view": "two", "moves": 21, "p50_ms": 20.0, "p95_ms": 20.0}
    assert found["error_kinds"] == ["one: TimeoutError"]


def test_who_sits_in_a_room_keeps_what_her_view_has_in_the_address():
    view = next(view for view in AT_WORK if "?" in view.path)
    query = view.path.partition("?")[2]
    assert Visitor(3, view, Record()).query == query
    assert Visitor(3, view, Record(), "ABCDEF").query == f"{query}&room=ABCDEF&follow=1-3"
    assert Visitor(0, AT_WORK[0], Record(), "ABCDEF").query == "room=ABCDEF&follow=1-0"


def test_a_short_class_has_no_memory_after_a_minute():
    found = summary(Record(memory=[(0, 700.0), (30, 701.0)]), 1, 0.5)
    assert found["rss_mb_after_1_minute"] is None and found["growth_percent"] is None and found["p95_ms"] is None
    assert found["shared_percent"] is None


def test_the_class_sits_on_cheap_views_of_several_pages():
    assert all(view.cheap and not view.networks for view in AT_WORK)
    assert len({view.path.partition("?")[0] for view in AT_WORK}) >= 3


def test_a_visitor_moves_once_in_every_second_and_never_makes_up_for_lost_ones():
    time = [10.0]
    found = []
    for due in moments(random.Random(0), begin=10.0, end=20.0, now=lambda: time[0]):
        found.append(due)
        time[0] = 15.0 if len(found) == 2 else due  # the second answer comes in the sixth second
    assert [int(due) for due in found] == [10, 11, 15, 16, 17, 18, 19]
    assert len({due % 1 for due in found}) == len(found)
    assert list(moments(random.Random(0), begin=10.0, end=10.0, now=lambda: 10.0)) == []


def test_many_servers_are_an_option():
    alone = parser().parse_args(["class", "--students", "1"])
    assert alone.processes is None and alone.cold is False
    assert parser().parse_args(["class", "--students", "1", "--cold", "--room"]).cold is True
    assert (alone.room, parser().parse_args(["class", "--students", "1", "--room"]).room) == (False, True)
    assert parser().parse_args(["class", "--students", "1", "--processes", "2"]).processes == 2


def test_the_memory_of_a_hall_is_that_of_its_servers_too():
    waits = "import time; kept = b'x' * 60_000_000; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", waits]) as child:
        try:
            while Server("", child.pid).memory() < 60:
                pass
            alone, all_of_it = Server("", os.getpid()).memory(), Server("", os.getpid(), hall=True).memory()
            assert all_of_it - alone > 50
        finally:
            child.kill()


def test_an_answer_that_comes_late_is_an_error_and_is_waited_for(monkeypatch):
    monkeypatch.setattr(classroom, "PATIENCE", 0.05)
    came: list[str] = []

    class Waiting(Visitor):
        async def until_finished(self) -> None:
            await self.reply.wait()
            came.append("answer")

    async def ask() -> Record:
        visitor = Waiting(0, AT_WORK[0], Record())
        visitor.reply = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, visitor.reply.set)
        await visitor.answered()
        await visitor.answered()
        return visitor.record

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, ask()).result().errors == [f"{AT_WORK[0].name}: TimeoutError"]
    assert came == ["answer", "answer"]
