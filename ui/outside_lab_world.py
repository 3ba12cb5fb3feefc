"""The sentence that a page owes whoever shows a photograph to networks that know nothing but drawn Lab World."""

from __future__ import annotations

import zlib
from collections.abc import Collection

import streamlit as st

from ui.components import following
from ui.pictures import Picture

SENTENCE = "drawn Lab World scenes only: expect wrong answers, also where they look sure."


def warn(picture: Picture, networks: Collection[str], instead: str = "") -> None:
    """Name the networks that have never seen a photograph, unless the picture is a Lab World scene.

    Call it under the controls that choose the picture and its networks, before anything that these answer. `networks`:
    those of the lab on this page or section, at least one, by their name in the catalogue. `instead`: one more
    sentence, on what to choose for a photograph. While a hand moves a control it draws nothing, as the footer. On a
    phone the sentence is small and without the names, so that the picture stays above the fold (style.css).
    """
    if picture.scene is None and not following():
        *most, last = networks
        who = f"networks **{', '.join(most)} and {last}** know" if most else f"network **{last}** knows"
        with st.container(key=f"outside-{zlib.crc32((who + instead).encode()):08x}"):
            st.info(f"The lab's {who} {SENTENCE} {instead}".strip(), icon=":material/info:")
