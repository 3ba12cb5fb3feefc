"""What a class marks on any picture: one place each, or one box. Outside a class nothing is drawn.

    collect.control(key)                                # in the row of a picture's controls
    collect.marks(key, image, name, truths)             # below it, where the lecturer has chosen what is collected
    collect.box(key, image, name, thing, mine)          # beside a drawing: a student hands in a box of hers

An answer hangs on the picture alone, whatever the page's controls say. `ui.rooms.collected` draws what has come.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui.components import wire
from ui.guesses import Region
from ui.rooms import seat, vote

if TYPE_CHECKING:
    import numpy as np

NOTHING, PLACE, BOX = "Nothing", "A place", "A box"
ASKED = {PLACE: "Where? Click one place.", BOX: "Where? Put the box around it."}
XYXY = tuple[float, float, float, float]


def control(key: str) -> None:
    """What the class is asked for on the picture `key`; it is in the address, so that the class follows."""
    if seat.here() is not None:
        st.selectbox(
            "The class marks", [NOTHING, PLACE, BOX], key=f"{key}_collect", format_func="The class marks: {}".format,
            width=240, label_visibility="collapsed", bind="query-params", persist_state="session",
        )  # fmt: skip


def marks(key: str, image: np.ndarray, name: str, truths: Sequence[XYXY] = ()) -> None:
    """Where the class sees what the lecturer asks for, on `image`, uint8 (H, W, 3), called `name`.

    `truths`: boxes of the things in it, xyxy in pixels, where they are known; the one that most answers meet is meant.
    """
    what = st.session_state.get(f"{key}_collect", NOTHING)
    if seat.here() is None or what == NOTHING:
        return
    height, width = image.shape[:2]
    start = (width / 4, height / 4, 3 * width / 4, 3 * height / 4) if what == BOX else None
    kind = Region(image, start, alt=name)
    _asked(kind, f"{key}-{'box' if what == BOX else 'place'}", ASKED[what], meant(kind, truths), _compose)


def box(key: str, image: np.ndarray, name: str, thing: str, mine: XYXY | None) -> None:
    """A student hands in `mine`, the `thing` of her own drawing, xyxy in pixels of `image`; None where there is none.
    The lecturer's is the truth on her own page."""

    def give(kind: Region, key: str, ballot: vote.Ballot) -> None:
        st.button(f"Give my {thing} to the class", icon=":material/send:", key=f"class_give-{key}",
                  disabled=mine is None, on_click=_cast, args=(ballot, kind, mine))  # fmt: skip

    place = seat.here()
    if place is None:
        return
    kind = Region(image, (0.0, 0.0, 1.0, 1.0), alt=name)
    word = re.sub(r"\W+", "_", thing)
    _asked(kind, f"{key}-{word}", f"A box around the {thing}.", mine if place.leads else None, give)


def meant(kind: Region, truths: Sequence[XYXY]) -> Callable[[Sequence[str]], XYXY | None]:
    """Of the `truths` the one that most answers meet; None if none does."""

    def find(answers: Sequence[str]) -> XYXY | None:
        guesses = [guess for text in answers if (guess := kind.read(text)) is not None]
        hits = [sum(bool(kind.right(guess, truth)) for guess in guesses) for truth in truths]
        return truths[hits.index(max(hits))] if any(hits) else None

    return find


def _asked(kind: Region, key: str, question: str, truth, answer: Callable[[Region, str, vote.Ballot], None]) -> None:
    """The question, a student's way to `answer`, how far the class is, and what it has said once that may be seen."""
    key = f"{key}-{zlib.crc32(kind.picture.tobytes()):08x}"[-70:]
    ballot = vote.ballot(f"collect-{key}", question, anywhere=True)
    if ballot is None:
        st.caption(seat.SILENT)
        return
    with st.container(key=f"predict-ask-collect-{key}", gap="small"), wire.privately():  # who answers goes on following
        st.markdown(f"**The class marks.** {question}")
        if ballot.uncovered:
            ballot.begins()  # a round that is over: what was marked is no answer when it is asked anew
        elif not ballot.place.leads:
            answer(kind, key, ballot)
        ballot.show(kind, guessed=True)  # the room knows; a mark is in no address
        ballot.reveal(kind, truth)


def _compose(kind: Region, key: str, ballot: vote.Ballot) -> None:
    name = f"class_mark-{key}"
    if ballot.begins():
        st.session_state.pop(f"{name}-place", None)

    def give() -> None:
        _cast(ballot, kind, kind.composed(name))

    _move(kind, name, kind.read(ballot.mine() or ""))
    st.button("That is mine", key=f"{name}-give", type="primary", on_click=give)


@st.fragment
def _move(kind: Region, key: str, guess: Sequence[float] | None) -> None:
    """Steps of an answer redraw nothing but themselves."""
    kind.compose("Where?", key, guess)


def _cast(ballot: vote.Ballot, kind: Region, mark: Sequence[float] | None) -> None:
    if mark is None:
        st.toast("Click a place first.")
    else:
        ballot.cast(kind.write(mark))
