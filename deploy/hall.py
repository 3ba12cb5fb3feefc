"""Many servers of this machine behind one address: starts them and HAProxy, and keeps them there.

    python -m deploy.hall --processes 4 --port 8501

A process of Python computes on one core, so a hall needs one for each core. HAProxy gives every visitor a server, and
keeps her there by a cookie. A server that has died is started again; its visitors are with another one meanwhile, where
their pages stand as before, for the address holds their state. SIGHUP makes all servers anew, one by one, each
once new visitors have gone elsewhere for `--patience` seconds; SIGINT and SIGTERM end everything.
"""

from __future__ import annotations

import argparse
import os
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
from collections.abc import Sequence
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = Path(__file__).with_name("haproxy.cfg")
WAITING = Path(__file__).with_name("waiting.html")
REDIS = "RECEPTIVE_REDIS"  # environment variable: the address of the Redis that all servers share
STARTING = 240.0  # seconds that a server may take until it is ready
GLANCE = 0.2  # seconds between two looks at the processes
BREATH = 2.0  # seconds before a server that has died is started again
LEAVING = 10.0  # seconds that a process has to end by itself


def configuration(
    servers: Sequence[tuple[str, int]], bind: str, socket_path: str, prefix: str = "", certificate: str | None = None
) -> str:
    """HAProxy's configuration for servers at (host, port), which listens at `bind` ("127.0.0.1:8501").

    `prefix` ("" or "/lab") is the path under which they serve, `certificate` a PEM file with certificate and key.

    >>> print(configuration([("10.0.0.1", 8601)], ":443", "/run/x", certificate="lab.pem").splitlines()[-1].strip())
    server lab1 10.0.0.1:8601 cookie lab1
    """
    lines = [f"    server lab{n} {host}:{port} cookie lab{n}" for n, (host, port) in enumerate(servers, 1)]
    secure = f" ssl crt {certificate} alpn h2,http/1.1" if certificate else ""
    return Template(TEMPLATE.read_text()).substitute(
        bind=bind + secure, socket=socket_path, prefix=prefix, waiting=WAITING, servers="\n".join(lines)
    )


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready(port: int, prefix: str = "") -> bool:
    """Whether the server at this port of this machine answers and has loaded what it needs."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{prefix}/api/ready", timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


class Hall:
    """The servers and the HAProxy before them.

    Attributes:
        ports: of the servers, on 127.0.0.1. servers: their processes, in the same order. proxy: HAProxy's.
        memory: Redis's process, where rooms and votes live that all servers share; None where it is not installed or
            another one is named.
    """

    def __init__(self, processes: int, bind: str, prefix: str = "", certificate: str | None = None):
        self.prefix, self.bind, self.certificate = prefix, bind, certificate
        self.folder = Path(tempfile.mkdtemp(prefix="receptive-hall-"))
        self.ports = [free_port() for _ in range(processes)]
        # What one server signs, another must believe.
        shared = {"STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32), "PYTHONPATH": str(ROOT)}
        threads = str(max(1, (os.cpu_count() or 1) // processes))
        self.environment = {"OMP_NUM_THREADS": threads, **os.environ, **shared}
        self.memory = self._memory() if REDIS not in os.environ and shutil.which("redis-server") else None
        if self.memory:
            self.environment[REDIS] = f"unix://{self.folder / 'redis.sock'}"
        self.servers = [self._server(number) for number in range(processes)]
        self.died: dict[int, float] = {}  # number of a server → when it was found dead
        self.proxy: subprocess.Popen | None = None

    def _memory(self) -> subprocess.Popen:
        # No port, so nobody else can ask it; every vote is written down before it is confirmed.
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.folder / "redis.sock"), "--unixsocketperm",
                   "600", "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                   "--loglevel", "warning"]  # fmt: skip
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _server(self, number: int) -> subprocess.Popen:
        port = self.ports[number]
        options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
        options += [f"--server.baseUrlPath={self.prefix}"] if self.prefix else []
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
        server = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL)
        print(f"Server {number + 1} is process {server.pid}, port {port}.", flush=True)
        return server

    def open(self) -> None:
        """Wait until every server is ready, and let visitors in.

        Raises:
            RuntimeError: a server ended or was not ready in time, or HAProxy did not start.
        """
        until = time.monotonic() + STARTING
        for port, server in zip(self.ports, self.servers, strict=True):
            while not ready(port, self.prefix):
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("A server did not start; what it said stands above.")
                time.sleep(GLANCE)
        where = [("127.0.0.1", port) for port in self.ports]
        file = self.folder / "haproxy.cfg"
        file.write_text(configuration(where, self.bind, str(self.socket), self.prefix, self.certificate))
        self.proxy = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(file)], stdin=subprocess.DEVNULL)
        until = time.monotonic() + LEAVING
        while not self.socket.exists():
            if self.proxy.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"HAProxy did not start at {self.bind}; what it said stands above.")
            time.sleep(0.05)

    @property
    def socket(self) -> Path:
        """HAProxy's socket for commands."""
        return self.folder / "haproxy.sock"

    def tell(self, command: str) -> str:
        """A command to HAProxy, such as "show stat", and its answer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LEAVING)
            line.connect(str(self.socket))
            line.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: line.recv(65536), b"")).decode().strip()

    def look(self) -> None:
        """Start again what has died.

        Raises:
            RuntimeError: HAProxy has ended.
        """
        if self.proxy is not None and self.proxy.poll() is not None:
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

    def renew(self, patience: float) -> None:
        """All servers anew, one after the other. New visitors go elsewhere for `patience` seconds before the old ones
        do; one server alone is away until it is ready again."""
        for number, port in enumerate(self.ports):
            name = f"lab/lab{number + 1}"
            self.tell(f"set server {name} state drain")
            time.sleep(patience)
            self.tell(f"set server {name} state maint")  # and its visitors go to another one
            self.tell(f"shutdown sessions server {name}")
            end(self.servers[number])
            self.servers[number] = self._server(number)
            until = time.monotonic() + STARTING
            while not ready(port, self.prefix) and self.servers[number].poll() is None and time.monotonic() < until:
                time.sleep(GLANCE)
            self.tell(f"set server {name} state ready")
            print(f"Server {number + 1} is new.", flush=True)

    def close(self) -> None:
        """End everything; nothing is left behind."""
        if self.proxy is not None:
            end(self.proxy)
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            end(server)
        if self.memory is not None:
            end(self.memory)
        shutil.rmtree(self.folder, ignore_errors=True)


def end(process: subprocess.Popen) -> None:
    """Let a process end by itself, or end it."""
    process.terminate()
    try:
        process.wait(LEAVING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m deploy.hall", description=__doc__.splitlines()[0])
    top.add_argument("--processes", type=int, choices=range(1, 65), metavar="N", default=os.cpu_count() or 1,
                     help="servers, 1 to 64 (default: one for each core)")  # fmt: skip
    top.add_argument("--address", default="127.0.0.1", help="where to listen (0.0.0.0: on all networks)")
    top.add_argument("--port", type=int, default=8501)
    top.add_argument("--prefix", default="", help="serve under this path, such as /lab")
    top.add_argument("--certificate", help="a PEM file with certificate and key: serve by https")
    top.add_argument("--patience", type=float, default=20.0, help="seconds to drain a server before it is made anew")
    return top


def main(words: Sequence[str] | None = None) -> int:
    given = parser().parse_args(words)
    if shutil.which("haproxy") is None:
        print("HAProxy is not installed: apt-get install haproxy, or `make run` for one server.", file=sys.stderr)
        return 1
    prefix = f"/{given.prefix.strip('/')}" if given.prefix.strip("/") else ""
    asked: list[int] = []
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _frame: asked.append(number))
    hall = Hall(given.processes, f"{given.address}:{given.port}", prefix, given.certificate)
    try:
        hall.open()
        scheme = "https" if given.certificate else "http"
        if hall.memory is None and REDIS not in os.environ:
            print("Redis is not installed, so no class can open a room here: apt-get install redis-server.", flush=True)
        print(f"{given.processes} servers at {scheme}://{given.address}:{given.port}{prefix}", flush=True)
        while True:
            if signal.SIGINT in asked or signal.SIGTERM in asked:
                return 0
            if asked:
                asked.clear()
                hall.renew(given.patience)
            hall.look()
            time.sleep(GLANCE)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        hall.close()


if __name__ == "__main__":
    sys.exit(main())
