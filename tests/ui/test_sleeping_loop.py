"""A loop without descriptors that works all the same."""

import asyncio
import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.sleeping_loop import SleepingLoop


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_holds_no_descriptor_until_it_is_run():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold_twenty).result()


def hold_twenty() -> None:
    before = len(os.listdir("/proc/self/fd"))
    loops = [SleepingLoop() for _ in range(20)]
    for each in loops:
        asyncio.set_event_loop(each)
    asyncio.set_event_loop(None)
    loops[0].call_soon_threadsafe(lambda: None)
    assert len(os.listdir("/proc/self/fd")) == before
    for each in loops:
        each.close()
        each.close()
        assert each.is_closed()


def test_runs_what_it_is_given_from_other_threads_too():
    # In a thread of its own: a browser that an earlier test has opened keeps a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run_twice).result()


def run_twice() -> None:
    loop = SleepingLoop()

    async def main():
        await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: 7)

    assert loop.run_until_complete(main()) == 7
    assert loop.run_until_complete(main()) == 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
