"""The networks of the page: loaded behind it one after the other, run once per scene for all visitors.

Nothing here imports torch before it is loaded: the first picture must not wait for it.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import streamlit as st

from pages.home.moment import Moment
from pages.home.pair import Answer
from ui import warmup


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network said of a moment: the panels it fills, by task; `forward` seconds of the network alone, `cost`
    seconds of all of it; `device` where it ran."""

    moment: Moment
    answers: dict[str, Answer]
    forward: float
    cost: float
    device: str


@st.cache_resource(show_spinner=False)
def loading(names: tuple[str, ...]) -> dict[str, Future]:
    """All networks on their way, once per process."""
    pool = ThreadPoolExecutor(1, "home-networks")
    return {name: pool.submit(_load, name) for name in names}


def loaded(names: tuple[str, ...]) -> set[str]:
    """Those that can run (or have failed to load, which running them says)."""
    return {name for name, future in loading(names).items() if future.done()}


def fetch(name: str) -> None:
    """Wait until one more network is there."""
    loading((name,))[name].result()


@st.cache_resource(max_entries=240, show_spinner=False)  # shared and only read
def seen(name: str, key: tuple, _moment: Moment) -> Seen:
    """Run a loaded network on a moment, which `key` names."""
    from models import catalog
    from pages.home.answers import answers

    start = time.perf_counter()
    result = catalog.load(name)(_moment.view.image)
    filled = answers(result, _moment.view)
    return Seen(_moment, filled, result.seconds, time.perf_counter() - start, result.device)


def _load(name: str) -> None:
    warmup.start()
    while not warmup.finished():
        time.sleep(0.05)
    from models import catalog

    catalog.load(name)
