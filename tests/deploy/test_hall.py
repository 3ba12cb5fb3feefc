"""Many servers behind one address: the configuration, and what is said where it cannot be."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from deploy import hall

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
    text = hall.configuration([("10.0.0.1", 8601), ("10.0.0.2", 8601)], "127.0.0.1:8443", str(tmp_path / "line"),
                              prefix, certificate and str(certificate))  # fmt: skip
    assert f"uri {prefix}/api/ready" in text and "server lab2 10.0.0.2:8601 cookie lab2" in text
    assert (" ssl crt " in text) == secure
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    found = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True)
    assert found.returncode == 0 and "WARNING" not in found.stderr.upper(), found.stderr


@pytest.mark.parametrize(("came_by", "believed"), [("http", False), ("https", True)])
def test_the_cookie_is_believed_in_a_frame_of_another_site(tmp_path, came_by, believed):
    """By https, also where another proxy has taken it off; a browser drops such a cookie when it comes by http."""
    port = hall.free_port()
    file = tmp_path / "haproxy.cfg"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        where = [("127.0.0.1", server.server_port)]
        text = hall.configuration(where, f"127.0.0.1:{port}", str(tmp_path / "line"))
        file.write_text(text.replace(" check inter 500ms", " inter 500ms"))  # this server knows no /api/ready
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        proxy = subprocess.Popen(["haproxy", "-db", "-q", "-f", file])
        try:
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/none", headers={"X-Forwarded-Proto": came_by})
            for _ in range(100):
                try:
                    urllib.request.urlopen(asked)
                except urllib.error.HTTPError as answer:
                    assert answer.code == 404
                    said = answer.headers["Set-Cookie"]
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
        finally:
            proxy.terminate()
            proxy.wait()
            server.shutdown()
            serving.join()
    assert said.startswith("receptive_server=lab1;")
    assert said.endswith("; Secure; SameSite=None; Partitioned") == believed


def test_an_address_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = hall.configuration([], f"127.0.0.1:{taken.getsockname()[1]}", "/nowhere/line")
    assert "server lab" not in text
    done = subprocess.run([sys.executable, "-m", "deploy.hall", "--processes", "0"], cwd=ROOT, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_without_haproxy_there_is_one_sentence():
    environment = {**os.environ, "PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-m", "deploy.hall"], cwd=ROOT, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 1 and "HAProxy is not installed" in done.stderr and "Traceback" not in done.stderr
