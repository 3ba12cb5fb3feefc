"""What README, CONTRIBUTING and docs/ name is there: links, files, what `make` makes, and commands with their words."""

from __future__ import annotations

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {page: page.read_text() for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]}
WHOLE = "\n".join(TEXTS.values())
MAKEFILE = (ROOT / "Makefile").read_text()
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FILE = re.compile(r"`((?:[\w.@-]+/)+[\w.@-]*)`")
COMMAND = re.compile(r"python (-m (?:benchmarks|deploy|models|scenes|tests\.kept)\b[^`\n]*)")


def heading(line: str) -> str:
    """Its name in a link."""
    return re.sub(r"[^\w\s-]", "", line.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_and_files_are_there(page):
    for name, part in LINK.findall(TEXTS[page]):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not part or part in [heading(line) for line in re.findall(r"^#+ (.*)$", target.read_text(), re.M)], part
    for name in FILE.findall(TEXTS[page]):
        assert "label_smoothing" in name or (ROOT / name).exists(), name  # an example, yet to be made


@pytest.mark.parametrize("command", sorted({found.split("`")[0] for found in re.findall(r"make [^`\n]+", WHOLE)
                                            if re.match(r"make (run|test|hall|clean)\b", found)}))  # fmt: skip
def test_make_makes_it(command):
    target, *given = shlex.split(command, comments=True)[1:]
    assert re.search(rf"^{target}:", MAKEFILE, re.M)
    for each in given:
        assert re.search(rf"^{each.split('=')[0]} \?=", MAKEFILE, re.M), each


class Understood(Exception):
    """The words of a command have been read; it is not carried out."""


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("command", sorted(set(COMMAND.findall(WHOLE))))
def test_a_command_is_understood(monkeypatch, command):
    read = argparse.ArgumentParser.parse_args

    def only_read(self, *words):
        read(self, *words)
        raise Understood

    _, module, *words = shlex.split(command, comments=True)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_read)
    monkeypatch.setattr(sys, "argv", [module, *words])
    with pytest.raises(Understood):
        runpy.run_module(module, run_name="__main__")
