"""What a machine cannot have, or has lost, is said in one sentence before anything is fetched or started."""

import platform
import subprocess
import sys

import pytest

import requirements


@pytest.mark.parametrize(
    ("system", "machine", "version", "library", "sentence"),
    [
        ("Linux", "x86_64", (3, 11), ("glibc", "2.28"), ""),
        ("Linux", "aarch64", (3, 14), ("glibc", "2.39"), ""),
        ("Darwin", "arm64", (3, 12), ("", ""), ""),
        ("Windows", "AMD64", (3, 12), ("", ""), ""),
        ("Linux", "x86_64", (3, 11), ("glibc", "2.27"), "glibc 2.28"),
        ("Linux", "x86_64", (3, 11), ("", ""), "another C library"),
        ("Darwin", "x86_64", (3, 12), ("", ""), "Intel"),
        ("Linux", "x86_64", (3, 10), ("glibc", "2.28"), "this is 3.10"),
        ("Linux", "x86_64", (3, 15), ("glibc", "2.28"), "this is 3.15"),
    ],
)
def test_a_machine_without_torch_is_told_so(monkeypatch, system, machine, version, library, sentence):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    found = requirements.unfit()
    assert bool(found) == bool(sentence) and sentence in found and "\n" not in found


def test_a_package_that_is_lost_is_named(tmp_path, monkeypatch):
    assert requirements.missing() == ""
    file = tmp_path / "requirements.txt"
    file.write_text("# What runs the lab.\nnumpy==1.0\nno-such-package==1.0\n")
    monkeypatch.setattr(requirements, "FILE", file)
    assert requirements.missing().startswith("Not installed: no-such-package. Run: ")


def test_the_command_ends_well_here():
    for what in ("platform", "packages"):
        subprocess.run([sys.executable, requirements.__file__, what], check=True)
