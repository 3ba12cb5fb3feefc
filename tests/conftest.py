"""The running lab. Pages under test run without the door, so it is opened here: ui/ gets Lab World from it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import app  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]


def answers(address: str) -> bool:
    """True when the address answers with 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextlib.contextmanager
def serve(until: str, script: str = "app.py"):
    """The lab (or another app) on a free port, as ``make run`` starts it; yields its address once ``until`` answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 90
        while not answers(address + until):
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                pytest.fail(f"The lab did not start:\n{server.stdout.read().decode()}")
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def server():
    """Address of a running lab whose libraries are loaded."""
    with serve(until="/api/ready") as address:
        yield address


@pytest.fixture
def cold_server():
    """Address of a lab that has just started and has had no visitor; torch is still loading."""
    with serve(until="/_stcore/health") as address:
        yield address


@pytest.fixture(scope="session")
def prose() -> Callable[[AppTest], str]:
    """Function: what a page says in Markdown and in `words`, joined by newlines."""

    def read(at: AppTest) -> str:
        mounted = [json.loads(node.proto.json)[0] for node in at.get("bidi_component")]
        lines = [data["text"] for data in mounted if isinstance(data, dict) and isinstance(data.get("text"), str)]
        return "\n".join([element.value for element in at.markdown] + lines)

    return read
