"""What a question of `page.predict` becomes in a class: answers are collected, once or twice, until all see the view.

Phases, which the lecturer's buttons set: `first` and `second` take answers, `discuss` takes none, `shown` lifts the
veil from everybody's view. A question begins in `first`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.components import following
from ui.guesses import Kind
from ui.rooms import seat, tally
from ui.rooms.channel import rooms
from ui.rooms.room import DISCUSS, FIRST, SECOND, SHOWN, Poll
from ui.rooms.store import UnreachableError

GLANCE = 1.0  # s between two looks at how many have answered
NEXT = {  # what the lecturer can do in each phase
    FIRST: (("Stop and discuss", DISCUSS), ("Uncover", SHOWN)),
    DISCUSS: (("Ask again", SECOND), ("Uncover", SHOWN)),
    SECOND: (("Uncover", SHOWN),),
    SHOWN: (("Ask anew", FIRST),),
}


@dataclass
class Ballot:
    """One question in the visitor's class."""

    place: seat.Seat
    key: str
    question: str
    poll: Poll

    @property
    def uncovered(self) -> bool:
        return self.poll.phase == SHOWN

    def begins(self) -> bool:
        """True in the first run of a new round: earlier guesses no longer count."""
        if following() or self.poll.round is None:
            return False
        name, now = f"class.round-{self.key}", (self.place.code, self.poll.phase)
        before = st.session_state.get(name)
        st.session_state[name] = now
        return before is not None and before != now

    def cast(self, answer: str) -> None:
        """Count a student's answer; the lecturer knows the truth, and hers does not count."""
        if self.place.leads:
            return
        try:
            counts = rooms().vote(self.place.code, self.key, self.place.voter, answer, self.question)
            said = "counted" if counts else "late"
        except UnreachableError:
            said = "silent"
        st.session_state[f"class.said-{self.key}"] = (self.place.code, self.poll.phase, said)

    def show(self, kind: Kind) -> None:
        """Below the question: how far the class is, and for the lecturer what she can do."""
        if self.place.leads:
            self._lead(kind)
            return
        if self.uncovered:
            self._answers(kind)
            return
        code, phase, said = st.session_state.get(f"class.said-{self.key}", ("", "", ""))
        mine = said if (code, phase) == (self.place.code, self.poll.phase) else ""
        st.caption(
            "The class cannot be reached: your answer was not counted." if mine == "silent"
            else "Discuss: no answers are taken now." if self.poll.phase == DISCUSS or mine == "late"
            else "Your answer counts. You can change it until the lecturer goes on." if mine
            else "Second vote: what do you say now?" if self.poll.phase == SECOND
            else "Your answer goes to the class, without a name."
        )  # fmt: skip

    def _lead(self, kind: Kind) -> None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"class_ask-{self.key}"):
            for words, phase in NEXT[self.poll.phase]:
                st.button(words, key=f"class_{phase}-{self.key}", on_click=self._ask, args=(phase,))
            if not self.uncovered:
                st.toggle("Show the answers", key=f"class_answers-{self.key}")
        if self.uncovered:
            self._answers(kind)
        else:
            self._count(kind)

    def _ask(self, phase: str) -> None:
        try:
            rooms().ask(self.place.code, self.place.key, self.key, phase)
        except UnreachableError:
            st.toast(seat.SILENT)

    @st.fragment(run_every=GLANCE)
    def _count(self, kind: Kind) -> None:
        """How many have answered, and what they say if she wants to see it."""
        number = 2 if self.poll.phase == SECOND else 1
        try:
            answered, present = rooms().answered(self.place.code, self.key, number), rooms().present(self.place.code)
        except UnreachableError:
            st.caption(seat.SILENT)
            return
        st.caption(f"**{answered}** of {max(present, answered)} have answered.")
        if st.session_state.get(f"class_answers-{self.key}"):
            self._answers(kind)

    def _answers(self, kind: Kind) -> None:
        try:
            answers = rooms().answers(self.place.code, self.key)
        except UnreachableError:
            st.caption(seat.SILENT)
            return
        tally.draw(kind, answers, f"class_tally-{self.key}")


def ballot(key: str, question: str) -> Ballot | None:
    """The class's vote on a question; None outside a class, and where its rooms cannot be reached."""
    place = seat.here()
    if place is None:
        return None
    try:
        poll = rooms().poll(place.code, key)
    except UnreachableError:
        return None
    return Ballot(place, key, question, poll)
