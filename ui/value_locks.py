"""A lock for each value that is being computed, and not for each that ever was.

Streamlit's caches let nobody compute a value twice at the same time: there is a lock for each. They keep them all, even
when the value has long been dropped for a newer one: 0.2 kB for every place of a box that somebody drags. Here a lock
is there as long as somebody holds it or waits for it.
"""

from __future__ import annotations

import functools
import threading
from weakref import WeakValueDictionary

from ui.streamlit_inside import Inside

inside = Inside("0.2 kB stay of every value that was computed")
with inside:
    from streamlit.runtime.caching.cache_utils import Cache

    inside.needs(Cache, "_value_locks")


class Locks(WeakValueDictionary[str, threading.Lock]):
    """Locks by name; who asks for one that is not there gets a new one, and nobody else keeps it."""

    def __getitem__(self, name: str) -> threading.Lock:
        return self.setdefault(name, threading.Lock())

    def __delitem__(self, name: str) -> None:
        self.pop(name, None)  # it may have gone since it was looked for


def let_go() -> None:
    """Give the caches of the running Streamlit such locks, those that begin from now on; a second call does nothing."""
    if not inside.there or hasattr(Cache.__init__, "lets_go"):
        return
    real = Cache.__init__

    @functools.wraps(real)
    def begin(self, *given, **named):
        real(self, *given, **named)
        self._value_locks = Locks()

    begin.lets_go = True
    Cache.__init__ = begin
