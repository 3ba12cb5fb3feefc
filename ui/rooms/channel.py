"""The class's web socket: one message to every browser of a room when its lecturer moves, asks, or ends it.

A browser says first which room it wants, and the key if it leads. After that the lecturer says where she is; a student
has nothing to say, and who says something is cut off. A browser that is slow gets the newest state only, and keeps
nobody waiting. What is sent says over how many milliseconds the browsers shall spread their reruns.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from contextlib import suppress
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ui.components import script_runs
from ui.rooms.chosen_store import the_store
from ui.rooms.relay import Relay
from ui.rooms.room import Doubts, Rooms, legible
from ui.rooms.store import MISSED, UnreachableError

PATH = "/api/class"
MESSAGE = 32 * 1024  # bytes
HURRY = 10.0  # s in which a browser says which room it wants
COUNT = 1.0  # s between two countings of who is there
STAYS = 20.0  # s after which a count that has not changed is said again
EACH = 8  # ms of rerun that a follower costs; so many more for each of them before the last one moves
SLOW = 80  # ms of spread, ten followers, from which they see what her page draws first, and rerun when she rests
REST = 2000  # ms without a move that such followers wait for
TOGETHER = 0.05  # s for which a drawing waits for others of the same move
FRAME, SHARE = 0.1, 0.001  # s between two messages with her drawings, and as much more for each follower
NOT_HERE, GONE, AWAY = 4404, 4410, 4503  # no such room; it has ended; its store does not answer
PROCESS = secrets.token_hex(8)

DOUBTS = Doubts()


class Hall:
    """The sockets of one room in this process, and what they are to be told next."""

    def __init__(self, code: str):
        self.code = code
        self.sockets: dict[WebSocket, tuple[asyncio.Event, dict[str, Any]]] = {}
        self.leading: set[WebSocket] = set()
        self.counted: int | None = None
        self.away = False  # the store does not answer
        self.tending: asyncio.Task | None = None
        self.saying: asyncio.Task | None = None  # again, what may not have been heard
        self.relayed = 0.0  # event loop time from which her drawings may be passed on again

    @property
    def students(self) -> int:
        return len(self.sockets) - len(self.leading)

    def tell(self, said: dict[str, Any], leading: bool | None = None) -> None:
        """Everybody, or only those who lead or do not."""
        spread = EACH * self.students
        said = said | {"spread": spread, "rest": REST if spread >= SLOW else 0}
        for socket, (waking, news) in self.sockets.items():
            if leading is None or (socket in self.leading) == leading:
                news.update(said)
                waking.set()

    def show(self, drawings: dict[str, str]) -> None:
        """Students see what the lecturer's page has drawn; of each component a slow browser gets the newest only."""
        for socket, (waking, news) in self.sockets.items():
            if socket not in self.leading:
                news.setdefault("drawings", {}).update(drawings)
                waking.set()


_halls: dict[str, Hall] = {}
_loop: asyncio.AbstractEventLoop | None = None


def rooms() -> Rooms:
    return Rooms(the_store())


def _hear(code: str, said: str) -> None:
    """In any thread."""
    if _loop is not None and not _loop.is_closed():
        _loop.call_soon_threadsafe(_pass_on, code, json.loads(said))


def _pass_on(code: str, said: dict[str, Any]) -> None:
    if code == MISSED:
        for hall in _halls.values():
            hall.saying = asyncio.create_task(_say_again(hall))
    if code in _halls and "drawings" in said:
        _halls[code].show(said["drawings"])
    elif code in _halls:
        _halls[code].tell(said)


async def _say_again(hall: Hall) -> None:
    """The store was silent: where the class is now, and that its questions may have moved on."""
    with suppress(UnreachableError):
        place = await asyncio.to_thread(rooms().place, hall.code)
        hall.tell({"polls": time.time_ns() // 1_000_000})
        if place is not None:
            hall.tell({"place": place[1], "number": place[0]}, leading=False)


def pass_on(relay: Relay) -> None:
    """Something has been drawn before a lecturer's audience; in any thread."""
    if _loop is not None and not _loop.is_closed():
        _loop.call_soon_threadsafe(_soon, relay)


def _soon(relay: Relay) -> None:
    hall, loop = _halls.get(relay.code), asyncio.get_running_loop()
    if hall is None:  # nobody is there, not even her own browser
        relay.take("")
        return
    at = max(loop.time() + TOGETHER, hall.relayed)
    hall.relayed = at + FRAME + SHARE * hall.students
    loop.call_at(at, loop.run_in_executor, None, _publish, relay)


def _publish(relay: Relay) -> None:
    with suppress(UnreachableError):
        place = rooms().place(relay.code)
        if drawings := relay.take(place[1] if place else ""):
            rooms().show(relay.code, relay.key, drawings)


def _listen() -> None:
    global _loop
    before, _loop = _loop, asyncio.get_running_loop()
    if before is None:
        the_store().listen(_hear)


async def _serve(socket: WebSocket) -> None:
    if not script_runs.inside.there or not script_runs.of_this_origin(
        socket.headers.get("Origin"), socket.headers.get("Host")
    ):
        await socket.close(1008)
        return
    await socket.accept()
    with suppress(WebSocketDisconnect, RuntimeError):
        try:
            asked = _read(await asyncio.wait_for(socket.receive(), HURRY))
            await _enter(socket, str(asked["room"]), str(asked.get("key") or ""))
        except (KeyError, ValueError, TypeError, RecursionError):
            await socket.close(1008)
        except TimeoutError:
            await socket.close(1008)
        except UnreachableError:
            await socket.close(AWAY)


async def _enter(socket: WebSocket, code: str, key: str) -> None:
    address = socket.client.host if socket.client else ""
    found = legible(code)
    if found is None or not DOUBTS.may_ask(address) or not await asyncio.to_thread(rooms().there, found):
        DOUBTS.wrong(address)
        await socket.close(NOT_HERE)
        return
    leads = bool(key) and await asyncio.to_thread(rooms().leads, found, key)
    if key and not leads:
        DOUBTS.wrong(address)
        await socket.close(1008)
        return
    _listen()
    hall = _halls.setdefault(found, Hall(found))
    waking, news = asyncio.Event(), {"leads": leads}
    hall.sockets[socket] = (waking, news)
    if leads:
        hall.leading.add(socket)
    if hall.tending is None:
        hall.tending = asyncio.create_task(_tend(hall))
    talking = asyncio.create_task(_tell(socket, waking, news))
    try:
        place = await asyncio.to_thread(rooms().place, found)
        if place is not None and not leads:
            news.setdefault("place", place[1])
            news.setdefault("number", place[0])
        waking.set()
        await _heed(socket, found, key if leads else None)
    finally:
        talking.cancel()
        hall.sockets.pop(socket, None)
        hall.leading.discard(socket)


async def _heed(socket: WebSocket, code: str, key: str | None) -> None:
    """What the browser says: the lecturer's places, and of anybody else nothing."""
    while True:
        asked = _read(await socket.receive())
        if key is None or not isinstance(asked.get("place"), str):
            await socket.close(1008)
            return
        if not await asyncio.to_thread(rooms().move, code, key, asked["place"]):
            await socket.close(GONE if not await asyncio.to_thread(rooms().there, code) else 1008)
            return


async def _tell(socket: WebSocket, waking: asyncio.Event, news: dict[str, Any]) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await waking.wait()
            waking.clear()
            said = dict(news)
            news.clear()
            drawings = said.pop("drawings", {})
            if said:
                await socket.send_text(json.dumps(said, separators=(",", ":")))
            if drawings:  # each is JSON already, the same for everybody
                parts = [f"{json.dumps(key)}:{drawing}" for key, drawing in drawings.items()]
                await socket.send_text('{"drawings":{' + ",".join(parts) + "}}")
            if said.get("over"):
                await socket.close(GONE)
                return


async def _tend(hall: Hall) -> None:
    """While anybody is there: count the students, and see whether the room still is."""
    loop = asyncio.get_running_loop()
    last = -STAYS
    try:
        while hall.sockets:
            await asyncio.sleep(COUNT)
            try:
                if hall.students != hall.counted or loop.time() - last >= STAYS:
                    last, hall.counted = loop.time(), hall.students
                    await asyncio.to_thread(rooms().count_in, hall.code, PROCESS, hall.students)
                    if not await asyncio.to_thread(rooms().there, hall.code):
                        hall.tell({"over": True})
                if hall.leading:
                    hall.tell({"here": await asyncio.to_thread(rooms().present, hall.code)}, leading=True)
                away = False
            except UnreachableError:
                away = True
            if away != hall.away:
                hall.away = away
                hall.tell({"away": away})
    finally:
        hall.tending = None
        if not hall.sockets:
            _halls.pop(hall.code, None)
            with suppress(UnreachableError):
                await asyncio.to_thread(rooms().count_in, hall.code, PROCESS, 0)


def _read(received: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError for what no browser of ours sends."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005))
    text = received.get("text")
    if text is None or len(text) > MESSAGE:
        raise ValueError("no text, or too long")
    asked = json.loads(text)
    if not isinstance(asked, dict):
        raise ValueError("no object")
    return asked


def route(base: str = "") -> WebSocketRoute:
    """The Starlette route of the class under the path `base`; app.py hands it to `st.App(routes=...)`."""
    return WebSocketRoute(base + PATH, _serve)
