"""Who has left is forgotten: a session without a browser is closed when its time is over, and what it held is freed.

Streamlit keeps a session for `server.disconnectedSessionTTL` seconds, in case its browser comes back, but looks for
those whose time is over only when the next one leaves. Sessions refer to themselves, so only the garbage collector
frees them; it stops everybody while it works and therefore runs when nobody is being served (see ui/warmup.py).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import time

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
    inside.needs(MemorySessionStorage, "_cache")
    inside.needs(SessionInfo, "session")
    inside.needs(AppSession, "shutdown", "_scriptrunner")

EVERY = 10.0  # seconds between two looks
PATIENCE = 15.0  # seconds that the collection waits for a moment in which nobody is served
GLANCE = 0.02  # seconds between two looks for such a moment

_LOG = logging.getLogger(__name__)


def close_expired() -> int:
    """Close the stored sessions whose time is over; returns how many."""
    if not inside.there or not Runtime.exists():
        return 0
    stored = Runtime.instance()._session_mgr._session_storage._cache.expire()
    for _, info in stored:
        info.session.shutdown()
    return len(stored)


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
