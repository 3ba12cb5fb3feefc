"""The direct line: while a hand moves, a fragment runs beside Streamlit and only its drawings travel.

A rerun makes Streamlit's page render itself anew in the browser, 50 to 100 ms on a page with a hundred elements,
however little has changed. So while a control moves, its message comes through a web socket of our own; the fragment
that holds the control runs here with its session's state, and what it mounts with `wire.mount` goes back to the
components that are on the page. Everything else the fragment writes is dropped, and the answer says whether it would
have changed; the browser then asks Streamlit for a rerun now and then, and always when the hand lets go.

This is the one module that knows Streamlit's script runs from the inside; tests/ui/components/test_live.py holds it to
them, and wherever it cannot run a fragment it answers so, and the browser takes Streamlit's way.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from contextvars import ContextVar, copy_context
from typing import Any
from weakref import WeakValueDictionary

import streamlit as st
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.errors import FragmentHandledException
from streamlit.runtime import Runtime
from streamlit.runtime.fragment import FragmentStorageKeyError
from streamlit.runtime.scriptrunner import RerunException, StopException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext, ThreadState
from streamlit.runtime.scriptrunner_utils.script_run_context_attr import SCRIPT_RUN_CONTEXT_ATTR_NAME
from streamlit.runtime.state.safe_session_state import SafeSessionState

PATH = "/api/live"
WAIT = 0.1  # s given to the end of a run of Streamlit's: a slider is drawn shortly before its run is over
_SESSION = "live.session"
_LOG = logging.getLogger(__name__)


class Session:
    """One visitor: the context of the last run, the fragment of every control, and the secret that names both."""

    def __init__(self):
        self.token = secrets.token_urlsafe(16)
        self.lock = threading.Lock()
        self.context: ScriptRunContext | None = None
        self.fragments: dict[str, str] = {}
        self.text: dict[str, int] = {}  # per control, the hash of its first run since Streamlit's last


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


def current() -> Run | None:
    """The run on the direct line that this code is part of, or None in a run of Streamlit's."""
    return _run.get()


def following(key: str | None = None) -> bool:
    """True while a hand moves (the control `key`, if given) and only drawings count: the moment to leave out what would
    not be seen."""
    run = current()
    return run is not None and key in (None, run.key.removesuffix(".live"))


def offer(key: str) -> str | None:
    """Note that the control `key` is being mounted; returns the token for its browser, None outside a fragment."""
    context = get_script_run_ctx(suppress_warning=True)
    fragment = ThreadState.get().fragment_id if context is not None else None
    if fragment is None or not Runtime.exists():
        return None
    session = st.session_state.get(_SESSION)
    if session is None:
        session = st.session_state[_SESSION] = Session()
    _sessions[session.token] = session
    session.context = context
    session.fragments[key] = fragment
    session.text.pop(key, None)
    return session.token


def answer(token: str, key: str, message: dict[str, Any]) -> dict[str, Any] | None:
    """Run the fragment of control `key` with the browser's `message`.

    Returns `drawings`, pairs of component key and data in the order they were drawn, and `stale`, whether anything else
    that the fragment writes has changed since Streamlit's last run: None where that cannot be told, in the first run
    after it. Returns None if the fragment cannot run beside Streamlit now.
    """
    session = _sessions.get(token)
    if session is None or key not in session.fragments:
        return None
    with session.lock:
        if not _free(session):
            return None
        return copy_context().run(_answer, session, key, message)


def _answer(session: Session, key: str, message: dict[str, Any]) -> dict[str, Any] | None:
    run = Run(key, message)
    thread = threading.current_thread()
    before = getattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, None)
    failed = False
    _run.set(run)
    try:
        context, fragment = _context(session.context, run), session.fragments[key]
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, context)
        context.reset(context.query_string, page_script_hash=context.page_script_hash, fragment_ids_this_run=[fragment])
        context.fragment_storage.lookup(fragment)()
    except (FragmentStorageKeyError, RerunException, StopException):
        return None
    except FragmentHandledException:
        failed = True  # its sentence is for Streamlit to show
    except Exception:
        _LOG.exception("A fragment failed on the direct line")
        return None
    finally:
        # The thread belongs to the pool: it must not keep the session, nor pass for a part of it.
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, before)
    if failed or not run.wrote:
        return {"drawings": run.drawings, "stale": failed}
    known = session.text.get(key)
    session.text.setdefault(key, run.text)
    return {"drawings": run.drawings, "stale": None if known is None else known != run.text}


def _context(last: ScriptRunContext, run: Run) -> ScriptRunContext:
    """A context like that of the session's last run, whose elements go to `run` instead of the browser."""
    return ScriptRunContext(
        session_id=last.session_id,
        _enqueue=run.enqueue,
        query_string=last.query_string,
        # The last run's own wrapper would end this run whenever Streamlit wants to start another.
        session_state=SafeSessionState(last.session_state._state, lambda: None),
        uploaded_file_mgr=last.uploaded_file_mgr,
        main_script_path=last.main_script_path,
        user_info=last.user_info,
        fragment_storage=last.fragment_storage,
        pages_manager=last.pages_manager,
        on_script_error=last.on_script_error,
    )


def _free(session: Session) -> bool:
    """True once no run of Streamlit's is under way in this session; False if one goes on or the session is gone."""
    until = time.monotonic() + WAIT
    while True:
        info = Runtime.instance()._session_mgr.get_session_info(session.context.session_id)
        if info is None:
            return False
        if info.session._scriptrunner is None:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.004)


async def _serve(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            asked = _read(await socket.receive())
            if asked is None:
                await socket.close(1003)
                return
            token, key, message = asked
            found = await asyncio.to_thread(answer, token, key, message)
            reply = {"key": key, "sequence": message.get("sequence"), **(found or {"drawings": None})}
            await socket.send_text(json.dumps(reply, separators=(",", ":"), default=str))
    except WebSocketDisconnect:
        return


def _read(received: dict[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Token, control and message from what came through the web socket; None if a browser of ours never sends that."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005))
    try:
        asked = json.loads(received["text"])
        return str(asked["token"]), str(asked["key"]), dict(asked["message"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def route() -> WebSocketRoute:
    """The Starlette route of the direct line; app.py hands it to `st.App(routes=...)`."""
    return WebSocketRoute(PATH, _serve)
