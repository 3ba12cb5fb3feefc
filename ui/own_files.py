"""A visitor's own files, such as an uploaded picture: named in the address, so that a pinned copy shows them too.

The file itself stays in her session; the address has a short name for it, which says nothing to anybody else. The copy
of a pinned page (ui/pinned.py) is a session of the same visitor and is told the secret of her shelf.
"""

from __future__ import annotations

import secrets
from typing import Any
from weakref import WeakValueDictionary

import streamlit as st

from ui import lost_files
from ui.components import address
from ui.components.pin import COPY, PARAMETER

_SHELF = "address.shelf"  # the address refers to it, so it stays when a state is put in place (ui/rooms/seat.py)
EACH = 2  # files of one control while something is pinned: the live side's and the copy's
NAME = 8  # characters of a file's name in the address

_shelves: WeakValueDictionary[str, Shelf] = WeakValueDictionary()


class Shelf:
    """The files of one visitor by control and short name, and the secret that opens it to her copies."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(16)
        self.files: dict[str, dict[str, Any]] = {}

    def put(self, key: str, file: Any, most: int) -> str:
        """Keep a file of control `key`, beside the newest others up to `most`; returns its name."""
        name, held = file.file_id.replace("-", "")[:NAME], self.files.setdefault(key, {})
        held[name] = held.pop(name, file)
        while len(held) > most:
            del held[next(iter(held))]
        return name


def shelf() -> Shelf:
    """This session's shelf; in a copy, that of the page it was pinned on, as long as there is one."""
    found = st.session_state.get(_SHELF)
    if found is None:
        found = _shelves.get(st.query_params.get(COPY, "")) or Shelf()
        st.session_state[_SHELF] = _shelves[found.secret] = found
    return found


def chosen(key: str, file: Any | None) -> Any | None:
    """The file that the uploader `key` (with `on_change=cleared`) has, or the one that the address names."""
    name = f"{key}_file"
    if file is not None:
        address.keep(name, shelf().put(key, file, EACH if PARAMETER in st.query_params else 1))
        return file
    linked = address.linked(name)
    found = shelf().files.get(key, {}).get(linked) if linked else None
    if linked is not None and found is None:
        address.keep(name, None)
        if linked and not lost_files.lost(key):  # else the page says so as long as the browser names it
            st.caption("The file of this link was somebody's own and is not in it: choose it again.")
    return found


def cleared(key: str) -> None:
    """The visitor has changed what the uploader `key` has; without a file it has none from the address either."""
    if st.session_state.get(key) is None:
        address.keep(f"{key}_file", None)
        shelf().files.pop(key, None)


def unused(key: str) -> None:
    """The control is not on the page: the address says nothing of its file."""
    if address.linked(f"{key}_file") is not None:
        address.keep(f"{key}_file", None)
