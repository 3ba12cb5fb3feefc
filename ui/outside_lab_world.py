"""The sentence that a page owes whoever shows a photograph to networks that know nothing but drawn Lab World."""

from __future__ import annotations

import streamlit as st

from ui.components import following
from ui.pictures import Picture

SENTENCE = (
    "The lab's own networks have learned from drawn Lab World scenes only. On a photograph they still choose among the "
    "few classes they know, so expect wrong answers, also where they look sure."
)


def warn(picture: Picture, instead: str = "") -> None:
    """Say so, unless the picture is a Lab World scene; ``instead``: one more sentence, on what to choose for it.

    Call it where a network of the lab has answered. While a hand moves a control it draws nothing, as the footer.
    """
    if picture.scene is None and not following():
        st.info(f"{SENTENCE} {instead}".strip(), icon=":material/info:")
