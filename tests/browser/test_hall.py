"""Two servers behind one address: a visitor stays with hers, and when it is gone her page stands as it stood."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from deploy import hall

STAY = "receptive_server"  # the cookie
STRIDE = ".st-key-stamp_stride-live [role=slider]"
PATIENCE = 120_000  # ms: two servers share the machine with the tests


class Running:
    """A hall with two servers: its `address`, its `process`, and what it has `said`."""

    def __init__(self, folder):
        port = hall.free_port()
        self.address, self.printed = f"http://127.0.0.1:{port}", folder / "hall.txt"
        command = [sys.executable, "-m", "deploy.hall", "--processes=2", f"--port={port}", "--patience=0.1"]
        with self.printed.open("w") as out:
            self.process = subprocess.Popen(command, cwd=hall.ROOT, stdout=out, stderr=subprocess.STDOUT)

    def said(self) -> str:
        return self.printed.read_text()

    def until(self, text: str, times: int = 1) -> None:
        """Wait until it has said this so many times."""
        end = time.monotonic() + hall.STARTING
        while self.said().count(text) < times:
            assert self.process.poll() is None and time.monotonic() < end, self.said()[-2000:]
            time.sleep(0.1)

    def servers(self) -> dict[str, int]:
        """The process of each server by the name in its visitors' cookie."""
        lines = re.findall(r"Server (\d+) is process (\d+)", self.said())
        return {f"lab{number}": int(process) for number, process in lines}


@pytest.fixture(scope="module")
def running(chromium, tmp_path_factory):
    if shutil.which("haproxy") is None:
        message = "No HAProxy on this machine: install haproxy to test many servers."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    found = Running(tmp_path_factory.mktemp("hall"))
    try:
        found.until("2 servers at")
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            found.process.send_signal(signal.SIGTERM)
        found.process.wait(60)
    for process in found.servers().values():
        with pytest.raises(ProcessLookupError):  # nothing is left behind
            os.kill(process, 0)


@pytest.fixture
def page(chromium):
    """A visitor whose console may complain: her server is taken away."""
    with contextlib.closing(chromium.new_context()) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def server_of(page) -> str:
    """The name of the server that this visitor is with."""
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == STAY)


def until_with(page, wanted) -> str:
    """Wait until the visitor's server is one that `wanted` accepts."""
    end = time.monotonic() + 60
    while not wanted(server_of(page)):
        assert time.monotonic() < end
        page.wait_for_timeout(50)
    return server_of(page)


def moved(page, slider, key: str, link: str) -> None:
    """Press a key on the slider, and wait until the page has heard it."""
    slider.press(key)
    page.wait_for_url(re.compile(link))


def test_a_visitor_stays_and_goes_on_elsewhere_when_her_server_is_killed(running, page):
    page.goto(f"{running.address}/transposed_convolution?stamp_stride=1")
    slider = page.locator(STRIDE)
    expect(slider).to_have_attribute("aria-valuenow", "1", timeout=PATIENCE)
    moved(page, slider, "End", "stamp_stride=3")
    first = server_of(page)
    page.evaluate("() => { window.stays = true }")

    os.kill(running.servers()[first], signal.SIGKILL)
    second = until_with(page, lambda name: name != first)
    expect(slider).to_have_attribute("aria-valuenow", "3", timeout=PATIENCE)
    moved(page, slider, "Home", "stamp_stride=1")
    assert page.evaluate("() => window.stays"), "the page was not loaded again"
    page.reload()
    expect(slider).to_have_attribute("aria-valuenow", "1", timeout=PATIENCE)
    assert server_of(page) == second

    running.until(f"Server {first[3:]} has ended")
    running.until(f"Server {first[3:]} is process", times=2)


def test_servers_are_made_anew_while_visitors_are_there(running, page):
    page.goto(f"{running.address}/transposed_convolution?stamp_stride=3")
    slider = page.locator(STRIDE)
    expect(slider).to_have_attribute("aria-valuenow", "3", timeout=PATIENCE)
    before = running.servers()
    running.process.send_signal(signal.SIGHUP)
    running.until("is new.", times=2)
    assert set(before.values()).isdisjoint(running.servers().values())
    moved(page, slider, "Home", "stamp_stride=1")
    expect(page.locator(".st-key-address-live, [data-testid=stException]")).to_have_count(0)
