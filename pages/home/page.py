"""Home: one live scene, what every task makes of it, and the map of the course. Needs no torch for its first paint."""

from __future__ import annotations

import streamlit as st

from pages.home import networks
from pages.home.course_map import course_map
from pages.home.moment import LARGE, drawn, moment, sketch
from pages.home.panels import panels
from pages.home.tasks import Task, available
from ui import page
from ui.components import following, live_slider, resting, stage
from ui.course import ready
from ui.pictures import MAX_SEED

FIRST_SEED = 14  # persons and four more things, in plain sight
BESIDE = ("semantic", "detection")  # the tasks beside the scene, in sight while a hand is on its sliders
LIVE = ("home_light", "home_fog")
PATIENCE = 0.4  # seconds between two looks at whether a network has been loaded

WELCOME = """
A convolutional network is easier to understand with a hand on it. Every picture on these pages is computed while you
look: turn a knob and the networks answer.

This is **Lab World**, a small country of cats, dogs, ducks, cars and people. It never runs out of scenes and knows the
truth about every pixel of them, so you see exactly where a network is wrong.

Let **night** fall: hardly anything happens, because almost a fifth of the scenes that these networks learned from lie
in the night. Then raise the **fog**. The thickest fog they learned from was 0.5; at 1.0 *Semantic segmentation* sees a
road where scene 14 has none, and *Detection* still finds every thing.
"""


def next_scene() -> None:
    st.session_state.home_seed = (st.session_state.home_seed + 1) % (MAX_SEED + 1)


@st.fragment
@page.guard()
def live_scene(tasks: list[Task]) -> None:
    """The scene, its knobs, and beside and below them a panel for every task. The picture is drawn
    first, the panels follow."""
    bar = st.container(key="controls-home", horizontal=True, vertical_alignment="center")
    place, side = st.columns(2, gap="medium")
    below = st.container()
    with bar:
        seed = st.number_input("Scene", 0, MAX_SEED, FIRST_SEED, key="home_seed", width=140, bind="query-params",
                               icon=":material/landscape:", label_visibility="collapsed")  # fmt: skip
        st.button("Next scene", icon=":material/casino:", shortcut="N", on_click=next_scene,
                  help="A scene's number is its seed: the same number is always the same scene.")  # fmt: skip
        with (
            live_slider("Light: night, dusk, day", 0.0, 1.0, 1.0, step=0.02, key="home_light", format="%.2f",
                        play=True) as light,
            live_slider("Fog", 0.0, 1.0, 0.0, step=0.02, key="home_fog", format="%.2f", play=True) as fog,
        ):  # fmt: skip
            now = moment(seed, light, fog)
            with place:
                captions = "; ".join(thing.caption for thing in now.view.instances)
                stage("home_scene", zoom=False).show(
                    sketch(now) if following() else drawn(seed, light, fog, LARGE),
                    alt=captions or f"Lab World scene {seed}, without a thing",
                )
    with place:
        st.markdown(WELCOME)
        first = ready()[1]
        page.link(first, f"Start with {first.title}")
    if tasks:
        with below:
            page.section(
                "One scene, every task",
                "Left: what a network says, running now. Right: the truth.",
                always=True,
            )
            page.remind("IoU", "mIoU")
        panels(now, tasks, {key: side for key in BESIDE}, below, moving=following() or not resting(*LIVE))


@st.fragment(run_every=PATIENCE)
def wait_for_networks(names: tuple[str, ...], ready: int) -> None:
    """While networks are being loaded: draw the page again whenever another one is there."""
    if len(networks.loaded(names)) != ready:
        st.rerun()


page.begin("Receptive")
tasks = available()
names = tuple(dict.fromkeys(task.network for task in tasks))
loaded = len(networks.loaded(names))
live_scene(tasks)
course_map()
if loaded < len(names):
    wait_for_networks(names, loaded)
