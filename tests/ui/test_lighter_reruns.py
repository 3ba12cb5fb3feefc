"""Reruns that take turns, messages in batches and in order, and nothing else changed."""

import asyncio
import inspect
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from streamlit.components.v2.bidi_component import main as component
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.state.session_state import SessionState

from ui.lighter_reruns import (
    as_it_is,
    heard_to_its_end,
    in_batches,
    known_by_its_key,
    later,
    lighten,
    read_once,
    what_is_new,
    without_detour,
    work_off,
)


class Session:
    def __init__(self):
        self.woken = []

    def call_soon(self, callback):
        self.woken.append(callback)


def test_a_batch_keeps_the_order_and_wakes_once():
    session, heard = Session(), []
    call = in_batches(Session.call_soon)
    for number in range(5):
        call(session, lambda number=number: heard.append(number))
    assert len(session.woken) == 1 and heard == []
    session.woken[0]()
    assert heard == [0, 1, 2, 3, 4]
    call(session, lambda: heard.append(5))
    assert len(session.woken) == 2
    session.woken[1]()
    assert heard[-1] == 5


def test_what_arrives_while_a_batch_is_worked_off_is_not_lost():
    session, heard = Session(), []
    call = in_batches(Session.call_soon)
    call(session, lambda: (heard.append("a"), call(session, lambda: heard.append("b"))))
    for wake in session.woken:
        wake()
    assert heard == ["a", "b"]


def test_of_two_threads_that_speak_at_once_one_wakes_the_loop():
    session, heard = Session(), []
    call = in_batches(Session.call_soon)
    other = threading.Thread(target=call, args=(session, lambda: heard.append("other")))

    class Interrupted(deque):
        def append(self, callback):
            super().append(callback)
            if other.ident is None:  # the first: the other thread gets its turn before this one looks
                other.start()
                other.join(0.3)

    session._receptive_batch = Interrupted()
    call(session, lambda: heard.append("one"))
    other.join()
    for wake in session.woken:
        wake()
    assert heard == ["one", "other"]


def test_a_run_that_is_over_is_heard_before_the_next_begins():
    session, heard = Session(), []
    call, create = in_batches(Session.call_soon), heard_to_its_end(lambda self, given: heard.append(given))
    session._scriptrunner = "over, but the loop has not been told"
    call(session, lambda: heard.append("last words"))
    create(session, "the next")
    assert heard == ["last words", "the next"]
    session.woken[0]()  # finds nothing to do
    assert heard == ["last words", "the next"]
    call(session, lambda: heard.append("too late"))
    session._scriptrunner = None  # sent away: a run of the whole page comes instead
    create(session, "the page")
    assert heard[2:] == ["the page"]


def test_a_callback_that_wants_a_run_is_not_called_again():
    session, heard = Session(), []
    call, create = in_batches(Session.call_soon), heard_to_its_end(lambda self, given: heard.append(given))
    session._scriptrunner = "over"
    call(session, lambda: create(session, "of a callback"))
    call(session, lambda: heard.append("after it"))
    session.woken[0]()
    assert heard == ["of a callback", "after it"]


def on_a_loop(main):
    """Run the coroutine on a loop of its own, whatever loop this thread has (that of a browser)."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(main())).result(20)


def test_a_callback_that_fails_is_reported_and_keeps_none_back():
    reported, heard = [], []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        work_off(deque([lambda: 1 / 0, lambda: heard.append(1)]))

    on_a_loop(main)
    assert heard == [1] and isinstance(reported[0], ZeroDivisionError)


def test_the_sender_is_told_on_the_loop_and_called_from_elsewhere():
    called = []
    tell = without_detour(lambda self: called.append(self))

    class Objects:
        def __init__(self):
            self.eventloop, self.need_send_data = asyncio.get_running_loop(), asyncio.Event()

    class Running:
        def _get_async_objs(self):
            return objects

    async def main():
        nonlocal objects
        objects = Objects()
        tell(running)
        assert objects.need_send_data.is_set() and not called
        await asyncio.to_thread(tell, running)
        assert called == [running]

    objects, running = None, Running()
    on_a_loop(main)


def test_the_theme_is_streamlits():
    real = getattr(app_session._populate_theme_msg, "__wrapped__", app_session._populate_theme_msg)
    lighter = read_once(real)
    for section in ("theme", "theme.light", "theme.dark", "theme.light.sidebar"):
        for _ in range(2):
            one, other = CustomThemeConfig(), CustomThemeConfig()
            real(one, section)
            lighter(other, section)
            assert one == other
    assert lighter is not real and one.ByteSize() > 0


def test_streamlit_has_what_is_changed_and_is_changed_once():
    lighten()
    session = app_session.AppSession
    before = (ScriptRunner._run_script, session._call_soon_on_event_loop, session._create_scriptrunner,
              Runtime._enqueued_some_message)  # fmt: skip
    assert all(each.lightened for each in before)
    lighten()
    assert before[0] is ScriptRunner._run_script
    assert as_it_is(None)("a", "b", c=1) is None


def test_a_component_with_a_key_is_known_by_it_and_one_without_by_what_it_shows():
    built = []
    identity = later(lambda self, **about: built.append(about) or {"data": about["data"]})(None, data=7)
    compute = known_by_its_key(lambda kind, **about: (kind, about))
    keyed = compute("c", user_key="k", key_as_main_identity=True, dg=None, **identity)
    assert keyed == ("c", {"user_key": "k", "key_as_main_identity": True, "dg": None}) and built == []
    for key, main in ((None, True), ("k", False)):
        assert compute("c", user_key=key, key_as_main_identity=main, dg=None, **identity)[1]["data"] == 7
    real = inspect.unwrap(component.compute_and_register_element_id)
    about = {"user_key": "k", "key_as_main_identity": True, "dg": None}
    assert known_by_its_key(real)("c", **about, **identity) == real("c", **about, data=7)


def values(*names: str):
    return st.dictionaries(st.sampled_from(names), st.integers(0, 9))


WIDGETS = {"a": "W-a", "b": "W-b", "c": "W-c"}  # "W-d" has no key, "d" is no widget's


@given(values("a", "b", "d", *WIDGETS.values(), "W-d"), values("a", "b", "c", "d"), values(*WIDGETS.values(), "W-d"),
       st.sets(st.sampled_from("abc")).map(lambda keys: {key: WIDGETS[key] for key in keys}))  # fmt: skip
def test_what_is_put_away_is_what_streamlit_puts_away(old, new, sent, keys):
    def filled():
        state = SessionState(_old_state=dict(old), _new_session_state=dict(new))
        state._key_id_mapper.set_key_id_mapping(dict(keys))
        for widget, value in sent.items():
            state._new_widget_state.set_from_value(widget, value)
        return state

    one, other = filled(), filled()
    inspect.unwrap(SessionState._compact_state)(one)
    what_is_new(None)(other)
    assert other._old_state == one._old_state
    assert not other._new_session_state and not other._new_widget_state.states
