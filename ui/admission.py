"""Who gets in: connections stay below what the process can hold, messages below what anybody here has to say.

A server that has used up its file descriptors can take nobody in, and asyncio then writes a traceback a second time
and again. So the limit of descriptors is raised at the start where the system allows it, connections are counted, a
page that comes when the lab is full gets a sentence, and who only holds a place without a request loses it.

uvicorn's settings cannot be given to `streamlit run`; they are changed here before the first connection. What is known
of uvicorn and Streamlit from the inside is held by tests/ui/test_admission.py.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from typing import Any

from starlette.responses import HTMLResponse
from starlette.websockets import WebSocket

from ui.streamlit_inside import Inside

inside = Inside("a page of a foreign origin may hold the server up for two seconds")
with inside:
    from streamlit import net_util

    inside.needs(net_util, "get_external_ip")

DESCRIPTORS = 8192  # wanted; what a process may have without asking is 1,024 on Linux and 256 on a Mac
SEATS = 2000  # most connections; a student has two
BACKLOG = 100  # most connections that are taken in before they are counted
HURRY = 10.0  # seconds in which a connection says what it wants
MESSAGE = 256 * 1024  # bytes of a web socket message; Streamlit's largest here has some ten thousand
FULL = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="20">
<title>Receptive is full</title><body style="font:1.2rem sans-serif;max-width:34em;margin:15vh auto;padding:0 1em">
<p>The lab is full: as many students are in it as this computer can serve. Please wait; this page tries again by
itself every 20 seconds.</p></body></html>
"""

_LOG = logging.getLogger(__name__)


def raised(wanted: int = DESCRIPTORS) -> int:
    """Raise the process's limit of file descriptors to `wanted` as far as the system allows; returns the limit."""
    if sys.platform == "win32":
        return DESCRIPTORS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):
        return soft
    return most


def seats(descriptors: int) -> int:
    """Connections for a process with so many file descriptors: the rest is for files and pipes, and for those that
    asyncio has taken in and not yet counted, or turned away and not yet closed, five backlogs together."""
    return max(16, min(SEATS, descriptors - 128 - 5 * backlog(descriptors)))


def backlog(descriptors: int) -> int:
    """Connections that asyncio may take in at one go, before any is counted."""
    return max(8, min(BACKLOG, descriptors // 20))


def guarded(protocol: type, places: int, hurry: float) -> type:
    """uvicorn's HTTP `protocol` with so many `places` for connections.

    Who has no request in `hurry` seconds loses its place, and sooner if another one comes and no place is left.
    """

    class Guarded(protocol):
        open: Collection[Any] = ()  # all connections of the server
        _last: Any = None  # the request that was under way when it was last looked at

        def connection_made(self, transport) -> None:
            super().connection_made(transport)
            Guarded.open = self.connections
            self._since = self.loop.time()
            self.loop.call_later(hurry, self._look)
            if len(self.connections) > places:
                staying = [each for each in self.connections if not each.transport.is_closing()]
                silent = [each for each in staying if getattr(each, "cycle", each) is None]
                if len(staying) > places:
                    min(silent, key=lambda each: each._since).transport.abort()

        def _look(self) -> None:
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            done = self.cycle is None or self.cycle.response_complete
            if done and self.cycle is self._last:
                self.transport.close()
                return
            self._last = self.cycle
            self.loop.call_later(hurry, self._look)

    return Guarded


class Admission:
    """ASGI middleware: limits at the start of the server, a sentence for who does not get in.

    `messages` has the bytes of a message for web sockets (end of their path) that need less than MESSAGE.
    """

    def __init__(self, app, messages: dict[str, int] | None = None, places: int | None = None, hurry: float = HURRY):
        self.app = app
        self.descriptors = raised()
        self.places = places or seats(self.descriptors)
        self.hurry = hurry
        self.messages = messages or {}
        self.guarded: Any = None

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            self.prepare(getattr(getattr(receive, "__self__", None), "config", None))
        elif scope["type"] == "http" and asks_for_page(scope) and self.full(self.places // 10):
            # The last tenth is for the students who are in, half of it for this sentence.
            await HTMLResponse(FULL, 503, {"Retry-After": "20", "Connection": "close"})(scope, receive, send)
            return
        elif scope["type"] == "websocket":
            if self.full(self.places // 20):
                await WebSocket(scope, receive, send).close(1013)
                return
            # ASGI does not show the connection; uvicorn's `send` is a method of the protocol object with the parser.
            parser = getattr(getattr(send, "__self__", None), "conn", None)
            for path, size in self.messages.items():
                if parser is not None and scope["path"].endswith(path):
                    parser.max_message_size = size
        await self.app(scope, receive, send)

    def prepare(self, config) -> None:
        """Change the settings of the uvicorn that is about to listen."""
        # To compare a foreign origin with it, Streamlit asks an outside host for this machine's address, 2 s in which
        # the server stands still. A page that comes from that address has it in its Host, too, and gets in without.
        if inside.there:
            net_util.get_external_ip = lambda: None
        if config is None:
            _LOG.warning("Not served by uvicorn: connections and messages are not limited.")
            return
        config.ws_max_size = MESSAGE
        config.backlog = backlog(self.descriptors)
        self.guarded = config.http_protocol_class = guarded(config.http_protocol_class, self.places, self.hurry)

    def full(self, left: int) -> bool:
        """True when no more than so many places are left."""
        return self.guarded is not None and len(self.guarded.open) >= self.places - left


def asks_for_page(scope: dict[str, Any]) -> bool:
    """True for a browser that opens a page, as opposed to what a page that is already there asks for."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
