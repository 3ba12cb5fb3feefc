"""What a visitor takes along: the page as a notebook, her answers to hand in, and a link to the section one is at.

All are made when the small window in the bar opens, from what the session holds at that moment; until then the page
does not know of them.
"""

from __future__ import annotations

import importlib
from urllib.parse import urlencode

import streamlit as st

from ui import course, notebook
from ui.components import copy_link
from ui.hand_in.window import part as hand_in


@st.fragment
def button(lesson: course.Lesson) -> None:
    """In the bar: a small window that opens with the notebook of `lesson`, where it has one, and the link."""
    icon = ":material/download:"
    with st.popover("Take home", icon=icon, type="tertiary", key="take_home", on_change="rerun") as window:
        if not window.open:
            return
        if lesson.notebook.exists():
            st.download_button(
                "Jupyter notebook", written(lesson), f"receptive-{lesson.file}.ipynb", "application/x-ipynb+json",
                key="take_home_notebook", icon=":material/code_blocks:", on_click="ignore",
            )  # fmt: skip
            st.caption("What is on this page now, with its numbers, as Python. It runs in the folder of the lab.")
        hand_in()
        copy_link()
        st.caption("The code shows this page, or the section alone, in a page of a learning platform, in this state.")
        st.caption("Point at a picture or a chart to save it as PNG or SVG. Printed, the page is a handout.")


def written(lesson: course.Lesson) -> str:
    """The notebook of `lesson` in the state that this session is in."""
    # Pages lie above ui/ and are reached by their names here, as their scripts are in ui/main.py.
    cells = importlib.import_module(f"pages.{lesson.file}.notebook").cells(st.session_state)
    query = urlencode(list(st.query_params.items()))
    address = f"{st.context.url}?{query}" if st.context.url and query else st.context.url or ""
    return notebook.file(cells, lesson.title, address)
