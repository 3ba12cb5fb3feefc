"""Landmarks: two numbers for each of five points of a face, and an error in units of the distance between the eyes."""

from contextlib import ExitStack

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import landmarks as lab
from models import catalog
from models.networks.face_landmarks import Landmarks
from pages.localization import landmarks_judged
from pages.localization.shared import BLUE, GREEN, ORANGE
from scenes import faces
from scenes.faces import LANDMARKS
from ui import page
from ui.components import Box, Boxes, Points, Stage, address, following, live_slider, resting, stage, words
from ui.pictures import KEPT, MAX_SEED

NETWORK = "face-landmarks"
SIZE = faces.SIZE  # pixels of the picture; the network sees half as many a side
NAMES = tuple(name.replace("_", " ") for name in LANDMARKS)
TRUTH, GUESS = "truth", "network"
KEY, LINK = "landmarks_stage", "landmarks_guess"  # in the session; in the address: the middle of the square
SIDE = 14.0  # pixels of the square
FIRST = 6  # the face at first
EYES = 40  # pixels between the eyes at first


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def face_of(seed: int, tilt: float, eyes: int, light: float) -> tuple[np.ndarray, Tensor]:
    """A close-up and its true landmarks: uint8 (192, 192, 3), float32 (5, 2) in pixels."""
    face = faces.close_up(seed, tilt, eyes / SIZE, light)
    return face.picture(), torch.from_numpy(face.landmarks()).float()


@st.fragment
@page.guard()
def landmarks() -> None:
    page.section(
        "Landmarks",
        "A landmark is a point with a name, two numbers of the last layer: put the green square on one.",
    )
    with st.container(key="line-landmarks", horizontal=True, vertical_alignment="center"):
        seed = st.number_input("Face", 0, MAX_SEED, FIRST, key="landmarks_face", width=140, icon=":material/face:",
                               label_visibility="collapsed", **KEPT)  # fmt: skip
        st.button("Next face", icon=":material/casino:", key="landmarks_next", on_click=next_face)
        name = st.segmented_control("Landmark", NAMES, default="nose", required=True, key="landmarks_which", **KEPT)
        shown = st.pills("Show", (TRUTH, GUESS), selection_mode="multi", default=(TRUTH, GUESS), key="landmarks_show",
                         **KEPT)  # fmt: skip
    with ExitStack() as sliders:
        with st.container(key="controls-landmarks", horizontal=True):
            tilt = sliders.enter_context(
                live_slider("Tilt of the head", -60, 60, 0, step=2, unit="°", key="landmarks_tilt")
            )
            eyes = sliders.enter_context(
                live_slider("Between the eyes", 12, 70, EYES, step=2, unit="px", key="landmarks_eyes")
            )
            light = sliders.enter_context(live_slider("Light", 0.0, 1.0, 1.0, step=0.05, key="landmarks_light"))
        image, truth = face_of(seed, tilt, eyes, light)
        said = catalog.load(NETWORK)(image)
        compared(image, truth, said, NAMES.index(name), shown or [])
    if following():
        return
    page.footer(NETWORK, catalog.load(NETWORK).device, said.seconds * 1000)
    landmarks_judged.leaning(seed, eyes, light, tilt)
    landmarks_judged.over_faces()


def next_face() -> None:
    st.session_state["landmarks_face"] = (st.session_state["landmarks_face"] + 1) % (MAX_SEED + 1)


def compared(image: np.ndarray, truth: Tensor, said: Landmarks, index: int, shown: list[str]) -> None:
    """The face with the true points, the network's and the square of the hand, and what the misses come to."""
    canvas, side = st.columns([3, 2], gap="large")
    with canvas:
        view = stage(KEY, start(), width=360, zoom=False, window=2)
        place = placed(view)
        view.show(
            image, [*points(truth, said, index, shown), Boxes(squares(view, place))],
            alt="A face with its five landmarks, the network's five points and a square to drag",
            caption="Drag the green square, or move it with the arrow keys; its middle counts."
            + " Blue: truth." * (TRUTH in shown) + " Orange: the network." * (GUESS in shown),
        )  # fmt: skip
    guess, unit = torch.tensor(place), float(lab.eye_distance(truth))
    with side:
        if TRUTH not in shown:
            words("Put the square on the landmark first; *truth* then shows how far off it is.", "landmarks_hand")
            for key in ("landmarks_network", "landmarks_mean", "landmarks_numbers"):
                words("", key)  # the same places, empty: what comes and goes makes the page jump
            return
        words(f"**{NAMES[index]}**, your square:\n\n{arithmetic(guess, truth[index], unit)}", "landmarks_hand")
        words(
            f"**{NAMES[index]}**, the network:\n\n{arithmetic(said.landmarks[index], truth[index], unit)}",
            "landmarks_network",
        )
        each = lab.errors(said.landmarks, truth)
        listed = " · ".join(f"{name} {float(error):.1f}" for name, error in zip(NAMES, each, strict=True))
        words(
            f"All five, in %: {listed}. Mean **{float(lab.mean_error(said.landmarks, truth)):.1f} %**",
            "landmarks_mean",
        )
        numbers = ", ".join(f"{float(number):.3f}" for number in said.numbers)
        words(f":gray[The last layer says ten numbers, in sides of the picture: {numbers}.]", "landmarks_numbers")


def arithmetic(guess: Tensor, truth: Tensor, unit: float) -> str:
    """One error, written out."""
    (x, y), (a, b) = guess.tolist(), truth.tolist()
    miss = float(torch.linalg.vector_norm(guess - truth))
    return (
        f"√(({x:.1f} − {a:.1f})² + ({y:.1f} − {b:.1f})²) = {miss:.2f} px\n\n"
        f"{miss:.2f} px / {unit:.1f} px = **{100 * miss / unit:.1f} %** of the distance between the eyes"
    )


def points(truth: Tensor, said: Landmarks, index: int, shown: list[str]) -> list[Points]:
    """Both kinds of points, the chosen one with its name."""
    layers = []
    for kind, places, colour, radius in ((TRUTH, truth, BLUE, 6.5), (GUESS, said.landmarks, ORANGE, 3.5)):
        if kind in shown:
            labels = [name if i == index and not layers else "" for i, name in enumerate(NAMES)]
            layers.append(
                Points(places.numpy(), colour, radius, labels, notes=[f"{name}, {kind}" for name in NAMES],
                       ids=[f"{kind}-{name}" for name in NAMES])
            )  # fmt: skip
    return layers


def start() -> list[Box]:
    """The square at first: in the middle, or where the address puts it."""
    if KEY not in st.session_state:
        try:
            at = address.numbers(LINK, 2)
        except ValueError:
            at = None
            page.problem(f"The link's {LINK} is no place like 90,100: drag the square instead.")
        st.session_state[KEY] = [square(inside(*(at or (SIZE / 2, SIZE / 2))))]
    return st.session_state[KEY]


def placed(view: Stage) -> tuple[float, float]:
    """The middle of the square, to a tenth of a pixel; once the hand rests, it stands in the address."""
    x1, y1, x2, y2 = view.boxes[0].xyxy
    place = inside((x1 + x2) / 2, (y1 + y2) / 2)
    if resting(KEY) and not following():
        address.keep(LINK, None if place == (SIZE / 2, SIZE / 2) else f"{place[0]:g},{place[1]:g}")
    return place


def squares(view: Stage, place: tuple[float, float]) -> list[Box]:
    """The square as it is drawn: the hand may pull its corners, and when it lets go it has its size again."""
    return [square(place)] if resting(KEY) else view.boxes


def square(place: tuple[float, float]) -> Box:
    x, y = place
    return Box("landmark", (x - SIDE / 2, y - SIDE / 2, x + SIDE / 2, y + SIDE / 2), "", GREEN, editable=True, width=3)


def inside(x: float, y: float) -> tuple[float, float]:
    """The place, or the nearest one at which the whole square is in the picture."""
    low, high = SIDE / 2, SIZE - SIDE / 2
    return round(min(max(x, low), high), 1), round(min(max(y, low), high), 1)
