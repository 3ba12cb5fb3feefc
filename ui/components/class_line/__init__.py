"""The browser's end of a class: it follows the lecturer, or says where she is; a word in the bar says which."""

from __future__ import annotations

from ui.components import wire

KEY = "class_line"
_COMPONENT = wire.declare(KEY, "2rem")


def class_line(code: str, key: str, voter: str) -> None:
    """Connect the page with room `code`: as its lecturer with the `key`, as a student with an empty one.

    The browser keeps key and `voter` for this room. If it has kept others, from before a reload, it says so: the
    message has `voter`, `key`, `polls` when a question has moved on, `back` when a hand has led back to where the class
    is, and `over` when the room has ended.
    """
    wire.mount(_COMPONENT, KEY, {"code": code, "lead": key, "voter": voter})
