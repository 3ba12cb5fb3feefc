"""The direct line: while a hand moves, a fragment runs beside Streamlit and only its drawings travel.

A rerun makes Streamlit's page render itself anew in the browser, 50 to 100 ms on a page with a hundred elements,
however little has changed. So while a control moves, its message comes through a web socket of our own; the fragment
that holds the control runs here with its session's state, and what it mounts with `wire.mount` goes back to the
components that are on the page. Everything else the fragment writes is dropped, and the answer says whether it would
have changed; the browser then asks Streamlit for a rerun now and then, and always when the hand lets go.

A session has one line, known by its secret when it is opened, and one question on it at a time. Its runs on the line
and those of Streamlit's take turns: side by side, one would take in half of what the other has heard.
Only a run that is under way holds a thread; a question that waits for Streamlit's waits on the event loop.

What is known of Streamlit from the inside lies in `script_runs`. Wherever a fragment cannot run beside Streamlit, the
answer says so, and the browser takes Streamlit's way. README.md, beside this file, tells the whole story.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import streamlit as st
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ui.components import script_runs

if TYPE_CHECKING:
    from ui.components.script_runs import ScriptRunContext

PATH = "/api/live"
WAIT = 0.1  # s given to the end of a run of Streamlit's: a slider is drawn shortly before its run is over
GLANCE = 0.005  # s between two looks whether it is over
MESSAGE = 64 * 1024  # bytes of a question at most; a browser of ours sends some hundred
PACE = 1 / 60  # s between two answers of a session at least: no screen shows more
SHARE = 5  # of the time a session may take, one part in so many, if as many others are at work
LATELY = 1.0  # s after its last run for which a session counts as at work
AT_ONCE = 64  # runs under way in all sessions; who comes when they are used up goes Streamlit's way
_SESSION = "live.session"
_LOG = logging.getLogger(__name__)


class Session:
    """One visitor: the context of the last run, the fragment of every control, and the secret that names both."""

    def __init__(self, context: ScriptRunContext):
        self.token = secrets.token_urlsafe(16)
        self.turns = script_runs.turns(context.fragment_storage)
        self.context = context
        self.fragments: dict[str, str] = {}
        self.text: dict[str, int] = {}  # per control, the hash of its first run since Streamlit's last
        self.line: WebSocket | None = None  # the newest, the only one that is answered
        self.greeted = False  # its first page has been waited for
        self.rested = 0.0  # monotonic time from which the next question is answered


class Run:
    """One run on the direct line: the control's message and the drawings so far.

    `text` is a hash of everything else: elements, containers, which components there are; `wrote` says whether there is
    anything that only Streamlit shows.
    """

    def __init__(self, key: str, message: dict[str, Any]):
        self.key, self.message = key, message
        self.drawings: list[tuple[str, dict[str, Any]]] = []
        self.text = 0
        self.wrote = False

    def draw(self, key: str, data: dict[str, Any]) -> None:
        """Takes the data of component `key`."""
        self.drawings.append((key, data))
        self.text = hash((self.text, key))

    def enqueue(self, sent: Any) -> None:
        """Takes what would go to the browser."""
        if sent.WhichOneof("type") == "delta":
            place = tuple(sent.metadata.delta_path)
            self.text = hash((self.text, place, sent.delta.SerializeToString(deterministic=True)))
            self.wrote |= sent.delta.WhichOneof("type") != "add_block"


# The live sessions by token; a session's own state holds the only other reference.
_sessions: WeakValueDictionary[str, Session] = WeakValueDictionary()
_run: ContextVar[Run | None] = ContextVar("live_run", default=None)
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="live")
_under_way = 0  # runs; counted on the event loop
_last_run: OrderedDict[str, float] = OrderedDict()  # session id → when a run began, Streamlit's or the line's; in order
_lock = Lock()


def current() -> Run | None:
    """The run on the direct line that this code is part of, or None in a run of Streamlit's."""
    return _run.get()


def following(key: str | None = None) -> bool:
    """True while a hand moves (the control `key`, if given) and only drawings count: the moment to leave out what would
    not be seen."""
    run = current()
    return run is not None and key in (None, run.key.removesuffix(".live"))


def offer(key: str, again: str | None = None) -> str | None:
    """Note that the control `key` is being mounted, in this fragment or, `again`, in that one; returns the token for
    its browser, None outside a fragment or where Streamlit cannot be run beside."""
    found = script_runs.here()
    if found is None:
        return None
    context, fragment = found[0], again or found[1]
    session = st.session_state.get(_SESSION)
    if session is None:
        session = st.session_state[_SESSION] = Session(context)
    _sessions[session.token] = session
    session.context = context
    session.fragments[key] = fragment
    session.text.pop(key, None)
    return session.token


def first_drawn(patience: float) -> None:
    """Wait until the visitor's browser has drawn a first control of ours, `patience` s at most; at once if it has.

    A page that is sent in one go is drawn in one go: seconds pass before its top is seen. The browser opens the line
    when the first control is on the page.
    """
    session = st.session_state.get(_SESSION)
    until = time.monotonic() + patience
    while session is not None and session.line is None and not session.greeted and time.monotonic() < until:
        time.sleep(GLANCE)
    if session is not None:
        session.greeted = True


async def answer(token: str, key: str, message: dict[str, Any]) -> dict[str, Any] | None:
    """Run the fragment of control `key` with the browser's `message`.

    Returns `drawings`, pairs of component key and data in the order they were drawn, and `stale`, whether anything else
    that the fragment writes has changed since Streamlit's last run: None where that cannot be told, in the first run
    after it. Returns None if the fragment cannot run beside Streamlit now.
    """
    global _under_way
    session = _sessions.get(token)
    if session is None or key not in session.fragments or not await _free(session):
        return None
    if _under_way >= AT_ONCE or (turn := session.turns.take_at_once()) is None:
        return None
    _under_way += 1
    loop = asyncio.get_running_loop()
    work = loop.run_in_executor(_threads, copy_context().run, _answer, session, turn, key, message)
    work.add_done_callback(_ended)
    return await asyncio.shield(work)  # a line that is cut must not take back a run that has the turn


def _ended(_work: asyncio.Future) -> None:
    global _under_way
    _under_way -= 1


def _answer(session: Session, turn: object, key: str, message: dict[str, Any]) -> dict[str, Any] | None:
    run = Run(key, message)
    _begins(session.context.session_id)
    _run.set(run)
    try:
        ran = script_runs.run_beside(session.context, session.fragments[key], run.enqueue)
    except script_runs.ElsewhereError:
        return None
    except Exception:
        _LOG.exception("A fragment failed on the direct line")
        return None
    finally:
        session.turns.give_back(turn)
    if not ran or not run.wrote:
        return {"drawings": run.drawings, "stale": not ran}
    known = session.text.get(key)
    session.text.setdefault(key, run.text)
    return {"drawings": run.drawings, "stale": None if known is None else known != run.text}


def _begins(session_id: str) -> None:
    """A run begins in this session, Streamlit's or the line's."""
    with _lock:
        _last_run[session_id] = now = time.monotonic()
        _last_run.move_to_end(session_id)
        while next(iter(_last_run.values())) < now - LATELY:
            _last_run.popitem(last=False)


async def _free(session: Session) -> bool:
    """True once no run is under way in this session; False if one goes on or the session is gone."""
    until = time.monotonic() + WAIT
    while True:
        busy = script_runs.under_way(session.context.session_id)
        if busy is None:
            return False
        if not busy and not session.turns.taken():
            return True
        if time.monotonic() > until:
            return False
        await asyncio.sleep(GLANCE)


async def _serve(socket: WebSocket) -> None:
    """One line: refused (403) from a page of another origin, as Streamlit does it, and without a session's secret."""
    token = next(iter(socket.scope["subprotocols"]), "")
    session = _sessions.get(token)
    if session is None or not script_runs.of_this_origin(socket.headers.get("Origin"), socket.headers.get("Host")):
        await socket.close(1008)
        return
    await socket.accept(token)
    before, session.line = session.line, socket
    del session  # the line must not keep a session that has ended
    try:
        if before is not None:
            await before.close(1008)
        await _talk(socket, token)
    except (WebSocketDisconnect, RuntimeError):  # the other end has gone, or the session's newer line has closed this
        pass
    finally:
        session = _sessions.get(token)
        if session is not None and session.line is socket:
            session.line = None


async def _talk(socket: WebSocket, token: str) -> None:
    while True:
        received = await socket.receive()
        asked = _read(received)
        if asked is None:
            await socket.close(1009 if len(received.get("text") or "") > MESSAGE else 1003)
            return
        key, message = asked
        found = await _in_pace(socket, token, key, message)
        reply = {"key": key, "sequence": message.get("sequence"), **(found or {"drawings": None})}
        await socket.send_text(json.dumps(reply, separators=(",", ":"), default=str))


async def _in_pace(socket: WebSocket, token: str, key: str, message: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, once the session has rested from the last one: long enough for the others that are at work."""
    session = _sessions.get(token)
    if session is None:
        return None
    while (rest := session.rested - time.monotonic()) > 0:
        await asyncio.sleep(rest)
    if session.line is not socket:
        raise WebSocketDisconnect(1008)  # while it waited
    began = time.monotonic()
    session.rested = began + PACE
    try:
        return await answer(token, key, message)
    finally:
        took = time.monotonic() - began
        session.rested = max(session.rested, began + took * min(_at_work(), SHARE))


def _at_work() -> int:
    """How many sessions have had a run lately."""
    since = time.monotonic() - LATELY
    with _lock:
        return sum(last >= since for last in _last_run.values())


def _read(received: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Control and message from what came through the web socket; None if a browser of ours never sends that."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005))
    try:
        if len(received["text"]) > MESSAGE:
            return None
        asked = json.loads(received["text"])
        return str(asked["key"]), dict(asked["message"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def route(base: str = "") -> WebSocketRoute:
    """The Starlette route of the direct line under the path `base`; app.py hands it to `st.App(routes=...)`.

    From then on Streamlit's runs wait for those on the line. Where there can be no line, it refuses everybody.
    """
    script_runs.take_turns(_begins)
    return WebSocketRoute(base + PATH, _serve)
