"""A real server under a low limit of descriptors: who gets in, what the others read, and what is left on the disk."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from benchmarks.servers import answers
from ui import admission

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTORS = 256
PATIENCE = 240  # seconds, for a machine that is busy
SERVER = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "app.py", "--server.port=0", "--server.address=127.0.0.1", "--server.headless=true"]
main()
"""


def port_of(process, log) -> int:
    """The port that a server writes into its log."""
    end = time.monotonic() + PATIENCE
    while "URL: http://127.0.0.1:" not in (text := log.read_text()):
        assert process.poll() is None and time.monotonic() < end, text
        time.sleep(0.1)
    return int(text.split("URL: http://127.0.0.1:")[1].split()[0].strip("/"))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """Port, process id and log of the lab in a process that may have 256 descriptors."""
    log = tmp_path_factory.mktemp("narrow") / "log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        port = port_of(process, log)
        assert until(lambda: answers(f"http://127.0.0.1:{port}/api/ready"))  # loading opens files
        yield port, process.pid, log
    finally:
        process.terminate()
        process.wait(20)


def held(process: int) -> int:
    """File descriptors of a process."""
    return len(os.listdir(f"/proc/{process}/fd"))


def page(port: int) -> tuple[int, str]:
    """Status and text of the home page for a browser."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def idle(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def join(port: int):
    """Streamlit's web socket, as a student's page opens it."""
    return connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], open_timeout=PATIENCE)


def until(holds, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")


@needs_proc
def test_more_connections_than_descriptors_are_turned_away_and_the_next_visitor_gets_in(narrow):
    port, process, log = narrow
    with contextlib.ExitStack() as crowd:
        for _ in range(2 * DESCRIPTORS):
            crowd.enter_context(idle(port))
            assert held(process) < DESCRIPTORS - 8
        # A connection without a request loses its place; nobody of the crowd has left.
        assert until(lambda: page_with_patience(port)[0] == 200)
    assert "out of system resource" not in log.read_text()
    assert log.stat().st_size < 200_000


@needs_proc
def test_who_does_not_get_in_reads_a_sentence_and_who_is_in_stays(narrow):
    port, process, log = narrow
    assert until(lambda: held(process) < DESCRIPTORS / 2)
    students = []
    with contextlib.ExitStack() as class_:
        for _ in range(DESCRIPTORS):  # more than there are places
            try:
                student = join(port)
            except (OSError, EOFError, InvalidHandshake):
                break
            students.append(class_.enter_context(student))
        else:
            pytest.fail("everybody got in")
        status, text = page_with_patience(port)
        assert status == 503 and "The lab is full" in text and "Please wait" in text
        for each in students:
            assert each.ping().wait(PATIENCE)
    assert until(lambda: page_with_patience(port)[0] == 200)
    assert log.stat().st_size < 200_000


def page_with_patience(port: int) -> tuple[int, str]:
    """As `page`; tries again where the connection was cut, as it is beyond the last place."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return page(port)
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.parametrize("path", ["_stcore/stream", "api/live"])
def test_a_message_of_a_hundred_megabytes_is_not_read(narrow, path):
    port, process, _ = narrow
    before = memory(process)
    sent = 0
    try:
        with connect(f"ws://127.0.0.1:{port}/{path}", subprotocols=["streamlit"], open_timeout=PATIENCE) as socket:
            with pytest.raises(ConnectionClosed):
                socket.send(b"\0" * 100_000_000)
                sent = 100_000_000
                socket.recv(timeout=PATIENCE)
    except Exception as refused:  # the direct line knows no session of that name
        assert path == "api/live" and "403" in str(refused)
    assert memory(process) - before < 50
    assert sent == 0 or path == "_stcore/stream"


def memory(process: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


@pytest.mark.parametrize(
    ("descriptors", "places", "backlog"),
    [(64, 16, 8), (189, 16, 9), (190, 17, 9), (256, 68, 12), (1024, 641, 51), (2628, 2000, 100), (8192, 2000, 100)],
)
def test_places_leave_room_for_files_and_for_a_backlog(descriptors, places, backlog):
    assert (admission.seats(descriptors), admission.backlog(descriptors)) == (places, backlog)


def test_the_limit_is_raised_as_far_as_allowed():
    script = (
        "import resource; from ui.admission import raised; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300));"
        "assert [raised(250), raised(250), raised(100), raised(1000)] == [250, 250, 250, 300];"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, 300)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=120)


class Config:
    ws_max_size = 200_000_000
    backlog = 2048
    http_protocol_class = H11Protocol


def test_uvicorn_is_told_before_it_listens():
    config = Config()
    middleware = admission.Admission(None)
    middleware.prepare(config)
    assert config.ws_max_size == 256 * 1024
    assert config.backlog <= 100
    assert issubclass(config.http_protocol_class, H11Protocol) and config.http_protocol_class is middleware.guarded


def test_full_counts_open_connections():
    middleware = admission.Admission(None, places=100)
    assert not middleware.full(10)
    middleware.prepare(Config())
    for count, full in [(0, False), (89, False), (90, True), (100, True)]:
        middleware.guarded.open = range(count)
        assert middleware.full(10) is full


@pytest.mark.parametrize(
    ("header", "page"),
    [((b"accept", b"text/html,*/*"), True), ((b"accept", b"*/*"), False), ((b"x", b"text/html"), False)],
)
def test_a_page_is_what_a_browser_opens(header, page):
    assert admission.asks_for_page({"headers": [header]}) is page


@needs_proc
def test_a_session_costs_its_connection_and_nothing_else(narrow):
    port, process, _ = narrow
    assert until(lambda: held(process) < DESCRIPTORS / 4)
    with contextlib.ExitStack() as class_:
        before = held(process)
        for _ in range(20):
            class_.enter_context(join(port))
        assert held(process) - before <= 20
    assert until(lambda: held(process) <= before)
