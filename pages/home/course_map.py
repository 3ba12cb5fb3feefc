"""The map of the course: which page answers which question, and which topics of a lecture it covers."""

from itertools import groupby

import streamlit as st

from ui import page
from ui.course import DEMO, ready


def course_map() -> None:
    """Every page in teaching order."""
    page.section("The course", "Every page answers one question. Below it: the topics of a lecture that it covers.")
    steps = [(each.title, what) for file, what in DEMO for each in ready() if each.file == file]
    st.markdown("**10-minute demo:** " + "; ".join(f"*{title}*, {what}" for title, what in steps) + ".")
    for section, lessons in groupby((each for each in ready() if each.path), key=lambda each: each.section):
        st.subheader(section, anchor=False)
        with st.grid(2, min_column_width=260):
            for lesson in lessons:
                with st.container(border=True, key=f"lesson-{lesson.file}", gap="xsmall"):
                    page.link(lesson, f"**{lesson.title}**")
                    st.markdown(f"{lesson.question} :gray[{lesson.minutes} min]")
                    if lesson.topics:
                        st.caption(lesson.topics)
