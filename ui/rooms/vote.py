"""What a question of `page.predict` becomes in a class: answers are collected, once or twice, until all see the view.

Phases, which the lecturer's buttons set: `first` and `second` take answers, `discuss` takes none, `shown` lifts the
veil from everybody's view. A question begins in `first`.

A vote counts for the question as it stands: who has set the controls otherwise than the class is told so, and answers
that were given with other settings are never counted with these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui import recording
from ui.components import following
from ui.guesses import Kind, Region
from ui.rooms import collected, seat, tally
from ui.rooms.channel import rooms
from ui.rooms.room import ANY, COUNTED, DISCUSS, ELSEWHERE, FIRST, SECOND, SHOWN, Poll, Standing
from ui.rooms.store import UnreachableError

GLANCE = 1.0  # s between two looks at how many have answered
NEXT = {  # what the lecturer can do in each phase
    FIRST: (("Stop and discuss", DISCUSS), ("Uncover", SHOWN)),
    DISCUSS: (("Ask again", SECOND), ("Uncover", SHOWN)),
    SECOND: (("Uncover", SHOWN),),
    SHOWN: (("Ask anew", FIRST),),
}


SILENT = "silent"  # beside what the room says of a vote
APART = (
    "The class is elsewhere, or its page has other settings than yours, so your answer was not counted. *Catch up* in "
    "the bar, then answer."
)


@dataclass
class Ballot:
    """One question in the class of whoever asks: it knows nobody's seat, since students who do the same are told the
    same run (ui/shared_runs.py), buttons included. How far the class is, is a part of what such a run has read."""

    key: str
    question: str
    poll: Poll
    anywhere: bool = False  # the answer hangs on nothing that stands in the address
    results: Any = None  # where they are drawn once they may be seen

    @property
    def place(self) -> seat.Seat:
        """The visitor's; one that is nowhere once she has left."""
        with recording.aside():
            return seat.here() or seat.Seat("")

    @property
    def here(self) -> Standing:
        """Where the visitor stands, as far as the answer hangs on it."""
        now = seat.standing()
        return Standing(now.page, ANY) if self.anywhere else now

    @property
    def uncovered(self) -> bool:
        return self.poll.phase == SHOWN

    def begins(self) -> bool:
        """True in the first run of a new round, or with other settings: an earlier guess is no answer to this."""
        if following():
            return False
        with recording.aside() as noted:
            name, now = f"class.round-{self.key}", (self.place.code, self.poll.phase, self.here)
            before = st.session_state.get(name)
            st.session_state[name] = now
        if noted is not None:
            noted.acts.append(recording.Again(self._begins_without_answer))
        return self.poll.round is not None and before is not None and before != now

    def _begins_without_answer(self) -> bool:
        """For a student without a guess who is told another's run; False if the room has an answer of hers."""
        if self.mine() is not None:
            return False
        self.begins()
        return True

    def mine(self) -> str | None:
        """What the student has answered here already."""
        try:
            answer = rooms().mine(self.place.code, self.key, self.place.voter, self.here)
        except UnreachableError:
            return None
        if answer is not None:
            recording.spoil("it has somebody's answer")
        return answer

    def cast(self, answer: str) -> bool:
        """Count a student's answer; the lecturer knows the truth, and hers does not count, nor does that of who has
        left. False if it was given with other settings than the class's."""
        if self.place.leads or not self.place.code:
            return True
        here = self.here
        try:
            said = rooms().vote(self.place.code, self.key, self.place.voter, answer, self.question, here)
        except UnreachableError:
            said = SILENT
        st.session_state[f"class.said-{self.key}"] = (self.place.code, self.poll.phase, here, said)
        return said != ELSEWHERE

    def show(self, kind: Kind, guessed: bool) -> None:
        """Below the question: how far the class is, and for the lecturer what she can do; `guessed`: whether the
        visitor has a guess."""
        name = f"class.said-{self.key}"
        if (said := st.session_state.get(name)) is not None and said[:2] != (self.place.code, self.poll.phase):
            del st.session_state[name]  # of a round that is over: asked anew, it is none
        if self.place.leads:
            self._lead(kind)
        elif not self.uncovered:
            self._wait(guessed)
        self.results = st.container() if self.uncovered else None

    def reveal(self, kind: Kind, truth: Any) -> None:
        """Both rounds beside the outcome, once the lecturer has uncovered it; `truth` is that of the page as it is."""
        if self.results is None:
            return
        with self.results:
            self._answers(kind, truth)

    def _wait(self, guessed: bool) -> None:
        *when, said = st.session_state.get(f"class.said-{self.key}", ("", "", None, ""))
        if when == [self.place.code, self.poll.phase, self.here]:
            mine = said
        else:  # a guess from the address may have been counted before: with these settings, or by a server that is gone
            mine = COUNTED if guessed and self.mine() is not None else ""
        st.caption(
            "The class cannot be reached: your answer was not counted." if mine == SILENT
            else APART if mine == ELSEWHERE
            else "Discuss: no answers are taken now." if self.poll.phase == DISCUSS or mine not in ("", COUNTED)
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
        if not self.uncovered:
            self._count(kind)

    def _ask(self, phase: str) -> None:
        try:
            rooms().ask(self.place.code, self.place.key, self.key, phase, self.here)
        except UnreachableError:
            st.toast(seat.SILENT)

    @st.fragment(run_every=GLANCE)
    def _count(self, kind: Kind) -> None:
        """How many have answered, and what they say if she wants to see it."""
        number, here = 2 if self.poll.phase == SECOND else 1, self.here
        try:
            where = (self.place.code, self.key, number, here)
            answered, other = rooms().answered(*where), rooms().answered_elsewhere(*where)
            present = rooms().present(self.place.code)
        except UnreachableError:
            st.caption(seat.SILENT)
            return
        apart = f" {other} more answered with other settings of this page; those count apart." if other else ""
        st.caption(f"**{answered}** of {max(present, answered)} have answered.{apart}")
        if st.session_state.get(f"class_answers-{self.key}"):
            self._answers(kind)

    def _answers(self, kind: Kind, truth: Any = None) -> None:
        """What was said; a `truth` only where it may be seen, and it judges only what was asked with these settings. It
        may be a function of what was said."""
        recording.spoil("it has the class's answers")
        here = self.here.case
        cases = self.poll.cases(here)
        try:
            answers = rooms().answers(self.place.code, self.key, cases)
        except UnreachableError:
            st.caption(seat.SILENT)
            return
        if other := [number for number, case in enumerate(cases) if case not in ("", here) and answers[number]]:
            votes = " and ".join(tally.ROUND[number].lower() for number in other)
            st.caption(f"The page has other settings now than in the {votes}.")
        if callable(truth):
            truth = truth([text for each in answers for text in each])
        if isinstance(kind, Region):
            collected.draw(kind, answers, f"class_tally-{self.key}", None if other else truth)
        else:
            tally.draw(kind, answers, f"class_tally-{self.key}")


def ballot(key: str, question: str, anywhere: bool = False) -> Ballot | None:
    """The class's vote on a question, whose answer hangs on the page's settings unless it is the same `anywhere`; None
    outside a class, and where its rooms cannot be reached."""
    with recording.aside() as noted:
        poll = poll_of(key)
    if noted is not None:
        noted.read("poll", key, poll)
    return None if poll is None else Ballot(key, question, poll, anywhere)


def poll_of(key: str) -> Poll | None:
    """How far the visitor's class is with a question; None as with `ballot`."""
    place = seat.here()
    try:
        return None if place is None else rooms().poll(place.code, key)
    except UnreachableError:
        return None
