"""A scene, its knobs and its truth on the picture, which follow the hand."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import streamlit as st

import scenes
from pages.lab_world.layers import LAYERS, layers_of, legend
from pages.lab_world.links import SIZES
from scenes import THINGS, Knobs, Scene, View
from scenes.render import add_noise
from ui import page
from ui.components import live_slider, resting, stage

FIRST_SEED = 14  # two things are partly hidden, and there is a person with joints
KNOBS = ("objects", "occlusion", "light", "fog", "noise")
SHOWN = "truth_shown"  # in the session: the arguments of the truth that stands below


# Light, fog and noise leave the truth as it is, and noise leaves the clean picture as it is: each is drawn once.
@st.cache_resource(max_entries=256, show_spinner=False)
def truth(seed: int, objects: int, classes: tuple, occlusion: float, size: int) -> View:
    """The scene in clear daylight with its truth; a lecture hall that looks at one scene renders it once."""
    knobs = Knobs(objects=objects, classes=classes, occlusion=occlusion, light=1.0, fog=0.0, noise=0.0)
    return scenes.render(scenes.sample(seed, knobs), size)


@st.cache_resource(max_entries=512, show_spinner=False)
def clean(_scene: Scene, key: tuple, light: float, fog: float, size: int) -> np.ndarray:
    """The picture before the noise; `key` names the scene."""
    return scenes.render_image(replace(_scene, light=light, fog=fog), size)


def next_scene() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % 1_000_000


@st.fragment
@page.guard()
@page.alike
def play() -> None:
    with st.container(key="beside-world"):
        canvas, controls = st.columns([3, 2], gap="large")
    with controls, ExitStack() as sliders:
        with st.container(horizontal=True, vertical_alignment="center"):
            seed = st.number_input("Scene", 0, 999_999, FIRST_SEED, key="seed", bind="query-params", width=140,
                                   icon=":material/landscape:", label_visibility="collapsed")  # fmt: skip
            st.button("Next scene", icon=":material/casino:", shortcut="N", on_click=next_scene)
        slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
        objects = slide("Objects", 0, 12, 5, key="objects")
        occlusion = slide("Occlusion", 0.0, 1.0, 0.35, step=0.05, key="occlusion", format="%.2f")
        light = slide("Light: night, dusk, day", 0.0, 1.0, 1.0, step=0.02, key="light", format="%.2f", play=True)
        fog = slide("Fog", 0.0, 1.0, 0.0, step=0.02, key="fog", format="%.2f")
        noise = slide("Noise", 0.0, 1.0, 0.1, step=0.02, key="noise", format="%.2f")
        with st.expander("Classes and size"):
            classes = st.pills(
                "Classes", THINGS, selection_mode="multi", default=THINGS, key="classes", bind="query-params"
            )
            size = st.select_slider("Pixels a side", SIZES, 224, key="size", bind="query-params")
        kept = tuple(name for name in THINGS if name in classes)
        known = truth(seed, objects, kept, occlusion, size)
        image = clean(known.scene, (seed, objects, kept, occlusion), light, fog, size)
        scene = replace(known.scene, light=light, fog=fog, noise=noise)
        view = replace(known, scene=scene, image=add_noise(image, seed, noise))
        with canvas:
            chosen = st.pills(
                "Show",
                LAYERS,
                selection_mode="multi",
                default=["Boxes", "Keypoints"],
                key="layers",
                bind="query-params",
                label_visibility="collapsed",
            )
            count = len(view.instances)
            stage("world", width=640).show(
                view.image,
                layers_of(view, chosen),
                smooth=size >= 224,
                alt=f"Lab World scene {seed} with {count} things",
                caption=f"Scene {seed}: {count} {'thing' if count == 1 else 'things'}, {size}×{size} pixels",
            )
            legend(view, chosen)
    # What stands below depends on the truth alone and is too slow for a drag: it follows when the hand lets go.
    shown, now = st.session_state.get(SHOWN), (seed, objects, kept, occlusion, size)
    whole = st.session_state.pop("whole_run", False)
    if resting(*KNOBS):
        st.session_state[SHOWN] = now
        if shown != now and not whole:
            st.rerun()
