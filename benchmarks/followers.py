"""A class that follows: one lecturer moves a slider once a second, and N browsers show what her page shows.

All speak the real protocols: Streamlit's web socket, and the class's beside it (ui/rooms/channel.py). The lecturer
opens a room on a page; the followers join it there. A move is timed from the message that leaves her browser until a
follower's has the slider's new value and the picture; if a newer move comes with it, until that. Followers rerun as
ui/components/class_line/class_line.js has it. After her last move it is measured until all have caught up. Then she
goes to other pages (`page_changes`).

An error is a move that a follower has not been shown after PATIENCE seconds, one whose own rerun does not show her last
move, a page that she does not come to, an exception on a page, or a lost connection.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import resource
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import page_changes, protocol
from benchmarks.servers import Server, computed, serve, serve_hall
from benchmarks.summary import percentile, rounded
from benchmarks.views import VIEWS, View

VIEW = next(view for view in VIEWS if view.name == "receptive_field")
EVERY = 1.0  # s between two moves
PATIENCE = 20.0  # s
OPENING = 12  # followers that open their page at the same time
CALM = 25  # as in class_line.js
OWN = ("lecture", "notes", "predict", "room", "follow")  # of the address


@dataclass
class Lesson:
    """What happens: when each move left and to which value, milliseconds until it was seen, errors in words."""

    sent: list[tuple[float, float]] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Page:
    """One browser's connection with Streamlit, on the page of a view."""

    def __init__(self, view: View = VIEW) -> None:
        self.view, self.path, self.arrived = view, view.path.partition("?")[0], 0.0
        self.query = self.script = ""
        self.slider: protocol.Slider | None = None
        self.mounted: dict[str, dict[str, Any]] = {}  # by component
        self.widgets: dict[str, tuple[str, str]] = {}  # the class's: id and fragment by key
        self.socket: Any = None

    async def open(self, address: str, query: str) -> None:
        target = address.replace("http://", "ws://")
        self.socket = await websockets.connect(
            f"{target}/_stcore/stream", subprotocols=["streamlit"], max_size=None, compression=None,
            open_timeout=60, ping_interval=None,
        )  # fmt: skip
        self.query = query
        await self.socket.send(protocol.visit(self.path, query))
        await self.until_finished()

    async def until_finished(self) -> None:
        """Raises RuntimeError for an exception on the page."""
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
            if protocol.failed(answer):
                raise RuntimeError("the page failed")
            self._take(answer)
            if protocol.ends(answer):
                return

    def _take(self, answer: ForwardMsg) -> None:
        self.slider = protocol.find_slider(answer, self.view.key) or self.slider
        if answer.WhichOneof("type") == "page_info_changed":
            self.query = answer.page_info_changed.query_string
        if answer.WhichOneof("type") == "navigation":
            self.script = answer.navigation.page_script_hash
        if answer.WhichOneof("type") == "delta":
            self._note(answer.delta)

    def _note(self, delta: Any) -> None:
        block, element = delta.add_block, delta.new_element
        if block.WhichOneof("type") == "popover":
            self.widgets[block.popover.id.rpartition("-")[2]] = (block.popover.id, delta.fragment_id)
        if element.WhichOneof("type") == "button":
            self.widgets[element.button.id.rpartition("-")[2]] = (element.button.id, delta.fragment_id)
        if element.WhichOneof("type") == "bidi_component":
            key = element.bidi_component.id.rpartition("-")[2]
            if key in ("class_line.live", f"{self.view.key}.live"):
                self.mounted[key] = json.loads(element.bidi_component.json)[0]

    async def press(self, key: str, value: str) -> None:
        """Send a widget of the class as touched: `value` is the field of its state."""
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string, state.page_script_hash = self.path, self.query, self.script
        widget = state.widget_states.widgets.add()
        widget.id, state.fragment_id = self.widgets[key]
        setattr(widget, value, True)
        await self.socket.send(message.SerializeToString())
        await self.until_finished()


async def enter(address: str, code: str, key: str = "") -> Any:
    """A connection with the class."""
    socket = await websockets.connect(
        f"{address.replace('http://', 'ws://')}/api/class", max_size=None, compression=None, open_timeout=60,
        ping_interval=None,
    )  # fmt: skip
    await socket.send(json.dumps({"room": code, "key": key}))
    return socket


class Lecturer(Page):
    """Opens a room and moves the slider."""

    async def begin(self, address: str) -> str:
        """The room's code."""
        await self.open(address, "")
        await self.press("class_window", "bool_value")
        await self.press("class_open", "trigger_value")
        while "class_line.live" not in self.mounted:  # the whole page follows
            await self.until_finished()
        line = self.mounted["class_line.live"]
        self.hall = await enter(address, line["code"], line["lead"])
        self.heard = asyncio.create_task(self._hear())
        await self.say()
        return line["code"]

    async def _hear(self) -> None:
        async for _ in self.hall:
            pass

    async def say(self) -> None:
        """Where she is."""
        await self.hall.send(json.dumps({"place": place(self.query, self.path)}))

    async def turn(self, page: str) -> None:
        """She goes to another page."""
        self.path, self.query = page, urlencode({name: text for name, text in parse_qsl(self.query) if name == "room"})
        await self.socket.send(protocol.visit(self.path, self.query))
        await self.until_finished()
        await self.say()

    async def move(self, lesson: Lesson, choice: random.Random) -> None:
        value = self.slider.elsewhere(choice)
        lesson.sent.append((time.monotonic(), value))
        await self.socket.send(protocol.move(self.slider, value, VIEW.path, self.query))
        await self.until_finished()
        await self.say()


def place(query: str, path: str = VIEW.path) -> str:
    """An address as class_line.js says it."""
    kept = sorted((name, text) for name, text in parse_qsl(query) if name not in OWN)
    return path + ("?" + urlencode(kept) if kept else "")


@functools.lru_cache(maxsize=16)
def drawn(text: str) -> tuple[bool, float | None]:
    """Whether this message shows the picture, and the slider's value if it shows that; all get the same words."""
    found = json.loads(text).get("drawings", {})
    return f"{VIEW.drawing}.live" in found, found.get(f"{VIEW.key}.live", {}).get("value")


class Follower(Page):
    """Shows what the lecturer's page shows."""

    def __init__(self, number: int, lesson: Lesson):
        super().__init__()
        self.choice, self.lesson, self.shown, self.wanted = random.Random(number), lesson, 0, ""
        self.going: asyncio.Task | None = None
        self.running, self.pictured = asyncio.Lock(), False

    async def join(self, address: str, code: str) -> None:
        await self.open(address, f"room={code}")
        self.code = code
        self.hall = await enter(address, code)
        self.heard = asyncio.create_task(self.follow())

    async def follow(self) -> None:
        """Until cancelled."""
        try:
            async for text in self.hall:
                picture, value = drawn(text) if text.startswith('{"drawings"') else (False, None)
                self.pictured |= picture
                if value is not None and self.pictured:  # the slider is drawn last
                    self.saw(value)
                    self.pictured = False
                said = json.loads(text) if not text.startswith('{"drawings"') else {}
                if "place" in said and said["place"] != place(self.query, self.path):
                    rest = said["rest"] if said["place"].partition("?")[0] == self.path else 0
                    wait = rest / 1000 + self.choice.random() * said["spread"] / 1000 * (CALM if rest else 1)
                    if self.going is not None:
                        self.going.cancel()
                    self.going = asyncio.create_task(self.go(said["place"], wait))
        except (websockets.WebSocketException, OSError, KeyError) as error:
            self.lesson.errors.append(type(error).__name__)

    def saw(self, value: float) -> None:
        """The moves up to the newest with this value have been shown now."""
        found = [number for number, (_, sent) in enumerate(self.lesson.sent) if sent == value]
        for when, _ in self.lesson.sent[self.shown : found[-1] + 1] if found else []:
            self.lesson.seen.append(1000 * (time.monotonic() - when))
        self.shown = max(self.shown, found[-1] + 1 if found else 0)

    async def go(self, where: str, wait: float) -> None:
        """Rerun there, as Back and Forward do; what is under way is not broken off, then only the newest is run."""
        await asyncio.sleep(wait)
        self.wanted = where
        await asyncio.shield(self._rerun(where))

    async def _rerun(self, where: str) -> None:
        path, _, asked = where.partition("?")
        query = dict(parse_qsl(asked)) | {"room": self.code, "follow": f"{self.choice.random()}"}
        try:
            async with self.running:
                if where != self.wanted:
                    return
                await self.socket.send(protocol.visit(path, urlencode(query)))
                await asyncio.wait_for(self.until_finished(), 60)
            self.path, self.arrived = path, time.monotonic()
            self.saw(self.slider.value)
        except (TimeoutError, RuntimeError, websockets.WebSocketException) as error:
            self.lesson.errors.append(type(error).__name__)

    def caught_up(self, value: float) -> bool:
        return self.slider is not None and self.slider.value == value


async def attend(server: Server, students: int, minutes: float) -> dict[str, Any]:
    """The lesson; returns what the command prints."""
    lesson, lecturer = Lesson(), Lecturer()
    followers = [Follower(number, lesson) for number in range(students)]
    gate, choice, now = asyncio.Semaphore(OPENING), random.Random(0), asyncio.get_running_loop().time
    code = await lecturer.begin(server.address)

    async def join(follower: Follower) -> None:
        async with gate:
            await follower.join(server.address, code)

    began = time.monotonic()
    try:
        await asyncio.gather(*map(join, followers))
        print(f"{students} follow after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        await asyncio.sleep(3)
        begin, seconds = now(), 60 * minutes
        work = asyncio.create_task(computed(server, begin, begin + seconds))
        while now() < begin + seconds:
            due = now() + EVERY
            await lecturer.move(lesson, choice)
            await asyncio.sleep(max(0.0, due - now()))
        cores, last, rests = await work, lesson.sent[-1][1], now()
        before = server.seconds()
        longest = 4 * PATIENCE + CALM * 0.008 * students
        while now() < rests + longest and not all(each.caught_up(last) for each in followers):
            await asyncio.sleep(0.2)
        took, after = now() - rests, server.seconds()
        rested = (after - before) / took if took and before is not None and after is not None else None
        lesson.errors += ["did not catch up"] * sum(not each.caught_up(last) for each in followers)
        lesson.errors += ["was not shown a move"] * sum(each.shown < len(lesson.sent) for each in followers)
        pages = await page_changes.change(server, lecturer, followers, lesson.errors)
        lesson.errors += ["was shown a move late"] * sum(each > 1000 * PATIENCE for each in lesson.seen)
        return {
            "students": students, "moves": len(lesson.sent),
            "follow_p50_ms": rounded(percentile(lesson.seen, 0.5)),
            "follow_p95_ms": rounded(percentile(lesson.seen, 0.95)),
            "cpu_cores": rounded(cores and cores / seconds, 2),
            "caught_up_s": rounded(took),
            "caught_up_cores": rounded(rested, 2),
            "errors": len(lesson.errors), "rss_mb": rounded(server.memory()), "minutes": minutes,
            "error_kinds": sorted(set(lesson.errors)), "views": pages,
        }  # fmt: skip
    finally:
        everybody = [lecturer, *followers]
        for each in everybody:
            for task in (getattr(each, "heard", None), getattr(each, "going", None)):
                if task is not None:
                    task.cancel()
        sockets = [socket for each in everybody for socket in (each.socket, getattr(each, "hall", None)) if socket]
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)


def run(students: int, minutes: float, processes: int | None = None) -> dict[str, Any]:
    """Start the lab and let `students` (>= 1) follow a lecturer for `minutes` (> 0); with `processes` (>= 1) on so many
    servers behind HAProxy."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most != resource.RLIM_INFINITY else 65536, most))
    with serve_hall(processes) if processes else serve("app.py", ready="/api/ready") as server:
        return asyncio.run(attend(server, students, minutes)) | {"processes": processes or 1}
