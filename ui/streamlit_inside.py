"""Streamlit's private parts: what the lab needs of them, and a word in the log when a newer Streamlit lacks it.

A module names all that it needs in one block, and knows afterwards whether it is there::

    inside = Inside("departed students are forgotten late")
    with inside:
        from streamlit.runtime import Runtime

        inside.needs(Runtime, "instance", "_session_mgr")

    def close_expired() -> int:
        if not inside.there:
            return 0

Without it the lab does without: slower, never broken. ui/components/README.md lists every part.
"""

from __future__ import annotations

import inspect
import logging
import threading

import streamlit as st

_LOG = logging.getLogger(__name__)
_missing: dict[str, list[str]] = {}  # what Streamlit lacks → what the lab does instead
_begun = threading.Event()  # the lab has said what it lacks


class Inside:
    """A block in which a missing part ends no import; `there` says afterwards whether everything was found.

    `without` says in a few words what the lab does when something is not.
    """

    def __init__(self, without: str):
        self.without, self.there = without, False

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        self.there = kind is None
        if not isinstance(error, ImportError):
            return False
        _missing.setdefault(str(error).partition(" (")[0], []).append(self.without)  # the rest is the path of a file
        if _begun.is_set():
            report()
        return True

    @staticmethod
    def needs(owner: object, *names: str) -> None:
        """Raises ImportError unless `owner`, a class or a module, has these attributes or its objects begin with them.

        An object's own attributes are those that its class annotates or that its `__init__` names.
        """
        begins = inspect.unwrap(owner.__init__) if isinstance(owner, type) else None
        named = set(getattr(getattr(begins, "__code__", None), "co_names", ()))
        for each in getattr(owner, "__mro__", ()):
            named |= set(vars(each).get("__annotations__", ()))
        for name in names:
            if name not in named and not hasattr(owner, name):
                where = f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else owner.__name__
                raise ImportError(f"cannot find {name!r} in {where!r}")


def report() -> None:
    """Write one warning for each missing part, once; app.py calls it when its modules are loaded. What a page loads
    later and misses is written at once."""
    _begun.set()
    for what, without in _missing.items():
        _LOG.warning("Streamlit %s: %s. The lab goes on: %s.", st.__version__, what, "; ".join(dict.fromkeys(without)))
    _missing.clear()
