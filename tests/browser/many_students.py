"""A class of many without browsers: sockets of `/api/class` that follow, votes in the hall's Redis, forged messages."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from benchmarks import protocol
from deploy.hall import REDIS
from ui.rooms import channel

PATIENCE = 120.0  # s


def until(so: Callable[[], Any], what: str = "") -> Any:
    """What `so` gives once that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := so()):
        assert time.monotonic() < end, what or so
        time.sleep(0.1)
    return found


def redis_of(hall: int) -> tuple[int, str]:
    """Process and address of the Redis that a hall keeps for its servers."""

    def look() -> tuple[int, str] | None:
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(hall)], capture_output=True, text=True).stdout
        process = address = None
        for each in map(int, listed.split()):
            with contextlib.suppress(OSError):
                if b"redis-server" in Path(f"/proc/{each}/cmdline").read_bytes():
                    process = each
                known = Path(f"/proc/{each}/environ").read_bytes().decode().split("\0")
                address = next((word.partition("=")[2] for word in known if word.startswith(f"{REDIS}=")), address)
        return (process, address) if process and address else None

    return until(look, "the hall has no Redis")


class Follower:
    """One student's socket, and all that it has been told. A socket that is cut is opened again, as by a browser."""

    def __init__(self, address: str, code: str):
        self.target, self.code = address.replace("http://", "ws://") + channel.PATH, code
        self.heard: list[dict[str, Any]] = []
        self.left = contextlib.ExitStack()  # closes her socket
        self.socket = self.enter()

    def enter(self) -> ClientConnection:
        self.left.close()
        # Neither end hurries the other: the machine is busy with everything else.
        socket = self.left.enter_context(connect(self.target, open_timeout=PATIENCE, ping_interval=None))
        socket.send(json.dumps({"room": self.code}))
        return socket

    def listen(self) -> list[dict[str, Any]]:
        """Everything heard so far."""
        try:
            while True:
                self.heard.append(json.loads(self.socket.recv(timeout=0.01)))
        except TimeoutError:
            pass
        except ConnectionClosed as gone:
            if gone.rcvd is None or gone.rcvd.code != channel.GONE:
                with contextlib.suppress(OSError, WebSocketException):
                    self.socket = self.enter()
        return self.heard

    @property
    def place(self) -> str | None:
        """Where she would be."""
        return next((said["place"] for said in reversed(self.listen()) if "place" in said), None)


@contextlib.contextmanager
def following(address: str, code: str, count: int) -> Iterator[list[Follower]]:
    """So many students in room `code` of the lab at `address`."""
    students = [Follower(address, code) for _ in range(count)]
    try:
        yield students
    finally:
        for student in students:
            student.left.close()


class Visitor:
    """A browser's protocol without a browser: what it is sent, and any message it may make up."""

    def __init__(self, socket: ClientConnection, page: str, query: str):
        self.socket, self.page, self.query = socket, page, query
        self.ids: dict[str, str] = {}  # of the widgets on her page, by their key
        self.sent = b""  # everything that she was ever sent
        self.socket.send(protocol.visit(page, query))
        self.rest()

    def rest(self) -> None:
        """Until the run is over."""
        while True:
            raw = self.socket.recv(timeout=PATIENCE)
            self.sent += raw
            answer = ForwardMsg.FromString(raw)
            if answer.WhichOneof("type") == "delta":
                element = answer.delta.new_element
                found = getattr(getattr(element, element.WhichOneof("type") or "empty"), "id", "")
                self.ids[found.removeprefix("$$ID-").partition("-")[2]] = found
            elif answer.WhichOneof("type") == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            if protocol.ends(answer):
                return

    def say(self, widgets: dict[str, Any]) -> None:
        """A rerun with these widgets' states, by whole id: True presses a button and sets a toggle, a dict is what a
        component says."""
        for kind in ("trigger_value", "bool_value"):
            message = BackMsg()
            message.rerun_script.page_name, message.rerun_script.query_string = self.page, self.query
            for name, value in widgets.items():
                state = message.rerun_script.widget_states.widgets.add()
                state.id = name
                if value is True:
                    setattr(state, kind, True)
                else:
                    state.json_value = json.dumps({"message": value})
            self.socket.send(message.SerializeToString())
            self.rest()


@contextlib.contextmanager
def visitor(address: str, page: str, query: str) -> Iterator[Visitor]:
    """A session at this page."""
    target = address.replace("http://", "ws://") + "/_stcore/stream"
    with connect(target, subprotocols=["streamlit"], max_size=None, compression=None, open_timeout=PATIENCE) as socket:
        yield Visitor(socket, page, query)
