"""The sections of the page in one slim line: where one is, and a click or a key to each of the others."""

from __future__ import annotations

from ui.components import wire

_COMPONENT = wire.declare("section_bar", "2rem")


def section_bar(home: str) -> None:
    """The headings that `page.section` has written, read off the page; `j` and `k` go to the next and previous one.

    A link with an anchor lands on its section once the page has settled. The logo leads home with the query `home`,
    such as "lecture=1"; empty: as Streamlit has it.
    """
    wire.mount(_COMPONENT, "section_bar", {"home": home}, speaks=False)
