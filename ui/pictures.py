"""The shared picture source: Lab World, bundled photographs, an upload, or the camera.

    picture = pictures.choose(key="upsampling")

draws one slim row of controls, the rest folded away, and returns the chosen picture. What is chosen lives in the
address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import streamlit as st

from ui import lab_world, lost_files, own_files, page
from ui.decoding import square, too_long
from ui.decoding_apart import decode
from ui.photographs import PHOTOGRAPHS, Marked, in_square
from ui.rooms import collect

SOURCES = ("Lab World", "Photograph", "Upload", "Camera")
LEVELS = {
    "light": {"Night": 0.0, "Dusk": 0.5, "Day": 1.0},
    "fog": {"None": 0.0, "Some": 0.4, "Thick": 0.8},
    "noise": {"None": 0.0, "Some": 0.3, "Strong": 0.7},
}
AS_DRAWN = "From the seed"
# In the address, and still there after a visit to another source or page.
KEPT = {"bind": "query-params", "persist_state": "session"}
MAX_SEED = 999_999
LARGEST = 25  # MB, of an uploaded picture


@dataclass(frozen=True)
class Picture:
    """A chosen picture.

    ``image`` uint8 (size, size, 3) sRGB; ``name`` for captions; for Lab World also the ``scene`` (data) and the
    ``view`` (rendered, with exact ground truth), otherwise None; ``things``: what was marked by hand in a bundled
    photograph, in pixels of ``image``.
    """

    image: np.ndarray
    name: str
    scene: Any = None
    view: Any = None
    things: tuple[Marked, ...] = ()

    @property
    def boxes(self) -> list[tuple[float, ...]]:
        """Of the things that are known to be in it, xyxy in pixels."""
        found = self.things if self.view is None else self.view.instances
        return [tuple(float(side) for side in each.box) for each in found]


def choose(key: str, *, size: int = 224, seed: int = 7, objects: tuple[int, int] = (2, 6)) -> Picture:
    """Draw the control row and return the chosen picture as a square of ``size`` pixels.

    Until a file or photograph is there, or when it is refused, the Lab World scene is returned and the page says so.
    ``key`` starts the names of all controls, in the session and in the address; ``seed`` is the first scene and
    ``objects`` how many things are in it (fewest, most). The key N means the next scene of the row in view
    (ui/components/section_bar).
    """
    with st.container(key=f"picture-{key}", gap="xsmall"):
        picture = _chosen(key, size, seed, objects)
        collect.marks(key, picture.image, picture.name, picture.boxes)
    return picture


def _chosen(key: str, size: int, seed: int, objects: tuple[int, int]) -> Picture:
    file = None
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Picture", icon=":material/image:"):
            source = st.segmented_control(
                "Where from", SOURCES, default="Lab World", required=True, key=f"{key}_source", **KEPT
            )
            if source == "Upload":
                file = st.file_uploader(
                    "Picture file", type=None, key=f"{key}_upload", label_visibility="collapsed",
                    max_upload_size=LARGEST, on_change=own_files.cleared, args=(f"{key}_upload",),
                )  # fmt: skip
            elif source == "Camera":
                file = _camera(key)
        for other in {"Upload", "Camera"} - {source}:
            own_files.unused(f"{key}_{other.lower()}")
        if source == "Lab World":
            scene = _controls(key, size, seed, objects)
        elif source == "Photograph":
            label = st.selectbox(
                "Photograph", list(PHOTOGRAPHS), key=f"{key}_photo", width=160, label_visibility="collapsed", **KEPT
            )
        collect.control(key)
    if source == "Lab World":
        return scene
    if source == "Photograph":
        about(label)
        return photograph(label, size)
    file = own_files.chosen(f"{key}_{source.lower()}", file)
    if file is not None:
        name = file.name if source == "Upload" else "Camera"
        try:
            image, notes = _decoded(file.file_id, name, size, file)
        except ValueError as refused:
            page.problem(str(refused))
        else:
            if notes:
                st.caption(" ".join(notes))
            return Picture(image, name)
    lost_files.told(f"{key}_{source.lower()}")
    scene = st.session_state.get(f"{key}_seed", seed)
    st.caption(f"No picture yet, so this is Lab World scene {scene}.")
    return from_lab_world(scene, size, objects=objects)


def _camera(key: str) -> Any | None:
    """What the camera took, where browsers lend one."""
    if _secure(st.context.url):
        return st.camera_input(
            "Photograph", key=f"{key}_camera", label_visibility="collapsed", width=320,
            on_change=own_files.cleared, args=(f"{key}_camera",),
        )  # fmt: skip
    page.problem(
        "A browser lends its camera only to https and to localhost, and this page came by http: "
        "choose Upload, or ask for the lab's https address."
    )
    return None


def photograph(label: str, size: int = 224) -> Picture:
    """One of PHOTOGRAPHS as a square of ``size`` pixels."""
    pixels = _photograph(label)
    return Picture(square(pixels, size), label, things=in_square(PHOTOGRAPHS[label].things, *pixels.shape[:2], size))


def about(label: str) -> None:
    """What one of PHOTOGRAPHS shows and where it comes from."""
    st.caption(f"{PHOTOGRAPHS[label].line} {PHOTOGRAPHS[label].source}")


def from_lab_world(seed: int, size: int = 224, **knobs) -> Picture:
    """A Lab World scene as a picture; ``knobs`` as in ``scenes.Knobs``. Drawn once for all visitors."""
    view = _view(seed, size, tuple(sorted(knobs.items())))
    return Picture(view.image, f"Lab World scene {seed}", view.scene, view)


def _controls(key: str, size: int, seed: int, objects: tuple[int, int]) -> Picture:
    """Seed, next scene, knobs."""
    name = f"{key}_seed"
    value = st.number_input(
        "Scene", 0, MAX_SEED, seed, key=name, width=140, icon=":material/landscape:", label_visibility="collapsed",
        **KEPT,
    )  # fmt: skip
    st.button(
        "Next scene", icon=":material/casino:", key=f"{key}_next", on_click=_next_scene, args=(name,),
        help="A scene's number is its seed: the same number is always the same scene. Key: N.",
    )  # fmt: skip
    knobs = {}
    with st.popover("Knobs", icon=":material/tune:"):
        classes = lab_world.scenes().THINGS
        few, many = st.slider("Objects", 0, 12, objects, key=f"{key}_objects", **KEPT)
        chosen = st.pills("Classes", classes, selection_mode="multi", default=classes, key=f"{key}_classes", **KEPT)
        knobs |= {"objects": (few, many), "classes": tuple(name for name in classes if name in chosen)}
        knobs["occlusion"] = st.slider("Occlusion", 0.0, 1.0, 0.35, 0.05, key=f"{key}_occlusion", **KEPT)
        for knob, levels in LEVELS.items():
            level = st.segmented_control(
                knob.capitalize(), [AS_DRAWN, *levels], default=AS_DRAWN, required=True, key=f"{key}_{knob}", **KEPT
            )
            knobs[knob] = levels.get(level)
    return from_lab_world(value, size, **knobs)


def _secure(url: str | None) -> bool:
    """Whether browsers call a page at this address a secure context; where it is unknown, they shall decide."""
    parts = urlsplit(url or "")
    host = parts.hostname or ""
    at_home = host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host == "::1"
    return parts.scheme != "http" or at_home


def _next_scene(name: str) -> None:
    st.session_state[name] = (st.session_state[name] + 1) % (MAX_SEED + 1)


@st.cache_data(max_entries=512, show_spinner=False)
def _view(seed: int, size: int, knobs: tuple):
    scenes = lab_world.scenes()
    return scenes.render(scenes.sample(seed, scenes.Knobs(**dict(knobs))), size=size)


@st.cache_data(show_spinner=False)
def _photograph(label: str) -> np.ndarray:
    return PHOTOGRAPHS[label].pixels()


@st.cache_data(max_entries=64, ttl="10m", show_spinner="Opening the picture")
def _decoded(file_id: str, name: str, size: int, _file) -> tuple[np.ndarray, list[str]]:
    """The square and the notes: what is kept of a file is no larger than what is shown."""
    decoded = decode(_file.getvalue(), name)
    notes = list(decoded.notes)
    if too_long(decoded.image):
        notes.append("Too long for a square, so it is shown whole, on grey.")
    return square(decoded.image, size), notes
