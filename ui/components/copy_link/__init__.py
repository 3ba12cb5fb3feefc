"""A link to the section one is at, with everything the page shows, and the code that embeds it elsewhere, to copy."""

from __future__ import annotations

from ui.components import wire

_COMPONENT = wire.declare("copy_link", "10.5rem")


def copy_link() -> None:
    """Buttons that copy, and below them what they copy in a field, selected where a browser lets nobody write to its
    clipboard (a page that came by http).

    The code is an HTML frame of the page or of the section (ui/embed.py) in its present state, without the class one is
    in and without the guesses one has given.
    """
    wire.mount(_COMPONENT, "copy_link", {}, speaks=False)
