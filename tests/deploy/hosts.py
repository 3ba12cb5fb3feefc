"""Three hosts on this machine: network namespaces with a cable each to the one in front, where visitors come in.

    front: HAProxy and Redis       left, right: one server each

Addresses are of 198.18.0.0/15, which is kept free for such trials.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import hall
from deploy.proxy import end, statistics

NET = f"198.18.{os.getpid() % 250}"
FRONT, VISITOR = f"{NET}.1", f"{NET}.2"  # the two ends of the visitors' cable
SERVERS = {"left": (f"{NET}.5", f"{NET}.6"), "right": (f"{NET}.9", f"{NET}.10")}  # the front's end, and the server's
PORT = 8601
NAMES = {"left": "lab1", "right": "lab2"}  # in the visitors' cookie


def refusal() -> str | None:
    """One sentence if this machine cannot make network namespaces."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "Network namespaces want root: three hosts are not tested here."
    if shutil.which("ip") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("No ip on this machine: install iproute2 to test three hosts.")
        return "No ip on this machine: install iproute2 to test three hosts."
    name = f"receptive-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode == 0:
        made = subprocess.run(["ip", "-n", name, "link", "add", "try0", "type", "veth", "peer", "try1"],
                              capture_output=True, text=True)  # fmt: skip
        subprocess.run(["ip", "netns", "delete", name], check=True)
    return f"This kernel makes no network namespaces ({made.stderr.strip()})." if made.returncode else None


class Hosts:
    """The running hosts: their `address` for visitors, and their cables."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack):
        self.folder, self.stack = folder, stack
        self.name = {host: f"receptive-{os.getpid()}-{host}" for host in ("front", *SERVERS)}
        self.address = f"http://{FRONT}:{PORT}"
        self.password, self.secret = secrets.token_hex(16), secrets.token_hex(16)

    def wire(self) -> None:
        """Namespaces and cables."""
        for name in self.name.values():
            ip("netns", "add", name)
            self.stack.callback(ip, "netns", "delete", name)
            ip("-n", name, "link", "set", "lo", "up")
        here = f"rcptv{os.getpid() % 10**7}"
        ip("link", "add", here, "type", "veth", "peer", "out", "netns", self.name["front"])
        self.stack.callback(subprocess.run, ["ip", "link", "delete", here], capture_output=True)
        ip("address", "add", f"{VISITOR}/30", "dev", here)
        ip("link", "set", here, "up")
        self.plug("front", "out", FRONT)
        for host, (inner, outer) in SERVERS.items():
            ip("-n", self.name["front"], "link", "add", host, "type", "veth", "peer", "out", "netns", self.name[host])
            self.plug("front", host, inner)
            self.plug(host, "out", outer)

    def plug(self, host: str, device: str, address: str) -> None:
        ip("-n", self.name[host], "address", "add", f"{address}/30", "dev", device)
        ip("-n", self.name[host], "link", "set", device, "up")

    def run(self, host: str, *command: str, **environment: str) -> subprocess.Popen:
        """A program on this host, until the hosts end; what it prints goes to a file of its name."""
        out = self.stack.enter_context((self.folder / f"{host}-{Path(command[0]).name}.txt").open("w"))
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name[host], *command], cwd=hall.ROOT, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, env=os.environ | environment,
        )  # fmt: skip
        self.stack.callback(end, process, 60)
        return process

    def start(self) -> None:
        bound = [inner for inner, _ in SERVERS.values()]
        self.run("front", hall.redis_program(), str(hall.REDIS_SETTINGS), "--bind", *bound,
                 "--requirepass", self.password, "--dir", str(self.folder))  # fmt: skip
        for host, (inner, outer) in SERVERS.items():
            self.run(
                host, sys.executable, "-m", "streamlit", "run", "app.py", f"--server.address={outer}",
                f"--server.port={PORT}", "--server.headless=true", STREAMLIT_SERVER_COOKIE_SECRET=self.secret,
                RECEPTIVE_REDIS=f"redis://:{self.password}@{inner}:6379/0", FORWARDED_ALLOW_IPS=inner,
            )  # fmt: skip
        servers = ",".join(f"{outer}:{PORT}" for _, outer in SERVERS.values())
        self.run("front", sys.executable, "-m", "deploy.hall", f"--servers={servers}", f"--address={FRONT}",
                 f"--port={PORT}", "--patience=0.1", TMPDIR=str(self.folder))  # fmt: skip

    def cable(self, host: str, state: str) -> None:
        """Pull a server's cable ("down"), or put it back ("up"): whoever talks to it hears nothing at all."""
        ip("-n", self.name[host], "link", "set", "out", state)

    def ready(self, *hosts: str) -> None:
        """Wait until exactly these servers take visitors."""
        wanted = [host in hosts for host in SERVERS]
        until = time.monotonic() + hall.STARTING
        while self.up() != wanted:
            assert time.monotonic() < until, [each.read_text()[-1500:] for each in self.folder.glob("*.txt")]
            time.sleep(0.1)

    def up(self) -> list[bool]:
        """Which servers HAProxy finds ready; none before it runs."""
        line = next(
            self.folder.glob("receptive-hall-*/haproxy.sock"), self.folder / "none"
        )  # in a folder, not on a network
        with contextlib.suppress(OSError):
            found = statistics(line)
            return [found[f"lab/{name}"]["status"].startswith("UP") for name in NAMES.values()]
        return [False] * len(SERVERS)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def hosts(folder: Path) -> Iterator[Hosts]:
    """Three hosts at work; skips the test where there are no namespaces. Nothing is left behind."""
    if sentence := refusal():
        pytest.skip(sentence)
    with contextlib.ExitStack() as stack:
        found = Hosts(folder, stack)
        found.wire()
        found.start()
        found.ready(*SERVERS)
        yield found
