"""The script Streamlit runs: navigation in teaching order, then the chosen page.

It lives here because Streamlit takes a pages/ folder beside its script for the old automatic navigation.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import streamlit as st

from ui import embed, not_shown, page, pinned, take_home, warmup
from ui.course import ready
from ui.rooms import seat, window

HERE = Path(__file__).resolve().parent

warmup.visited()
seat.arrive()
pinned.arrive()
st.set_page_config(page_icon=str(HERE / "icon.svg"), layout="wide")  # before the pages, whose icons are elsewhere
st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "icon.svg"))

lessons = {
    lesson: st.Page(
        lesson.script, title=lesson.menu, icon=lesson.icon, url_path=lesson.path,
        default=lesson.file == "home", help=lesson.question,
    )
    for lesson in ready()
}  # fmt: skip
# A lecturer's page, which is not in the course; the window "Class" leads to it.
reader = st.Page(HERE / "hand_in" / "reader.py", title="Hand-ins", icon=":material/grading:", url_path="hand_ins",
                 visibility="hidden")  # fmt: skip
grouped = {part: [lessons[each] for each in group] for part, group in groupby(lessons, lambda each: each.section)}
chosen = st.navigation(
    {**grouped, "": [reader]},
    position="hidden" if page.lecture() or embed.on() else "sidebar",
)
if chosen == reader:
    st.set_page_config(page_title="Hand-ins · Receptive")
    chosen.run()
    st.stop()
lesson = next(each for each, target in lessons.items() if target == chosen)
# Tabs and the browser's history carry the page's name.
st.set_page_config(page_title=f"{lesson.title} · Receptive" if lesson.path else "Receptive")

page.bar(lesson, pinned.button, take_home.button, window.button)
page.begin_ahead(lesson.title, lesson.question)
pinned.stand()
missing = st.empty() if embed.on() else None
page.notes(lesson)
if lesson.heavy and not warmup.finished():
    page.warming()
chosen.run()
if missing is not None:
    not_shown.complete([*page.anchors(), "sources"])
    embed.way_out(lesson, page.anchors(), missing)
elif lesson.path:  # home has the map
    page.way_on(lesson)
warmup.painted()
