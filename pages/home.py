"""Home: what the lab is, one live scene, and the map of the course."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from scenes import CLASSES, PALETTE
from ui import page, pictures
from ui.components import Box, Boxes, Labels, stage
from ui.course import ready

SIZE = 448
FIRST_SEED = 3  # a busy scene by day
LOOKS = ("Picture", "Every pixel", "Who is who")
OUTLINES = ("#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#D55E00", "#009E73")

WELCOME = """
A convolutional network is easier to understand with a hand on it. Every picture on these pages is computed while you
look: turn a knob and the network answers.

Start in **Lab World**, a small country of cats, dogs, ducks, cars, and people. It never runs out of scenes and knows
the truth about every pixel of them, so you can see exactly where a network is wrong.
"""


@st.fragment
@page.guard()
def live_scene() -> None:
    """One scene, seen three ways."""
    picture_place = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        look = st.segmented_control(
            "Layer", LOOKS, default=LOOKS[2], required=True, key="home_look", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        if st.button("Next scene", icon=":material/casino:", shortcut="N"):
            st.session_state.home_seed = st.session_state.get("home_seed", FIRST_SEED) + 1
    picture = pictures.from_lab_world(st.session_state.get("home_seed", FIRST_SEED), SIZE)
    view = picture.view
    layers = []
    if look == LOOKS[1]:
        layers = [Labels(view.semantic, [PALETTE[name] for name in CLASSES], opacity=0.75)]
    elif look == LOOKS[2]:
        layers = [
            Boxes(
                [
                    Box(str(thing.id), tuple(thing.box), label=thing.label, colour=OUTLINES[i % 6], note=thing.caption)
                    for i, thing in enumerate(view.instances)
                ]
            )
        ]
    with picture_place:
        stage("home_scene", zoom=False).show(
            picture.image, layers, alt="; ".join(thing.caption for thing in view.instances) or picture.name
        )


def course_map() -> None:
    """Every page of the course in teaching order, with the question it answers."""
    query = {"lecture": "1"} if page.lecture() else None
    for section, lessons in groupby((each for each in ready() if each.path), key=lambda each: each.section):
        st.subheader(section, anchor=False)
        with st.grid(3, min_column_width=260):
            for lesson in lessons:
                with st.container(border=True, key=f"lesson-{lesson.file}", gap="xsmall"):
                    st.page_link(
                        f"../pages/{lesson.file}.py", label=f"**{lesson.title}**", icon=lesson.icon, query_params=query
                    )
                    st.caption(lesson.question)


page.begin("Receptive")
words, scene = st.columns([2, 3], gap="large")
with words:
    st.markdown(WELCOME)
    st.page_link("../pages/upsampling.py", label="Start with Upsampling", icon=":material/arrow_forward:")
with scene:
    live_scene()
course_map()
