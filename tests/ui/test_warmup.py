"""The warm-up in a fresh process, as the server runs it."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, gc, time
from ui import warmup
assert "torch" not in sys.modules, "ui must not import torch before the first page"
warmup.start(); first = warmup._thread
warmup.start(); assert warmup._thread is first
assert not warmup.finished()
first.join()
assert warmup.finished() and "torch" in sys.modules and "torchvision" in sys.modules
import torch
assert torch.get_num_threads() == warmup.threads()
assert gc.get_freeze_count() > 100_000
"""


def test_loads_once_in_the_background_and_freezes_what_stays():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=120)


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8), (None, 1)])
def test_threads_leave_room_for_other_sessions(monkeypatch, cores, threads):
    from ui import warmup

    monkeypatch.setattr(warmup.os, "cpu_count", lambda: cores)
    assert warmup.threads() == threads


def test_a_missing_library_does_not_keep_the_lab_waiting():
    script = "from ui import warmup; warmup.LIBRARIES = ('no_such_library',); warmup.start(); warmup._thread.join();"
    subprocess.run([sys.executable, "-c", script + "assert warmup.finished()"], check=True, timeout=60)


def test_what_plotly_looks_for_is_whole_before_the_first_visitor():
    """Plotly takes pandas out of sys.modules, also while another thread is still loading it."""
    script = """
import asyncio, sys
import app
from ui import warmup
warmup.start = lambda networks: None
async def main():
    async with app.lifespan(None):
        assert "torch" not in sys.modules
        from _plotly_utils.optional_imports import get_module
        for name in ("pandas", "numpy", "PIL"):
            assert name in sys.modules, name
        assert get_module("pandas", should_load=False).DataFrame({"a": [1]}).shape == (1, 1)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_the_networks_are_loaded_once_the_libraries_are_there():
    script = """
import app, sys
from ui import warmup
seen = []
def networks():
    seen.append("torch" in sys.modules and not warmup.finished())
    app.first_networks()
warmup.painted(drawing=0)
warmup.start(networks); warmup._thread.join()
from models import catalog
assert seen == [True] and warmup.finished()
loaded = catalog._load.cache_info().currsize
assert loaded == len({lesson.network for lesson in app.course.LESSONS} & set(catalog.shipped())) > 3
catalog.load("detector")
assert catalog._load.cache_info().currsize == loaded
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_a_network_that_cannot_be_loaded_does_not_keep_the_lab_waiting():
    script = "from ui import warmup; warmup.LIBRARIES = ('torch',); warmup.start(lambda: 1 / 0); warmup._thread.join();"
    subprocess.run([sys.executable, "-c", script + "assert warmup.finished()"], check=True, timeout=60)
