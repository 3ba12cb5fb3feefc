"""What opens under "Class" in the bar: open a room, join one, invite the class, take its results, end it."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import segno
import streamlit as st

from ui import course
from ui.plain import plain
from ui.rooms import seat, tally
from ui.rooms.channel import rooms
from ui.rooms.store import UnreachableError

LOCAL = ("localhost", "127.0.0.1", "::1")


@st.fragment
def button(_lesson: course.Lesson) -> None:
    """In the bar: a small window that is filled when it opens."""
    place = seat.here()
    icon = ":material/groups:"
    with st.popover("Class", icon=icon, type="tertiary", key="class_window", on_change="rerun") as window:
        if not window.open:
            return
        if place is None:
            _outside()
        elif place.leads:
            _lead(place)
        else:
            st.markdown(f"You are in room **{place.code}**. Nobody knows who you are.")
            st.caption("The page follows the lecturer until you touch a control; *Catch up* brings you back.")
            if st.button("Leave the room", key="class_leave", width="stretch"):
                seat.leave()
                st.rerun(scope="app")


def _outside() -> None:
    sentence = None
    with st.form("class_join", border=False):
        code = st.text_input("Six letters", key="class_code", max_chars=12, placeholder="ABCDEF")
        join = st.form_submit_button("Join a room", width="stretch")
    if st.button("Open a room", key="class_open", width="stretch"):
        sentence = seat.open_room() or ""
    elif join:
        sentence = seat.enter(code) or ""
    if sentence:
        st.warning(sentence)
    elif sentence is not None:
        st.rerun(scope="app")
    _read()
    st.caption("No accounts, no names. Students follow the page of who opens a room, and vote on its questions.")


def _lead(place: seat.Seat) -> None:
    link = invitation(place.code)
    st.markdown(f"## {place.code}")
    st.image(qr(link), width=240, alt=f"QR code of {link}")
    st.caption(plain(link))
    if urlsplit(link).hostname in LOCAL:
        st.caption("This address works on this computer alone: open the lab under the name that students reach.")
    try:
        table = tally.csv(rooms(), place.code)
        st.download_button(
            "Results as CSV", table, f"receptive-{place.code}.csv", "text/csv",
            key="class_results", icon=":material/table:", on_click="ignore", width="stretch",
        )  # fmt: skip
    except UnreachableError:
        st.warning(seat.SILENT)
    _read()
    if st.button("End the room", key="class_end", width="stretch"):
        if sentence := seat.end_room():
            st.warning(sentence)
        else:
            st.rerun(scope="app")


def _read() -> None:
    """The way to what students hand in, with or without a room."""
    st.page_link("hand_in/reader.py", label="Read hand-ins", icon=":material/grading:",
                 query_params=seat.carried() or None)  # fmt: skip


def invitation(code: str) -> str:
    """The address under which students join."""
    found = urlsplit(st.context.url or "http://localhost/")
    folder = found.path.rpartition("/")[0]  # a page is the last part of a path
    return f"{found.scheme}://{found.netloc}{folder}/?{seat.PARAMETER}={code}"


@st.cache_data(max_entries=50, show_spinner=False)
def qr(link: str) -> bytes:
    """PNG."""
    picture = io.BytesIO()
    segno.make(link, error="m", micro=False).save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()
