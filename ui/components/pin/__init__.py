"""A pin: the present state of the page stays as a copy beside the live one, and their controls move in step.

The copy is the same page in a frame, a second session of this visitor, which ends when it is unpinned. Nothing differs
at first. The next change, a network say, sets the two apart; from then on every other control moves both, until what
differs is brought in step (in_step.js has the rule). What differs lies in the address as `pin`: names and values of the
copy's side.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from ui.components import address, wire

KEY = "pin"
PARAMETER, COPY = "pin", "pinned"  # of the address: of the live page, of its copy
LONGEST = 2000  # characters of the parameter
_COMPONENT = wire.declare(KEY, "2rem")


def pin(shelf: str, student: bool) -> None:
    """The button, and the copy where there is one. `shelf` is the secret of this session's files (ui/own_files.py),
    which its copy is told; a `student` in a class is asked before what the lecturer has pinned is loaded."""
    said = wire.news(KEY, wire.message(KEY)) or {}
    if PARAMETER in said:
        address.keep(PARAMETER, legible(said[PARAMETER]))
    held = legible(address.linked(PARAMETER))
    if held is None and address.linked(PARAMETER) is not None:
        address.keep(PARAMETER, None)
    wire.mount(_COMPONENT, KEY, {"pin": held, "shelf": shelf, "student": student, "copy": False})


def copied() -> None:
    """In the copy: what lets the live page move its controls."""
    wire.mount(_COMPONENT, KEY, {"copy": True}, speaks=False)


def legible(text: object) -> str | None:
    """`text` if it says what a copy differs in: "-" for nothing, else a query. None for anything else."""
    if not isinstance(text, str) or not text or len(text) > LONGEST:
        return None
    return text if text == "-" or parse_qsl(text, keep_blank_values=True) else None
