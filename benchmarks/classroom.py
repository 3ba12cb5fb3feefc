"""A class at work: N visitors on Streamlit's own web socket protocol, each moving a slider once a second.

The visitors are spread over the cheap views of all pages, open them one after the other, and then begin together. Each
moves at a moment of its own in every second: people have no common clock, and after a pause of the server they would
otherwise go on moving all at once. Who still waits for an answer then moves as soon as it is there. A move is timed
from the message that leaves to the end of the rerun (`script_finished`), so everything the page does for it counts.
Server and visitors share the machine.

An error is an exception on the page, a run that ends badly, an answer that takes more than PATIENCE seconds, a lost
connection, or a move that the server did not take over (its value must come back in the slider).
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import attacks, protocol
from benchmarks.followers import Lecturer, enter
from benchmarks.servers import Server, at_both, computed, serve, serve_hall
from benchmarks.summary import growth, percentile, rounded
from benchmarks.views import SLIDER, VIEWS, View

PATIENCE = 60.0  # seconds for an answer
OPENING = 4  # visitors that open their page at the same time
WARM = 5.0  # seconds of moves before the clock starts
TURNS = 4  # a class beside an attack is calm and attacked in turns, so that a busy machine is busy for both
AT_WORK = [view for view in VIEWS if view.cheap and view.hand == SLIDER and not view.networks]


@dataclass
class Record:
    """What happened: milliseconds of every timed move by view and by the minute in which it began, errors in words,
    server memory in MB by second, the seconds that the server computed in the timed part, and its reruns there."""

    moves: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_minute: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    computed: float | None = None
    reruns: list[tuple[int, int]] = field(default_factory=list)  # shared and run, in each timed part


class Visitor:
    """One student on one page; in a class's room if there is one, where she has caught up once and let go."""

    def __init__(self, number: int, view: View, record: Record, room: str = ""):
        self.view, self.record, self.room = view, record, room
        self.choice = random.Random(number)
        self.page, _, self.query = view.path.partition("?")
        if room:
            self.query = f"{self.query}&room={room}&follow=1-{number}".removeprefix("&")
        self.slider: protocol.Slider | None = None
        self.socket: Any = None
        self.hall: Any = None

    async def open(self, address: str) -> None:
        """Connect and load the page. Raises RuntimeError if its slider does not appear."""
        target = address.replace("http://", "ws://") + "/_stcore/stream"
        self.socket = await websockets.connect(
            target, subprotocols=["streamlit"], max_size=None, compression=None, open_timeout=PATIENCE,
            ping_interval=None,
        )  # fmt: skip
        await self.socket.send(protocol.visit(self.page, self.query))
        await asyncio.wait_for(self.until_finished(), 4 * PATIENCE)
        if self.slider is None:
            raise RuntimeError(f"the page {self.page} shows no slider {self.view.key}")
        if self.room:
            self.hall = await enter(address, self.room)

    async def until_finished(self) -> None:
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
            if protocol.failed(answer):
                self.record.errors.append(f"{self.view.name}: the page failed")
            self.slider = protocol.find_slider(answer, self.view.key) or self.slider
            if answer.WhichOneof("type") == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            if protocol.ends(answer):
                return

    async def answered(self) -> None:
        """An answer that comes late is an error, and she waits for it on, so that the class stays as large as it is."""
        try:
            await asyncio.wait_for(self.until_finished(), PATIENCE)
        except TimeoutError:
            self.record.errors.append(f"{self.view.name}: TimeoutError")
            await asyncio.wait_for(self.until_finished(), 10 * PATIENCE)

    async def work(self, begin: float, clock: float, end: float) -> None:
        """Move once a second from `begin` to `end`; moves from `clock` on are timed (all in event loop seconds)."""
        now = asyncio.get_running_loop().time
        try:
            for due in moments(self.choice, begin, end, now):
                await asyncio.sleep(max(0.0, due - now()))
                value = self.slider.elsewhere(self.choice)
                sent = now()
                await self.socket.send(protocol.move(self.slider, value, self.page, self.query))
                await self.answered()
                if abs(self.slider.value - value) > 1e-6:
                    self.record.errors.append(f"{self.view.name}: the slider did not take the value")
                if sent >= clock:
                    took = 1000 * (now() - sent)
                    self.record.moves[self.view.name].append(took)
                    self.record.by_minute[int((sent - clock) // 60)].append(took)
        except (TimeoutError, websockets.WebSocketException, OSError) as error:
            self.record.errors.append(f"{self.view.name}: {type(error).__name__}")


def moments(choice: random.Random, begin: float, end: float, now: Callable[[], float]) -> Iterator[float]:
    """When to move: once in every second from `begin` on, before `end`; whoever comes back later goes on in the second
    that it is then, and does not make up for the others."""
    second = 0
    while (due := begin + second + choice.random()) < end:
        yield due
        second = max(second + 1, math.floor(now() - begin))


async def watch(server: Server, clock: float, record: Record, every: float = 5.0) -> None:
    """Note the server's memory from `clock` on, until cancelled."""
    now = asyncio.get_running_loop().time
    due = clock
    while True:
        await asyncio.sleep(max(0.0, due - now()))
        record.memory.append((now() - clock, await asyncio.to_thread(server.memory)))
        due += every


async def attend(
    server: Server,
    students: int,
    minutes: float,
    views: Sequence[View],
    attacked: Record | None = None,
    kind: str = attacks.ALL,
    lecturer: Lecturer | None = None,
) -> Record:
    """Let the class work; returns what happened. With `attacked`, the class works as long again while another client
    attacks (`kind` as in `attacks.beside`), in turns of a quarter; that goes to this record. With a `lecturer`, who
    then opens a room, all sit in it."""
    record = Record()
    room = await lecturer.begin(server.address) if lecturer is not None else ""
    visitors = [Visitor(number, views[number % len(views)], record, room) for number in range(students)]
    gate = asyncio.Semaphore(OPENING)

    async def enter(visitor: Visitor) -> None:
        async with gate:
            await visitor.open(server.address)

    try:
        began = time.monotonic()
        await asyncio.gather(*map(enter, visitors))
        print(f"{students} pages open after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if attacked is None:
            await lesson(server, visitors, 60 * minutes, record)
        else:
            for _ in range(TURNS):
                await lesson(server, visitors, 60 * minutes / TURNS, record)
                with attacks.beside(server.address, 60 * minutes / TURNS + 2 * WARM, kind):
                    await lesson(server, visitors, 60 * minutes / TURNS, attacked)
    finally:
        if lecturer is not None:
            lecturer.heard.cancel()
        sockets = [socket for each in (*visitors, lecturer) if each for socket in (each.socket, each.hall) if socket]
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
    return record


async def lesson(server: Server, visitors: Sequence[Visitor], seconds: float, record: Record) -> None:
    """Let them work for WARM and then for `seconds`, which go to `record`."""
    begin = asyncio.get_running_loop().time() + 0.5
    clock = begin + WARM
    for visitor in visitors:
        visitor.record = record
    watcher = asyncio.create_task(watch(server, clock, record))
    counted = asyncio.create_task(computed(server, clock, clock + seconds))
    reruns = asyncio.create_task(at_both(server.reruns, clock, clock + seconds))
    try:
        await asyncio.gather(*(visitor.work(begin, clock, clock + seconds) for visitor in visitors))
        if (took := await counted) is not None:
            record.computed = (record.computed or 0.0) + took
        if None not in (both := await reruns):
            record.reruns.append((both[1][0] - both[0][0], both[1][1] - both[0][1]))
    finally:
        watcher.cancel()
    record.memory.append((seconds, server.memory()))


def summary(record: Record, students: int, minutes: float) -> dict[str, Any]:
    """What the command prints, from what happened."""
    every = [each for moves in record.moves.values() for each in moves]
    first = next((mb for second, mb in record.memory if second >= 60), None)
    last = record.memory[-1][1] if record.memory else None
    shared, run = (sum(part) for part in zip(*record.reruns, strict=True)) if record.reruns else (0, 0)
    return {
        "students": students,
        "reruns_per_s": rounded(len(every) / (60 * minutes)),
        "p50_ms": rounded(percentile(every, 0.5)),
        "p95_ms": rounded(percentile(every, 0.95)),
        "p95_ms_by_minute": [rounded(percentile(waits, 0.95)) for _, waits in sorted(record.by_minute.items())],
        "cpu_cores": rounded(record.computed and record.computed / (60 * minutes), 2),
        "cpu_ms_per_rerun": rounded(1000 * record.computed / len(every), 2) if record.computed and every else None,
        "shared_percent": rounded(100 * shared / (shared + run)) if shared + run else None,
        "errors": len(record.errors),
        "rss_mb": rounded(last),
        "rss_mb_after_1_minute": rounded(first),
        "growth_percent": rounded(100 * (last / first - 1)) if first and last else None,
        **growth(record.memory),
        "minutes": minutes,
        "error_kinds": sorted(set(record.errors)),
        "views": [
            {"view": name, "moves": len(moves), "p50_ms": rounded(percentile(moves, 0.5)),
             "p95_ms": rounded(percentile(moves, 0.95))}
            for name, moves in sorted(record.moves.items())
        ],
    }  # fmt: skip


def run(
    students: int,
    minutes: float,
    views: Sequence[View] = (),
    beside: str | None = None,
    processes: int | None = None,
    cold: bool = False,
    room: bool = False,
) -> dict[str, Any]:
    """Start the lab, let `students` (>= 1) work for `minutes` (> 0) on `views` (default: the cheap ones); with `beside`
    as long again beside a client that attacks, in all ways (`attacks.ALL`) or in one of `attacks.KINDS`. With
    `processes` (>= 1) so many servers stand behind HAProxy. `cold`: no server keeps a run for others. `room`: they
    sit in a lecturer's."""
    if cold:
        os.environ["RECEPTIVE_SHARED_RUNS_MB"] = "0"  # of this program, for the servers that it starts
    attacked = Record() if beside else None
    with serve_hall(processes) if processes else serve("app.py", ready="/api/ready") as server:
        lecturer = Lecturer() if room else None
        record = asyncio.run(
            attend(server, students, minutes, views or AT_WORK, attacked, beside or attacks.ALL, lecturer)
        )
    found = summary(record, students, minutes) | {"processes": processes or 1}
    return found if attacked is None else {**found, **compared(found, summary(attacked, students, minutes))}


def compared(calm: dict[str, Any], attacked: dict[str, Any]) -> dict[str, Any]:
    """What is added to the summary of a class: the same under attack, and the ratio of the two p95."""
    both = calm["p95_ms"] and attacked["p95_ms"]
    return {
        "p95_ms_attacked": attacked["p95_ms"],
        "p95_ratio": rounded(attacked["p95_ms"] / calm["p95_ms"], 2) if both else None,
        "errors_attacked": attacked["errors"],
        "rss_mb_attacked": attacked["rss_mb"],
        "error_kinds": sorted({*calm["error_kinds"], *attacked["error_kinds"]}),
    }
