"""The picture of such a section: the page's own, or a photograph beside it."""

from typing import Any

import streamlit as st

from ui import pictures
from ui.pictures import KEPT, PHOTOGRAPHS, Picture
from ui.rooms import collect

ABOVE = "The picture above"
FIRST = "Astronaut"  # of PHOTOGRAPHS: a person and things, for boxes, masks and joints
SIZE = 448  # pixels: published networks want more than the 224 of Lab World


def suit(key: str, networks: dict[str, Any], control: str, drawn: str, photograph: str) -> None:
    """Choosing a published network brings a photograph, choosing one of the lab's brings the drawing back.

    Call it after the `networks` have been chosen (by place; None while one is missing) and before the `control` of the
    picture is drawn. Its values are `drawn` and `photograph`; any other one, such as an own picture, stays, and so does
    what an address says.
    """
    before = st.session_state.setdefault(f"_{key}_published", {})
    there = {place: hasattr(network, "classes") for place, network in networks.items() if network is not None}
    turned = {published for place, published in there.items() if before.get(place, published) != published}
    before.update(there)
    chosen = st.session_state.get(control, drawn)
    if True in turned and chosen == drawn:
        st.session_state[control] = photograph
    elif False in turned and not any(there.values()) and chosen == photograph:
        st.session_state[control] = drawn


def choose(key: str, above: Picture, default: str = ABOVE) -> Picture:
    """Draw the choice and return the picture; ``default`` is ABOVE or one of ``PHOTOGRAPHS``."""
    options = [ABOVE, *PHOTOGRAPHS]
    chosen = st.selectbox(
        "Look at", options, options.index(default), key=f"{key}_photo", width=240,
        help="A file of yours or the camera: choose it at the top of the page.", **KEPT,
    )  # fmt: skip
    if chosen == ABOVE:
        return above
    collect.control(f"{key}_photo")
    pictures.about(chosen)
    picture = pictures.photograph(chosen, SIZE)
    collect.marks(f"{key}_photo", picture.image, picture.name, picture.boxes)
    return picture
