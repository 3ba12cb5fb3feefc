"""A page whose fragments are alike, each counting its runs; tests/ui/test_shared_runs.py serves it."""

import numpy as np
import streamlit as st

from ui import page, shared_runs
from ui.components import Grid, address, live_slider, matrices, stage, words
from ui.rooms import seat

RAN: list[tuple] = shared_runs.__dict__.setdefault("_test_ran", [])  # the script is executed anew with every run
CHOICES = {"a": ["x", "y"], "b": ["x", "y", "z"]}

seat.arrive()
address.turn_to("Test")
seat.stand()


@st.fragment
@page.guard()
@page.alike
def body(scale: int) -> None:
    with live_slider("Level", 0, 9, 3, key="level") as level:
        RAN.append(("body", scale, level))
        kind = st.segmented_control("Kind", list(CHOICES), default="a", required=True, key="kind", bind="query-params")
        st.session_state["doubled"] = {"is": [2 * level]}
        seen = st.session_state.setdefault("seen", [])
        if not seen:
            seen.append("first")
        picture = np.full((4, 4, 3), 20 * level, np.uint8)
        stage("picture").show(picture, alt=f"level {level}")
        matrices("numbers").show([Grid("n", np.array([[level * scale, 1.5]]))], caption=kind)
        st.markdown(f"level {level} {CHOICES[kind]} {st.session_state.pop('once', '')}")
        words(f"**{level}**", "said")
        with page.predict("odd", "Is it odd?", ["yes", "no"]) as prediction:
            prediction.outcome("yes" if level % 2 else "no")
        inner(level)


@st.fragment
@page.guard()
@page.alike
def inner(level: int) -> None:
    with live_slider("Inner", 0, 9, 1, key="inner") as number:
        RAN.append(("inner", level, number))
        st.markdown(f"{level} and {number}")


@st.fragment
@page.guard()
@page.alike
def own_file() -> None:
    with live_slider("Opened", 0, 9, 3, key="opened") as level:
        RAN.append(("own", level))
        st.file_uploader("Picture", key="file")


@st.fragment
@page.guard()
def unmarked() -> None:
    with live_slider("Unmarked", 0, 9, 3, key="unmarked") as level:
        RAN.append(("unmarked", level))


body(int(st.query_params.get("scale", 1)))
own_file()
unmarked()
