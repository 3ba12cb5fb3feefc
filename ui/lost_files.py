"""A file that a visitor has chosen and the server no longer has: the browser still names it, so the page can say so.

It was on a server that is gone, and the page goes on with another one; or the browser was away for longer than a
session is kept.
"""

from __future__ import annotations

import streamlit as st

from ui import page
from ui.streamlit_inside import Inside

inside = Inside("a page does not say that a file must be chosen again after a change of server")
with inside:
    from streamlit.runtime.uploaded_file_manager import DeletedFile

SENTENCE = "Choose your file again: the lab lost its connection with this page, and the file with it."


def lost(key: str) -> bool:
    """Whether this file uploader or camera input, which must be on the page, names a file that is lost."""
    return inside.there and isinstance(st.session_state.get(key), DeletedFile)


def told(key: str) -> bool:
    """Say so if its file is lost; returns whether."""
    if found := lost(key):
        page.problem(SENTENCE)
    return found
