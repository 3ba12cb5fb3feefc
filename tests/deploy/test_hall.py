"""Many servers behind one address: the configuration, and what is said where it cannot be."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.servers import serve
from deploy import hall
from deploy.proxy import Proxy, configuration
from ui.rooms.redis_store import Redis
from ui.rooms.room import COUNTED, NOWHERE, Rooms

ROOT = hall.ROOT


@pytest.fixture(scope="module", autouse=True)
def haproxy():
    """HAProxy itself; who has none is told so."""
    if shutil.which("haproxy") is None:
        message = "No HAProxy on this machine: install haproxy to test many servers."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.mark.parametrize("prefix", ["", "/lab"])
@pytest.mark.parametrize("secure", [False, True])
def test_haproxy_takes_the_configuration(tmp_path, prefix, secure):
    certificate = None
    if secure:
        if shutil.which("openssl") is None:
            pytest.skip("No openssl here to make a certificate with.")
        key, certificate = tmp_path / "key.pem", tmp_path / "lab.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=lab",
             "-keyout", key, "-out", certificate], check=True, capture_output=True,
        )  # fmt: skip
        certificate.write_text(certificate.read_text() + key.read_text())
    text = configuration([("10.0.0.1", 8601), ("10.0.0.2", 8601)], "127.0.0.1:8443", str(tmp_path / "line"),
                              prefix, certificate and str(certificate))  # fmt: skip
    assert f"uri {prefix}/api/ready" in text and "server lab2 10.0.0.2:8601 cookie lab2" in text
    assert (" ssl crt " in text) == secure
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    found = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True)
    assert found.returncode == 0 and "WARNING" not in found.stderr.upper(), found.stderr


UNITS = {"receptive-hall.service": "receptive-hall.service", "receptive@.service": "receptive@8501.service"}


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_units(unit, tmp_path):
    text = (ROOT / "deploy" / unit).read_text()
    started = re.search("^ExecStart=/opt/receptive/.venv/bin/python -m (.*)$", text, re.MULTILINE)[1].split()
    if started[0] == "deploy.hall":
        assert hall.parser().parse_args(started[1:]).processes == 4
    else:
        assert started[:3] == ["streamlit", "run", "app.py"] and "--server.port=%i" in started
    if shutil.which("systemd-analyze") is None:
        pytest.skip("No systemd-analyze here to read the unit with.")
    # Only the program is another one: this machine has none in /opt.
    (tmp_path / UNITS[unit]).write_text(text.replace("/opt/receptive/.venv/bin/python", "/bin/true"))
    read = subprocess.run(["systemd-analyze", "verify", tmp_path / UNITS[unit]], capture_output=True, text=True)
    assert read.returncode == 0 and str(tmp_path) not in read.stderr, read.stderr


def test_a_vote_that_counts_is_on_the_disk(tmp_path):
    program = hall.redis_program()
    if program is None:
        message = "No redis-server on this machine: install redis-server to test rooms of several processes."
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    port = hall.free_port()
    command = [program, hall.REDIS_SETTINGS, "--bind", "127.0.0.1", "--port", str(port), "--dir", tmp_path]
    code = None
    for _ in range(2):
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        store = Redis(f"redis://127.0.0.1:{port}/0")
        rooms, until = Rooms(store), time.monotonic() + 60
        try:
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert server.poll() is None and time.monotonic() < until
                time.sleep(0.02)
            if code is None:
                code, _ = rooms.open()
                assert {rooms.vote(code, "zeros", f"voter{each}", "12") for each in range(40)} == {COUNTED}
            else:
                assert rooms.answers(code, "zeros", (NOWHERE.case, "")) == (["12"] * 40, [])
        finally:
            store.close()
            server.kill()
            server.wait()


def test_a_server_that_will_be_stopped_says_so_and_goes_on():
    with serve("app.py", "/api/ready") as server:
        os.kill(server.process, signal.SIGUSR1)
        until = time.monotonic() + 60
        while (said := status(f"{server.address}/api/ready")) == 200:
            assert time.monotonic() < until
        assert said == 404 and status(f"{server.address}/api/health") == status(server.address) == 200


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def test_while_all_are_drained_only_who_is_there_goes_on(tmp_path):
    """One server of the standard library, which HAProxy takes for one of ours."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "ready").touch()
    served = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        address = f"127.0.0.1:{hall.free_port()}"
        proxy = Proxy([server.server_address], address, tmp_path)
        try:
            proxy.open()
            first = asked(address)
            assert (first.status, first.headers["Set-Cookie"].partition(";")[0]) == (200, "receptive_server=lab1")
            assert first.headers["Set-Cookie"].endswith("HttpOnly; SameSite=Lax")
            proxy.drain(proxy.names, 0.1)
            refused = asked(address)
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5") and b"Receptive" in refused.body
            assert asked(address, "/api/health").status == 503
            assert asked(address, Cookie="receptive_server=lab1").status == 200
        finally:
            proxy.close()
            server.shutdown()
            serving.join()


def asked(address: str, path: str = "/", **headers: str):
    """The answer of HAProxy, with its `body`."""
    line = http.client.HTTPConnection(address, timeout=30)
    with contextlib.closing(line):
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        answer.body = answer.read()
        return answer


@pytest.mark.parametrize("wrong", ["10.0.0.2", "10.0.0.2:8601,,", "http://10.0.0.2:8601"])
def test_servers_that_are_none(wrong, capsys):
    with pytest.raises(SystemExit):
        hall.parser().parse_args(["--servers", wrong])
    assert "is not like 10.0.0.2:8601,10.0.0.3:8601" in capsys.readouterr().err


def test_an_address_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = configuration([], f"127.0.0.1:{taken.getsockname()[1]}", "/nowhere/line")
    assert "server lab" not in text
    done = subprocess.run([sys.executable, "-m", "deploy.hall", "--processes", "0"], cwd=ROOT, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_without_haproxy_there_is_one_sentence():
    environment = {**os.environ, "PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-m", "deploy.hall"], cwd=ROOT, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 1 and "HAProxy is not installed" in done.stderr and "Traceback" not in done.stderr
