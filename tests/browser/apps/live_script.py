"""The page of live_app.py: every fragment has one control and shows its value in another way."""

import time
from dataclasses import replace

import numpy as np
import streamlit as st

from ui.components import Box, Boxes, Lines, following, live_slider, stage, words

st.title("Direct line")


@st.fragment
def drawn():
    """Components only: a line of words and a stage."""
    with live_slider("Level", 0, 100, 20, key="level", play=True) as level:
        words(f"Level is **{level}**", "level_words")
        line = Lines(np.array([[0, 0, level, 20]]))
        stage("level_stage").show(None, [line], size=(100, 20), alt=f"A line to {level}", caption=f"caption={level}")


@st.fragment
def mixed():
    """A line of words, and a text that only Streamlit can show."""
    with live_slider("Mixed", 0, 100, 20, key="mixed", window=2) as value:
        words(f"words={value}", "mixed_words")
        st.text(f"text={value}")


@st.fragment
def static():
    """A text that stays, a choice that lives in the address, and what the session remembers."""
    with live_slider("Kept", 0, 9, 3, key="kept") as value:
        st.text("This stays.")
        unit = st.radio("Unit", ["px", "cells"], key="unit", bind="query-params", horizontal=True)
        st.session_state["kept_runs"] = st.session_state.get("kept_runs", 0) + following()
        words(f"kept={value} {unit} followed={st.session_state['kept_runs']}", "kept_words")


@st.fragment
def growing():
    """A component more from 5 on."""
    with live_slider("Growing", 0, 9, 1, key="growing") as value:
        words(f"growing={value}", "growing_words")
        if value >= 5:
            words(f"more={value}", "more_words")


@st.fragment
def boxed():
    """A box whose place is written beside it."""
    view = stage("box", [Box("mine", (20, 20, 60, 60), editable=True)])
    words(f"box={','.join(f'{v:.0f}' for v in view.boxes[0].xyxy)}", "box_words")
    st.text(f"boxtext={view.boxes[0].xyxy[0]:.0f}")
    view.show(None, [Boxes([replace(view.boxes[0], label="mine")])], size=(200, 100), alt="A box")


@st.fragment
def breaking():
    """Fails above 5, after its words."""
    with live_slider("Breaking", 0, 9, 1, key="breaking") as value:
        words(f"breaking={value}", "breaking_words")
        if value > 5:
            raise ValueError(f"secret {value}")


@st.fragment
def stopping():
    """Ends the run at 5."""
    with live_slider("Stopping", 0, 9, 1, key="stopping") as value:
        if value == 5:
            raise st.runtime.scriptrunner.StopException


@st.fragment
def slow():
    """Takes a while in a run of Streamlit's."""
    with live_slider("Slow", 0, 9, 1, key="slow"):
        if not following():
            time.sleep(st.session_state.get("nap", 0))
        st.session_state["nap"] = 0.8


@st.fragment
def pictured():
    """A picture of its own for every value, on eight stages."""
    with live_slider("Shade", 0, 20, 0, key="shade") as shade:
        for k, column in enumerate(st.columns(8)):
            with column:
                picture = np.full((8, 8, 3), 10 * shade + k, np.uint8)
                stage(f"shade_{k}").show(picture, alt=f"Shade {shade} on stage {k}")


for fragment in (drawn, mixed, static, growing, boxed, breaking, stopping, slow, pictured):
    fragment()

with live_slider("Outside", 1, 9, 5, key="outside") as outside:
    st.text(f"outside={outside}")

words(
    "**bold** *leaning* `code **plain**` :gray[quiet **loud**] :green-badge[good] <b>markup</b> &amp; 2*3*4 **"
    "\n\nSecond part",
    "marks",
)
