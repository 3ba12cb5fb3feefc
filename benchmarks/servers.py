"""Streamlit servers for the time of a measurement, on 127.0.0.1, as ``make run`` starts them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 240.0  # seconds until a server must be ready


@dataclass(frozen=True)
class Server:
    """A running server: its `address` without a slash at the end, its process id, and the file with its output."""

    address: str
    process: int

    printed: Path | None = None  # what it has written so far

    def memory(self) -> float:
        """Resident memory of the server process in MB (10⁶ bytes)."""
        listed = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process)], capture_output=True, text=True)
        if not listed.stdout.strip():
            raise RuntimeError("the server has ended, so its memory cannot be read; see its output")
        return int(listed.stdout) * 1024 / 1e6


def answers(address: str) -> bool:
    """True when the address answers with 200."""
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return response.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextlib.contextmanager
def serve(script: str, ready: str, *options: str, root: Path = ROOT) -> Iterator[Server]:
    """The app `script` (path under `root`, the repository) on a free port, once `ready` (a path) answers; ends with the
    block. `options` are Streamlit's, such as --server.baseUrlPath=lab.

    It runs in `root`, so that .streamlit/config.toml holds for it. Raises RuntimeError, with the end of
    what the server has printed, if it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}",
               "--server.address=127.0.0.1", "--server.headless=true", *options]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with tempfile.NamedTemporaryFile() as printed:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=printed, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while not answers(f"http://127.0.0.1:{port}{ready}"):
                if process.poll() is not None or time.monotonic() > deadline:
                    printed.seek(0)
                    tail = printed.read().decode(errors="replace")[-2000:]
                    raise RuntimeError(f"{script} did not start within {PATIENCE:.0f} s:\n{tail}")
                time.sleep(0.1)
            yield Server(f"http://127.0.0.1:{port}", process.pid, Path(printed.name))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
