"""Servers in this process, for tests that look at both ends: uvicorn in a thread, web sockets as Streamlit has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.runtime import Runtime

from ui.components import live, routes

PATIENCE = 60.0  # seconds until a server must have started
LEAVING = 20.0  # seconds that it has to end


@contextmanager
def served(app: Any, **options: Any) -> Iterator[str]:
    """An ASGI app on a free port; yields host and port. `options` are those of `uvicorn.Config`."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="websockets-sansio", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive() and time.monotonic() < until
        time.sleep(0.02)
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(LEAVING)


@contextmanager
def streamlit_served(script: Path, middleware: Sequence[Middleware] = (), **options: Any) -> Iterator[str]:
    """A script of Streamlit's with the direct line, beside whatever runtime this process has; as `served`."""
    before = Runtime._instance
    Runtime._instance = None
    app = st.App(script, routes=[live.route(), *routes()], middleware=list(middleware))
    with served(app, **options) as address:
        yield address
        kept = Runtime.instance()._session_mgr._session_storage
    for departed in kept.list():  # a stopped server closes only those who are there
        departed.session.shutdown()
    Runtime._instance = before
