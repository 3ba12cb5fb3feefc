"""PCK and OKS over many persons, with thresholds to move: both stages of the regression and the detector's head."""

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from labs import pose as lab
from models import catalog
from models.recipes.scene_cache import held_out_seeds
from pages.localization.pose_shared import BLUE, NETWORK, ORANGE, PURPLE, Person, asked, maps_of, person_of
from ui import figures, page
from ui.components import following, live_slider, words
from ui.pictures import KEPT

NAMES = {"first stage": (ORANGE, "dash"), "second stage": (BLUE, "solid"), "heat map": (PURPLE, "dot")}
COUNTS = (10, 20, 40, 80)
THRESHOLDS = torch.linspace(0, 0.5, 51)
SEEN = "_pose_scored"  # in the session: how many scenes this visitor has seen through


@st.fragment
@page.guard()
def scored() -> None:
    page.section(
        "How good is a pose?",
        "PCK counts the joints within a share of the person's height; OKS asks less of a hip than of a hand.",
    )
    count = st.segmented_control("Persons", COUNTS, default=20, required=True, key="pose_count", **KEPT)
    on_the_card()
    seeds = held_out_seeds(count)
    asking = st.session_state.get(SEEN, 0) < count
    if asking:
        slot = st.empty()
        if not slot.button("Measure", icon=":material/play_arrow:", key="pose_measure"):
            st.caption(f"{count} scenes that no network here was trained on, each once through both networks.")
            return
        slot.empty()
        page.work_through(SEEN, seeds, look_at, "Scenes")
    people, found = gathered(count)
    with (
        live_slider(
            "PCK: within this share of the height", 0.01, 0.5, 0.2, step=0.01, key="pose_pck", window=2
        ) as near,
        live_slider("OKS: at least", 0.05, 0.95, 0.5, step=0.05, key="pose_oks", window=2) as alike,
    ):
        pcks = {name: share_right(people, joints, near) for name, joints in found.items()}
        similar = {name: likeness(people, joints) for name, joints in found.items()}
        words(table(pcks, similar, near, alike), "pose_table")
    if not following():
        chart(count, near, pcks)


def on_the_card() -> None:
    """What the card says of both stages: a second look sharpens what is near, and cannot see what lies outside it."""
    if following():
        return
    metrics = catalog.load(NETWORK).card.get("metrics", {})
    told = " · ".join(
        f"{name} {metrics.get(f'{key}_first_stage', float('nan')):.3f} → **{metrics.get(key, float('nan')):.3f}**"
        for name, key in (("PCK@0.2", "pck"), ("PCK@0.05", "pck_strict"), ("OKS", "oks"))
    )
    st.markdown(
        f"From the first stage to the second, on {metrics.get('scenes', 0)} scenes: {told}. A second look places a "
        "joint more exactly; one that lies outside its patch it cannot find."
    )


def look_at(seed: int) -> None:
    """Fill the caches of one scene; a person who is hidden whole is left out."""
    try:
        asked(seed), maps_of(seed)
    except ValueError:
        return


@st.cache_resource(max_entries=len(COUNTS), show_spinner=False)  # shared and only read
def gathered(count: int) -> tuple[list[Person], dict[str, Tensor]]:
    """The persons, and the joints (N, 14, 2) that each way says, in pixels."""
    people = []
    for seed in held_out_seeds(count):
        try:
            people.append(person_of(seed))
        except ValueError:
            continue
    said = [asked(each.seed) for each in people]
    poses = ([each.first for each in said], [each.second for each in said], [maps_of(p.seed).joints for p in people])
    return people, {name: torch.stack(joints) for name, joints in zip(NAMES, poses, strict=True)}


def share_right(people: list[Person], joints: Tensor, threshold: float) -> float:
    """PCK over the joints in sight."""
    truth, seen = torch.stack([each.joints for each in people]), torch.stack([each.seen for each in people])
    height = torch.tensor([each.height for each in people])
    return float(lab.pck(joints, truth, seen, height, threshold).pck)


def likeness(people: list[Person], joints: Tensor) -> Tensor:
    """OKS (N,) over the joints in sight; NaN for a person without any."""
    truth, seen = torch.stack([each.joints for each in people]), torch.stack([each.seen for each in people])
    return lab.oks(joints, truth, seen, torch.tensor([each.area for each in people]))


def table(pcks: dict[str, float], similar: dict[str, Tensor], near: float, alike: float) -> str:
    """Both measures of all ways, in words that do not jump."""
    lines = [
        f"**{name}**: PCK@{near:.2f} **{pcks[name]:.3f}** · mean OKS **{float(oks.nanmean()):.3f}** · "
        f"OKS ≥ {alike:.2f} **{float((oks[~oks.isnan()] >= alike).float().mean()):.2f}** of the persons"
        for name, oks in similar.items()
    ]
    return "\n\n".join(lines)


def chart(count: int, near: float, pcks: dict[str, float]) -> None:
    """PCK against its threshold."""
    people, found = gathered(count)
    with page.predict(
        "pose-curve", f"At a quarter of this threshold, PCK@{near / 4:.3f}, which has most joints right?", list(NAMES)
    ) as prediction:
        figure = go.Figure()
        for name, (colour, dash) in NAMES.items():
            figure.add_scatter(
                x=THRESHOLDS.tolist(), y=[share_right(people, found[name], float(each)) for each in THRESHOLDS],
                name=name, mode="lines", line={"color": colour, "dash": dash},
            )  # fmt: skip
        figures.across(figure, x=near, dash="dash")
        figure.update_layout(
            xaxis={"title": "threshold, shares of the height", "range": [0, 0.5]},
            yaxis={"title": "PCK, joints in sight", "range": [0, 1.02]},
        )
        page.figure(figure, "pose_curves", height=300, alt="PCK against its threshold for three ways to find joints")
        strict = {name: share_right(people, found[name], near / 4) for name in NAMES}
        prediction.outcome(
            max(strict, key=lambda name: strict[name]),
            "PCK there is " + ", ".join(f"{value:.3f} ({name})" for name, value in strict.items()) + ".",
        )
    st.caption(f"{len(people)} persons, {int(sum(each.seen.sum() for each in people))} joints in sight.")
