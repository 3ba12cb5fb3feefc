"""How well landmarks are found: while a head leans further than in training, and over faces that were never seen."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import landmarks as lab
from models import catalog
from models.recipes.face_landmarks import Recipe
from models.recipes.scene_cache import held_out_seeds
from pages.localization.shared import BLUE, ORANGE
from scenes import faces
from ui import figures, page, rounding
from ui.components import live_slider, words

NETWORK = "face-landmarks"
TILTS = tuple(range(-60, 61, 6))
FURTHEST = 60
LEANED = faces.TILT + Recipe().turn  # degrees: training turns the pictures as well
BANDS = ("below 5 %", "5 to 20 %", "20 % or more")
COUNT = 100
KINDS = {"an eye": (0, 1), "the nose": (2,), "a corner of the mouth": (3, 4)}


@st.cache_data(max_entries=256, show_spinner=False)
def leaned(seed: int, eyes: int, light: float) -> list[float]:
    """The mean error of one face at each of TILTS, per cent."""
    network, found = catalog.load(NETWORK), []
    for tilt in TILTS:
        face = faces.close_up(seed, tilt, eyes / faces.SIZE, light)
        said, truth = network(face.picture()), torch.from_numpy(face.landmarks()).float()
        found.append(float(lab.mean_error(said.landmarks, truth)))
    return found


def leaning(seed: int, eyes: int, light: float, tilt: int) -> None:
    """The error of this face as its head leans, in training's range and beyond."""
    st.subheader("Beyond what training showed", anchor="landmarks-tilt")
    with page.predict(
        "landmarks-tilt",
        f"In training no head leaned further than {LEANED:g}°. How large is this face's mean error at {FURTHEST}°?",
        BANDS,
    ) as prediction:
        found = leaned(seed, eyes, light)
        figure = go.Figure(go.Scatter(x=TILTS, y=found, mode="lines+markers", line_color=BLUE, name="mean error"))
        figure.add_vrect(-LEANED, LEANED, fillcolor=BLUE, opacity=0.12, line_width=0)
        figures.across(figure, x=tilt, color=ORANGE, dash="dash")
        figure.update_layout(showlegend=False)
        figure.update_xaxes(title="tilt of the head in degrees; tinted: as in training")
        figure.update_yaxes(title="mean error in %", rangemode="tozero")
        page.figure(figure, "landmarks_leaned", height=300, alt="Mean error of this face against the tilt of its head")
        prediction.outcome(
            band(found[-1]),
            f"It is {rounding.beside(found[-1], 5, 20, digits=1)} %. A regression interpolates between what it has "
            "seen; nothing in it says that a leaning head is the same head.",
        )


def band(error: float) -> str:
    """Which of BANDS an error belongs to."""
    return BANDS[int(error >= 5) + int(error >= 20)]


@st.cache_data(max_entries=512, show_spinner=False)
def judged(seed: int) -> tuple[Tensor, Tensor]:
    """The errors (5,) of one face that was never seen, in per cent, and its true numbers (10,)."""
    face = faces.close_up(seed)
    image, truth = face.picture(), torch.from_numpy(face.landmarks()).float()
    said = catalog.load(NETWORK)(image)
    return lab.errors(said.landmarks, truth), lab.to_numbers(truth, faces.SIZE, faces.SIZE)


def always_the_mean(numbers: Tensor) -> Tensor:
    """The mean error (n,) of each of n faces (n, 10) if the answer is always the mean of them all, in per cent."""
    truth = lab.to_landmarks(numbers, faces.SIZE, faces.SIZE)
    return lab.mean_error(truth.mean(0).expand_as(truth), truth)


def over_faces() -> None:
    """Errors by landmark and the share of faces below a bound, over faces that were never seen."""
    st.subheader("Over many faces", anchor="landmarks-faces")
    told = catalog.card(NETWORK)["metrics"]
    seeds = held_out_seeds(COUNT)
    if not st.session_state.get("landmarks_measured"):
        slot = st.empty()
        if not slot.button(f"Measure {COUNT} faces", icon=":material/play_arrow:", key="landmarks_measure"):
            return
        slot.empty()
        page.work_through("landmarks_measured", seeds, judged, "The network looks at faces that it has never seen")
    each, numbers = (torch.stack(part) for part in zip(*map(judged, seeds), strict=True))
    kinds = {kind: float(each[:, list(rows)].mean()) for kind, rows in KINDS.items()}
    with page.predict(
        "landmarks-worst", f"Which is missed by most, on average over {COUNT} faces?", list(KINDS)
    ) as prediction:
        listed = " · ".join(f"{kind} **{error:.1f} %**" for kind, error in kinds.items())
        st.markdown(
            f"{listed} · all five **{float(each.mean()):.1f} %**. On the card, over {told['scenes']} faces: "
            f"{told['mean_error']:.1f} %. Ten numbers that never change, the mean of these faces, would miss by "
            f"**{float(always_the_mean(numbers).mean()):.0f} %**."
        )
        curve(each.mean(1))
        worst = max(kinds, key=lambda kind: kinds[kind])
        prediction.outcome(worst, f"{kinds[worst]:.1f} %, against {min(kinds.values()):.1f} % for the best of the "
                           "three.")  # fmt: skip


def curve(means: Tensor) -> None:
    """The share of faces whose mean error is within a bound, for every bound, and for that of the slider."""
    with live_slider("A face is found if its error is at most", 1.0, 20.0, 10.0, step=0.5, unit="%",
                     key="landmarks_bound") as bound:  # fmt: skip
        words(f"Found: **{lab.share_within(means, bound):.0%}** of {len(means)} faces", "landmarks_found")
        bounds = np.linspace(0, 20, 81)
        shares = [lab.share_within(means, float(each)) for each in bounds]
        figure = go.Figure(go.Scatter(x=bounds, y=shares, mode="lines", line_color=BLUE, line_shape="hv"))
        figures.across(figure, x=bound, color=ORANGE, dash="dash")
        figure.update_xaxes(title="mean error in % of the distance between the eyes")
        figure.update_yaxes(title="share of faces within", range=[0, 1.02])
        page.figure(figure, "landmarks_shares", height=260, alt="Share of faces within an error, for every error")
