"""Starts the apps of tests/browser/apps for the component tests, each on a port of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "tests" / "browser" / "apps"


def free_port() -> int:
    """A port nobody listens on, 8611 if it is free."""
    for port in (8611, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise OSError("no free port")


@contextmanager
def running(app: str = "components_app") -> Iterator[str]:
    """The address of the running `app`, e.g. "http://127.0.0.1:8611"; the server ends with the block."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(APPS / f"{app}.py"), f"--server.port={port}",
               "--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none",
               "--runner.postScriptGC=false", "--browser.gatherUsageStats=false"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            if server.poll() is not None:
                raise RuntimeError("the component app did not start; run it by hand to see why")
            try:
                if urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("the component app did not answer within 90 s")
        yield address
    finally:
        server.terminate()
        server.wait(10)
