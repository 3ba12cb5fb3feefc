"""A picture file is decoded in a process of its own: nothing in it can slow the server down or fill its memory.

A file of 200 KB can ask for gigabytes or minutes (a JPEG of 100,000 scans, a million tiny segments), and while Python
works on it in a thread, everybody waits. So the work is done beside the server, a few files at a time, under limits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

import numpy as np

from ui.decoding import Decoded

MEMORY = 285_000_000  # bytes, the libraries included
CPU_SECONDS = 4  # of work; 50 megapixels need about one
WALL_SECONDS = 30.0  # from start to end, for a machine that is busy with other things
PATIENCE = 60.0  # seconds in the queue
AT_ONCE = 3  # files: their memory together stays below 1 GB

HERE = Path(__file__).parents[1]
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}  # environment of the process
_places = BoundedSemaphore(AT_ONCE)


def decode(data: bytes, name: str) -> Decoded:
    """`ui.decoding.decode` in a process of its own.

    Raises:
        ValueError: one sentence; also when the file takes too much memory or time, or too many others are waiting.
    """
    if not _places.acquire(timeout=PATIENCE):
        raise ValueError(f"Too many pictures are being opened at this moment: choose “{name}” again in a minute.")
    try:
        done = subprocess.run(
            command("ui.decoding", MEMORY, CPU_SECONDS, name),
            input=data, capture_output=True, timeout=WALL_SECONDS, cwd=HERE, env=os.environ | ONE_CORE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(_too_costly(name)) from None
    finally:
        _places.release()
    head, _, pixels = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise ValueError(_too_costly(name))
    answer = json.loads(head)
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return Decoded(np.frombuffer(pixels, np.uint8).reshape(answer["shape"]), tuple(answer["notes"]))


def command(module: str, memory: int, seconds: int, *arguments: str) -> list[str]:
    """What starts `module.main()` with `arguments`, under limits of memory (bytes) and of work (s)."""
    return [sys.executable, "-c", START, str(memory), str(seconds), module, *arguments]


def _too_costly(name: str) -> str:
    return f"“{name}” takes too much time or memory to open: save it again as a plain PNG or JPEG, or make it smaller."


# Limits first, then the libraries. Windows has none of these limits and macOS no such limit of memory: there the limit
# of pixels and the clock must do.
START = """
import importlib, sys
memory, seconds, module = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
try:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
sys.argv = [sys.argv[0], *sys.argv[4:]]
importlib.import_module(module).main()
"""
