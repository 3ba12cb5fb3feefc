"""Who has left is forgotten: a session without a browser is closed when its time is over, and what it held is freed.

Streamlit keeps a session for `server.disconnectedSessionTTL` seconds, in case its browser comes back, but looks for
those whose time is over only when the next one leaves, and forgets them then, as it does when more than 128 are kept,
without closing them: their files stay. So whom its store lets go is handed over here.

Sessions refer to themselves, so only the garbage collector frees them; it stops everybody while it works and therefore
runs when nobody is being served. It never looks at what was there when the libraries had been loaded (ui/warmup.py),
and some sessions were. So what a session holds is let go by hand.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ui.streamlit_inside import Inside

inside = Inside("what departed students held is freed when the next one leaves")
with inside:
    from streamlit.runtime import Runtime
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.memory_session_storage import MemorySessionStorage
    from streamlit.runtime.session_manager import SessionInfo
    from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

    inside.needs(Runtime, "exists", "instance", "_session_mgr")
    inside.needs(WebsocketSessionManager, "_session_storage", "list_active_sessions")
    inside.needs(MemorySessionStorage, "_cache", "save")
    inside.needs(SessionInfo, "session")
    inside.needs(AppSession, "shutdown", "session_state", "_scriptrunner")

EVERY = 10.0  # seconds between two looks
PATIENCE = 15.0  # seconds that the collection waits for a moment in which nobody is served
GLANCE = 0.02  # seconds between two looks for such a moment

_LOG = logging.getLogger(__name__)
_over: deque[Any] = deque()  # sessions to be closed


def hand_over() -> None:
    """From now on whom Streamlit's store of sessions lets go is closed at the next look; a second call does nothing."""
    if inside.there and not hasattr(MemorySessionStorage.save, "hands_over"):
        MemorySessionStorage.save = handing_over(MemorySessionStorage.save)


def handing_over(save: Callable[..., None]) -> Callable[..., None]:
    """`MemorySessionStorage.save` that makes room before Streamlit would."""

    @functools.wraps(save)
    def saved(self, session_info):
        _over.extend(info.session for _, info in self._cache.expire())
        while len(self._cache) >= self._cache.maxsize:
            _over.append(self._cache.popitem()[1].session)
        return save(self, session_info)

    saved.hands_over = True
    return saved


def close_expired() -> int:
    """Close the sessions whose time is over; returns how many."""
    if not inside.there or not Runtime.exists():
        return 0
    _over.extend(info.session for _, info in Runtime.instance()._session_mgr._session_storage._cache.expire())
    closed = len(_over)
    while _over:
        close(_over.popleft())
    return closed


def close(session: AppSession) -> None:
    """Close a session, and let go what it holds unless a last run is still at it."""
    session.shutdown()
    if session._scriptrunner is None:
        session.session_state.clear()


def quiet() -> bool:
    """True while no page is being run for anybody."""
    if not inside.there or not Runtime.exists():
        return True
    sessions = Runtime.instance()._session_mgr.list_active_sessions()
    return all(each.session._scriptrunner is None for each in sessions)


def collect() -> None:
    """Free what nobody refers to, and give the memory back to the system."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was freed
    except (OSError, AttributeError, TypeError):  # another C library
        pass


async def watch(every: float = EVERY, patience: float = PATIENCE) -> None:
    """Close what is over, and collect after that, until cancelled."""
    hand_over()
    while True:
        await asyncio.sleep(every)
        try:
            if close_expired():
                until = time.monotonic() + patience
                while not quiet() and time.monotonic() < until:
                    await asyncio.sleep(GLANCE)
                collect()
        except Exception:
            _LOG.exception("Departed sessions could not be freed")
