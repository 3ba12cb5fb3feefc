"""Streamlit servers for the time of a measurement, on 127.0.0.1, as ``make run`` and ``make hall`` start them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.hall import answers, free_port
from deploy.proxy import end

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 240.0  # seconds until a server must be ready
LEAVING = 30.0  # seconds that it has to end by itself: a hall ends all of its own first


@dataclass(frozen=True)
class Server:
    """A running server: its `address` without a slash at the end, its process id, and the file with its output."""

    address: str
    process: int

    printed: Path | None = None  # what it has written so far
    hall: bool = False  # the process only keeps servers, which are its children

    def memory(self) -> float:
        """Resident memory in MB (10⁶ bytes): of the server process, or of a hall with all its servers."""
        listed = self._listed("rss")
        if not listed:
            raise RuntimeError("the server has ended, so its memory cannot be read; see its output")
        return sum(map(int, listed)) * 1024 / 1e6

    def seconds(self) -> float | None:
        """Seconds that its processes have computed so far: the server, or a hall with its servers, HAProxy and Redis.
        None where the system does not keep them in /proc."""
        try:
            lines = [Path(f"/proc/{each}/stat").read_text() for each in {self.process, *map(int, self._listed("pid"))}]
        except OSError:
            return None
        ticks = [sum(map(int, line.rpartition(")")[2].split()[11:13])) for line in lines]
        return sum(ticks) / os.sysconf("SC_CLK_TCK")

    def reruns(self) -> tuple[int, int] | None:
        """Reruns of a fragment that were shared with another session so far, and those that were run; of all servers of
        a hall. None if one of them does not say."""
        ports = re.findall(r"--server\.port[= ](\d+)", "\n".join(self._listed("args")))
        try:
            told = [json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health")) for port in ports]
            return sum(each["shared"] for each in told), sum(each["run"] for each in told)
        except (OSError, KeyError, ValueError):
            return None

    def _listed(self, column: str) -> list[str]:
        """What ps says of its process, and of those that a hall keeps: a line each, none for one that has ended."""
        which = ["-p", str(self.process), *(["--ppid", str(self.process)] if self.hall else [])]
        return subprocess.run(
            ["ps", "-ww", "-o", f"{column}=", *which], capture_output=True, text=True
        ).stdout.splitlines()


@contextlib.contextmanager
def serve(script: str, ready: str, *options: str, root: Path = ROOT) -> Iterator[Server]:
    """The app `script` (path under `root`, the repository) on a free port, once `ready` (a path) answers; ends with the
    block. `options` are Streamlit's, such as --server.baseUrlPath=lab.

    It runs in `root`, so that .streamlit/config.toml holds for it. Raises RuntimeError, with the end of
    what the server has printed, if it does not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}",
               "--server.address=127.0.0.1", "--server.headless=true", *options]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    with running(command, root, lambda: answers(f"{address}{ready}"), script) as (process, printed):
        yield Server(address, process, printed)


@contextlib.contextmanager
def serve_hall(processes: int) -> Iterator[Server]:
    """The lab as so many servers behind HAProxy (deploy/hall.py), once all are ready; ends with the block.

    Raises RuntimeError as `serve` does.
    """
    port = free_port()
    command = [sys.executable, "-m", "deploy.hall", f"--processes={processes}", f"--port={port}"]
    address = f"http://127.0.0.1:{port}"
    with running(command, ROOT, lambda: answers(f"{address}/api/ready"), "the hall") as (process, printed):
        yield Server(address, process, printed, hall=True)


@contextlib.contextmanager
def running(command: list[str], root: Path, there: Callable[[], bool], what: str) -> Iterator[tuple[int, Path]]:
    """`command`, run in `root`, once it is `there`: its process id and file of output; ends with the block."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with tempfile.NamedTemporaryFile() as printed:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=printed, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while not there():
                if process.poll() is not None or time.monotonic() > deadline:
                    printed.seek(0)
                    tail = printed.read().decode(errors="replace")[-2000:]
                    raise RuntimeError(f"{what} did not start within {PATIENCE:.0f} s:\n{tail}")
                time.sleep(0.1)
            yield process.pid, Path(printed.name)
        finally:
            end(process, LEAVING)


async def at_both(read: Callable[[], Any], clock: float, end: float) -> tuple[Any, Any]:
    """What `read`, called in a thread, tells at two moments (event loop seconds)."""
    now = asyncio.get_running_loop().time
    await asyncio.sleep(max(0.0, clock - now()))
    before = await asyncio.to_thread(read)
    await asyncio.sleep(max(0.0, end - now()))
    return before, await asyncio.to_thread(read)


async def computed(server: Server, clock: float, end: float) -> float | None:
    """Seconds that the server computes between two moments (event loop seconds)."""
    before, after = await at_both(server.seconds, clock, end)
    return None if before is None or after is None else after - before
