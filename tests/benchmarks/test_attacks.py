"""The client that attacks: it really does what it is for, within its bounds, and leaves a small server alive."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from benchmarks import attacks
from benchmarks.__main__ import parser
from benchmarks.classroom import Record, compared, summary
from benchmarks.servers import ROOT, answers, serve

ONCE = """
import asyncio, sys
from benchmarks import attacks
attacks.QUESTIONS, attacks.FLOODS, attacks.CROWD, attacks.CROWDS, attacks.PAUSE = 300, 2, 200, 1, 0.1
kinds = [attacks.lines, attacks.floods, attacks.crowds]
async def main():
    await asyncio.gather(*(kind(sys.argv[1].replace("http", "ws")) for kind in kinds))
asyncio.run(main())
"""


def test_a_server_survives_all_of_it_and_keeps_its_memory():
    with serve("app.py", "/api/ready") as server:
        before = server.memory()
        subprocess.run([sys.executable, "-c", ONCE, server.address], cwd=ROOT, check=True, timeout=300)
        assert answers(f"{server.address}/api/ready")
        assert server.memory() - before < 400  # a page of the lab and its libraries; a flood was 2,500
        assert server.printed.stat().st_size < 200_000


def test_only_against_this_machine():
    command = [sys.executable, "-m", "benchmarks.attacks", "http://192.0.2.1:80", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "127.0.0.1" in done.stderr


def test_all_loops_have_an_end():
    bounds = Counter(QUESTIONS=attacks.QUESTIONS, FLOODS=attacks.FLOODS, CROWDS=attacks.CROWDS)
    assert all(0 < bound <= 20_000 for bound in bounds.values())


@pytest.mark.parametrize(("calm", "attacked", "ratio"), [(40.0, 44.0, 1.1), (40.0, 30.0, 0.75), (None, 30.0, None)])
def test_the_two_are_compared(calm, attacked, ratio):
    both = []
    for p95 in (calm, attacked):
        record = Record(memory=[(0, 700.0)])
        record.moves["one"] += [p95] * 20 if p95 else []
        both.append(summary(record, 1, 0.5))
    both[1]["error_kinds"] = ["one: TimeoutError"]
    found = compared(*both)
    assert (found["p95_ms_attacked"], found["p95_ratio"]) == (attacked, ratio)
    assert found["error_kinds"] == ["one: TimeoutError"]


def test_the_option():
    given = parser().parse_args(["class", "--students", "1", "--beside", "attacks"])
    assert given.beside == "attacks"
    assert parser().parse_args(["class", "--students", "1"]).beside is None
