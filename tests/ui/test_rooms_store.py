"""Where rooms are kept: the same in memory and in a real Redis."""

import json
import time
from pathlib import Path

import pytest

from deploy.hall import free_port
from tests.ui.redis_server import redis_server
from ui.rooms import room
from ui.rooms.redis_store import REST, Redis
from ui.rooms.room import (
    COUNTED,
    DISCUSS,
    ELSEWHERE,
    FIRST,
    LATE,
    LETTERS,
    NOWHERE,
    SECOND,
    SHOWN,
    Doubts,
    Rooms,
    Standing,
    legible,
    standing,
)
from ui.rooms.store import MISSED, Memory, UnreachableError


@pytest.fixture(scope="module")
def redis():
    with redis_server() as address:
        yield address


@pytest.fixture(params=["memory", "redis"])
def store(request):
    if request.param == "memory":
        yield Memory()
        return
    kept = Redis(request.getfixturevalue("redis"))
    kept._redis.flushall()
    yield kept
    kept.close()


def until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_table_belongs_to_its_room(store):
    assert not store.write("AAAAAA", {"a": "1"}, "votes") and store.read("AAAAAA", "votes") == {}
    assert store.create("AAAAAA", {"key": "x"}, 60) and not store.create("AAAAAA", {"key": "y"}, 60)
    assert store.write("AAAAAA", {"a": "1", "b": "2"}, "votes") and store.write("AAAAAA", {"a": "3"}, "votes")
    assert store.read("AAAAAA") == {"key": "x"} and store.read("AAAAAA", "votes") == {"a": "3", "b": "2"}
    assert store.count("AAAAAA", "votes") == 2 and store.count("AAAAAA", "other") == 0
    assert store.read("BBBBBB", "votes") == {}
    store.clear("AAAAAA", "votes")
    assert store.count("AAAAAA", "votes") == 0 and store.read("AAAAAA") == {"key": "x"}


def test_a_room_that_ends_takes_its_tables_along(store):
    for code in ("AAAAAA", "BBBBBB"):
        store.create(code, {"key": "x"}, 60)
        store.write(code, {"a": "1"}, "votes")
    store.end("AAAAAA")
    assert store.read("AAAAAA") == store.read("AAAAAA", "votes") == {}
    assert store.read("BBBBBB", "votes") == {"a": "1"}
    assert store.create("AAAAAA", {"key": "z"}, 60) and store.read("AAAAAA", "votes") == {}


def test_a_room_ends_by_itself(store):
    store.create("AAAAAA", {"key": "x"}, 0.3)
    store.write("AAAAAA", {"a": "1"}, "votes")
    until(lambda: not store.read("AAAAAA"))
    assert not store.write("AAAAAA", {"a": "1"}, "votes")
    until(lambda: not store.read("AAAAAA", "votes"))
    assert store.create("AAAAAA", {"key": "y"}, 60)


def test_who_listens_hears(store):
    heard = []
    store.listen(lambda *said: heard.append(said))
    end = time.monotonic() + 60
    while ("AAAAAA", "one two") not in heard:  # a listener of Redis takes a moment
        assert time.monotonic() < end
        store.tell("AAAAAA", "one two")
        time.sleep(0.02)


def test_two_processes_meet_in_redis(redis):
    one, other = Redis(redis), Redis(redis)
    one._redis.flushall()
    code, key = Rooms(one).open()
    assert Rooms(other).there(code) and Rooms(other).leads(code, key)
    heard = []
    other.listen(lambda *said: heard.append(said))
    until(lambda: one._redis.pubsub_numsub("receptive:rooms")[0][1] == 1)
    assert Rooms(one).move(code, key, "ssd?x=1#play")
    until(lambda: heard)
    assert heard[0][0] == code and json.loads(heard[0][1])["place"] == "ssd?x=1#play"
    one.close()
    other.close()


def test_a_hall_that_answers_together_finds_a_connection_each(redis):
    store = Redis(redis)
    pool = store._redis.connection_pool
    held = [pool.get_connection() for _ in range(150)]
    try:
        assert store.create("TOGTHR", {"key": "k"}, 60)
    finally:
        for each in held:
            pool.release(each)
        store.close()


def test_a_silent_redis_is_one_error_and_is_not_asked_again_at_once():
    port = free_port()
    kept = Redis(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(UnreachableError):
        kept.read("AAAAAA")
    with redis_server(port):
        with pytest.raises(UnreachableError):
            kept._again = time.monotonic() + 60
            kept.read("AAAAAA")
        kept._again -= 60 + REST
        assert kept.create("AAAAAA", {"key": "x"}, 60)
    with pytest.raises(UnreachableError):
        kept.read("AAAAAA")


def test_who_listens_is_told_of_a_silence_in_which_much_may_have_been_said():
    port, heard = free_port(), []
    kept = Redis(f"redis://127.0.0.1:{port}/0")
    with redis_server(port):
        kept.listen(lambda *said: heard.append(said))
        until(lambda: kept._redis.pubsub_numsub("receptive:rooms")[0][1] == 1)
        assert heard == []
    with redis_server(port):
        until(lambda: heard == [(MISSED, "{}")])
    kept.close()


def test_a_code_can_be_read_and_typed(store):
    code, key = Rooms(store).open()
    assert len(code) == 6 and set(code) <= set(LETTERS) and not set("IO01") & set(LETTERS)
    assert len(key) >= 43
    assert legible(f" {code[:3].lower()} {code[3:]} ") == code
    assert [legible(text) for text in ("", "ABCDE", "ABCDEFG", "ABCDE1", "ABCDEI", "ABCDEÄ")] == [None] * 6


def test_only_the_key_leads(store):
    rooms = Rooms(store)
    code, key = rooms.open()
    other, others = rooms.open()
    assert rooms.leads(code, key) and not rooms.leads(code, others) and not rooms.leads(code, "")
    assert not rooms.leads("ZZZZZZ", "") and not rooms.leads("ZZZZZZ", key)
    assert rooms.place(code) is None
    assert (
        rooms.move(code, key, "ssd") and not rooms.move(code, others, "yolo_grid") and rooms.place(code) == (1, "ssd")
    )
    assert not rooms.ask(code, others, "q", SHOWN) and rooms.poll(code, "q").phase == FIRST
    assert not rooms.end(code, others) and rooms.there(code)
    assert rooms.end(code, key) and not rooms.there(code) and rooms.there(other)
    assert key not in str(store.read(other)) and others not in str(store.read(other))


@pytest.mark.parametrize("place", ["https://example.org/", "//example.org", "../x", "a b", "ssd?x#y?z", "x" * 20_000])
def test_a_place_is_a_page_of_the_lab(store, place):
    rooms = Rooms(store)
    code, key = rooms.open()
    assert not rooms.move(code, key, place)
    for good in ("", "ssd", "ssd?x=1,2&y=a%20b", "ssd?x=1#look-inside", "#play"):
        assert rooms.move(code, key, good) and rooms.place(code)[1] == good


def both(rooms, code, question="q", here=NOWHERE):
    """What was said in both rounds, as they stand now."""
    return rooms.answers(code, question, rooms.poll(code, question).cases(here.case))


def test_two_rounds_and_no_vote_between_them(store):
    rooms = Rooms(store)
    code, key = rooms.open()
    assert rooms.vote(code, "q", "anna", "4", "How many?") == rooms.vote(code, "q", "bert", "8") == COUNTED
    assert rooms.vote(code, "q", "anna", "12") == COUNTED and rooms.answered(code, "q", 1) == 2
    assert rooms.mine(code, "q", "anna") == "12" and rooms.mine(code, "q", "carl") is None
    assert rooms.ask(code, key, "q", DISCUSS) and rooms.vote(code, "q", "carl", "4") == LATE
    assert rooms.ask(code, key, "q", SECOND) and rooms.vote(code, "q", "bert", "12") == COUNTED
    assert both(rooms, code) == (["12", "8"], ["12"])
    assert rooms.ask(code, key, "q", SHOWN) and rooms.vote(code, "q", "bert", "4") == LATE
    assert both(rooms, code) == (["12", "8"], ["12"])
    assert both(rooms, code, "other") == ([], []) and rooms.poll(code, "other").phase == FIRST
    assert rooms.ask(code, key, "q", FIRST) and both(rooms, code) == ([], [])


def test_answers_to_other_settings_count_apart(store):
    rooms = Rooms(store)
    code, key = rooms.open()
    one, other, far = Standing("ssd", "x=1"), Standing("ssd", "x=2"), Standing("yolo_grid", "x=2")
    assert rooms.vote(code, "q", "anna", "4", here=other) == COUNTED  # the lecturer is not anywhere yet
    rooms.move(code, key, "ssd?x=1&room=ABCDEF&lecture=1#play")
    assert rooms.vote(code, "q", "anna", "8", here=one) == COUNTED
    assert rooms.vote(code, "q", "bert", "8", here=other) == ELSEWHERE
    assert rooms.answered(code, "q", 1, one) == 1 and rooms.answered_elsewhere(code, "q", 1, one) == 1
    rooms.ask(code, key, "q", DISCUSS, one)
    rooms.move(code, key, "ssd?x=2")  # she shows something else, and asks again there
    rooms.ask(code, key, "q", SECOND, other)
    assert rooms.vote(code, "q", "bert", "12", here=one) == ELSEWHERE
    assert rooms.vote(code, "q", "bert", "12", here=other) == COUNTED
    rooms.ask(code, key, "q", SHOWN, other)
    assert both(rooms, code, here=far) == (["8"], ["12"])  # whoever looks from elsewhere sees what was asked
    rooms.ask(code, key, "q", FIRST, other)  # forgets what was said here, and nothing else
    assert both(rooms, code, here=other) == ([], []) and both(rooms, code, here=one) == (["8"], [])
    rooms.move(code, key, "yolo_grid?x=2")  # she has gone on: nobody on the old page is in the wrong state
    assert rooms.vote(code, "q", "carl", "4", here=other) == COUNTED
    assert rooms.vote(code, "q", "carl", "4", here=Standing("ssd", "x=3")) == ELSEWHERE  # but nobody invents a state
    assert {(name, said["page"], said["query"]) for (name, _), said in rooms.asked(code).items()} == {
        ("q", "ssd", "x=1"), ("q", "ssd", "x=2"),
    }  # fmt: skip


def test_where_somebody_stands_is_page_and_settings_alone():
    same = ["ssd?x=1&y=a%20b", "ssd?y=a+b&x=1#play", "ssd?predict-q=8&room=ABCDEF&follow=1-x&lecture=1&y=a+b&x=1"]
    assert {standing(place) for place in same} == {Standing("ssd", "x=1&y=a+b")}
    assert standing("#play") == NOWHERE and standing("ssd?x=") == Standing("ssd", "x=")
    script = (Path(room.__file__).parents[1] / "components" / "class_line" / "class_line.js").read_text()
    assert f"const OWN = {list(room.OWN)}" in script  # the browsers leave out the same
    assert len({standing(place).case for place in ("ssd?x=1", "ssd?x=2", "ssd", "yolo_grid?x=1")}) == 4


def test_a_room_keeps_so_many_cases_and_no_more(store, monkeypatch):
    monkeypatch.setattr(room, "CASES", 2)
    rooms = Rooms(store)
    code, _ = rooms.open()
    said = [rooms.vote(code, "q", "anna", "4", here=Standing("ssd", f"x={each}")) for each in (1, 2, 3, 1)]
    assert said == [COUNTED, COUNTED, LATE, COUNTED] and len(rooms.asked(code)) == 2


@pytest.mark.parametrize(("question", "voter", "answer"), [("q:1", "a", "4"), ("", "a", "4"), ("q", "", "4"), ("q", "a" * 65, "4"), ("q", "a", "4" * 20_000)])  # fmt: skip # noqa: E501
def test_what_is_no_vote_is_not_counted(store, question, voter, answer):
    rooms = Rooms(store)
    code, _ = rooms.open()
    assert rooms.vote(code, question, voter, answer) == LATE and rooms.answered(code, question, 1) == 0


def test_nothing_of_a_lesson_says_who_was_there(store):
    """Every text that is kept of a lesson: the code, the key's hash, places, questions, answers, and random numbers."""
    rooms = Rooms(store)
    code, key = rooms.open()
    rooms.move(code, key, "ssd?x=1")
    rooms.vote(code, "q", "r4nd0m-number", "4", "How many?", Standing("ssd", "x=1"))
    rooms.ask(code, key, "q", SHOWN, Standing("ssd", "x=1"))
    rooms.count_in(code, "process", 1)
    case = Standing("ssd", "x=1").case
    tables = ["", "polls", "asked", "present", f"votes:1:{case}:q"]
    kept = {table: store.read(code, table) for table in tables}
    if isinstance(store, Redis):
        names = {name.split(":", 3)[3] if name.count(":") > 2 else "" for name in store._redis.keys(f"*{code}*")}
        assert names == {*tables, "*tables"}
    else:
        assert set(store._rooms[code][1]) == set(tables)
    assert set(kept[""]) == {"key", "place", "number"} and key not in str(kept)
    assert kept["polls"] == {"q": f"shown,{case},"} and kept[f"votes:1:{case}:q"] == {"r4nd0m-number": "4"}
    assert json.loads(kept["asked"][f"{case}:q"]) == {"text": "How many?", "page": "ssd", "query": "x=1"}
    assert kept["present"]["process"].split()[0] == "1"
    store.end(code)
    assert not isinstance(store, Redis) or not store._redis.keys(f"*{code}*")


def test_who_is_there_is_counted_over_processes(store):
    rooms = Rooms(store)
    code, _ = rooms.open()
    assert rooms.present(code) == 0
    rooms.count_in(code, "one", 3)
    rooms.count_in(code, "two", 4)
    rooms.count_in(code, "one", 2)
    assert rooms.present(code) == 6 and rooms.present(code, lately=-1) == 0


def test_rooms_of_yesterday_are_forgotten():
    now = [0.0]
    store = Memory(lambda: now[0])
    code, key = Rooms(store).open()
    now[0] = 24 * 3600 - 1
    assert Rooms(store).leads(code, key)
    now[0] = 24 * 3600
    assert not Rooms(store).there(code)
    Rooms(store).open()
    assert len(store._rooms) == 1


def test_guessing_is_slowed_for_each_address_alone():
    now = [0.0]
    doubts = Doubts(most=3, back=2.0, clock=lambda: now[0])
    for _ in range(3):
        assert doubts.may_ask("a")
        doubts.wrong("a")
    assert not doubts.may_ask("a") and doubts.may_ask("b")
    now[0] = 2.1
    assert doubts.may_ask("a")
