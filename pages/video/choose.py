"""The film and the detector of the page: one slim row of controls, which all sections share."""

import streamlit as st

from pages.video import shared
from pages.video.shared import Choice
from scenes.film import FilmKnobs
from ui.pictures import AS_DRAWN, KEPT, LEVELS, MAX_SEED

MOST = {"people": 8, "vehicles": 4, "dogs": 3}


def choose() -> tuple[Choice, str]:
    """Draw the row; returns the film and the catalogue's name of the detector."""
    with st.container(key="video-choice", horizontal=True, vertical_alignment="center"):
        seed = st.number_input(
            "Film", 0, MAX_SEED, shared.SEED, key="video_seed", width=140, icon=":material/movie:",
            label_visibility="collapsed", **KEPT,
        )  # fmt: skip
        st.button(
            "Next film", icon=":material/casino:", key="video_next", on_click=_next,
            help="A film's number is its seed: with the same knobs it is always the same film.",
        )  # fmt: skip
        with st.popover("Knobs", icon=":material/tune:"):
            knobs = _knobs()
        network = st.selectbox(
            "Detector", shared.detectors(), format_func=shared.NAMES.get, key="video_detector", width=220,
            label_visibility="collapsed", **KEPT,
        )  # fmt: skip
    return Choice(seed, knobs, shared.SECONDS), network


def _knobs() -> FilmKnobs:
    first = FilmKnobs()
    told = {
        name: st.slider(name.capitalize(), 0, most, getattr(first, name), key=f"video_{name}", **KEPT)
        for name, most in MOST.items()
    }
    told["pan"] = st.slider(
        "Pan of the camera", 0.0, 1.0, first.pan, 0.1, key="video_pan", help="0 stands still, 1 is fast.", **KEPT
    )
    for name, levels in LEVELS.items():
        level = st.segmented_control(
            name.capitalize(), [AS_DRAWN, *levels], default=AS_DRAWN, required=True, key=f"video_{name}", **KEPT
        )
        told[name] = levels.get(level)
    return FilmKnobs(**told)


def _next() -> None:
    st.session_state["video_seed"] = (st.session_state["video_seed"] + 1) % (MAX_SEED + 1)
