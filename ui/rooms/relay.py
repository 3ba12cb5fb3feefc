"""What a lecturer's page draws, for all who follow it: the pictures at once, their own reruns when there is time.

A rerun for each of five hundred followers takes a server many seconds. But they all see what the lecturer sees, so what
her page has drawn after a move (a slider's value, pictures, matrices, figures) is put into words once and goes to every
browser over the class's web socket (`channel`). Only reruns of a fragment and moves on the direct line are passed on; a
new page is sent to everybody as before.

Not passed on: secrets of her session, what `wire.privately` has drawn (her guesses, the votes), and what belongs to the
class and its questions.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

OWN = ("class", "predict-", "take_home", "copy_link", "section_bar")  # keys that begin like this are everybody's own
KEPT = 16  # rasters of a stage that may be wanted again, as in ui/components/stage/wire_format.py


class Relay:
    """What one lecturer's session has drawn and not yet passed on; any thread may call it."""

    def __init__(self, code: str, key: str, soon: Callable[[Relay], None]):
        self.code, self.key, self._soon = code, key, soon
        self._lock = threading.Lock()
        self._drawn: dict[str, dict[str, Any]] = {}
        self._rasters: dict[str, OrderedDict[str, Any]] = {}  # per stage: name → data URL, those last shown
        self._passed: dict[str, OrderedDict[str, None]] = {}  # names that followers have

    def __call__(self, key: str, data: dict[str, Any], alone: bool) -> None:
        """Component `key` is given `data`, in a run of its fragment `alone` or in one of the whole page."""
        if key.startswith(OWN):
            return
        with self._lock:
            if rasters := data.get("rasters"):
                _remember(self._rasters.setdefault(key, OrderedDict()), rasters)
            first = alone and not self._drawn
            if alone:
                self._drawn[key] = data
        if first:
            self._soon(self)

    def take(self, place: str) -> dict[str, str]:
        """JSON of what has been drawn since the last call, by component; `place` is where, and its page goes along."""
        page = re.split("[?#]", place)[0]
        with self._lock:
            drawn, self._drawn = self._drawn, {}
            full = {key: self._with_rasters(key, data) for key, data in drawn.items()}
        said = {key: data | {"page": page} for key, data in full.items()}
        return {key: json.dumps(data, separators=(",", ":"), default=str) for key, data in said.items()}

    def _with_rasters(self, key: str, data: dict[str, Any]) -> dict[str, Any]:
        """`data` with the rasters that it shows and that followers do not have yet, though her browser may."""
        if "rasters" not in data:
            return data
        names = [data.get("picture"), *(layer.get("name") for layer in data["layers"] if layer.get("kind") == "raster")]
        known, passed = self._rasters.get(key, {}), self._passed.setdefault(key, OrderedDict())
        wanted = {name: known[name] for name in names if name in known and name not in passed}
        _remember(passed, dict.fromkeys(name for name in names if name in known))
        return data | {"rasters": wanted}


def _remember(kept: OrderedDict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        kept[name] = value
        kept.move_to_end(name)
    while len(kept) > KEPT:
        kept.popitem(last=False)
