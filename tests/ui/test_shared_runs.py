"""Runs of a fragment that another session has had: what is the same, what is another one, what is never kept."""

from __future__ import annotations

import enum
import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.fragment import MemoryFragmentStorage
from websockets.sync.client import connect

from benchmarks.protocol import ends, failed
from tests.ui.in_this_process import streamlit_served
from ui import lighter_reruns, replay, shared_runs
from ui.kept_runs import KeptRuns
from ui.recording import ABSENT, OwnError, Recording, frozen
from ui.rooms import channel, room, seat
from ui.rooms.store import Memory

SCRIPT = Path(__file__).with_name("shared_runs_script.py")
RAN: list[tuple] = shared_runs.__dict__.setdefault("_test_ran", [])
OF_ITS_OWN = ("sequence", "mount", "live", "rasters", "since")  # in a component's data


class Light(enum.Enum):
    DAY = 1
    NIGHT = 2


@dataclass
class Pair:
    one: object
    other: object


def test_what_can_be_told_apart_is_frozen_apart():
    values = [None, "", "1", 1, 1.0, True, 0, 0.0, -0.0, False, b"1", [1], (1,), [[1]], {}, {"a": 1}, {"a": 2},
              {"a": 1, "b": 2}, {"b": 2, "a": 1}, {1}, Light.DAY, Light.NIGHT, Pair(1, 2), Pair(2, 1), ABSENT, "absent",
              np.zeros(2), np.zeros((1, 2)), np.zeros(2, np.float32), np.float64(0), float("nan")]  # fmt: skip
    assert len({frozen(value) for value in values}) == len(values)
    assert frozen({"a": [np.arange(3), float("nan")]}) == frozen({"a": [np.arange(3), float("nan")]})
    for never in (object(), [object()], Pair(1, lambda: 0), np.array([object()])):
        with pytest.raises(OwnError):
            frozen(never)


def test_a_full_memory_forgets_what_was_wanted_longest_ago():
    kept = KeptRuns(100)
    for number in (1, 2):
        kept.keep("f", {("state", "x"): number}, f"run {number}", 40)
    assert kept.find("f", lambda names: (1,)) == "run 1" and kept.bytes == 80
    kept.keep("f", {("state", "x"): 3}, "run 3", 40)
    assert [kept.find("f", lambda names, n=n: (n,)) for n in (1, 2, 3)] == ["run 1", None, "run 3"]
    kept.keep("f", {("state", "x"): 4}, "larger than all", 101)
    assert kept.find("f", lambda names: (4,)) is None and (kept.bytes, len(kept)) == (80, 2)
    kept.keep("f", {("state", "x"): 1}, "again", 50)
    assert kept.find("f", lambda names: (1,)) == "again" and kept.bytes == 90
    assert kept.find("g", lambda names: (1,)) is None and kept.find("f", lambda names: None) is None


class Visitor:
    """One browser without eyes."""

    def __init__(self, socket, query: str):
        self.socket, self.query = socket, query
        self.widgets: dict[str, tuple[str, str]] = {}  # component key → widget and fragment id
        self.data: dict[str, dict] = {}
        self.counts: dict[str, int] = {}
        self.ask(BackMsg())

    def ask(self, message: BackMsg) -> list[ForwardMsg]:
        message.rerun_script.query_string = self.query
        self.socket.send(message.SerializeToString())
        heard = []
        while not heard or not ends(heard[-1]):
            heard.append(ForwardMsg.FromString(self.socket.recv(timeout=60)))
            assert not failed(heard[-1])
            self.take(heard[-1])
        return heard

    def take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "page_info_changed":
            self.query = message.page_info_changed.query_string
        if message.WhichOneof("type") == "new_session":
            self.session = message.new_session.initialize.session_id
        if message.WhichOneof("type") != "delta":
            return
        element = message.delta.new_element
        if element.WhichOneof("type") == "bidi_component":
            [data] = json.loads(element.bidi_component.json)
            self.data[data["key"]] = data
            self.widgets[data["key"]] = element.bidi_component.id, message.delta.fragment_id
        elif element.WhichOneof("type") == "button_group":
            self.widgets[element.button_group.id] = element.button_group.id, message.delta.fragment_id

    def move(self, key: str, value: float, **context) -> list[ForwardMsg]:
        """Let go of the slider `key` at `value`; what the server says."""
        widget, fragment = self.widgets[f"{key}.live"]
        self.counts[key] = self.counts.get(key, 0) + 1
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        for name, said in context.items():
            setattr(message.rerun_script.context_info, name, said)
        sent = message.rerun_script.widget_states.widgets.add()
        sent.id = widget
        said = {"value": value, "settled": True, "sequence": self.counts[key]}
        if since := self.data[f"{key}.live"].get("since"):
            said["since"] = since
        sent.json_value = json.dumps({"message": said})
        return self.ask(message)

    def guess(self, key: str, option: str) -> None:
        """Press `option` of a question."""
        widget, fragment = next(each for name, each in self.widgets.items() if name.endswith(f"predict-{key}-control"))
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        sent = message.rerun_script.widget_states.widgets.add()
        sent.id = widget
        sent.string_array_value.data.append(option)
        self.ask(message)

    def catch_up(self, query: str) -> None:
        """Go where the class is."""
        self.query = query
        self.ask(BackMsg())

    @property
    def seat(self) -> seat.Seat:
        return self.state["class.seat"]

    @property
    def state(self):
        return Runtime.instance()._session_mgr.get_session_info(self.session).session.session_state


def told(messages: list[ForwardMsg]) -> list:
    """The drawing in `messages`, without what is each session's own."""
    found = []
    for message in messages:
        kind = message.WhichOneof("type")
        if kind == "delta":
            copy = ForwardMsg()
            copy.CopyFrom(message)
            if copy.delta.new_element.WhichOneof("type") == "bidi_component":
                [data] = json.loads(copy.delta.new_element.bidi_component.json)
                copy.delta.new_element.bidi_component.json, copy.hash = "", ""
                found.append({name: each for name, each in data.items() if name not in OF_ITS_OWN})
            found.append(copy.SerializeToString(deterministic=True))
        elif kind == "page_info_changed":
            found.append(message.page_info_changed.query_string)
    return found


def left(visitor: Visitor) -> dict:
    """The session that a run leaves, without secrets."""
    state = visitor.state
    state._compact_state()
    values = {key: value for key, value in state._old_state.items() if not key.startswith(("live.", "class.seat"))}
    values = {key: shared_runs.recording.for_all(value) for key, value in values.items()}
    return {
        "values": {key: frozen(value) for key, value in values.items()},
        "widgets": {each: (data.fragment_id, data.value_type) for each, data in
                    state._new_widget_state.widget_metadata.items()},
        "keys": dict(state._key_id_mapper._key_id_mapping),
        "bound": {name: each.widget_id for name, each in state.query_params._bindings_by_param.items()},
    }  # fmt: skip


@pytest.fixture(scope="module")
def address():
    lookup = MemoryFragmentStorage.lookup
    shared_runs.share()
    shared = MemoryFragmentStorage.lookup
    shared_runs.share()
    assert MemoryFragmentStorage.lookup is shared and shared.shares
    with streamlit_served(SCRIPT) as address:
        yield address
    MemoryFragmentStorage.lookup = lookup


@pytest.fixture
def visit(address):
    shared_runs.KEPT.clear()
    with ExitStack() as opened:

        def enter(query: str = "") -> Visitor:
            socket = connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None)
            visitor = Visitor(opened.enter_context(socket), query)
            RAN.clear()
            return visitor

        yield enter


def test_two_sessions_with_the_same_state_are_told_the_same_and_left_alike(visit):
    first, second, alone = visit(), visit(), visit()
    heard = first.move("level", 5)
    assert RAN == [("body", 1, 5), ("inner", 5, 1)]
    again = second.move("level", 5)
    assert RAN == [("body", 1, 5), ("inner", 5, 1)] and shared_runs.KEPT.shared == 1
    assert told(again) == told(heard) and len(told(heard)) > 20
    assert second.query == first.query == "level=5"
    data = second.data["picture.live"]
    assert data["live"] == second.data["level.live"]["live"] != first.data["picture.live"]["live"]
    assert second.data["level.live"]["sequence"] == 1 and data["mount"] != first.data["picture.live"]["mount"]
    assert list(data["rasters"]) == [data["picture"]]  # her browser had not been sent it
    shared_runs.KEPT.clear()
    alone.move("level", 5)
    assert RAN[2:] == [("body", 1, 5), ("inner", 5, 1)]
    shared, run = left(second), left(alone)
    values = [{name: each for name, each in one.items()} for one in (shared.pop("values"), run.pop("values"))]
    assert {name for name in values[0] | values[1] if values[0].get(name, "-") != values[1].get(name, "-")} == set()
    assert shared == run
    # What was replayed goes on: back again, whose picture the browser has, a nested fragment, and numbers of its own.
    for visitor in (alone, second):
        visitor.move("level", 3)
        visitor.move("level", 5)
        assert visitor.data["picture.live"]["rasters"] == {} and visitor.data["level.live"]["sequence"] == 3
        visitor.move("inner", 4)
    assert RAN.count(("inner", 5, 4)) == 1 and second.data["inner.live"]["sequence"] == 1
    assert second.state["doubled"] == {"is": [10]} and second.state["doubled"] is not alone.state["doubled"]
    assert second.query == alone.query == "level=5&inner=4"


def test_who_comes_first_to_a_new_value_lets_those_pass_whose_run_is_known(visit, monkeypatch):
    """So does the next one, who finds her own run known when she goes on."""
    first, second, too, third = (visit() for _ in range(4))
    first.move("level", 5)
    known, record = [], shared_runs.record
    monkeypatch.setattr(shared_runs, "record", lambda *given: known.append(shared_runs.KEPT.shared) or record(*given))
    moves = ((second, 7), (too, 7), (third, 5))
    threads = [threading.Thread(target=visitor.move, args=("level", value)) for visitor, value in moves]
    lighter_reruns.lighten()
    with lighter_reruns.RERUNS.turn():
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while len(lighter_reruns.RERUNS._waiting) < waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join(60)
    assert known == [1]  # when the second began to run, the third had been told
    assert [each.data["level.live"]["value"] for each in (second, too, third)] == [7, 7, 5]
    assert RAN == [("body", 1, 5), ("inner", 5, 1), ("body", 1, 7), ("inner", 7, 1)]


@pytest.mark.parametrize(
    "query", ["lecture=1", "notes=1", "predict=off", "pinned=secret", "theme=dark", "scale=2", "kind=b"]
)
def test_another_mode_argument_or_control_is_another_run(visit, query):
    first, other, same = visit(), visit(query), visit(query)
    first.move("level", 5)
    RAN.clear()
    other.move("level", 5)
    assert [each[0] for each in RAN] == ["body", "inner"]
    same.move("level", 5)
    assert len(RAN) == 2
    same.move("level", 6)
    assert len(RAN) == 4


def test_another_language_or_colour_scheme_is_another_run(visit):
    seen = [{"locale": "en"}, {"locale": "de"}, {"locale": "de", "color_scheme": "dark"}, {"is_embedded": True}]
    for number, context in enumerate(seen, start=1):
        one, other = visit(), visit()
        one.move("level", 5, **context)
        other.move("level", 5, **context)
        assert (shared_runs.KEPT.run, shared_runs.KEPT.shared) == (number, number)


def test_a_guess_and_an_own_file_are_never_shared_and_never_kept(visit):
    guessed = visit("predict-odd=yes")
    guessed.move("level", 6)
    visitor = visit()
    visitor.move("opened", 5)
    visitor.move("unmarked", 5)
    assert len(shared_runs.KEPT) == 0 and ("own", 5) in RAN and ("unmarked", 5) in RAN
    visitor.move("level", 6)
    assert len(shared_runs.KEPT) == 1
    guessed.move("level", 6)  # of no use to her either
    assert shared_runs.KEPT.shared == 0


@pytest.fixture
def rooms(monkeypatch):
    store = Memory()
    monkeypatch.setattr(channel, "the_store", lambda: store)
    monkeypatch.setattr(channel, "DOUBTS", channel.Doubts())
    return room.Rooms(store)


def bodies() -> int:
    """How often the outer body has been run since the last call."""
    found = [each[0] for each in RAN].count("body")
    RAN.clear()
    return found


def test_students_of_a_room_share_and_no_other_room_hears_of_it(visit, rooms):
    (code, _), (other, _) = rooms.open(), rooms.open()
    first, second, alone = (visit(f"room={code}") for _ in range(3))
    heard = first.move("level", 5)
    again = second.move("level", 5)
    assert bodies() == 1 and shared_runs.KEPT.shared == 1
    assert told(again) == told(heard) and "Your answer goes to the class" in str(again)
    assert second.query == f"room={code}&level=5"
    for visitor in (visit(f"room={other}"), visit()):
        said = visitor.move("level", 5)
        assert bodies() == 1 and shared_runs.KEPT.shared == 1
        assert code not in str(said) and ("class" in str(said)) is ("room" in visitor.query)
    shared_runs.KEPT.clear()
    alone.move("level", 5)
    assert bodies() == 1 and left(second) == left(alone)


def test_who_is_told_anothers_run_votes_for_herself(visit, rooms):
    code, key = rooms.open()
    first, second, third = (visit(f"room={code}") for _ in range(3))
    first.move("level", 5)
    second.move("level", 5)
    second.guess("odd", "yes")
    here = room.standing("?level=5")
    votes = [rooms.mine(code, "odd", each.seat.voter, here) for each in (first, second)]
    assert votes == [None, "yes"] and rooms.answered(code, "odd", 1, here) == 1
    assert bodies() == 2 and second.state["predict-odd-guess"] == "yes"
    third.move("level", 5)
    assert bodies() == 0 and third.state["predict-odd-guess"] is None
    # Elsewhere her guess is no answer, and back again it is; neither is told to others.
    second.move("level", 6)
    assert bodies() == 1 and second.state["predict-odd-guess"] is None
    second.move("level", 5)
    assert bodies() == 1 and second.state["predict-odd-guess"] == "yes"
    # Who comes back, known by her number alone, finds her answer.
    back = visit(f"room={code}")
    back.seat.voter = second.seat.voter
    back.move("level", 5)
    assert bodies() == 1 and back.state["predict-odd-guess"] == "yes"
    # The lecturer goes on.
    rooms.ask(code, key, "odd", room.DISCUSS, here)
    said = [str(each.move("level", 5)) for each in (first, third)]
    assert bodies() == 1 and all("Discuss: no answers" in each for each in said)
    rooms.ask(code, key, "odd", room.SHOWN, here)
    said = [str(each.move("level", 5)) for each in (first, third)]
    assert bodies() == 2 and all("First vote: yes 1" in each for each in said)


def test_what_a_lecturer_draws_is_still_shown_to_her_class(visit, rooms):
    code, key = rooms.open()
    student, lecturer = visit(f"room={code}"), visit(f"room={code}")
    lecturer.state["class.seat"] = seat.Seat(code, key)
    lecturer.ask(BackMsg())
    student.move("level", 7)
    kept = len(shared_runs.KEPT)
    for level in (7, 6, 7):
        bodies()
        lecturer.move("level", level)
        drawn = lecturer.state["class.relay"].take("test")
        assert bodies() == 1 and json.loads(drawn["level.live"])["value"] == level and "picture.live" in drawn
    assert len(shared_runs.KEPT) == kept and shared_runs.KEPT.shared == 0
    lecturer.move("inner", 4)
    assert "inner.live" in lecturer.state["class.relay"].take("test")


def test_who_catches_up_shares_what_she_does_afterwards_and_nothing_she_said_before(visit, rooms):
    code, _ = rooms.open()
    late, follower, other = (visit(f"room={code}") for _ in range(3))
    for number, visitor in enumerate((late, follower, other)):
        visitor.move("level", 3)
        visitor.catch_up(f"level=2&room={code}&follow=1-{number}")
        assert visitor.state["level"] == 2 and visitor.query == f"level=2&room={code}"
    shared_runs.KEPT.clear()
    del late.data["level.live"]["since"]  # it was under way already
    for _ in range(2):
        bodies()
        late.move("level", 9)
        assert late.state["level"] == 2 and late.data["level.live"]["value"] == 2
        del late.data["level.live"]["since"]
    follower.move("level", 9)
    assert bodies() == 1 and follower.state["level"] == 9
    other.move("level", 9)
    assert bodies() == 0 and other.state["level"] == 9 and other.query == f"level=9&room={code}"
    assert other.data["level.live"]["since"] == other.data["picture.live"]["since"] == "1-2"
    assert told_data(other) == told_data(follower)


def told_data(visitor: Visitor) -> dict:
    return {key: {name: each for name, each in data.items() if name not in OF_ITS_OWN}
            for key, data in visitor.data.items()}  # fmt: skip


@pytest.mark.parametrize("name", ["predict-x", "predict-x-guess", "class.seat", "hand_in.answers", "address.shelf"])
def test_what_is_somebodys_own_spoils_a_recording(name):
    for value in (None, False, ABSENT):
        noted = Recording()
        noted.read_state(name, value)
        assert noted.spoilt == "" and ("state", name) in noted.reads
    noted = Recording()
    noted.read_state(name, "yes")
    assert noted.spoilt


def test_where_streamlit_answers_otherwise_the_body_runs(visit, monkeypatch):
    first, second = visit(), visit()
    for visitor in (first, second):
        visitor.state["once"] = "this time"
    heard = first.move("level", 5)
    assert "this time" in str(heard)
    monkeypatch.setattr(replay, "answer", lambda result: ("otherwise", id(result)))
    RAN.clear()
    assert sorted(map(str, told(second.move("level", 5)))) == sorted(map(str, told(heard)))
    assert RAN[0] == ("body", 1, 5) and second.data["level.live"]["value"] == 5
    assert shared_runs.KEPT.shared == 0
