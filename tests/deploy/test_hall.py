"""Many servers behind one address: the configuration, and what is said where it cannot be."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest

from deploy import hall
from deploy.proxy import configuration

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
