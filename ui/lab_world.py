"""Where the pages' shared controls find Lab World.

ui/ imports no other room of the house, so the door (app.py) hands the ``scenes`` package in.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

_load: Callable[[], ModuleType] | None = None


def register(load: Callable[[], ModuleType]) -> None:
    """``load`` returns the ``scenes`` package; it is called when the first scene is wanted."""
    global _load
    _load = load


def scenes() -> ModuleType:
    """The ``scenes`` package. Raises RuntimeError before ``register``."""
    if _load is None:
        raise RuntimeError("Start the lab through app.py: it tells ui.lab_world where Lab World is.")
    return _load()
