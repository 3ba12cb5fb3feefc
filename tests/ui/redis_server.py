"""A Redis server of our own for the time of a test, on a free port, with nothing kept on disk."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from deploy.hall import free_port, redis_program

PATIENCE = 60.0  # s


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """Its address; skips the test, or fails it where CI=true, if this machine has no redis-server."""
    program = redis_program()
    if program is None:
        message = "No redis-server on this machine: install redis-server to test rooms of several processes."
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    port = port or free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < until, "redis-server does not start"
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()
