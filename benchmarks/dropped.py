"""Visitors who come, do something and are gone: what do they leave behind in the server?

They come over the whole course, differ in what they do (VISITS), and leave in one of WAYS: a browser is closed, a
connection is reset, or reset in the middle of a run; and some fall silent, as a telephone whose owner has gone home.
The server is the lab with one more address, which counts what it holds (`benchmarks.counted`).

It is counted when the first ROUND visitors are forgotten: what is computed once for everybody is there by then. What
has grown when all are forgotten has been left behind. A session is kept for half a minute on purpose, for a browser
that comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
import time
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks import protocol
from benchmarks.classroom import AT_WORK
from benchmarks.followers import Lecturer, Page, enter
from benchmarks.servers import Server, serve
from benchmarks.views import View
from ui import course

AT_ONCE = 12  # visitors at the same time
ROUND = 200  # visitors after whom it is counted first
PATIENCE = 300.0  # s for an answer, and until all are forgotten
GLANCE = 2.0  # s between two countings
PICTURE = b"P6 8 8 255\n" + bytes(range(192))  # an upload: 8 by 8 pixels
LESSONS = [View(each.path, each.path, "", "", "", 0) for each in course.ready()]
GONE = (OSError, EOFError, websockets.WebSocketException)


class Guest(Page):
    """A browser that notes all that is on its page, and its session's id."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.session = self.uploader = ""
        self.beside: list[Any] = []  # its other sockets

    async def until_finished(self) -> None:
        await asyncio.wait_for(super().until_finished(), PATIENCE)

    def _take(self, answer: Any) -> None:
        super()._take(answer)
        if answer.WhichOneof("type") == "new_session":
            self.session = answer.new_session.initialize.session_id or self.session

    def _note(self, delta: Any) -> None:
        super()._note(delta)
        element = delta.new_element
        if element.WhichOneof("type") == "bidi_component":
            found = json.loads(element.bidi_component.json)
            if isinstance(found, list) and isinstance(found[0], dict) and "key" in found[0]:
                self.mounted[found[0]["key"]] = found[0]
        if element.WhichOneof("type") == "file_uploader":
            self.uploader, self.fragment = element.file_uploader.id, delta.fragment_id


async def looks(address: str, number: int) -> Guest:
    """Opens a page of the course."""
    guest = Guest(LESSONS[number % len(LESSONS)])
    await guest.open(address, "")
    return guest


async def moves(address: str, number: int) -> Guest:
    """Moves a slider, twice by a rerun and twice on the direct line."""
    guest = Guest(AT_WORK[number % len(AT_WORK)])
    choice = random.Random(number)
    await guest.open(address, guest.view.path.partition("?")[2])
    for _ in range(2):
        value = guest.slider.elsewhere(choice)
        await guest.socket.send(protocol.move(guest.slider, value, guest.path, guest.query))
        await guest.until_finished()
    key = f"{guest.view.key}.live"
    line = await _beside(guest, address, "/api/live", guest.mounted[key]["live"])
    for sequence in (3, 4):
        message = {"value": guest.slider.elsewhere(choice), "settled": False, "sequence": sequence}
        await line.send(json.dumps({"key": key, "message": message}))
        await asyncio.wait_for(line.recv(), PATIENCE)
    return guest


async def pins(address: str, number: int) -> Guest:
    """Pins a page with a network: a second session, which knows the files of the first."""
    chosen = [view for view in LESSONS if f"/{view.path}/" in _WITH_NETWORK]
    guest = Guest(chosen[number % len(chosen)])
    await guest.open(address, "pin=-")
    copy = Guest(guest.view)
    await copy.open(address, f"embed=true&pinned={guest.mounted['pin.live']['shelf']}")
    guest.beside.append(copy.socket)
    return guest


async def uploads(address: str, number: int) -> Guest:
    """Chooses a picture of her own."""
    page, key = (("anchors", "anchors"), ("upsampling", "scene"), ("saliency", "saliency"))[number % 3]
    guest = Guest(View(page, page, "", "", "", 0))
    await guest.open(address, f"{key}_source=Upload")
    file = str(uuid.uuid4())
    await asyncio.to_thread(_put, f"{address}/_stcore/upload_file/{guest.session}/{file}", PICTURE)
    message = BackMsg()
    state = message.rerun_script
    state.page_name, state.query_string, state.page_script_hash = guest.path, guest.query, guest.script
    state.fragment_id = guest.fragment
    widget = state.widget_states.widgets.add()
    widget.id = guest.uploader
    known = widget.file_uploader_state_value.uploaded_file_info.add()
    known.name, known.size, known.file_id = "own.ppm", len(PICTURE), file
    await guest.socket.send(message.SerializeToString())
    await guest.until_finished()
    return guest


async def takes_home(address: str, number: int) -> Guest:
    """Opens the window with the notebook and the hand-in: files that are kept for her browser."""
    guest = Guest(LESSONS[(number + len(LESSONS) // 2) % len(LESSONS)])
    await guest.open(address, "")
    await guest.press("take_home", "bool_value")
    return guest


async def plays(address: str, number: int) -> Guest:
    """Plays the beginning of a film."""
    guest = Guest(View("video", "video", "", "", "", 0))
    await guest.open(address, "predict=off")
    reel = next(each["reel"] for each in guest.mounted.values() if "reel" in each)
    part = f"{address}/api/reel/{reel['token']}/pictures/{8 * (number % 2)}?name={reel['name']}"
    await asyncio.to_thread(lambda: urllib.request.urlopen(part, timeout=PATIENCE).read())
    return guest


async def leads(address: str, number: int) -> Guest:
    """Opens a room, which a student joins, moves, and ends it."""
    lecturer, student = Lecturer(), Guest(AT_WORK[number % len(AT_WORK)])
    code = await lecturer.begin(address)
    await student.open(address, f"room={code}")
    student.beside += [await enter(address, code), lecturer.hall, lecturer.socket]
    value = lecturer.slider.elsewhere(random.Random(number))
    await lecturer.socket.send(protocol.move(lecturer.slider, value, lecturer.path, lecturer.query))
    await lecturer.until_finished()
    await lecturer.say()
    await lecturer.press("class_end", "trigger_value")
    lecturer.heard.cancel()
    return student


_WITH_NETWORK = "".join(f"/{each.path}/" for each in course.ready() if each.asks_network)
VISITS: tuple[Callable[[str, int], Awaitable[Guest]], ...] = (
    looks, moves, pins, moves, uploads, moves, takes_home, moves, plays, moves, leads, moves,
)  # fmt: skip


async def _beside(guest: Guest, address: str, path: str, protocol: str) -> Any:
    line = await websockets.connect(
        address.replace("http:", "ws:") + path, subprotocols=[protocol], max_size=None, compression=None,
        open_timeout=PATIENCE, ping_interval=None,
    )  # fmt: skip
    guest.beside.append(line)
    return line


def _put(where: str, data: bytes) -> None:
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="own.ppm"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    urllib.request.urlopen(urllib.request.Request(where, body, headers, method="PUT"), timeout=PATIENCE).close()


async def closed(guest: Guest) -> None:
    """The browser is closed."""
    await asyncio.gather(*(each.close() for each in (guest.socket, *guest.beside)), return_exceptions=True)


async def reset(guest: Guest) -> None:
    """Each connection ends without a word."""
    for each in (guest.socket, *guest.beside):
        with contextlib.suppress(OSError):
            open_socket = each.transport.get_extra_info("socket")
            open_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.transport.abort()


async def midway(guest: Guest) -> None:
    """The same in the middle of a run."""
    with contextlib.suppress(*GONE):
        await guest.socket.send(protocol.visit(guest.path, guest.query))
        await asyncio.sleep(0.02)
    await reset(guest)


async def silent(guest: Guest) -> None:
    """Nothing is read or said any more, until the server gives her up."""
    for each in (guest.socket, *guest.beside):
        each.transport.pause_reading()


WAYS = (closed, reset, midway, silent)


Visitor = tuple[Callable[[str, int], Awaitable[Guest]], int, Callable[[Guest], Awaitable[None]]]


def planned(number: int) -> Visitor:
    """What a visitor does, on which of the pages for that, and how she leaves."""
    turn, place = divmod(number, len(VISITS))
    return VISITS[place], turn, WAYS[turn % len(WAYS)]


async def come_and_go(address: str, visitors: Iterable[Visitor]) -> list[str]:
    """All these visitors, AT_ONCE at a time, until they are forgotten; returns what went wrong, in words."""
    gate, errors, guests = asyncio.Semaphore(AT_ONCE), [], []

    async def one(visitor: Visitor) -> None:
        visit, page, leave = visitor
        async with gate:
            try:
                guests.append(guest := await visit(address, page))
                await leave(guest)
            except (RuntimeError, TimeoutError, AttributeError, KeyError, *GONE) as error:
                errors.append(f"{visit.__name__}: {type(error).__name__} {error}")

    await asyncio.gather(*map(one, visitors))
    try:
        await forgotten(address)
    finally:
        for guest in guests:
            await reset(guest)
    return errors


async def count(address: str) -> dict[str, Any]:
    """What the server holds now."""
    with await asyncio.to_thread(urllib.request.urlopen, f"{address}/api/left", timeout=PATIENCE) as answer:
        return json.load(answer)


async def forgotten(address: str) -> dict[str, Any]:
    """What the server holds once no session is connected or kept and none of its threads is at work; after PATIENCE
    whatever it holds then."""
    until = time.monotonic() + PATIENCE
    while True:
        found = await count(address)
        over = not found["connected"] and not found["kept"] and not any(found["alive"].values())
        if over or time.monotonic() > until:
            return found
        await asyncio.sleep(GLANCE)


def grown(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The counts that are larger than before, by name, both; memory left out."""
    one, other = (dict(_flat(each)) for each in (before, after))
    return {name: (one.get(name, 0), count) for name, count in other.items() if count > one.get(name, 0)}


def _flat(counts: dict[str, Any], start: str = "") -> Any:
    for name, value in counts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{start}{name}: ")
        elif name != "rss_mb":
            yield start + name, value


def run(sessions: int) -> dict[str, Any]:
    """Let so many visitors (> ROUND) come and go, and count. Raises RuntimeError if the server does not start."""
    with serve("benchmarks/counted.py", ready="/api/ready") as server:
        return asyncio.run(attend(server, sessions))


async def attend(server: Server, sessions: int, first: int = ROUND) -> dict[str, Any]:
    """What the command prints: after the first visitors, after half of all, and after all."""
    errors, found, came = [], [], 0
    marks = (first, (first + sessions) // 2, sessions)
    for until in marks:
        began = time.monotonic()
        errors += await come_and_go(server.address, map(planned, range(came, until)))
        found.append(await count(server.address))
        print(f"{until} have come and gone after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        came = until
    rows = [
        {
            "sessions": until, "connected": each["connected"], "kept": each["kept"],
            **each["alive"], "threads": sum(each["threads"].values()),
            "descriptors": sum(each["descriptors"].values()), "tasks": sum(each["tasks"].values()),
            "timers": each["timers"], "rss_mb": each["rss_mb"],
        }
        for until, each in zip(marks, found)
    ]  # fmt: skip
    return {"counts": rows, "grown": grown(found[0], found[-1]), "errors": len(errors),
            "error_kinds": sorted(set(errors))}  # fmt: skip
