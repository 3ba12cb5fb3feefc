"""The page of player_app.py: sixty frames whose brightness is their number, a box that moves, and a line."""

import numpy as np
import streamlit as st

from ui.components import Mark, Marked, Reel, address, player

FRAMES = 60


def picture(frame: int) -> np.ndarray:
    """Frame k is grey, 4 k bright."""
    return np.full((90, 120, 3), 4 * frame, np.uint8)


def marks(first: int, last: int) -> Marked:
    """Each fourth frame is looked at, between them the box is predicted."""
    frames = [
        [Mark((frame, 20, frame + 30, 60), "dog", 0.9 if frame % 4 == 0 else None, 3,
              "detected" if frame % 4 == 0 else "predicted")]
        for frame in range(first, last)
    ]  # fmt: skip
    return Marked(frames, 6.25, 40.0)


st.title("Player")


@st.fragment
def film():
    marked = st.checkbox("Boxes", value=True)
    view = player("film", line=(60, 0, 60, 90), start=5)
    st.text(f"frame={view.frame} playing={view.playing} speed={view.speed} line={view.line}")
    view.show(Reel("grey", FRAMES, 25, (120, 90), picture, marks if marked else None, marked="boxes"),
              alt="Grey that brightens", caption="A film", sides=("west", "east"))  # fmt: skip
    address.mend()  # as page.guard does on every page


film()
