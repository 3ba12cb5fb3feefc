"""The locks of Streamlit's caches: nobody computes a value twice, and no lock outlives its use."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import streamlit as st
from streamlit.runtime.caching.cache_utils import Cache

from ui.value_locks import Locks, let_go


def test_a_lock_is_one_for_all_who_want_it_and_goes_with_the_last():
    locks = Locks()
    mine = locks["a"]
    again, other = locks["a"], locks["b"]
    assert again is mine and other is not mine
    del again, other
    assert list(locks) == ["a"]
    del mine
    assert not locks
    del locks["a"]  # as Streamlit does with what was there a moment ago


def test_a_value_is_computed_once_at_a_time_and_leaves_no_lock(monkeypatch):
    made: list[Cache] = []
    let_go()
    begin = Cache.__init__
    monkeypatch.setattr(Cache, "__init__", lambda self: (begin(self), made.append(self))[0])
    asked, computed = threading.Barrier(4), []

    @st.cache_data(max_entries=2, show_spinner=False)
    def squared(number: int) -> int:
        computed.append(number)
        return number * number

    def ask(number: int) -> int:
        asked.wait(60)
        return squared(number)

    with ThreadPoolExecutor(4) as threads:
        for number in range(6):
            assert list(threads.map(ask, [number] * 4)) == [number * number] * 4
    assert computed == list(range(6))
    [cache] = made
    assert isinstance(cache._value_locks, Locks) and not cache._value_locks
