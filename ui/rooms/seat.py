"""This visitor's place in a class: which room, whether she leads it, and the number under which she votes.

It lies in the session, and in the address as `room`. The browser keeps key and number (ui/components/class_line), so
that a reload is no new voter and the lecturer still leads.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from ui import course
from ui.components import address, wire
from ui.components.class_line import KEY, class_line
from ui.rooms import room
from ui.rooms.channel import DOUBTS, pass_on, rooms
from ui.rooms.relay import Relay
from ui.rooms.room import legible
from ui.rooms.store import UnreachableError

PARAMETER, FOLLOW = "room", "follow"  # of the address
SILENT = "The class cannot be reached just now; everything else goes on."
SEAT = "class.seat"  # in the session
_FOLLOWED, _WORD, _RELAY, _LEFT = "class.followed", "class.word", "class.relay", "class.left"
# What a state that is followed leaves alone: whoever follows keeps her guesses, her place in the class, what is open.
_STAYS = ("class.", KEY, "predict-", "live.", "take_home", "class_", "address.", "_page_", "hand_in")


@dataclass
class Seat:
    """In room `code`, as lecturer with the `key`, or as a student without; `voter` is a random number."""

    code: str
    key: str = ""
    voter: str = ""

    @property
    def leads(self) -> bool:
        return bool(self.key)


def here() -> Seat | None:
    """The visitor's place; None outside a class."""
    return st.session_state.get(SEAT)


def standing() -> room.Standing:
    """Where this visitor is: the page, and the state of its controls."""
    path = next((lesson.path for lesson in course.LESSONS if lesson.title == address.title()), "")
    return room.standing(f"{path}?{urlencode(address.standing(), doseq=True)}")


def arrive() -> None:
    """At the top of a run: take the place that the address names, and go where the lecturer has gone."""
    if PARAMETER not in st.query_params and SEAT not in st.session_state:
        return
    wanted, seat = st.query_params.get(PARAMETER), here()
    if wanted and legible(wanted) == st.session_state.get(_LEFT, ""):  # of before: this run overtakes the one that left
        wanted = None
    if wanted and (seat is None or seat.code != wanted):
        sentence = st.session_state[_WORD] = enter(wanted)
        if sentence == SILENT and (code := legible(wanted)):
            st.session_state[SEAT] = Seat(code, voter=secrets.token_urlsafe(16))  # it may answer later
        seat = here()
    if seat is not None:
        _heed(seat)
    _perform(here())
    number = st.query_params.get(FOLLOW)
    if number is not None and st.session_state.get(_FOLLOWED) != number:
        st.session_state[_FOLLOWED] = number
        as_linked()
        wire.put(number, _STAYS)


def _perform(seat: Seat | None) -> None:
    """What a lecturer's page draws is for her class too."""
    relay = st.session_state.get(_RELAY)
    wanted = (seat.code, seat.key) if seat is not None and seat.leads else None
    if wanted != (relay and (relay.code, relay.key)):
        relay = st.session_state[_RELAY] = Relay(*wanted, pass_on) if wanted else None
        wire.perform_for(relay)


def stand() -> None:
    """Once the page has begun: the address says which room, and no longer that it was followed."""
    seat = here()
    if seat is not None or PARAMETER in st.query_params:
        address.keep(PARAMETER, seat.code if seat else None)
    if FOLLOW in st.query_params:
        address.keep(FOLLOW, None)


def _heed(seat: Seat) -> None:
    """What the browser has kept of this room."""
    said = wire.news(KEY, wire.message(KEY)) or {}
    if isinstance(voter := said.get("voter"), str) and 8 <= len(voter) <= 64:
        seat.voter = voter
    if not seat.leads and isinstance(key := said.get("key"), str) and key:
        try:
            if rooms().leads(seat.code, key):
                seat.key = key
        except UnreachableError:
            pass
    if said.get("over"):
        leave("The room is closed.")


def as_linked() -> None:
    """Forget the state of the controls, so that they take it from the address as after a link."""
    for key in list(st.session_state):
        if isinstance(key, str) and not key.startswith(_STAYS) and not key.endswith(".sequence"):
            del st.session_state[key]
    address.forget()


def open_room() -> str | None:
    """The visitor opens a room and leads it; returns a sentence if that cannot be."""
    try:
        code, key = rooms().open()
    except UnreachableError:
        return SILENT
    st.session_state[SEAT] = Seat(code, key, secrets.token_urlsafe(16))
    return None


def enter(text: str) -> str | None:
    """The visitor joins a room as a student; returns a sentence if that cannot be."""
    sentence, code, where = None, legible(text), st.context.ip_address or "here"
    try:
        if not DOUBTS.may_ask(where):
            sentence = "Too many wrong codes: wait a minute and try again."
        elif code is None or not rooms().there(code):
            DOUBTS.wrong(where)
            sentence = "There is no such room: the code has six letters, and a room ends after a day."
        else:
            st.session_state[SEAT] = Seat(code, voter=secrets.token_urlsafe(16))
    except UnreachableError:
        sentence = SILENT
    return sentence


def leave(sentence: str | None = None) -> None:
    """The visitor's place is free."""
    if (seat := st.session_state.pop(SEAT, None)) is not None:
        st.session_state[_LEFT] = seat.code
    _perform(None)
    st.session_state[_WORD] = sentence
    address.keep(PARAMETER, None)


def end_room() -> str | None:
    """The lecturer ends the room for all."""
    seat = here()
    try:
        if seat is not None:
            rooms().end(seat.code, seat.key)
    except UnreachableError:
        return SILENT
    leave("The room is closed.")
    return None


def line() -> None:
    """In the bar: the browser's connection with the class, and where one stands. Nothing outside a class."""
    seat = here()
    if sentence := st.session_state.pop(_WORD, None):
        st.toast(sentence, icon=":material/groups:", duration="long")
    if seat is not None:
        class_line(seat.code, seat.key, seat.voter)


def carried() -> dict[str, str]:
    """What links within the lab take along."""
    seat = here()
    return {PARAMETER: seat.code} if seat is not None else {}
