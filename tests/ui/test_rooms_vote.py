"""A question in a class: two visitors, one who leads and one who answers; and a class that cannot be reached."""

import csv
import io
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui.guesses import Number, Order, Region, kind_of
from ui.rooms import channel, seat, tally, window
from ui.rooms.room import DISCUSS, FIRST, SECOND, SHOWN, Rooms
from ui.rooms.store import Memory, UnreachableError

PICTURE = np.zeros((40, 80, 3), np.uint8)


def script():
    import streamlit as st

    from ui import page
    from ui.rooms import seat

    seat.arrive()
    page.begin("Questions", question="Which?")
    seat.line()
    with page.guard(), page.predict("cells", "How many?", [0, 4, 8, 12]) as prediction:
        st.markdown("the view")
        prediction.outcome(12, "because they are empty.")


class Silent:
    def __getattr__(self, name):
        def verb(*_given, **_named):
            raise UnreachableError

        return verb


@pytest.fixture
def rooms(monkeypatch):
    store = Memory()
    monkeypatch.setattr(channel, "the_store", lambda: store)
    monkeypatch.setattr(channel, "DOUBTS", channel.Doubts())
    return Rooms(store)


def visit(code=None, key="") -> AppTest:
    at = AppTest.from_function(script, default_timeout=30)
    if code:
        at.query_params["room"] = code
    if key:
        at.session_state["class.seat"] = seat.Seat(code, key, "lecturer")
    at.run()
    assert not at.exception and not at.error
    return at


def veiled(at) -> bool:
    return any("uncovers this" in each.value for each in at.markdown)


def captions(at) -> str:
    return "\n".join(each.value for each in at.caption)


def answer(at, option):
    at.pills(key="predict-cells-control").set_value(option).run()


def mounted(at, name) -> list[dict]:
    found = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
    return [data for data in found if data["key"].startswith(name)]


def test_two_votes_and_then_the_view(rooms):
    code, key = rooms.open()
    lecturer, student = visit(code, key), visit(code)
    assert veiled(student) and "without a name" in captions(student)
    assert [button.label for button in student.button] == []  # nothing that lifts the veil, nor the lecturer's
    answer(student, 8)
    assert veiled(student) and "Your answer counts" in captions(student) and rooms.answers(code, "cells") == (["8"], [])
    answer(student, 4)
    assert rooms.answers(code, "cells") == (["4"], [])
    lecturer.run()
    assert (
        veiled(lecturer) and "**1** of 1 have answered" in captions(lecturer) and not mounted(lecturer, "class_tally")
    )
    lecturer.toggle(key="class_answers-cells").set_value(True).run()
    assert len(mounted(lecturer, "class_tally")) == 1
    lecturer.button(key="class_discuss-cells").click().run()
    answer(student, 12)
    assert rooms.answers(code, "cells") == (["4"], []) and "Discuss" in captions(student)
    lecturer.button(key="class_second-cells").click().run()
    student.run()
    assert "Second vote" in captions(student) and student.pills(key="predict-cells-control").value is None
    answer(student, 12)
    assert rooms.answers(code, "cells") == (["4"], ["12"]) and not mounted(student, "class_tally")
    lecturer.button(key="class_shown-cells").click().run()
    student.run()
    assert not veiled(lecturer) and not veiled(student) and len(mounted(student, "class_tally")) == 1
    assert "You said **12**, and that is right" in mounted(student, "predict-cells-said")[0]["text"]
    lecturer.button(key="class_first-cells").click().run()
    student.run()
    assert veiled(student) and rooms.answers(code, "cells") == ([], [])


def test_the_lecturers_own_guess_is_no_vote(rooms):
    code, key = rooms.open()
    answer(visit(code, key), 8)
    assert rooms.answers(code, "cells") == ([], [])


def test_two_rooms_never_meet(rooms):
    one, other = rooms.open()[0], rooms.open()[0]
    answer(visit(one), 8)
    assert rooms.answers(other, "cells") == ([], [])


def test_without_a_room_nothing_is_different():
    at = visit()
    assert "Show me" in [button.label for button in at.button] and dict(at.query_params) == {}
    assert not mounted(at, seat.KEY)


def test_a_key_from_the_browser_leads_and_a_wrong_one_does_not(rooms):
    code, key = rooms.open()
    at = visit(code)
    for number, said, leads in ((1, "guess", False), (2, ["x"], False), (3, key, True)):
        at.session_state["class_line.live"] = {"message": {"sequence": number, "key": said, "voter": "v" * 20}}
        at.run()
        assert at.session_state["class.seat"].leads is leads and at.session_state["class.seat"].voter == "v" * 20
    assert mounted(visit(code), seat.KEY)[0]["lead"] == ""  # a student is never sent the key


def test_no_such_room_is_a_sentence(rooms):
    at = visit("AAAAAA")
    assert "There is no such room" in at.toast[0].value and "class.seat" not in at.session_state
    assert dict(at.query_params) == {}
    code, key = rooms.open()
    at = visit(code)
    rooms.end(code, key)
    at.session_state["class_line.live"] = {"message": {"sequence": 1, "over": True}}
    at.run()
    assert "The room is closed" in at.toast[0].value and dict(at.query_params) == {}


def test_who_follows_forgets_her_controls_and_keeps_her_guesses(rooms):
    code, _ = rooms.open()
    at = visit(code)
    answer(at, 8)
    at.session_state["slider"], at.session_state["slider.sequence"] = 3, 7
    at.query_params["follow"] = "1-x"
    at.run()
    assert "slider" not in at.session_state and at.session_state["slider.sequence"] == 7
    assert at.session_state["predict-cells"] == "8" and "follow" not in at.query_params
    at.session_state["slider"] = 4
    at.run()
    assert at.session_state["slider"] == 4


def test_a_class_that_cannot_be_reached_is_a_sentence_and_the_page_goes_on(rooms, monkeypatch):
    code, _ = rooms.open()
    at = visit(code)
    monkeypatch.setattr(channel, "the_store", Silent)
    answer(at, 8)
    assert "was not counted" in captions(at) or not veiled(at)
    at.run()
    assert not veiled(at) and "You said **8**" in mounted(at, "predict-cells-said")[0]["text"]
    late = visit(code)
    assert late.toast[0].value == seat.SILENT and late.query_params["room"] == code
    monkeypatch.undo()


def test_what_is_counted():
    choice, number = kind_of(["a", "b"]), Number(0, 100, 1)
    assert tally.counted(choice, ["b", "b", "z"]) == [("a", 0), ("b", 2)]
    bars = tally.counted(number, ["0", "5", "6", "100", "101", "x"])
    assert bars[0] == ("0 to 5", 2) and bars[1] == ("6 to 11", 1) and bars[-1] == ("96 to 100", 1)
    assert sum(count for _, count in bars) == 4 and len(bars) <= tally.BINS
    assert tally.counted(Number(0, 2, 1), ["2"]) == [("0", 0), ("1", 0), ("2", 1)]
    order = Order(["a", "b"])
    assert tally.counted(order, ["b>a", "a>b", "b>a"]) == [("b, then a", 2), ("a, then b", 1)]
    assert tally.counted(order, []) == []


def test_where_the_class_points():
    place, box = Region(PICTURE), Region(PICTURE, start=(0, 0, 10, 10))
    assert not tally.density(place, []).any() and tally.density(place, []).shape == (10, 20)
    heat = tally.density(place, ["20,20", "20,20", "60,20", "nonsense"])
    assert heat.max() == 1 and np.unravel_index(heat.argmax(), heat.shape)[1] in (4, 5) and heat[5, 15] > 0.3
    share = tally.density(box, ["0,0,40,40", "0,0,80,40"])
    assert share[0, 0] == 1 and share[5, 15] == 0.5


def test_the_table_counts_answers_and_names_nobody(rooms):
    code, key = rooms.open()
    rooms.vote(code, "cells", "anna", "=1+1", "How many?")
    rooms.vote(code, "cells", "bert", "-4", "How many?")
    rooms.ask(code, key, "cells", DISCUSS)
    rooms.ask(code, key, "cells", SECOND)
    rooms.vote(code, "cells", "bert", "4", "How many?")
    written = tally.csv(rooms, code)
    assert list(csv.reader(io.StringIO(written)))[1:] == [
        ["cells", "How many?", "1", "-4", "1"], ["cells", "How many?", "1", "'=1+1", "1"],
        ["cells", "How many?", "2", "4", "1"],
    ]  # fmt: skip
    assert "anna" not in written and "bert" not in written and (FIRST, SHOWN) == ("first", "shown")


def test_the_code_is_a_picture():
    assert window.qr("http://example.org/?room=ABCDEF").startswith(b"\x89PNG")
