"""One server for all the processes of a test run: the first that asks starts it, and it ends when nobody needs it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.servers import Server


@contextlib.contextmanager
def shared(place: Path, start: Callable[[], AbstractContextManager[Server]]) -> Iterator[str]:
    """Address of the server that `start` starts; everybody who names the same `place`, a path without a file, gets it.

    Whoever has started it waits at the end until nobody uses it, so that it outlives its other users.
    """
    with (
        Path(f"{place}.door").open("w") as door,
        Path(f"{place}.users").open("w") as users,
        contextlib.ExitStack() as own,
    ):
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not place.exists():
            place.write_text(own.enter_context(start()).address)
            own.callback(place.unlink)
            own.callback(fcntl.flock, users, fcntl.LOCK_EX)
        address = place.read_text()
        fcntl.flock(door, fcntl.LOCK_UN)
        yield address
