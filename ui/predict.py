"""Ask before it shows: a view that stays veiled until a guess is given or waved through.

Whoever watches without having guessed learns no more than who never saw it (Crouch et al. 2004).

The guess lies in the session and in the address under `predict-KEY`: the guess in words, or SHOWN. `?predict=off` asks
nothing and veils nothing. In a class (ui/rooms) a guess is a vote, and the lecturer lifts the veil.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui import answers
from ui.components import Boxes, Points, address, following, wire, words
from ui.guesses import Choice, Kind, Number, Order, Region, kind_of
from ui.rooms import vote

__all__ = ["Number", "Order", "Prediction", "Region", "off", "predict"]

SHOWN = "shown"  # in place of a guess: waved through


def off() -> bool:
    """True when the address ends in ``?predict=off``: no questions, no veils."""
    return st.query_params.get("predict") == "off"


@dataclass
class Prediction:
    """A question that has been put.

    `guess` is what the visitor has said, None before and without a guess; `veiled` says whether the view is.
    """

    key: str
    question: str
    kind: Kind
    guess: Any | None
    shown: bool
    asked: bool
    place: Any = None
    told: bool = False
    ballot: vote.Ballot | None = None  # in a class

    @property
    def veiled(self) -> bool:
        if self.ballot is not None:
            return self.asked and not self.ballot.uncovered
        return self.asked and self.guess is None and not self.shown

    @property
    def name(self) -> str:
        return name_of(self.key)

    def outcome(self, answer: Any, explain: str = "") -> None:
        """Where guess and answer stand side by side; call it once, wherever the answer is known.

        `answer` comes from the state of the page, `explain` is what `words` understands: a sentence, or a clause that
        begins with "because". Raises ValueError for an answer that nobody could have guessed.
        """
        self.told = True
        if not self.kind.possible(answer) and self.kind.open:
            raise ValueError(f"The question {self.key!r} has no option {answer!r}.")
        if self.kind.open:
            self._remember(answer)
            with self.place:
                words(self._sentence(answer, explain), f"{self.name}-said")
            if self.ballot is not None:
                self.ballot.reveal(self.kind, answer)

    def _remember(self, answer: Any) -> None:
        """For who hands in; not while a hand moves, for then nothing new is said."""
        if not self.asked or following():
            return
        if self.guess is not None:
            said, truth = self.kind.say(self.guess), self.kind.say(answer)
            answers.heard(self.key, self.question, said, truth, bool(self.kind.right(self.guess, answer)))
        elif self.shown:
            answers.waved_through(self.key, self.question)

    def _sentence(self, answer: Any, explain: str) -> str:
        if not self.asked:
            text = f"{self.question} **{self.kind.say(answer)}**"
        elif self.guess is None:
            text = self.kind.truth(answer)
        else:
            badge = ":green-badge[✓ Right]" if self.kind.right(self.guess, answer) else ":orange-badge[✗ No]"
            text = f"{badge} {self.kind.compare(self.guess, answer)}"
        return f"{text}, {explain}" if explain.startswith("because ") else f"{text}. {explain}".strip()

    @property
    def layers(self) -> list[Boxes | Points]:
        """The guess of a `Region`, to be drawn on the view's own stage beside the truth; empty without one."""
        return self.kind.layers(self.guess) if isinstance(self.kind, Region) else []


def name_of(key: str) -> str:
    """The name of a question in session and address."""
    return f"predict-{key}"


def _give(name: str, text: str | None) -> None:
    st.session_state[name] = text
    address.keep(name, text)


def _recall(name: str, kind: Kind) -> tuple[Any | None, bool]:
    """The guess, and whether it was waved through; what the address says is put right if it means neither."""
    known, linked = st.session_state.get(name), address.linked(name)
    guess = st.session_state.get(f"{name}-guess")
    if linked is not None and linked != known:
        guess = None if linked == SHOWN else kind.read(linked)
        known = linked if linked == SHOWN or guess is not None else None
    st.session_state[name], st.session_state[f"{name}-guess"] = known, guess
    if not following():
        address.keep(name, known)
    return guess, known == SHOWN


@contextmanager
def predict(key: str, question: str, kind: Kind | Sequence[Hashable]) -> Iterator[Prediction]:
    """Put a question before the view that answers it; draw the view in the block::

        with page.predict("zeros", "How many of the 16 cells have no value?", [0, 4, 8, 12]) as prediction:
            matrices("cells").show(...)
            prediction.outcome(12, "because only one cell in four gets a value.")

    The view is drawn but veiled until the visitor has guessed or pressed "Show me". Controls that move it stand before
    the block. A guess stays while they move, and the outcome follows them. With fewer than two options nothing is
    asked and nothing veiled; the block is the same.

    Parameters
    ----------
    key : unique in the course; `predict-KEY` is the parameter of the address.
    question : Markdown, one sentence.
    kind : options whose texts differ, a `Number`, an `Order` or a `Region`.

    Raises
    ------
    ValueError : if two options look alike.
    RuntimeError : if the block ends without `outcome`.
    """
    kind, name = kind_of(kind), name_of(key)
    ballot = vote.ballot(key, question) if kind.open and not off() else None
    guess, shown = _recall(name, kind)
    if ballot is not None and ballot.begins():
        guess, shown = kind.read(ballot.mine() or ""), False
        st.session_state[f"{name}-guess"] = guess
        _give(name, None if guess is None else kind.write(guess))
    prediction = Prediction(key, question, kind, guess, shown, asked=kind.open and not off(), ballot=ballot)
    with st.container(key=name):
        with st.container(key=f"predict-ask-{key}", gap="small"):
            if prediction.asked and not following():  # nobody answers with the hand on a slider
                with wire.privately():
                    _ask(prediction)
        with st.container(key=f"predict-view-{key}"):
            _veil(prediction)
            prediction.place = st.container()
            with wire.privately(guess is not None):  # the view may show it
                yield prediction
    if not prediction.told and not following():
        raise RuntimeError(f"The view of the question {key!r} has no outcome.")


def _veil(prediction: Prediction) -> None:
    """Covers the view by a rule of style.css. Always one element, so that what follows keeps its place in the page."""
    if prediction.veiled:
        with st.container(key=f"predict-veil-{prediction.key}"):
            who = "Your guess uncovers" if prediction.ballot is None else "The lecturer uncovers"
            st.markdown(f":material/visibility_off: {who} this.")
    else:
        st.empty()


def _ask(prediction: Prediction) -> None:
    """The question and its controls. They stay when it is answered, so that nothing below them moves."""
    name, kind, uncovered = prediction.name, prediction.kind, not prediction.veiled
    control, early = f"{name}-control", f"{name}-early"

    def given(guess: Any) -> None:
        counts = prediction.ballot is None or prediction.ballot.cast(kind.write(guess))
        st.session_state[f"{name}-guess"] = guess if counts else None
        _give(name, kind.write(guess) if counts else None)

    def composed() -> None:
        guess = kind.composed(control)
        st.session_state[early] = guess is None
        if guess is not None:
            given(guess)

    def show_or_ask_again() -> None:
        st.session_state[f"{name}-guess"] = None
        _give(name, None if uncovered else SHOWN)

    st.markdown(f"**Predict.** {prediction.question}")
    ballot = prediction.ballot
    if isinstance(kind, (Order, Region)):
        _compose(kind, prediction.question, control, prediction.guess)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if isinstance(kind, Choice):
            kind.ask(prediction.question, control, prediction.guess, given)
        elif isinstance(kind, Number):
            _compose(kind, prediction.question, control, prediction.guess)
        if not isinstance(kind, Choice):
            st.button("That is my guess", key=f"{name}-give", on_click=composed, type="primary")
        if ballot is None:
            st.button("Ask me again" if uncovered else "Show me", key=f"{name}-show", on_click=show_or_ask_again)
    if st.session_state.pop(early, False):
        st.caption("Not all is in its place yet.")
    if ballot is not None:
        ballot.show(kind, guessed=prediction.guess is not None)


@st.fragment
def _compose(kind: Kind, label: str, key: str, guess: Any | None) -> None:
    """A guess of several steps: they redraw nothing but themselves."""
    kind.compose(label, key, guess)
