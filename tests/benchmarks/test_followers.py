"""When a follower counts as having seen a move; and one follower between two real web sockets."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import serve

from benchmarks import followers, page_changes
from benchmarks.followers import VIEW, Follower, Lesson, drawn, place

PICTURE, SLIDER = f"{VIEW.drawing}.live", f"{VIEW.key}.live"


def words(**drawings) -> str:
    """As the class's web socket has it."""
    return '{"drawings":' + json.dumps({f"{getattr(VIEW, name)}.live": data for name, data in drawings.items()}) + "}"


def test_a_place_is_the_address_without_what_is_everybodys_own():
    assert place("") == "upsampling" and place("room=ABCDEF", "lab_world") == "lab_world"
    assert place("room=ABCDEF&lecture=1&rf_layers=3&predict=off&a=b+c&follow=0.5&notes=1") == (
        "upsampling?a=b+c&rf_layers=3"
    )


def test_what_a_message_draws():
    assert drawn(words(drawing={}, key={"value": 4.0})) == (True, 4.0)
    assert drawn(words(drawing={})) == (True, None)
    assert drawn(words(key={"value": 2})) == (False, 2)
    assert drawn('{"place":"upsampling"}') == (False, None)


def test_a_value_shows_all_moves_up_to_the_newest_with_it_once():
    lesson = Lesson(sent=[(time.monotonic() - age, value) for age, value in ((4, 1.0), (3, 2.0), (2, 1.0), (1, 3.0))])
    follower = Follower(0, lesson)
    follower.saw(9.0)
    assert (follower.shown, lesson.seen) == (0, [])
    follower.saw(1.0)
    assert (follower.shown, [round(each / 1000) for each in lesson.seen]) == (3, [4, 3, 2])
    follower.saw(2.0)  # an older one, which comes late
    assert (follower.shown, len(lesson.seen)) == (3, 3)
    follower.saw(3.0)
    assert (follower.shown, round(lesson.seen[-1] / 1000)) == (4, 1)


def mounted(value: float) -> bytes:
    """What Streamlit sends for the slider at `value`."""
    said = ForwardMsg()
    said.delta.fragment_id = "fragment"
    component = said.delta.new_element.bidi_component
    component.id = f"id-{SLIDER}"
    component.json = json.dumps([{"min": 1, "max": 9, "step": 1, "value": value, "sequence": 0, "key": SLIDER}])
    return said.SerializeToString()


def finished() -> bytes:
    said = ForwardMsg()
    said.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return said.SerializeToString()


def first(_socket, offered: list[str]) -> str | None:
    return offered[0] if offered else None


@pytest.fixture
def aside():
    """Runs a coroutine in a thread of its own: this one may have the loop of a browser."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda coroutine: thread.submit(asyncio.run, coroutine).result(120)


def test_a_follower_sees_drawings_goes_where_the_class_goes_and_says_when_the_line_is_cut(aside):
    asked: list[str] = []
    pages: list[str] = []
    saw: list[float] = []

    class Watched(Follower):
        def saw(self, value: float) -> None:
            saw.append(value)
            super().saw(value)

    async def answer(socket) -> None:
        if socket.request.path == "/api/class":
            assert json.loads(await socket.recv()) == {"room": "ABCDEF", "key": ""}
            await socket.send(words(key={"value": 5.0}))  # without the picture: not seen yet
            await socket.send(words(drawing={}))
            await socket.send(words(key={"value": 5.0}))
            await socket.send(json.dumps({"place": place("rf_layers=7"), "rest": 0, "spread": 0}))
            while len(asked) < 2:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            # Another page is not shown by her drawings, so nobody waits until she rests.
            await socket.send(json.dumps({"place": "lab_world?seed=3", "rest": 1e9, "spread": 0}))
            while len(asked) < 3:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            socket.transport.abort()
            return
        async for message in socket:
            said = BackMsg.FromString(message).rerun_script
            query = said.query_string
            asked.append(query)
            pages.append(said.page_name)
            await socket.send(mounted(float(dict(parse_qsl(query)).get("rf_layers", 1))))
            await socket.send(finished())

    async def lesson() -> tuple[Lesson, Follower]:
        found = Lesson(sent=[(time.monotonic(), 5.0), (time.monotonic(), 7.0)])
        follower = Watched(0, found)
        async with serve(answer, "127.0.0.1", 0, select_subprotocol=first) as server:
            port = server.sockets[0].getsockname()[1]
            await follower.join(f"http://127.0.0.1:{port}", "ABCDEF")
            try:
                await asyncio.wait_for(follower.heard, 60)
                await asyncio.wait_for(follower.going, 60)
            finally:
                await follower.socket.close()
                await follower.hall.close()
        return found, follower

    found, follower = aside(lesson())
    assert asked[0] == "room=ABCDEF" and dict(parse_qsl(asked[1])) | {"follow": ""} == {
        "rf_layers": "7", "room": "ABCDEF", "follow": "",
    }  # fmt: skip
    assert dict(parse_qsl(asked[2])) | {"follow": ""} == {"seed": "3", "room": "ABCDEF", "follow": ""}
    assert pages == ["upsampling", "upsampling", "lab_world"] and follower.path == "lab_world" and follower.arrived
    assert saw == [5.0, 7.0, 1.0]
    assert follower.caught_up(1.0) and not follower.caught_up(7.0)
    assert follower.shown == 2 and len(found.seen) == 2
    assert found.errors == ["ConnectionClosedError"]


def test_a_page_costs_what_the_server_computes_until_all_are_there(aside, monkeypatch):
    monkeypatch.setattr(page_changes, "PAGES", ("lab_world", "upsampling"))
    monkeypatch.setattr(page_changes, "PATIENCE", 0.2)
    monkeypatch.setattr(page_changes, "LONGEST", 0.0)
    class_of_three = [Follower(number, Lesson()) for number in range(3)]
    computed = iter((10.0, 10.4, 10.4, 11.2))

    class Server:
        seconds = staticmethod(lambda: next(computed))

    class Lecturer:
        async def turn(self, page: str) -> None:
            for each in class_of_three[: 3 if page == "lab_world" else 2]:  # the last one gets lost
                each.path, each.arrived = page, time.monotonic() + 60

    errors: list[str] = []
    rows = aside(page_changes.change(Server(), Lecturer(), class_of_three, errors))
    assert [(row["page"], row["there"], row["cpu_ms_each"]) for row in rows] == [
        ("lab_world", 3, 100.0), ("upsampling", 2, 200.0),
    ]  # fmt: skip
    assert all(0 < row["p50_ms"] <= row["p95_ms"] <= row["all_ms"] <= 60_000 for row in rows)
    assert errors == ["did not come to a page"]


def test_a_page_that_fails_is_an_error(aside):
    async def answer(socket) -> None:
        await socket.recv()
        said = ForwardMsg()
        said.delta.new_element.exception.message = "secret"
        await socket.send(said.SerializeToString())

    async def visit() -> None:
        page = followers.Page()
        async with serve(answer, "127.0.0.1", 0, select_subprotocol=first) as server:
            try:
                await page.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "")
            finally:
                await page.socket.close()

    with pytest.raises(RuntimeError, match="the page failed"):
        aside(visit())
