"""The picture of such a section: the page's own, or a photograph beside it."""

import streamlit as st

from ui import pictures
from ui.pictures import KEPT, PHOTOGRAPHS, Picture

ABOVE = "The picture above"
SIZE = 448  # pixels: published networks want more than the 224 of Lab World


def choose(key: str, above: Picture, default: str = ABOVE) -> Picture:
    """Draw the choice and return the picture; ``default`` is ABOVE or one of ``PHOTOGRAPHS``."""
    options = [ABOVE, *PHOTOGRAPHS]
    chosen = st.selectbox(
        "Look at", options, options.index(default), key=f"{key}_photo", width=240,
        help="A file of yours or the camera: choose it at the top of the page.", **KEPT,
    )  # fmt: skip
    if chosen == ABOVE:
        return above
    pictures.about(chosen)
    return pictures.photograph(chosen, SIZE)
