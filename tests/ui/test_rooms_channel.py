"""The class's web socket, with raw messages: whoever has no key hears, and can neither drive nor end anything."""

import contextlib
import json
import time

import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.ui.in_this_process import served
from tests.ui.redis_server import redis_server
from ui.rooms import channel
from ui.rooms.redis_store import Redis
from ui.rooms.relay import Relay
from ui.rooms.room import SHOWN, Doubts, Rooms
from ui.rooms.store import MISSED, Memory


@pytest.fixture(params=["memory", "redis"], scope="module")
def hall(request):
    """Address of a server and the rooms that it keeps."""
    patch, store = pytest.MonkeyPatch(), Memory()
    redis = redis_server()
    if request.param == "redis":
        store = Redis(redis.__enter__())
    patch.setattr(channel, "the_store", lambda: store)
    patch.setattr(channel, "_loop", None)
    patch.setattr(channel, "COUNT", 0.05)
    with served(Starlette(routes=[channel.route()])) as address:
        yield address, Rooms(store)
    patch.undo()
    if request.param == "redis":
        store.close()
        redis.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(channel, "DOUBTS", Doubts())


@contextlib.contextmanager
def enter(hall, code, key="", **given):
    with connect(f"ws://{hall[0]}{channel.PATH}", **given) as socket:
        socket.send(json.dumps({"room": code, "key": key}))
        yield socket


def hear(socket, name):
    """The first thing of that name that is said."""
    while True:
        said = json.loads(socket.recv(timeout=60))
        if name in said:
            return said


def closed(socket) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            socket.recv(timeout=60)
    return caught.value.rcvd.code


def test_students_go_where_the_lecturer_goes_and_who_comes_late_too(hall):
    code, key = hall[1].open()
    other, _ = hall[1].open()
    with enter(hall, code, key) as lecturer, enter(hall, code) as student, enter(hall, other) as stranger:
        assert hear(lecturer, "leads")["leads"] is True and hear(student, "leads")["leads"] is False
        if isinstance(hall[1].store, Redis):
            while not hall[1].store._redis.pubsub_numsub("receptive:rooms")[0][1]:
                time.sleep(0.02)
        lecturer.send(json.dumps({"place": "ssd?x=1#play"}))
        said = hear(student, "place")
        assert (said["place"], said["number"]) == ("ssd?x=1#play", 1)
        with enter(hall, code) as late:
            assert hear(late, "place")["place"] == "ssd?x=1#play"
            while hear(lecturer, "here")["here"] != 2:
                pass
        hall[1].ask(code, key, "q", SHOWN)
        assert hear(student, "polls")["polls"]
        assert hear(stranger, "leads")  # and nothing else
        with pytest.raises(TimeoutError):
            stranger.recv(timeout=0.2)
        hall[1].end(code, key)
        assert hear(student, "over") and closed(student) == channel.GONE


def test_after_a_silence_all_is_said_again(hall):
    code, _ = hall[1].open()
    with enter(hall, code) as student:
        assert hear(student, "leads")
        hall[1].store.write(code, {"place": "ssd", "number": "1"})  # as if it had been said while nobody could hear
        channel._hear(MISSED, "{}")
        said = hear(student, "polls")
        said |= said if "place" in said else hear(student, "place")
        assert (said["place"], said["number"]) == ("ssd", 1)


def test_students_see_what_the_lecturer_draws_and_nobody_else_can_draw(hall, monkeypatch):
    code, key = hall[1].open()
    other, _ = hall[1].open()
    with enter(hall, code, key) as lecturer, enter(hall, code) as student, enter(hall, other) as stranger:
        assert hear(lecturer, "leads") and hear(student, "leads") and hear(stranger, "leads")
        if isinstance(hall[1].store, Redis):
            while not hall[1].store._redis.pubsub_numsub("receptive:rooms")[0][1]:
                time.sleep(0.02)
        lecturer.send(json.dumps({"place": "ssd?x=1#play"}))
        assert hear(student, "place")
        forged = Relay(code, "no key", channel.pass_on)
        forged("s.live", {"value": 1}, True)
        relay = Relay(code, key, channel.pass_on)
        relay("s.live", {"value": 2}, True)
        assert hear(student, "drawings") == {"drawings": {"s.live": {"value": 2, "page": "ssd"}}}
        # What comes quickly is passed on in pieces, and the last word arrives.
        for value in range(3, 9):
            relay("s.live", {"value": value}, True)
        while hear(student, "drawings")["drawings"]["s.live"]["value"] != 8:
            pass
        with pytest.raises(TimeoutError):
            stranger.recv(timeout=0.2)
        for _ in range(10):  # she is told again and again who is here
            assert "drawings" not in json.loads(lecturer.recv(timeout=60))


def test_a_large_class_reruns_when_its_lecturer_rests(hall, monkeypatch):
    code, key = hall[1].open()
    for slow, rest in ((1000, 0), (8, channel.REST)):
        monkeypatch.setattr(channel, "SLOW", slow)
        with enter(hall, code, key) as lecturer, enter(hall, code) as student:
            assert hear(lecturer, "leads") and hear(student, "leads")
            lecturer.send(json.dumps({"place": f"ssd?slow={slow}"}))
            while (said := hear(student, "place"))["place"] != f"ssd?slow={slow}" or "rest" not in said:
                pass
            assert (said["spread"], said["rest"]) == (8, rest)


@pytest.mark.parametrize(
    "forged",
    [{"place": "ssd"}, {"place": "ssd", "key": "guess"}, {"over": True}, {"end": True}, {"polls": 1},
     {"votes": "q"}, {"room": "AAAAAA"}, [], "x", None],
)  # fmt: skip
def test_a_student_has_nothing_to_say(hall, forged):
    code, _ = hall[1].open()
    with enter(hall, code) as student, enter(hall, code) as other:
        assert hear(student, "leads") and hear(other, "leads")
        student.send(json.dumps(forged))
        assert closed(student) == 1008
        assert hall[1].there(code) and hall[1].place(code) is None
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.1)


@pytest.mark.parametrize("first", ["", "x", "[]", "{}", '{"key": "x"}', "[" * 30_000])
def test_who_does_not_say_which_room_is_not_let_in(hall, first):
    with connect(f"ws://{hall[0]}{channel.PATH}") as socket:
        socket.send(first)
        assert closed(socket) == 1008


def test_a_wrong_key_is_not_let_in_at_all(hall):
    code, _ = hall[1].open()
    _, others = hall[1].open()
    for key in ("x", others):
        with enter(hall, code, key) as socket:
            assert closed(socket) == 1008


def test_a_lecturer_sends_nobody_out_of_the_lab(hall):
    code, key = hall[1].open()
    with enter(hall, code, key) as lecturer:
        lecturer.send(json.dumps({"place": "//example.org"}))
        assert closed(lecturer) == 1008
    assert hall[1].place(code) is None


def test_guessing_codes_ends_soon(hall, monkeypatch):
    monkeypatch.setattr(channel, "DOUBTS", Doubts(most=2, back=1e6))
    code, _ = hall[1].open()
    for guess in ("AAAAAA", "nonsense"):
        with enter(hall, guess) as socket:
            assert closed(socket) == channel.NOT_HERE
    with enter(hall, code) as socket:
        assert closed(socket) == channel.NOT_HERE


def test_a_page_of_another_origin_is_refused(hall):
    code, _ = hall[1].open()
    with pytest.raises(InvalidStatus), enter(hall, code, origin="https://example.org"):
        pass
