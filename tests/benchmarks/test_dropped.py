"""Who comes and is gone leaves nothing behind in the server, whatever she did there and however she left."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

from benchmarks import dropped
from benchmarks.servers import serve

# Threads that wait for work, so many at most, and what Streamlit keeps for each; timers come and go.
WAITING = ("threads: asyncio", "threads: live", "threads: reel", "threads: ThreadPoolExecutor", "threads: AnyIO",
           "held: streamlit.runtime.caching.hashing.hash_stacks._stacks", "timers")  # fmt: skip
# For everybody, and never more than so many: a film may show a frame that nobody has seen yet.
FULL_AT_SOME_TIME = ("held: ui.components.stage.wire_format._encoded", "held: streamlit.runtime.caching.cache_",
                     "held: ui.shared_runs.KEPT")  # fmt: skip
SOON = ("--server.disconnectedSessionTTL=2", "--server.websocketPingInterval=3")  # s


def test_what_has_grown_is_named_with_both_counts():
    before = {"threads": {"MainThread": 1}, "held": {"ui.a": 2, "ui.b": 3}, "kept": 4, "rss_mb": 900.0}
    after = {"threads": {"MainThread": 1, "extra": 2}, "held": {"ui.a": 5, "ui.b": 1}, "kept": 4, "rss_mb": 999.0}
    assert dropped.grown(before, after) == {"threads: extra": (0, 2), "held: ui.a": (2, 5)}


def test_a_thousand_visitors_do_everything_and_leave_in_every_way():
    thousand = [dropped.planned(number) for number in range(1000)]
    both = {(visit, leave) for visit, _, leave in thousand}
    assert both == set(product(dropped.VISITS, dropped.WAYS))
    first = [page for visit, page, _ in thousand[: dropped.ROUND] if visit in (dropped.looks, dropped.takes_home)]
    assert len(set(first)) >= len(dropped.LESSONS) / 2  # each on its half of the course


@pytest.mark.sweep
def test_everything_is_as_it_was():
    visits = sorted(set(dropped.VISITS), key=dropped.VISITS.index)
    once = [(visit, 0, dropped.closed) for visit in visits]
    every = [(visit, 0, leave) for visit, leave in product(visits, dropped.WAYS)]

    async def come_and_go(address: str) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
        errors = await dropped.come_and_go(address, once)
        before = await dropped.count(address)
        errors += await dropped.come_and_go(address, every)
        errors += await dropped.come_and_go(address, once[:1])  # some things are cleared away when the next one comes
        return errors, before, await dropped.count(address)

    with serve("benchmarks/counted.py", "/api/ready", *SOON) as server, ThreadPoolExecutor(1) as thread:
        errors, before, after = thread.submit(asyncio.run, come_and_go(server.address)).result()
    assert errors == []
    assert (after["connected"], after["kept"]) == (0, 0)
    assert after["alive"] == dict.fromkeys(after["alive"], 0) and len(after["alive"]) == 3
    grown = dropped.grown(before, after)
    assert {name: both for name, both in grown.items() if not name.startswith(WAITING + FULL_AT_SOME_TIME)} == {}
