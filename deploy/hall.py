"""Many servers behind one address: starts HAProxy and the servers of this machine, and keeps them there.

    python -m deploy.hall --processes 4 --port 8501
    python -m deploy.hall --servers 10.0.0.2:8601,10.0.0.3:8601 --port 8501

A process of Python computes on one core, so a hall needs one for each core, here or on other machines. HAProxy gives
every visitor a server, and keeps her there by a cookie. A server that has died is started again; its visitors are with
another one meanwhile, where their pages stand as before, for the address holds their state.

SIGHUP makes all servers anew, one by one, each once it is drained: new visitors go elsewhere, and after `--patience`
seconds the others do. SIGTERM drains them all and ends; SIGINT, or a second SIGTERM, ends at once.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.proxy import GLANCE, Proxy, end, installed

ROOT = Path(__file__).resolve().parents[1]
REDIS_SETTINGS = Path(__file__).with_name("redis.conf")
REDIS = "RECEPTIVE_REDIS"  # environment variable: the address of the Redis that all servers share
STARTING = 240.0  # seconds that a server may take until it is ready
BREATH = 2.0  # seconds before a server that has died is started again
HERE = "127.0.0.1"


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


def answers(address: str) -> bool:
    """Whether the address answers with 200."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def ready(port: int, prefix: str = "") -> bool:
    """Whether the server at this port of this machine answers and has loaded what it needs."""
    return answers(f"http://{HERE}:{port}{prefix}/api/ready")


class Hall:
    """The servers and the HAProxy before them.

    Attributes:
        ports: of this machine's servers. servers: their processes, in the same order; none where those of other
            machines are `elsewhere`, at (host, port). proxy: HAProxy.
        memory: Redis's process, where rooms and votes live that all servers share; None where it is not installed or
            another one is named, and where the servers are elsewhere.
    """

    def __init__(
        self, processes: int, bind: str, prefix: str = "", certificate: str | None = None,
        elsewhere: Sequence[tuple[str, int]] = (), votes: str | None = None,
    ):  # fmt: skip
        self.prefix = prefix
        self.folder = Path(tempfile.mkdtemp(prefix="receptive-hall-"))
        self.votes = Path(votes or self.folder).resolve()
        self.ports = [] if elsewhere else [free_port() for _ in range(processes)]
        self.proxy = Proxy(elsewhere or [(HERE, port) for port in self.ports], bind, self.folder, prefix, certificate)
        # What one server signs, another must believe.
        shared = {"STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32), "PYTHONPATH": str(ROOT)}
        threads = str(max(1, (os.cpu_count() or 1) // processes))
        self.environment = {"OMP_NUM_THREADS": threads, **os.environ, **shared}
        ours = self.ports and REDIS not in os.environ
        self.memory = self._memory() if ours and redis_program() else None
        if self.memory:
            self.environment[REDIS] = f"unix://{self.folder / 'redis.sock'}"
        self.servers = [self._server(number) for number in range(len(self.ports))]
        self.died: dict[int, float] = {}  # number of a server → when it was found dead

    def _memory(self) -> subprocess.Popen:
        # No port, so nobody else can ask it.
        command = [redis_program(), str(REDIS_SETTINGS), "--port", "0", "--unixsocket", str(self.folder / "redis.sock"),
                   "--unixsocketperm", "600", "--dir", str(self.votes)]  # fmt: skip
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _server(self, number: int) -> subprocess.Popen:
        port = self.ports[number]
        options = [f"--server.port={port}", f"--server.address={HERE}", "--server.headless=true"]
        options += [f"--server.baseUrlPath={self.prefix}"] if self.prefix else []
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
        server = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL)
        print(f"Server {number + 1} is process {server.pid}, port {port}.", flush=True)
        return server

    def open(self) -> None:
        """Wait until every server of this machine is ready, and let visitors in.

        Raises:
            RuntimeError: a server ended or was not ready in time, or HAProxy did not start.
        """
        until = time.monotonic() + STARTING
        for port, server in zip(self.ports, self.servers, strict=True):
            while not ready(port, self.prefix):
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("A server did not start; what it said stands above.")
                time.sleep(GLANCE)
        self.proxy.open()

    def look(self) -> None:
        """Start again what has died.

        Raises:
            RuntimeError: HAProxy has ended.
        """
        if self.proxy.process is not None and self.proxy.process.poll() is not None:
            raise RuntimeError("HAProxy has ended.")
        if self.memory is not None and self.memory.poll() is not None:
            print("Redis has ended and is started again.", flush=True)
            self.memory = self._memory()
        now = time.monotonic()
        for number, server in enumerate(self.servers):
            if server.poll() is None:
                continue
            if number not in self.died:
                print(f"Server {number + 1} has ended ({server.returncode}) and is started again.", flush=True)
                self.died[number] = now
            elif now - self.died[number] >= BREATH:
                del self.died[number]
                self.servers[number] = self._server(number)

    def renew(self, patience: float, hurry: Callable[[], bool] = bool) -> None:
        """All servers of this machine anew, one after the other, each drained before it is stopped; `hurry` says
        whether to leave it at that. One server alone is away until it is ready again."""
        for number, (port, name) in enumerate(zip(self.ports, self.proxy.names, strict=False)):
            self.proxy.drain([name], patience, hurry)
            if hurry():
                return
            self.proxy.send_away(name)
            end(self.servers[number])
            self.servers[number] = self._server(number)
            until = time.monotonic() + STARTING
            while not ready(port, self.prefix) and self.servers[number].poll() is None and time.monotonic() < until:
                if hurry():
                    return
                time.sleep(GLANCE)
            self.proxy.tell(f"set server {name} state ready")
            print(f"Server {number + 1} is new.", flush=True)

    def close(self) -> None:
        """End everything; nothing is left behind."""
        self.proxy.close()
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            end(server)
        if self.memory is not None:
            end(self.memory)
        shutil.rmtree(self.folder, ignore_errors=True)


def redis_program() -> str | None:
    """Redis's server, or Valkey's, which is the same for us; None where neither is installed."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def addresses(text: str) -> list[tuple[str, int]]:
    """The (host, port) of "10.0.0.2:8601,10.0.0.3:8601".

    >>> addresses("10.0.0.2:8601, lab.example:80")
    [('10.0.0.2', 8601), ('lab.example', 80)]
    """
    found = [re.fullmatch(r"([\w.-]+):(\d{1,5})", each.strip()) for each in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 10.0.0.2:8601,10.0.0.3:8601")
    return [(each[1], int(each[2])) for each in found if each]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m deploy.hall", description=__doc__.splitlines()[0])
    top.add_argument("--processes", type=int, choices=range(1, 65), metavar="N", default=os.cpu_count() or 1,
                     help="servers, 1 to 64 (default: one for each core)")  # fmt: skip
    top.add_argument("--servers", type=addresses, default=[], metavar="HOST:PORT,…",
                     help="servers that run on other machines, in place of those of this one")  # fmt: skip
    top.add_argument("--address", default=HERE, help="where to listen (0.0.0.0: on all networks)")
    top.add_argument("--port", type=int, default=8501)
    top.add_argument("--prefix", default="", help="serve under this path, such as /lab")
    top.add_argument("--certificate", help="a PEM file with certificate and key: serve by https")
    top.add_argument("--patience", type=float, default=20.0, help="seconds to drain a server before it is stopped")
    top.add_argument("--votes", metavar="FOLDER", help="where rooms and votes outlast the hall (default: nowhere)")
    return top


def main(words: Sequence[str] | None = None) -> int:
    given = parser().parse_args(words)
    if not installed():
        print("HAProxy is not installed: apt-get install haproxy, or `make run` for one server.", file=sys.stderr)
        return 1
    if missing := next((each for each in (given.certificate, given.votes) if each and not Path(each).exists()), None):
        print(f"There is no {missing}.", file=sys.stderr)
        return 1
    prefix = f"/{given.prefix.strip('/')}" if given.prefix.strip("/") else ""
    asked: list[int] = []
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _frame: asked.append(number))
    hall = Hall(given.processes, f"{given.address}:{given.port}", prefix, given.certificate, given.servers, given.votes)
    try:
        hall.open()
        scheme = "https" if given.certificate else "http"
        if hall.ports and hall.memory is None and REDIS not in os.environ:
            print("Redis is not installed, so no class can open a room here: apt-get install redis-server.", flush=True)
        print(f"{len(hall.proxy.names)} servers at {scheme}://{given.address}:{given.port}{prefix}", flush=True)
        while signal.SIGINT not in asked and signal.SIGTERM not in asked:
            if asked:
                asked.clear()
                hall.renew(given.patience, lambda: bool({signal.SIGINT, signal.SIGTERM} & set(asked)))
                continue
            hall.look()
            time.sleep(GLANCE)
        if signal.SIGINT not in asked:
            hall.proxy.drain(hall.proxy.names, given.patience, lambda: len(asked) > 1)
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        hall.close()


if __name__ == "__main__":
    sys.exit(main())
