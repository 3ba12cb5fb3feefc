"""A link to the section one is at, with everything the page shows, to copy."""

from __future__ import annotations

from ui.components import wire

_COMPONENT = wire.declare("copy_link", "4.75rem")


def copy_link() -> None:
    """A button that copies, and the link itself in a field, selected where a browser lets nobody write to its
    clipboard (a page that came by http)."""
    wire.mount(_COMPONENT, "copy_link", {}, speaks=False)
