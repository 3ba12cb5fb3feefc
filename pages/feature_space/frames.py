"""The gallery as points of a plot: small pictures in frames of the colour of their class."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.feature_space.shared import BLUE, ORANGE, SKY, VERMILION, Gallery
from pages.feature_space.thumbnails import Thumbnails, framed
from scenes import THINGS

TILE = 20  # pixels of a picture on the plot
# Okabe and Ito's colours and two greys, one for the photographs.
COLOURS = (BLUE, ORANGE, "#009E73", VERMILION, SKY, "#CC79A7", "#F0E442", "#8C8C8C", "#595959")


def kinds_of(found: Gallery) -> NDArray[np.int64]:
    """A number for the class of each thing; the last one for photographs."""
    labels = [THINGS.index(thing.label) for thing in found.things]
    return np.array(labels + [len(THINGS)] * len(found.photographs), np.int64)


@st.cache_resource(max_entries=4, show_spinner=False)
def thumbnails_of(name: str, _found: Gallery) -> Thumbnails:
    return framed(_found.tiles, list(COLOURS), kinds_of(_found), TILE)


def legend() -> str:
    """The colours of the frames."""
    names = [*THINGS, "photograph"]
    marks = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;'
        f'background:{colour}"></span> {name}</span>'
        for name, colour in zip(names, COLOURS, strict=True)
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem">Frames: {marks}</div>'
