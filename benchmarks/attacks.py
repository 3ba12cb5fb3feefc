"""A client that means no good, beside a class at work: what must not be felt by anybody else.

It does three things at the same time, each again and again within bounds of number and time:

- `lines`: opens LINES direct lines, of one session and of none, and asks questions on all that are answered;
- `floods`: sends a message of FLOOD bytes on either web socket;
- `crowds`: opens CROWD connections that never say anything, more than a process may have descriptors by default.

Only against a server on this machine. python -m benchmarks.attacks ADDRESS SECONDS [KIND ...]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import protocol
from benchmarks.servers import ROOT
from ui.admission import raised

LINES, QUESTIONS = 40, 20_000  # direct lines; questions on all of them
FLOOD, FLOODS = 100_000_000, 100  # bytes of a message; messages
CROWD, CROWDS = 1_100, 100  # silent connections at once; times
PAUSE = 5.0  # seconds between two floods, and for which a crowd stays
PAGE, KEY = "iou_nms_precision_recall", "live"  # the page whose session asks
BROKEN = (OSError, EOFError, TimeoutError, websockets.WebSocketException)


async def session(address: str) -> tuple[Any, str, str, dict[str, Any]]:
    """A visit of a page: its socket (keep it), the session's secret, a slider's key and what it was sent."""
    socket = await websockets.connect(f"{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None)
    await socket.send(protocol.visit(PAGE, ""))
    found = None
    while True:
        answer = ForwardMsg.FromString(await socket.recv())
        if answer.WhichOneof("type") == "delta" and answer.delta.new_element.WhichOneof("type") == "bidi_component":
            data = json.loads(answer.delta.new_element.bidi_component.json)[0]
            if data.get(KEY) and "min" in data:
                found = data
        if protocol.ends(answer):
            if found is None:
                raise RuntimeError(f"the page {PAGE} shows no slider")
            return socket, found[KEY], found["key"], found


async def lines(address: str) -> None:
    """LINES lines of one session, and one by one LINES of none; questions on those that stay open."""
    _page, token, key, slider = await session(address)
    left = QUESTIONS

    async def ask(number: int) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                name = token if number % 2 else "nobody"
                async with websockets.connect(f"{address}/api/live", subprotocols=[name], max_size=None) as line:
                    for n in range(1, left):
                        if left <= 0:
                            return
                        left -= 1
                        value = slider["min"] if n % 2 else slider["max"]
                        message = {"value": value, "settled": False, "sequence": n}
                        await line.send(json.dumps({"key": key, "message": message}))
                        await line.recv()
            except BROKEN:
                await asyncio.sleep(1.0)

    await asyncio.gather(*map(ask, range(LINES)))


async def floods(address: str) -> None:
    """A message of FLOOD bytes on the page's socket and on a direct line, PAUSE after PAUSE."""
    page, token, _, _ = await session(address)
    for number in range(FLOODS):
        path, name = [("/_stcore/stream", "streamlit"), ("/api/live", token)][number % 2]
        with contextlib.suppress(*BROKEN):
            async with websockets.connect(f"{address}{path}", subprotocols=[name], max_size=None) as socket:
                await flood(socket)
        await asyncio.sleep(PAUSE)
    await page.close()


async def flood(socket: Any, piece: int = 65_536) -> None:
    """Announce FLOOD bytes and send them as fast as they are taken. Their mask is zero, so that they cost us little."""
    transport = socket.transport
    transport.write(b"\x82\xff" + FLOOD.to_bytes(8, "big") + bytes(4))
    for _ in range(FLOOD // piece):
        if transport.is_closing():
            return
        transport.write(bytes(piece))
        while transport.get_write_buffer_size() > piece and not transport.is_closing():
            await asyncio.sleep(0.001)


async def crowds(address: str) -> None:
    """CROWD silent connections, PAUSE after PAUSE."""
    place = urlsplit(address)
    for _ in range(CROWDS):
        writers = []
        for _ in range(CROWD):
            try:
                writers.append((await asyncio.open_connection(place.hostname, place.port))[1])
            except OSError:
                await asyncio.sleep(0.01)
        await asyncio.sleep(PAUSE)
        for writer in writers:
            writer.close()


KINDS = {kind.__name__: kind for kind in (lines, floods, crowds)}
ALL = "attacks"


async def attack(address: str, seconds: float, kinds: tuple[Callable[[str], Awaitable[None]], ...]) -> None:
    """These kinds for so long."""
    address = address.replace("http://", "ws://")
    tasks = [asyncio.create_task(kind(address)) for kind in kinds]
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    for task in done:
        task.result()


@contextlib.contextmanager
def beside(address: str, seconds: float, kind: str = ALL) -> Iterator[None]:
    """The client in a process of its own, for the time of the block and `seconds` at most; one kind or ALL.

    Raises RuntimeError at the end if it has not kept it up.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    kinds = list(KINDS) if kind == ALL else [kind]
    command = [sys.executable, "-m", __name__, address, str(seconds), *kinds]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield
        if process.poll():
            raise RuntimeError("the client that attacks has failed")
    finally:
        process.terminate()
        process.wait()


def stand_back() -> None:
    """Take processor time last: in life the client sits at another machine."""
    os.nice(19)
    with contextlib.suppress(OSError):  # Linux shares time between sessions first, and has a file for theirs
        Path("/proc/self/autogroup").write_text("19")


if __name__ == "__main__":
    host = urlsplit(sys.argv[1]).hostname
    if host != "127.0.0.1":
        sys.exit("Only against a server on this machine (127.0.0.1).")
    raised()
    chosen = tuple(KINDS[name] for name in sys.argv[3:] or KINDS)
    asyncio.run(attack(sys.argv[1], min(float(sys.argv[2]), 3600.0), chosen))
