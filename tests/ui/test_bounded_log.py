"""A log that cannot fill a disk."""

import logging
import subprocess
import sys

from ui.bounded_log import MORE, Budget


def record(line: int, text: str = "a %s") -> logging.LogRecord:
    return logging.LogRecord("asyncio", logging.ERROR, "file.py", line, text, ("b",), None)


def test_so_many_of_one_kind_in_a_window_and_the_last_says_so():
    now = [0.0]
    budget = Budget(3, 100, 60.0, lambda: now[0])
    records = [record(1) for _ in range(5)]
    assert [budget.takes(each) for each in records] == [True, True, True, False, False]
    assert [each.getMessage() for each in records[:3]] == ["a b", "a b", "a b" + MORE]
    assert budget.takes(record(2))
    now[0] = 59.9
    assert not budget.takes(record(1))
    now[0] = 60.0
    assert budget.takes(record(1))


def test_so_many_of_all_kinds():
    budget = Budget(3, 4, 60.0, lambda: 0.0)
    records = [record(line) for line in range(6)]
    assert [budget.takes(each) for each in records] == [True] * 4 + [False] * 2
    assert records[3].getMessage() == "a b" + MORE


def test_a_text_with_per_cent_signs_survives():
    budget = Budget(1, 1, 60.0, lambda: 0.0)
    last = record(1, "%s is 100 %%")
    assert budget.takes(last)
    assert last.getMessage() == "b is 100 %" + MORE


def test_all_loggers_of_a_process_are_bounded_once():
    script = """
import logging, sys
from ui.bounded_log import EACH, bound
bound(); before = logging.Logger.handle; bound(); assert logging.Logger.handle is before
for n in range(1000):
    logging.getLogger("asyncio").error("socket.accept() out of system resource %d", n)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert len(done.stderr.splitlines()) == 40
