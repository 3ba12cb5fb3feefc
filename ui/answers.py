"""What a visitor has answered in this session: of every question the first guess, which counts, and the last one.

`page.predict` writes it; who hands in (ui/hand_in) takes it along. A guess is compared once, when it is given: later
the controls may move the truth.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.components import address

MOST = 500  # questions; the course has some hundred
LONGEST = 300  # characters of a question or an answer
_ANSWERS = "hand_in.answers"


def heard(key: str, question: str, guess: str, truth: str, right: bool) -> None:
    """A guess at question `key` stands beside the truth, both in words."""
    known = _known(key, question)
    if known is None or known["last"] == _short(guess):
        return
    said = {"last": _short(guess), "last_truth": _short(truth), "last_right": right}
    if not known["guesses"]:
        said |= {"first": said["last"], "first_truth": said["last_truth"], "first_right": right}
    known.update(said, guesses=min(known["guesses"] + 1, 1000))


def waved_through(key: str, question: str) -> None:
    """The answer was shown without a guess."""
    known = _known(key, question)
    if known is not None and not known["guesses"]:
        known["looked"] = True


def given() -> dict[str, dict[str, Any]]:
    """By key: `page` (title), `question`, `first`, `first_truth`, `first_right`, the same of `last`, how many `guesses`
    in all, and `looked`, whether the answer was shown before the first."""
    return st.session_state.get(_ANSWERS, {})


def _known(key: str, question: str) -> dict[str, Any] | None:
    answers = st.session_state.setdefault(_ANSWERS, {})
    if key not in answers and len(answers) >= MOST:
        return None
    blank = dict.fromkeys(("first", "first_truth", "last", "last_truth"), "")
    return answers.setdefault(
        key,
        {"page": address.title(), "question": _short(question), **blank, "first_right": False, "last_right": False,
         "guesses": 0, "looked": False},
    )  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
