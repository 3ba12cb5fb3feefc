"""A page, or one section of it, in a frame of another site: `?embed=true`, and `&section=ANCHOR` for one section.

`embed` is Streamlit's own parameter: it hides its header, and the browser carries it from page to page. What the lab
adds comes with the first page that is served (ui/first_paint.py), so that nothing is painted that then goes away: the
frame has no side bar and no bar, and Back leads the page around it back, not the frame. With a section, the others stay
out of sight; what stands above the first one, the choice of a picture, belongs to all. docs/embed.md is for whoever
embeds.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st

from ui import course

PARAMETER, SECTION = "embed", "section"  # of the address
HERE = Path(__file__).parent
_ANCHOR = re.compile(r"[a-z0-9-]{1,100}")


def on() -> bool:
    """True in a frame: the address says ``?embed=true``."""
    return bool(st.context.is_embedded)


def section() -> str | None:
    """Anchor of the section that alone is wanted; None for the whole page."""
    return st.query_params.get(SECTION) if on() else None


def head(query: str) -> bytes:
    """The style sheets and the script of an embedded page as HTML; empty where the `query` string wants none."""
    asked = parse_qs(query)
    if [each.lower() for each in asked.get(PARAMETER, [])] != ["true"]:
        return b""
    found = f"<style>{_read('embed.css')}</style>\n<script>{_read('embed.js')}</script>\n"
    anchor = asked.get(SECTION, [""])[0]
    if _ANCHOR.fullmatch(anchor):
        found += f'<style id="embed-section">{_read("embed_section.css").replace("ANCHOR", anchor)}</style>\n'
    return found.encode()


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def way_out(lesson: course.Lesson, sections: list[str]) -> None:
    """Below what is embedded: a link to the whole page in a window of its own (embed.js adds its state), and a sentence
    where the wanted section is not among the anchors of the page's `sections`."""
    wanted = section()
    if wanted and wanted not in (*sections, "sources"):
        st.warning(f"This page has no section “{wanted[:100]}”, so all of it is shown. Copy the code to embed anew.")
    with st.container(key="embed-way-out"):
        st.markdown(f":small[[Open “{lesson.title}” in the lab]({lesson.path or './'})]")
