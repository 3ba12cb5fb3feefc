"""What a rerun has to say leaves in one piece.

A rerun says a dozen things. In Streamlit each makes its own way: a walk over all sessions, a turn of the event loop, a
wake-up of the session's sender, a walk through the middleware, a system call. That took more of a full server's time
than the page itself. Here a session's words wait for each other, 5 ms or until the run is over, go to its sender
together, and leave in one write. What is the same for everybody, pages and settings, is put together once.

All are changes from outside to private functions of the pinned Streamlit; tests/ui/test_straight_out.py holds it to
that. What the browser is told is the same, in the same order.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ui.no_delay import CONNECTION
from ui.streamlit_inside import Inside

TOGETHER = 0.005  # s for which words wait for others: as long as Streamlit lets them wait when it is busy
MANY = 250  # messages under way to one browser; more than these go Streamlit's way, which gives the browser time

leaving = Inside("the messages of a rerun leave one by one")
with leaving:
    from streamlit.runtime import Runtime
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import ScriptRunnerEvent
    from streamlit.runtime.session_manager import SessionClientDisconnectedError
    from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

    leaving.needs(Runtime, "exists", "instance", "_session_mgr", "_send_message", "disconnect_session")
    leaving.needs(WebsocketSessionManager, "get_active_session_info")
    leaving.needs(AppSession, "_enqueue_forward_msg", "_message_enqueued_callback", "_browser_queue", "_event_loop")
    leaving.needs(AppSession, "_on_scriptrunner_event", "_call_soon_on_event_loop", "_scriptrunner")
    leaving.needs(AppSession, "_handle_scriptrunner_event_on_event_loop", "flush_browser_queue")
    leaving.needs(AppSession, "on_flushed_messages_sent")

writing = Inside("every message of a rerun is written by itself")
with writing:
    from streamlit.web.server.starlette.starlette_websocket import StarletteSessionClient

    writing.needs(StarletteSessionClient, "_websocket", "_send_queue")

telling = Inside("the list of pages and the settings are put together for every rerun")
with telling:
    from streamlit.runtime import app_session
    from streamlit.runtime.app_session import AppSession

    telling.needs(app_session, "_populate_config_msg")
    telling.needs(AppSession, "_populate_app_pages")

_DUE = "_receptive_due"  # attribute of a session: its words are waiting for each other
_POPULATED = 8  # lists of pages that are kept: one for each way to show the navigation


def straighten() -> None:
    """Change the running Streamlit; a second call does nothing."""
    if leaving.there:
        _replace(AppSession, "_enqueue_forward_msg", waiting)
        _replace(AppSession, "_on_scriptrunner_event", shorter)
    if writing.there:
        _replace(StarletteSessionClient, "__init__", in_one_write)
    if telling.there:
        _replace(app_session, "_populate_config_msg", once)
        _replace(AppSession, "_populate_app_pages", once_for_all)


def _replace(owner: Any, name: str, changed: Callable) -> None:
    real = getattr(owner, name)
    if not hasattr(real, "straightened"):
        straight = functools.wraps(real)(changed(real))
        straight.straightened = True
        setattr(owner, name, straight)


def waiting(enqueue_forward_msg):
    """`AppSession._enqueue_forward_msg` that lets what is said on the event loop wait for more."""

    def enqueue(self, msg) -> None:
        try:
            here = asyncio.get_running_loop() is self._event_loop
        except RuntimeError:
            here = False
        if not here or not self._message_enqueued_callback:
            enqueue_forward_msg(self, msg)
            return
        self._browser_queue.enqueue(msg)
        due = self.__dict__.get(_DUE)
        if due is None:
            self.__dict__[_DUE] = self._event_loop.call_later(TOGETHER, deliver, self)
        elif msg.WhichOneof("type") == "script_finished":  # nothing comes after it but the word that nothing runs
            due.cancel()
            self.__dict__[_DUE] = self._event_loop.call_soon(deliver, self)

    return enqueue


def deliver(session) -> None:
    """Hand what the session has to say to its sender; as Streamlit's loop does, which has to look for it."""
    session.__dict__[_DUE] = None
    runtime = Runtime.instance() if Runtime.exists() else None
    info = runtime and runtime._session_mgr.get_active_session_info(session.id)
    if info is None or info.session is not session:
        return  # nobody is there to hear it
    if len(session._browser_queue) + under_way(info.client) > MANY:
        session._message_enqueued_callback()
        return
    for msg in session.flush_browser_queue():
        try:
            runtime._send_message(info, msg)
        except SessionClientDisconnectedError:
            runtime.disconnect_session(session.id, client=info.client)
    session.on_flushed_messages_sent()


def under_way(client) -> int:
    """Messages that wait for this browser."""
    return client._send_queue.qsize() if writing.there else 0


def shorter(on_scriptrunner_event):
    """`AppSession._on_scriptrunner_event`: what the newest run writes is queued without a look at what kind it is."""

    def on_event(self, sender, event, forward_msg=None, *rest, **named) -> None:
        if event is not ScriptRunnerEvent.ENQUEUE_FORWARD_MSG or forward_msg is None or rest or named:
            on_scriptrunner_event(self, sender, event, forward_msg, *rest, **named)
        else:
            self._call_soon_on_event_loop(functools.partial(_written, self, sender, event, forward_msg))

    return on_event


def _written(session, sender, event, forward_msg) -> None:
    if sender is session._scriptrunner:
        session._enqueue_forward_msg(forward_msg)
    else:
        session._handle_scriptrunner_event_on_event_loop(sender, event, forward_msg)


class OneWrite:
    """In place of a session's web socket: what waits in the queue of the sender leaves together with what it sends."""

    def __init__(self, websocket: WebSocket, queue: asyncio.Queue):
        self.websocket, self.queue = websocket, queue
        connection = websocket.scope.get(CONNECTION)
        self.connection = connection if isinstance(connection, WebSocketsSansIOProtocol) else None

    async def send_bytes(self, payload: bytes) -> None:
        """Raises WebSocketDisconnect if the browser has gone."""
        connection = self.connection
        if connection is None:
            await self.websocket.send_bytes(payload)
            return
        await connection.writable.wait()
        if connection.disconnected or connection.close_sent:
            raise WebSocketDisconnect(1006)
        connection.conn.send_binary(payload)
        while not self.queue.empty():
            connection.conn.send_binary(self.queue.get_nowait())
        connection.transport.write(b"".join(connection.conn.data_to_send()))


def in_one_write(begin):
    """`StarletteSessionClient.__init__` with `OneWrite` in place of the web socket."""

    def init(self, websocket: WebSocket, *given, **named) -> None:
        begin(self, websocket, *given, **named)
        self._websocket = OneWrite(websocket, self._send_queue)

    return init


def once(populate):
    """`_populate_config_msg`: the settings do not change while the lab runs."""
    known = []

    def populated(msg) -> None:
        if not known:
            fresh = type(msg)()
            populate(fresh)
            known.append(fresh)
        msg.MergeFrom(known[0])

    return populated


def once_for_all(populate_app_pages):
    """`AppSession._populate_app_pages`: the list of pages is put together once, not for every rerun of everybody."""
    known: dict[tuple, Any] = {}

    def populated(self, msg, pages) -> None:
        name = tuple((page, info["page_name"], info["icon"]) for page, info in pages.items())
        if name not in known:
            if len(known) >= _POPULATED:
                known.clear()
            fresh = type(msg)()
            populate_app_pages(self, fresh, pages)
            known[name] = fresh
        msg.MergeFrom(known[name])

    return populated
