"""The direct line and Streamlit's insides: an app served in this process, visitors on its own web socket protocol."""

from __future__ import annotations

import gc
import json
import logging
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import streamlit as st
from starlette.middleware import Middleware
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import ScriptRunner, get_script_run_ctx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from benchmarks.protocol import ends
from tests.ui.in_this_process import streamlit_served
from ui import last_words
from ui.admission import Admission
from ui.components import following, live, wire
from ui.lighter_reruns import lighten

SCRIPT = Path(__file__).resolve().parents[2] / "browser" / "apps" / "live_script.py"


@dataclass
class Visitor:
    """One browser without eyes: what it was sent, by the keys of the page."""

    socket: object
    address: str
    lines: ExitStack
    data: dict[str, dict] = field(default_factory=dict)  # component key → its newest data
    widgets: dict[str, tuple[str, str]] = field(default_factory=dict)  # component key → widget and fragment id
    texts: list[str] = field(default_factory=list)
    line: object = None  # its direct line, once something has moved

    def run(self, query: str = "") -> None:
        """Ask Streamlit for a run of the whole page and take in what it sends."""
        self.ask(query=query)
        self.finish()

    def ask(self, *, fragment: str = "", widget: str = "", state: dict | None = None, query: str = "") -> None:
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.fragment_id = fragment
        if widget:
            sent = message.rerun_script.widget_states.widgets.add()
            sent.id, sent.json_value = widget, json.dumps(state)
        self.socket.send(message.SerializeToString())

    def finish(self) -> None:
        self.texts = []
        while True:
            answer = ForwardMsg.FromString(self.socket.recv(timeout=60))
            if ends(answer):
                return
            if answer.WhichOneof("type") != "delta":
                continue
            element = answer.delta.new_element
            if element.WhichOneof("type") == "bidi_component":
                [data] = json.loads(element.bidi_component.json)
                self.data[data["key"]] = data
                self.widgets[data["key"]] = element.bidi_component.id, answer.delta.fragment_id
            elif element.WhichOneof("type") == "text":
                self.texts.append(element.text.body)

    def let_go(self, key: str, value: float, sequence: int, query: str = "") -> None:
        """Let go of a slider: Streamlit's way; the run is under way afterwards."""
        widget, fragment = self.widgets[f"{key}.live"]
        state = {"message": {"value": value, "settled": True, "sequence": sequence}}
        self.ask(fragment=fragment, widget=widget, state=state, query=query)

    def release(self, key: str, value: float, sequence: int, query: str = "") -> None:
        """Let go of a slider and wait for the run."""
        self.let_go(key, value, sequence, query)
        self.finish()

    def drag(self, key: str, value: float, sequence: int) -> dict | None:
        """Move a slider: the direct line."""
        if self.line is None:
            self.line = self.lines.enter_context(line(self.address, self.token))
        return asked(self.line, f"{key}.live", {"value": value, "settled": False, "sequence": sequence})

    @property
    def token(self) -> str:
        """The secret of the session."""
        return self.data["level.live"]["live"]


def line(address: str, token: str, **given):
    """A direct line (websockets' connection)."""
    return connect(f"ws://{address}{live.PATH}", subprotocols=[token], max_size=None, **given)


def asked(socket, key: str, message: dict) -> dict | None:
    """The answer to a question on the line, None if it was refused."""
    socket.send(json.dumps({"key": key, "message": message}))
    answer = json.loads(socket.recv(timeout=60))
    assert (answer.pop("key"), answer.pop("sequence")) == (key, message.get("sequence"))
    return None if answer["drawings"] is None else answer


@pytest.fixture(scope="module")
def address():
    admission = Middleware(Admission, messages={live.PATH: live.MESSAGE})
    with streamlit_served(SCRIPT, [admission], ws_ping_interval=None) as address:  # as Streamlit has it
        yield address


@pytest.fixture
def visit(address):
    with ExitStack() as open_ones:

        def enter(query: str = "") -> Visitor:
            socket = connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None)
            visitor = Visitor(open_ones.enter_context(socket), address, open_ones)
            visitor.run(query=query)
            return visitor

        yield enter


@pytest.fixture
def visitor(visit):
    return visit()


def drawn(answer: dict) -> dict[str, dict]:
    return dict(answer["drawings"])


def test_a_control_is_offered_inside_a_fragment_only(visitor):
    assert visitor.data["outside.live"]["live"] is None
    tokens = {visitor.data[f"{key}.live"]["live"] for key in ("level", "mixed", "box", "level_words", "kept")}
    assert len(tokens) == 1 and len(tokens.pop()) >= 20


def test_the_fragment_draws_in_order_with_its_control_last(visitor):
    found = visitor.drag("level", 70, 1)
    assert [key for key, _ in found["drawings"]] == ["level_words.live", "level_stage.live", "level.live"]
    words, stage, slider = (data for _, data in found["drawings"])
    assert words["text"] == "Level is **70**"
    assert stage["caption"] == "caption=70"
    assert (slider["value"], slider["sequence"]) == (70, 1)
    mounts = [visitor.data["level.live"]["mount"], words["mount"], stage["mount"], slider["mount"]]
    assert mounts == sorted(set(mounts))


def test_data_says_which_server_it_comes_from(visitor):
    """A page that goes on with another one does not take its data for older (tests/browser/test_hall.py)."""
    told = {data["server"] for _, data in visitor.drag("level", 60, 1)["drawings"]}
    assert told == {visitor.data["outside.live"]["server"]} and len(told.pop()) == 8


def test_nothing_but_components_is_never_stale(visitor):
    assert [visitor.drag("level", value, n)["stale"] for n, value in enumerate((30, 40, 40, 50), 1)] == [False] * 4


def test_other_elements_are_stale_when_they_change(visitor):
    stale = [visitor.drag("mixed", value, n)["stale"] for n, value in enumerate((30, 30, 40, 30), 1)]
    assert stale == [None, False, True, False]  # the first cannot know what is on the page
    visitor.release("mixed", 50, 5)
    assert visitor.texts == ["text=50"]
    assert [visitor.drag("mixed", 60, 6)["stale"], visitor.drag("mixed", 60, 7)["stale"]] == [None, False]


def test_a_text_that_stays_is_not_stale(visitor):
    assert [visitor.drag("kept", value, n)["stale"] for n, value in enumerate((4, 5, 6), 1)] == [None, False, False]


def test_components_that_come_and_go_are_drawn(visitor):
    assert "more_words.live" not in drawn(visitor.drag("growing", 4, 1))
    assert drawn(visitor.drag("growing", 5, 2))["more_words.live"]["text"] == "more=5"


def test_what_the_fragment_writes_to_the_session_is_kept(visitor):
    assert "followed=0" in visitor.data["kept_words.live"]["text"]
    for n in (1, 2, 3):
        visitor.drag("kept", n, n)
    visitor.release("kept", 7, 4)
    assert visitor.data["kept_words.live"]["text"] == "kept=7 px followed=3"
    assert not following()


def test_a_choice_in_the_address_holds_on_the_direct_line(visit):
    visitor = visit("unit=cells&kept=8")
    assert drawn(visitor.drag("kept", 2, 1))["kept_words.live"]["text"] == "kept=2 cells followed=1"
    visitor.release("kept", 4, 2, query="unit=cells")
    assert drawn(visitor.drag("kept", 5, 3))["kept_words.live"]["text"] == "kept=5 cells followed=2"
    visitor.release("kept", 6, 4, query="unit=cells")
    assert visitor.data["kept_words.live"]["text"] == "kept=6 cells followed=2"


def test_an_old_message_is_not_taken_in_again(visitor):
    visitor.drag("level", 70, 5)
    assert drawn(visitor.drag("level", 10, 4))["level.live"]["value"] == 70


def test_a_link_does_not_come_back_in_a_drag(visit):
    visitor = visit("level=90&mixed=80")
    visitor.release("level", 30, 1, query="level=90&mixed=80")
    found = drawn(visitor.drag("level", 31, 2))
    assert found["level.live"]["value"] == 31
    assert drawn(visitor.drag("mixed", 5, 1))["mixed.live"]["value"] == 5


@pytest.mark.parametrize("token", ["wrong", "x" * 3000, None])
def test_who_does_not_know_the_name_of_a_session_gets_no_line(visitor, address, token):
    with pytest.raises(InvalidStatus, match="403"):
        with connect(f"ws://{address}{live.PATH}", subprotocols=token and [token]):
            pass


@pytest.mark.parametrize("key", ["outside.live", "nothing.live", ""])
def test_who_does_not_know_the_name_of_a_control_gets_nothing(visitor, address, key):
    with line(address, visitor.token) as socket:
        assert asked(socket, key, {"value": 1, "sequence": 1}) is None


def test_a_page_of_another_origin_gets_no_line(visitor, address):
    for origin in (f"http://{address}", "http://localhost:1", None):
        with line(address, visitor.token, origin=origin):
            pass
    with pytest.raises(InvalidStatus, match="403"):
        with line(address, visitor.token, origin="http://elsewhere.example"):
            pass
    allowed = config.get_option("server.corsAllowedOrigins")
    config.set_option("server.corsAllowedOrigins", ["http://elsewhere.example"])
    try:
        with line(address, visitor.token, origin="http://elsewhere.example"):
            pass
    finally:
        config.set_option("server.corsAllowedOrigins", allowed)


def test_a_busy_session_answers_none_and_then_again(visitor):
    visitor.release("slow", 2, 1)
    visitor.let_go("slow", 3, 2)
    until = time.monotonic() + 60
    while Runtime.instance()._session_mgr.list_active_sessions()[-1].session._scriptrunner is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert visitor.drag("level", 60, 1) is None
    visitor.finish()
    assert drawn(visitor.drag("level", 60, 1))["level.live"]["value"] == 60


def test_the_end_of_a_run_is_waited_for(visitor):
    """A slider is drawn before its run is over; the next move must not have to take Streamlit's way."""
    for n in range(1, 30, 2):
        visitor.release("mixed", n, n)
        assert visitor.drag("mixed", n + 1, n + 1) is not None


def given_back(turns):
    """Wait until the last run has given its turn back: its end is heard before that."""
    until = time.monotonic() + 60
    while turns.taken():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_run_of_streamlits_waits_for_the_one_on_the_line(visitor):
    turns = live._sessions[visitor.token].turns
    given_back(turns)
    turn = turns.take_at_once()
    assert turn and not turns.take_at_once()
    try:
        visitor.let_go("level", 30, 1)
        with pytest.raises(TimeoutError):
            while not ends(ForwardMsg.FromString(visitor.socket.recv(timeout=0.5))):
                pass
        assert visitor.drag("level", 31, 2) is None  # nor does another run begin on the line
    finally:
        turns.give_back(turn)
    visitor.finish()
    given_back(turns)
    assert visitor.data["level.live"]["value"] == 30


def test_what_a_run_has_written_arrives_though_the_next_one_is_asked_for_before_it_was_sent(visitor):
    last_words.heed()
    session = Runtime.instance()._session_mgr.get_session_info(live._sessions[visitor.token].context.session_id).session
    mixed, kept = (visitor.widgets[f"{key}.live"][1] for key in ("mixed", "kept"))

    def ask_for_both():  # on the event loop, which meanwhile hands nothing on
        session.request_rerun(ClientState(fragment_id=mixed))
        session._scriptrunner._script_thread.join(30)
        session.request_rerun(ClientState(fragment_id=kept))

    session._event_loop.call_soon_threadsafe(ask_for_both)
    arrived = []
    while "This stays." not in arrived:
        visitor.finish()
        arrived += visitor.texts
    assert arrived == ["text=20", "This stays."]


def test_runs_that_are_over_do_not_wait_for_the_garbage_collector(visitor, monkeypatch):
    lighten()
    traces, start = [], ScriptRunner.start

    def traced(self):
        traces.append(weakref.ref(self))
        start(self)

    monkeypatch.setattr(ScriptRunner, "start", traced)
    gc.disable()
    try:
        for n in (31, 32, 33):
            visitor.release("level", n, n)
        until = time.monotonic() + 30
        while any(trace() for trace in traces[:-1]):  # the event loop may hold the last one
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        gc.enable()
    assert len(traces) == 3 and visitor.data["level.live"]["value"] == 33


def test_a_line_that_is_cut_gives_its_turn_back(visitor, address):
    for n in range(1, 21):
        with suppress(ConnectionClosed), line(address, visitor.token) as socket:
            socket.send(json.dumps({"key": "level.live", "message": {"value": n, "settled": False, "sequence": n}}))
    visitor.release("level", 50, 30)
    assert visitor.data["level.live"]["value"] == 50
    until = time.monotonic() + 30
    while live._under_way:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_line_takes_in_what_its_own_control_says(visitor, monkeypatch):
    """What another control of the fragment says belongs to the run that may write the address."""
    monkeypatch.setattr(live, "current", lambda: live.Run("level.live", {"sequence": 4}))
    session = {}
    monkeypatch.setattr(st, "session_state", session)
    assert wire.news("kept", {"sequence": 4}) is None and session == {}
    assert wire.news("level", {"sequence": 4}) == {"sequence": 4} and session == {"level.sequence": 4}


def test_what_was_said_before_a_state_was_put_in_place_is_no_news(monkeypatch):
    """A browser repeats it to the next server; it counts as heard, so that the browser takes what is drawn."""
    session = {}
    monkeypatch.setattr(st, "session_state", session)
    wire.put("3-abc", ("class",))
    assert wire.news("level", {"sequence": 4}) is None and session["level.sequence"] == 4
    assert wire.news("level", {"sequence": 5, "since": "2-xyz"}) is None
    assert wire.news("level", {"sequence": 6, "since": "3-abc"}) == {"sequence": 6, "since": "3-abc"}
    assert wire.news("class_line", {"sequence": 1}) == {"sequence": 1}


def test_a_line_is_not_asked_faster_than_a_screen_shows(visitor, monkeypatch):
    monkeypatch.setattr(live, "PACE", 0.2)
    began = time.monotonic()
    for n in range(1, 7):
        assert visitor.drag("level", n, n) is not None
    assert time.monotonic() - began >= 5 * 0.2


def test_a_failing_fragment_is_left_to_streamlit(visitor):
    found = visitor.drag("breaking", 7, 1)
    assert found["stale"] is True
    assert [key for key, _ in found["drawings"]] == ["breaking_words.live", "breaking.live"]
    message = {"value": 8, "settled": False, "sequence": 2}
    visitor.line.send(json.dumps({"key": "breaking.live", "message": message}))
    answer = visitor.line.recv(timeout=30)
    assert "secret" not in answer and "Traceback" not in answer and '"stale":true' in answer
    assert drawn(visitor.drag("breaking", 2, 3))["breaking_words.live"]["text"] == "breaking=2"


def test_a_fragment_that_stops_is_left_to_streamlit(visitor):
    assert visitor.drag("stopping", 5, 1) is None
    assert visitor.drag("stopping", 4, 2) is not None


def test_the_line_goes_on_after_a_refusal(visitor):
    assert drawn(visitor.drag("level", 60, 1))["level.live"]["value"] == 60
    assert visitor.drag("nothing", 61, 2) is None
    assert drawn(visitor.drag("level", 62, 3))["level.live"]["value"] == 62


def test_a_session_has_one_line(visitor, address):
    with line(address, visitor.token) as old, line(address, visitor.token) as new:
        assert asked(new, "level.live", {"value": 60, "sequence": 1})
        with pytest.raises(ConnectionClosed, match="1008"):
            old.recv(timeout=30)


@pytest.mark.parametrize(("size", "closed"), [(64 * 1024, "1003"), (64 * 1024 + 1, "1009"), (8_000_000, "1009")])
def test_a_long_message_closes_the_line_before_it_is_read(visitor, address, size, closed):
    with line(address, visitor.token) as socket:
        with pytest.raises(ConnectionClosed, match=closed):
            socket.send("x" * size)
            socket.recv(timeout=30)
    assert visitor.drag("level", 60, 1) is not None


def test_who_waits_holds_no_thread(visit, monkeypatch):
    """Sessions with a run of Streamlit's under way ask and ask; another one is answered by the one thread."""
    monkeypatch.setattr(live, "_threads", ThreadPoolExecutor(1))
    monkeypatch.setattr(live, "WAIT", 3600)  # for ever, as far as this test goes
    busy = [visit() for _ in range(5)]
    for each in busy:
        each.drag("slow", 2, 1)
        each.let_go("slow", 3, 2)
    for each in busy:
        each.line.send(json.dumps({"key": "level.live", "message": {"value": 5, "sequence": 1}}))
    other = visit()
    assert drawn(other.drag("level", 60, 1))["level.live"]["value"] == 60
    for each in busy:
        each.finish()
        assert json.loads(each.line.recv(timeout=30))["drawings"]


def test_who_comes_when_all_threads_are_used_goes_streamlits_way(visitor, monkeypatch):
    monkeypatch.setattr(live, "_under_way", live.AT_ONCE - 1)
    assert visitor.drag("level", 60, 1) is not None
    monkeypatch.setattr(live, "_under_way", live.AT_ONCE)
    assert visitor.drag("level", 61, 2) is None


@pytest.mark.parametrize("rubbish", ["", "[]", "{}", '{"key":2,"message":3}', "[" * 60_000, b"\x00\x01", "nul"])
def test_rubbish_closes_the_line_and_harms_nobody(visitor, address, rubbish, caplog):
    with line(address, visitor.token) as socket:
        socket.send(rubbish)
        with pytest.raises(Exception, match="1003"):
            socket.recv(timeout=30)
    assert visitor.drag("level", 60, 1) is not None
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_two_sessions_never_see_each_other(visit):
    one, other = visit(), visit()
    assert one.data["level.live"]["live"] != other.data["level.live"]["live"]
    failures = []

    def hand(visitor: Visitor, values: range) -> None:
        for n, value in enumerate(values, 1):
            found = visitor.drag("level", value, n)
            seen = drawn(found)["level_words.live"]["text"], drawn(found)["level.live"]["value"]
            if seen != (f"Level is **{value}**", value):
                failures.append((value, seen))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hand, (one, other), (range(0, 40), range(60, 100))))
    assert not failures
    one.run()
    other.run()
    assert one.data["level_words.live"]["text"] == "Level is **39**"
    assert other.data["level_words.live"]["text"] == "Level is **99**"


def test_a_thread_of_the_pool_is_clean_afterwards(visitor, monkeypatch):
    monkeypatch.setattr(live, "_threads", ThreadPoolExecutor(1))
    assert visitor.drag("level", 60, 1) is not None
    assert live._threads.submit(get_script_run_ctx, True).result() is None
    assert live._threads.submit(following).result() is False


def test_ended_sessions_are_forgotten(visit):
    visitor = visit()
    token = visitor.token
    assert visitor.drag("level", 1, 1)["drawings"]
    visitor.socket.close()
    Runtime.instance().close_session(live._sessions[token].context.session_id)
    assert visitor.drag("level", 60, 2) is None
    visit()  # Streamlit's loop holds the last session it has served
    until = time.monotonic() + 20
    while token in live._sessions and time.monotonic() < until:
        gc.collect()
        time.sleep(0.05)
    assert token not in live._sessions
