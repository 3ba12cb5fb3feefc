"""A question in a class: two visitors, one who leads and one who answers; and a class that cannot be reached."""

import csv
import io
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ui.guesses import Number, Order, Region, kind_of
from ui.rooms import channel, collect, collected, seat, tally, window
from ui.rooms.room import ANY, DISCUSS, FIRST, NOWHERE, SECOND, SHOWN, Rooms, Standing
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


def visit(code=None, key="", at=None) -> AppTest:
    at = AppTest.from_function(script, default_timeout=30) if at is None else at
    if code:
        at.query_params["room"] = code
    if key:
        at.session_state["class.seat"] = seat.Seat(code, key, "lecturer")
    at.run()
    assert not at.exception and not at.error
    return at


def said(rooms, code, key="cells", here=NOWHERE):
    """What was said in both rounds of a question, as they stand."""
    return rooms.answers(code, key, rooms.poll(code, key).cases(here.case))


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
    assert veiled(student) and "Your answer counts" in captions(student) and said(rooms, code) == (["8"], [])
    answer(student, 4)
    assert said(rooms, code) == (["4"], [])
    lecturer.run()
    assert (
        veiled(lecturer) and "**1** of 1 have answered" in captions(lecturer) and not mounted(lecturer, "class_tally")
    )
    lecturer.toggle(key="class_answers-cells").set_value(True).run()
    assert len(mounted(lecturer, "class_tally")) == 1
    lecturer.button(key="class_discuss-cells").click().run()
    answer(student, 12)
    assert said(rooms, code) == (["4"], []) and "Discuss" in captions(student)
    lecturer.button(key="class_second-cells").click().run()
    student.run()
    assert "Second vote" in captions(student) and student.pills(key="predict-cells-control").value is None
    answer(student, 12)
    assert said(rooms, code) == (["4"], ["12"]) and not mounted(student, "class_tally")
    lecturer.button(key="class_shown-cells").click().run()
    student.run()
    assert not veiled(lecturer) and not veiled(student) and len(mounted(student, "class_tally")) == 1
    assert "You said **12**, and that is right" in mounted(student, "predict-cells-said")[0]["text"]
    lecturer.button(key="class_first-cells").click().run()
    student.run()
    assert veiled(student) and said(rooms, code) == ([], [])


def test_an_answer_to_a_question_that_is_asked_anew_is_none(rooms):
    code, key = rooms.open()
    student = visit(code)
    answer(student, 8)
    for phase in (SHOWN, FIRST):
        rooms.ask(code, key, "cells", phase)
        student.run()
    assert student.pills(key="predict-cells-control").value is None and said(rooms, code) == ([], [])
    assert "goes to the class" in captions(student)


def test_on_another_server_an_answer_counts_as_before(rooms):
    code, _ = rooms.open()
    student = visit(code)
    answer(student, 8)
    same = student.session_state["class.seat"].voter
    for voter, told in ((same, "Your answer counts"), ("somebody else", "goes to the class")):
        again = AppTest.from_function(script, default_timeout=30)
        again.session_state["class.seat"] = seat.Seat(code, voter=voter)
        again.query_params["predict-cells"] = "8"
        visit(code, at=again)
        assert again.pills(key="predict-cells-control").value == 8 and told in captions(again)
    assert said(rooms, code) == (["8"], [])


def test_who_has_other_settings_is_told_and_not_counted(rooms):
    code, key = rooms.open()
    lecturer, student, other = visit(code, key), visit(code), visit(code)
    other.query_params["stride"] = "3"
    other.run()
    rooms.move(code, key, f"?room={code}")  # as her browser says it
    answer(student, 8)
    answer(other, 4)
    assert "other settings than yours" in captions(other) and "Your answer counts" in captions(student)
    assert other.pills(key="predict-cells-control").value is None and said(rooms, code) == (["8"], [])
    rooms.move(code, key, "?stride=3")
    lecturer.query_params["stride"] = "3"
    lecturer.run()
    assert "**0** of 0 have answered. 1 more answered with other settings" in captions(lecturer)
    answer(other, 4)
    assert "Your answer counts" in captions(other) and said(rooms, code, here=Standing("", "stride=3")) == (["4"], [])
    student.query_params["stride"] = "3"  # she follows: her guess was none at these settings
    student.run()
    assert student.pills(key="predict-cells-control").value is None and "without a name" in captions(student)
    del student.query_params["stride"]
    student.run()  # and where she has answered her answer stands
    assert student.pills(key="predict-cells-control").value == 8
    lecturer.button(key="class_shown-cells").click().run()
    student.run()
    assert "The page has other settings now than in the first vote" in captions(student)
    assert len(mounted(student, "class_tally")) == 1


KINDS = {  # a question, its truth, two rounds of answers, and what both rounds say of them
    "Number(0, 4, 1)": (
        3, (["1", "3"], ["3", "3"]),
        ["First vote: 0 0, 1 1, 2 0, 3 1", "Second vote: 0 0, 1 0, 2 0, 3 2"],
    ),
    "Order(['a', 'b'])": (
        ("a", "b"), (["b>a", "a>b", "b>a"], ["a>b"] * 3),
        ["First vote: b, then a 2, a, then b 1", "Second vote: a, then b 3"],
    ),
    "Region(PICTURE, (0, 0, 10, 10))": (
        (0, 0, 20, 20), (["0,0,20,10", "0,0,20,20", "40,20,60,40"], ["0,0,20,20"] * 2),
        [
            "First vote: 3 answers", "Second vote: 2 answers",
            "IoU of every two annotators. First vote: 0.0 to 0.1 2, 0.5 to 0.6 1; Second vote: 0.9 to 1.0 1",
            "mean IoU **0.17** over 3 pairs", "mean IoU **1.00** over 1 pair.",
            "IoU with the truth. First vote: 0.0 to 0.1 1, 0.5 to 0.6 1, 0.9 to 1.0 1; Second vote: 0.9 to 1.0 2",
            "With the truth: median IoU **0.50**, worst 0.00, best 1.00; **2 of 3** reach 0.5",
        ],
    ),
    "Region(PICTURE)": (
        (0, 0, 20, 20), (["10,10", "23,24"], ["5,5"]),
        [
            "First vote: 2 answers", "Second vote: 1 answer.", "Apart from each other: **19 px** on average",
            "**1 of 2** inside the truth; median distance from it **2 px**, largest 5 px",
            "**1 of 1** inside the truth",
            "pixels from the truth. First vote: 0 to 1 1, 5 to 6 1; Second vote: 0 to 1 1",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_both_rounds_beside_its_outcome(rooms, kind):
    """Histograms and heat maps: for her before, without a truth; for everybody once it is uncovered."""
    truth, votes, shows = KINDS[kind]
    code, key = rooms.open()
    for phase, answers in zip((FIRST, SECOND), votes):
        rooms.ask(code, key, "cells", phase)
        for number, each in enumerate(answers):
            rooms.vote(code, "cells", f"voter-{number}", each)
    lecturer, student = (visit(code, each, asking(kind, truth)) for each in (key, ""))
    lecturer.toggle(key="class_answers-cells").set_value(True).run()
    before = shown(lecturer)
    assert all(each in before for each in shows if "truth" not in each), before
    assert "truth" not in before and "First vote" not in shown(student)
    lecturer.button(key="class_shown-cells").click().run()
    student.run()
    for at in (lecturer, student):
        assert all(each in shown(at) for each in shows), shown(at)
        assert any("It is" in each["text"] for each in mounted(at, "predict-cells-said"))
    if kind.startswith("Region"):
        first = mounted(student, "class_tally-cells-0")[0]["layers"]
        assert first[0]["kind"] == "raster" and "truth" in str(first[-1])
        marks = len(first[-1]["boxes"]) if "(0" in kind else len(first[1]["xy"])
        assert marks == len(votes[0]) + ("(0" in kind)  # and the truth
        assert len(mounted(lecturer, "class_tally-cells-1")) == 1


def asking(kind, truth):
    """A page with one question of another kind."""

    def script(kind, truth):
        import numpy as np
        import streamlit as st

        from ui import page
        from ui.guesses import Number, Order, Region
        from ui.rooms import seat

        picture = np.zeros((40, 80, 3), np.uint8)
        seat.arrive()
        page.begin("Questions", question="Which?")
        seat.line()
        named = {"PICTURE": picture, "Number": Number, "Order": Order, "Region": Region}
        with page.guard(), page.predict("cells", "How many?", eval(kind, named)) as prediction:
            st.markdown("the view")
            prediction.outcome(truth)

    return AppTest.from_function(script, default_timeout=30, args=(kind, truth))


def shown(at) -> str:
    """What the class's answers say: pictures, charts and sentences."""
    found = [json.dumps(data, ensure_ascii=False) for data in mounted(at, "class_tally")]
    return "\n".join([*found, *(each.value for each in at.markdown)])


def test_a_student_who_forges_her_session_sees_and_does_no_more(rooms):
    """More than any message can set: what the lecturer's controls would say, in the student's own session."""
    code, key = rooms.open()
    rooms.vote(code, "cells", "another", "8")
    student = visit(code)
    for name in ("class_answers-cells", "class_shown-cells", "class_first-cells", "class_end", "class_results"):
        student.session_state[name] = True
    student.session_state["class_line.live"] = {
        "message": {"sequence": 1, "key": key[:-1], "lead": key[:-1], "polls": 1}
    }
    student.run()
    assert veiled(student) and not student.session_state["class.seat"].leads
    assert not mounted(student, "class_tally") and "**1** of" not in captions(student)
    assert rooms.poll(code, "cells").phase == FIRST and said(rooms, code) == (["8"], []) and rooms.there(code)


def test_the_lecturers_own_guess_is_no_vote(rooms):
    code, key = rooms.open()
    answer(visit(code, key), 8)
    assert said(rooms, code) == ([], [])


def test_two_rooms_never_meet(rooms):
    one, other = rooms.open()[0], rooms.open()[0]
    answer(visit(one), 8)
    assert said(rooms, other) == ([], [])


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
    visit(code, at=at)  # an address of before
    assert not at.toast and dict(at.query_params) == {}


def coming_and_going():
    import streamlit as st

    from ui import page
    from ui.rooms import seat

    seat.arrive()
    page.begin("Questions", question="Which?")
    seat.line()
    code = st.text_input("Six letters", key="code")
    if st.button("Join", key="join"):
        seat.enter(code)
    if st.button("Leave", key="leave"):
        seat.leave()


def test_an_address_of_before_leads_nobody_back_who_has_left(rooms):
    """The browser asks for a run with it before it has heard that the room is left, and that run overtakes this one."""
    code, _ = rooms.open()
    at = visit(code, at=AppTest.from_function(coming_and_going, default_timeout=30))
    assert at.session_state["class.seat"].code == code
    at.button(key="leave").click().run()
    visit(code.lower(), at=at)
    assert "class.seat" not in at.session_state and not at.toast
    at.text_input(key="code").set_value(code)
    at.button(key="join").click().run()
    assert visit(at=at).session_state["class.seat"].code == code
    other, _ = rooms.open()
    assert visit(other, at=at).session_state["class.seat"].code == other
    assert "There is no such room" in visit("AAAAAA", at=at).toast[0].value
    at.button(key="leave").click().run()
    assert "There is no such room" in visit("none", at=at).toast[0].value


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
    assert not collected.density(place, []).any() and collected.density(place, []).shape == (10, 20)
    heat = collected.density(place, [(20, 20), (20, 20), (60, 20)])
    assert heat.max() == 1 and np.unravel_index(heat.argmax(), heat.shape)[1] in (4, 5) and heat[5, 15] > 0.3
    share = collected.density(box, [(0, 0, 40, 40), (0, 0, 80, 40)])
    assert share[0, 0] == 1 and share[5, 15] == 0.5


def test_the_table_counts_answers_and_names_nobody(rooms):
    code, key = rooms.open()
    here = Standing("ssd", "@x=1")
    for voter, each in (("anna", "=1+1"), ("bert", "-4"), ("carl", " =1+1"), ("dora", "＝1+1"), ("emil", "-4")):
        rooms.vote(code, "cells", voter, each, "+How many?", here)
    rooms.ask(code, key, "cells", DISCUSS, here)
    rooms.ask(code, key, "cells", SECOND, here)
    rooms.vote(code, "cells", "bert", "4", "+How many?", here)
    written = tally.csv(rooms, code)
    asked = ["cells", "'+How many?", "ssd", "'@x=1"]
    assert list(csv.reader(io.StringIO(written)))[1:] == [
        [*asked, "1", "' =1+1", "1"], [*asked, "1", "-4", "2"], [*asked, "1", "'=1+1", "1"],
        [*asked, "1", "'＝1+1", "1"], [*asked, "2", "4", "1"],
    ]  # fmt: skip
    assert not any(name in written for name in ("anna", "bert", "carl", "dora", "emil"))


def test_the_code_is_a_picture():
    assert window.qr("http://example.org/?room=ABCDEF").startswith(b"\x89PNG")


def marked():
    import numpy as np

    from ui import page
    from ui.rooms import collect, seat

    seat.arrive()
    page.begin("Marks", question="Where?")
    seat.line()
    image, thing = np.zeros((40, 80, 3), np.uint8), (20.0, 10.0, 60.0, 30.0)
    with page.guard():
        collect.control("park")
        collect.marks("park", image, "A park", [(0.0, 0.0, 4.0, 4.0), thing])
        collect.box("mine", image, "A park", "traffic light", thing)


def test_a_class_marks_a_picture_and_hands_in_what_it_drew(rooms):
    alone = visit(at=AppTest.from_function(marked, default_timeout=30))
    assert not alone.selectbox and not alone.button and not alone.caption, "without a class nothing is there"
    code, key = rooms.open()
    rooms.move(code, key, "?park_collect=A+box")
    lecturer, student = (AppTest.from_function(marked, default_timeout=30) for _ in range(2))
    for each, with_key in ((lecturer, key), (student, "")):
        visit(code, with_key, each).selectbox(key="park_collect").set_value(collect.BOX).run()
    student.query_params["elsewhere"] = "1"  # whatever else the page is set to, the picture is the same
    for label in ("That is mine", "Give my traffic light to the class"):
        next(each for each in student.button if each.label == label).click().run()
    assert captions(student).count("Your answer counts.") == 2 and "**1** of 1" in captions(visit(at=lecturer))
    asked = sorted(name for name, _ in rooms.asked(code))
    assert [name.rpartition("-")[0] for name in asked] == ["collect-mine-traffic_light", "collect-park-box"]
    drawn = [said(rooms, code, name, Standing("", ANY))[0] for name in asked]
    assert drawn == [["20,10,60,30"], ["20,10,60,30"]]
    for name in asked:
        assert rooms.ask(code, key, name, SHOWN, Standing("", ANY))
    shown = "\n".join(each.value for each in visit(at=student).markdown)
    assert shown.count("**1 of 1** reach 0.5") == 1, "of her own box nobody says to a student whether it is right"
    shown = "\n".join(each.value for each in visit(at=lecturer).markdown)
    assert shown.count("With the truth: median IoU **1.00**") == 2


def test_of_several_things_the_one_is_meant_that_most_answers_meet():
    meant = collect.meant(Region(PICTURE), [(0.0, 0.0, 9.0, 9.0), (40.0, 10.0, 60.0, 30.0)])
    assert meant(["50,20", "60,30", "5,5", "sky"]) == (40.0, 10.0, 60.0, 30.0) and meant(["70,35"]) is None
