"""A page, or one section of it, in a frame of another site: `?embed=true`, and `&section=ANCHOR` for one section.

`embed` is Streamlit's own parameter: it hides its header, and the browser carries it from page to page. What the lab
adds comes with the first page that is served (ui/first_paint.py), so that nothing is painted that then goes away: the
frame has no side bar and no bar, and Back leads the page around it back, not the frame (embed.js). With a section, the
others stay out of sight, and most of them are not run (ui/not_shown.py). docs/embed.md is for whoever embeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import streamlit as st

from ui import course, not_shown
from ui.hand_in import window
from ui.plain import plain

PARAMETER = "embed"  # of the address
HERE = Path(__file__).parent


def on() -> bool:
    """True in a frame: the address says ``?embed=true``."""
    return bool(st.context.is_embedded)


def head(query: str) -> bytes:
    """The style sheet and the script of an embedded page as HTML; empty where the `query` string wants none."""
    if [each.lower() for each in parse_qs(query).get(PARAMETER, [])] != ["true"]:
        return b""
    return f"<style>{_read('embed.css')}</style>\n<script>(() => {{\n{_read('embed.js')}}})()</script>\n".encode()


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def way_out(lesson: course.Lesson, sections: list[str], place: Any) -> None:
    """Below what is embedded: what a student hands in, and a link to the whole page in a window of its own (embed.js
    adds its state). In `place`, a sentence where the wanted section is not among the anchors of the page's `sections`.
    """
    wanted = not_shown.wanted()
    if wanted and wanted not in (*sections, "sources"):
        place.warning(f"This page has no section “{plain(wanted[:100])}”, so all of it is shown. Copy the code anew.")
    with st.container(key="embed-way-out", horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        _hand_in()
        st.markdown(f":small[[Open “{lesson.title}” in the lab]({lesson.path or './'})]", width="content")


@st.fragment
def _hand_in() -> None:
    icon = ":material/assignment_turned_in:"
    with st.popover("Hand in", icon=icon, type="tertiary", key="hand_in_window", on_change="rerun") as opened:
        if opened.open:
            window.part()
