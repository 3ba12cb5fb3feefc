"""Two servers behind one address: a visitor stays with hers, and when it is gone her page stands as it stood, her class
goes on, and her vote has been counted."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest
from PIL import Image
from playwright.sync_api import expect

from deploy import hall
from tests.browser.test_rooms import LAYERS, QUESTION, bar, joined, opened, step
from ui import lost_files

STAY = "receptive_server"  # the cookie
STRIDE = ".st-key-stamp_stride-live [role=slider]"
PATIENCE = 120_000  # ms: two servers share the machine with the tests


class Running:
    """A hall: its `address`, its `process`, and what it has `said`."""

    def __init__(self, folder, *options, processes=2, scheme="http", prefix=""):
        port = hall.free_port()
        self.address, self.printed = f"{scheme}://127.0.0.1:{port}{prefix}", folder / "hall.txt"
        command = [sys.executable, "-m", "deploy.hall", f"--processes={processes}", f"--port={port}", "--patience=0.1"]
        command += options
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

    def until_ready(self, *names: str) -> None:
        """Wait until these servers take visitors."""
        end = time.monotonic() + hall.STARTING
        for name in names:
            while any(STAY in each for each in cookies(f"{self.address}/_stcore/health", f"{STAY}={name}")):
                assert time.monotonic() < end, self.said()[-2000:]
                time.sleep(0.1)

    def by_age(self) -> list[str]:
        """Names of the servers in visitors' cookies, that of the oldest process first."""
        names = [f"lab{number}" for number in re.findall(r"Server (\d+) is process", self.said())]
        return [name for at, name in enumerate(names) if name not in names[at + 1 :]]

    def servers(self) -> dict[str, int]:
        """The process of each server by the name in its visitors' cookie."""
        lines = re.findall(r"Server (\d+) is process (\d+)", self.said())
        return {f"lab{number}": int(process) for number, process in lines}


def cookies(address: str, brought: str = "") -> list[str]:
    """What the answer wants a browser to keep that has `brought` this cookie."""
    request = urllib.request.Request(address, headers={"Cookie": brought})
    with urllib.request.urlopen(request, timeout=30, context=ssl._create_unverified_context()) as answer:
        return answer.headers.get_all("Set-Cookie") or []


@contextlib.contextmanager
def at_work(folder, *options, **more):
    """A hall whose servers are ready. Nothing is left behind."""
    if shutil.which("haproxy") is None:
        message = "No HAProxy on this machine: install haproxy to test many servers."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    found = Running(folder, *options, **more)
    try:
        found.until("servers at")
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            found.process.send_signal(signal.SIGTERM)
        found.process.wait(60)
    for process in found.servers().values():
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.fixture(scope="module")
def running(chromium, tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("hall")) as found:
        yield found


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


@contextlib.contextmanager
def visitor(chromium, address, server):
    """A visitor who begins with the server of this name."""
    with contextlib.closing(chromium.new_context()) as context:
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": STAY, "value": server, "url": address}])
        yield context.new_page()


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


def test_no_vote_is_lost_and_files_are_asked_for_again_when_a_server_is_killed(running, chromium, tmp_path):
    """The server that is killed is the younger one: what the older one then sends must not be taken for out of date."""
    picture = tmp_path / "mine.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    running.until_ready(*running.servers())
    gone, stays = reversed(running.by_age())
    with (
        visitor(chromium, running.address, gone) as lecturer,
        visitor(chromium, running.address, gone) as student,
        visitor(chromium, running.address, stays) as neighbour,
    ):
        code = opened(lecturer, running.address)
        for each in (student, neighbour):
            joined(each, running.address, code)
            each.locator(QUESTION).get_by_role("radio", name="15", exact=True).click()
            expect(each.locator(QUESTION).get_by_text("Your answer counts")).to_be_visible()
        student.get_by_role("button", name="Picture").first.click()
        student.get_by_test_id("stPopoverBody").get_by_text("Upload", exact=True).click()
        student.locator('input[type="file"]').set_input_files(picture)
        expect(student.get_by_text("nobody knows the true classes here")).to_be_visible(timeout=PATIENCE)
        student.keyboard.press("Escape")
        told = student.get_by_role("slider", name=LAYERS).first.get_attribute("aria-valuenow")
        student.wait_for_url(re.compile(f"rf_layers={step(student)}"))
        assert [server_of(each) for each in (lecturer, student, neighbour)] == [gone, gone, stays]

        os.kill(running.servers()[gone], signal.SIGKILL)
        for each in (lecturer, student):
            until_with(each, lambda name: name == stays)
        asks = lecturer.locator(QUESTION)
        expect(asks.get_by_text(re.compile(r"^2 of \d have answered"))).to_be_visible(timeout=PATIENCE)
        expect(student.get_by_text(lost_files.SENTENCE)).to_be_visible(timeout=PATIENCE)
        student.wait_for_url(re.compile("scene_source=Upload"))

        # Where the class is she is still the voter who has said 15, and changes her mind; the lecturer still leads.
        bar(student).get_by_role("button", name="Catch up").click()
        expect(student.get_by_text(lost_files.SENTENCE)).to_have_count(0, timeout=PATIENCE)
        expect(student.locator(QUESTION).get_by_role("radio", name="15", exact=True)).to_be_checked(timeout=PATIENCE)
        expect(bar(student).get_by_text("Following")).to_be_visible(timeout=PATIENCE)
        student.locator(QUESTION).get_by_role("radio", name="75", exact=True).click()
        expect(student.locator(QUESTION).get_by_text("Your answer counts")).to_be_visible()
        asks.get_by_role("button", name="Uncover").click()
        assert "scene_source" not in student.url and "rf_layers" not in student.url
        expect(student.get_by_role("slider", name=LAYERS).first).to_have_attribute("aria-valuenow", told)
        for each in (lecturer, student, neighbour):
            tally = each.locator(QUESTION).get_by_label(re.compile("15 1.*75 1"))
            expect(tally).to_be_visible(timeout=PATIENCE)


@pytest.mark.sweep
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
