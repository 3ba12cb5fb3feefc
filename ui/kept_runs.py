"""The runs that are kept for others, within so many bytes; those that were wanted last stay."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

MEGABYTES = float(os.environ.get("RECEPTIVE_SHARED_RUNS_MB", "64"))  # 0: nothing is kept, every rerun is run
WAYS = 8  # sets of reads that are tried for a fragment: a body may look at more when a control stands elsewhere
FRAGMENTS = 1000  # with other arguments or in another mode it is another one


class KeptRuns:
    """Runs by what they have read. Any thread may call it."""

    def __init__(self, most: int):
        """`most` bytes are kept."""
        self.most, self.bytes = most, 0
        self.shared = self.run = 0  # runs that were replayed, and that were not
        self._lock = Lock()
        # fragment → names of what its runs have read
        self._ways: OrderedDict[Hashable, OrderedDict[tuple, None]] = OrderedDict()
        self._runs: OrderedDict[tuple, tuple[Any, int]] = OrderedDict()

    def find(self, fragment: Hashable, look: Callable[[tuple], Hashable | None]) -> Any | None:
        """The run of `fragment` that has read what `look` finds under the same names; None if there is none."""
        with self._lock:
            ways = list(self._ways.get(fragment, ()))
        for names in reversed(ways):
            values = look(names)
            if values is None:
                continue
            key = (fragment, names, values)
            with self._lock:
                if key in self._runs:
                    self._runs.move_to_end(key)
                    return self._runs[key][0]
        return None

    def keep(self, fragment: Hashable, reads: dict, run: Any, size: int) -> None:
        """Keep a run of `size` bytes that has read `reads`."""
        if size > self.most:
            return
        names = tuple(reads)
        key = (fragment, names, tuple(reads.values()))
        with self._lock:
            ways = self._ways.setdefault(fragment, OrderedDict())
            ways[names] = None
            while len(ways) > WAYS:
                ways.popitem(last=False)
            self.bytes += size - self._runs.pop(key, (None, 0))[1]
            self._runs[key] = run, size
            while self.bytes > self.most:
                self.bytes -= self._runs.popitem(last=False)[1][1]
            while len(self._ways) > FRAGMENTS:
                self._ways.popitem(last=False)

    def count(self, shared: bool) -> None:
        with self._lock:
            self.shared += shared
            self.run += not shared

    def __len__(self) -> int:
        return len(self._runs)

    def clear(self) -> None:
        with self._lock:
            self._ways.clear()
            self._runs.clear()
            self.bytes = self.shared = self.run = 0
