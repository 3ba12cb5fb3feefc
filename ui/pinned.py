"""A pin on every page with a network: its state stays beside the next one (ui/components/pin).

The copy is the same page with `pinned=SECRET` in its address, in a frame without a bar. There nothing is asked and no
class is joined: what is veiled on the live page, her browser veils in the copy.
"""

from __future__ import annotations

import streamlit as st

from ui import course, own_files
from ui.components import address
from ui.components.pin import COPY, copied, pin
from ui.rooms import seat

PUT = "put"  # of the address: a number, new whenever the other side has put another state there
_PUT = "address.put"


def copy() -> bool:
    """True in the copy."""
    return COPY in st.query_params


def arrive() -> None:
    """At the top of a run: take the state that the other side has put into the address."""
    number = st.query_params.get(PUT)
    if number is not None and st.session_state.get(_PUT) != number:
        st.session_state[_PUT] = number
        seat.as_linked()


def stand() -> None:
    """Once the page has begun, the address no longer says so."""
    if PUT in st.query_params:
        address.keep(PUT, None)


@st.fragment
def button(lesson: course.Lesson) -> None:
    """In the bar, on every page with a network."""
    if not lesson.asks_network:
        return
    if copy():
        copied()
    else:
        place = seat.here()
        pin(own_files.shelf().secret, student=place is not None and not place.leads)
