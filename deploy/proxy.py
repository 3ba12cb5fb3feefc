"""HAProxy before the servers: its configuration, its process, and the words with which it is told what to do."""

from __future__ import annotations

import csv
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("haproxy.cfg")
WAITING = Path(__file__).with_name("waiting.html")
LEAVING = 10.0  # seconds that a process has to end by itself
GLANCE = 0.2  # seconds between two looks


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


def installed() -> bool:
    """Whether this machine has HAProxy."""
    return shutil.which("haproxy") is not None


def tell(line: Path, command: str) -> str:
    """A command to the HAProxy that listens at the socket `line`, such as "show stat", and its answer."""
    with socket.socket(socket.AF_UNIX) as end_of_line:
        end_of_line.settimeout(LEAVING)
        end_of_line.connect(str(line))
        end_of_line.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: end_of_line.recv(65536), b"")).decode().strip()


def statistics(line: Path) -> dict[str, dict[str, str]]:
    """What HAProxy knows of each server, by its name ("lab/lab1"): columns of "show stat", such as "status"."""
    rows = csv.DictReader(tell(line, "show stat").removeprefix("# ").splitlines())
    return {f"{row['pxname']}/{row['svname']}": row for row in rows}


class Proxy:
    """HAProxy before the servers at (host, port); its files lie in `folder`. `process` is None until `open`."""

    def __init__(
        self, servers: Sequence[tuple[str, int]], bind: str, folder: Path, prefix: str = "",
        certificate: str | None = None,
    ):  # fmt: skip
        self.names = [f"lab/lab{number}" for number in range(1, len(servers) + 1)]
        self.bind, self.socket, self.file = bind, folder / "haproxy.sock", folder / "haproxy.cfg"
        self.file.write_text(configuration(servers, bind, str(self.socket), prefix, certificate))
        self.process: subprocess.Popen | None = None

    def open(self) -> None:
        """Let visitors in.

        Raises:
            RuntimeError: HAProxy did not start.
        """
        self.process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(self.file)], stdin=subprocess.DEVNULL)
        until = time.monotonic() + LEAVING
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"HAProxy did not start at {self.bind}; what it said stands above.")
            time.sleep(0.05)

    def tell(self, command: str) -> str:
        """As `tell` does."""
        return tell(self.socket, command)

    def visited(self, names: Sequence[str]) -> bool:
        """Whether anybody is connected to one of these servers."""
        table = statistics(self.socket)
        return any(int(table[name]["scur"]) for name in names)

    def drain(self, names: Sequence[str], patience: float, hurry: Callable[[], bool] = bool) -> None:
        """New visitors go elsewhere, or are told to wait where there is no elsewhere. Ends when the others have left,
        after `patience` seconds, or when `hurry` says so."""
        for name in names:
            self.tell(f"set server {name} state drain")
        until = time.monotonic() + patience
        while time.monotonic() < until and not hurry() and self.visited(names):
            time.sleep(min(GLANCE, patience))

    def send_away(self, name: str) -> None:
        """The visitors of a server go to another one."""
        self.tell(f"set server {name} state maint")
        self.tell(f"shutdown sessions server {name}")

    def close(self) -> None:
        if self.process is not None:
            end(self.process)


def end(process: subprocess.Popen, patience: float = LEAVING) -> None:
    """Let a process end by itself within `patience` seconds, or end it."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
