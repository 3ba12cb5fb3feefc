"""What the live components and the pages write into the address, and never lose there.

Streamlit sends the whole query string with every change, and a run knows the string of the moment it was asked for. So
two changes in quick succession, in two fragments or while a slow run is under way, used to wipe each other out. Here
the session keeps what was written on this page, and every run puts back what is missing.
"""

from __future__ import annotations

import streamlit as st

from ui.components import live

_KEPT = "address.kept"


def turn_to(title: str) -> None:
    """A page begins: what another page has written no longer counts."""
    if st.session_state.get(_KEPT, (None,))[0] != title:
        st.session_state[_KEPT] = (title, {})


def _kept() -> dict[str, str | None]:
    return st.session_state.setdefault(_KEPT, (None, {}))[1]


def keep(name: str, text: str | None) -> None:
    """Write query parameter `name`; None clears it."""
    kept = _kept()
    if kept.get(name, "") != text:  # else `mend` at the end of the run sees to it
        kept[name] = text
        mend()


def linked(name: str) -> str | None:
    """The parameter as it was written last on this page, else as the link that was opened has it; None without one."""
    kept = _kept()
    return kept[name] if name in kept else st.query_params.get(name)


def mend() -> None:
    """Put back what is missing. Does nothing while a hand moves: the address changes when it rests."""
    if live.following():
        return
    kept, shown = _kept(), st.query_params.to_dict()
    lost = {name: text for name, text in kept.items() if text is not None and shown.get(name) != text}
    if lost:
        st.query_params.update(lost)
    for name, text in kept.items():
        if text is None and name in shown:
            del st.query_params[name]
