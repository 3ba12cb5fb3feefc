"""Streamlit's script runs from the inside: a fragment run beside them, and turns that both take.

`live` builds the direct line on this. tests/ui/components/test_live.py holds it to the pinned Streamlit; where a part
is missing, `inside.there` is False, nothing here is called, and no line is offered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from ui.streamlit_inside import Inside
from ui.turns import TO_THE_END, Turns

inside = Inside("no direct line, every move of a control waits for a rerun")
with inside:
    from streamlit.errors import FragmentHandledException, FragmentStorageKeyError
    from streamlit.runtime import Runtime
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.fragment import MemoryFragmentStorage
    from streamlit.runtime.scriptrunner import RerunException, ScriptRunner, StopException
    from streamlit.runtime.scriptrunner_utils.script_run_context import (
        FragmentThreadState,
        ScriptRunContext,
        ThreadState,
        get_script_run_ctx,
    )
    from streamlit.runtime.scriptrunner_utils.script_run_context_attr import SCRIPT_RUN_CONTEXT_ATTR_NAME
    from streamlit.runtime.session_manager import SessionInfo
    from streamlit.runtime.state.safe_session_state import SafeSessionState
    from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
    from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

    inside.needs(Runtime, "exists", "instance", "_session_mgr")
    inside.needs(WebsocketSessionManager, "get_session_info")
    inside.needs(SessionInfo, "session")
    inside.needs(AppSession, "_scriptrunner")
    inside.needs(ScriptRunner, "_run_script", "_session_id", "_fragment_storage")
    inside.needs(MemoryFragmentStorage, "lookup")
    inside.needs(ThreadState, "get")
    inside.needs(FragmentThreadState, "fragment_id")
    inside.needs(SafeSessionState, "_state")
    # A context is copied by the names of its fields; `reset` begins its run.
    COPIED = ("session_id", "query_string", "uploaded_file_mgr", "main_script_path", "user_info", "fragment_storage",
              "pages_manager", "on_script_error")  # fmt: skip
    inside.needs(ScriptRunContext, *COPIED, "_enqueue", "session_state", "page_script_hash", "reset",
                 "fragment_ids_this_run")  # fmt: skip

_TURNS = "_receptive_turns"  # attribute of a session's store of fragments


class ElsewhereError(Exception):
    """The fragment cannot run beside Streamlit."""


def here() -> tuple[ScriptRunContext, str] | None:
    """The context of this run and the fragment in it; None outside a fragment and without a server."""
    if not inside.there:
        return None
    context = get_script_run_ctx(suppress_warning=True)
    fragment = ThreadState.get().fragment_id if context is not None else None
    return None if fragment is None or not Runtime.exists() else (context, fragment)


def fragment_alone() -> bool:
    """Whether this run is one of a fragment, Streamlit's or the line's, and not of the whole page."""
    context = get_script_run_ctx(suppress_warning=True) if inside.there else None
    return context is not None and bool(context.fragment_ids_this_run)


def under_way(session_id: str) -> bool | None:
    """Whether Streamlit runs something for this session now; None if the session is gone."""
    info = Runtime.instance()._session_mgr.get_session_info(session_id)
    return None if info is None else info.session._scriptrunner is not None


def of_this_origin(origin: str | None, host: str | None) -> bool:
    """Whether a page of this origin may speak with this host: Streamlit's own rule."""
    return _is_origin_allowed(origin, host)


def turns(storage: Any) -> Turns:
    """The turns of the runs, Streamlit's and the line's, in the session of this store of fragments.

    First come, first served: a run of Streamlit's that has been stopped before it began still brings its older values,
    and must not bring them after the newer ones.
    """
    return vars(storage).setdefault(_TURNS, Turns(1, TO_THE_END))


def take_turns(begins: Callable[[str], None]) -> None:
    """From now on a run of Streamlit's waits for the one on the line of its session, whose id `begins` is told first.

    A second call does nothing.
    """
    if inside.there and not hasattr(ScriptRunner._run_script, "in_turn"):
        ScriptRunner._run_script = _in_turn(ScriptRunner._run_script, begins)


def _in_turn(run_script: Callable[..., Any], begins: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(run_script)
    def run(self, *given, **named):
        begins(self._session_id)
        with turns(self._fragment_storage).turn():
            return run_script(self, *given, **named)

    run.in_turn = True
    return run


def run_beside(last: ScriptRunContext, fragment: str, enqueue: Callable[[Any], None]) -> bool:
    """Run the fragment with the state of the session whose last run had the context `last`; `enqueue` takes what would
    go to the browser. Returns False if it failed and only Streamlit can say how.

    Raises ElsewhereError if it wants to stop or rerun, or is no longer there.
    """
    thread = threading.current_thread()
    before = getattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, None)
    try:
        context = _like(last, enqueue)
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, context)
        context.reset(context.query_string, page_script_hash=context.page_script_hash, fragment_ids_this_run=[fragment])
        context.fragment_storage.lookup(fragment)()
    except (FragmentStorageKeyError, RerunException, StopException) as error:
        raise ElsewhereError from error
    except FragmentHandledException:
        return False
    finally:
        # The thread belongs to a pool: it must not keep the session, nor pass for a part of it.
        setattr(thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, before)
    return True


def _like(last: ScriptRunContext, enqueue: Callable[[Any], None]) -> ScriptRunContext:
    """A context like that of the session's last run, whose elements go to `enqueue` instead of the browser."""
    # The last run's own wrapper of the state would end this run whenever Streamlit wants to start another.
    state = SafeSessionState(last.session_state._state, lambda: None)
    return ScriptRunContext(_enqueue=enqueue, session_state=state, **{name: getattr(last, name) for name in COPIED})
