"""OKS opened for one person: distance, size and kind of joint, one bell curve each; heat map against regression."""

import math

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import keypoint_heat_maps as heat
from labs import keypoint_similarity as ks
from labs.pose import SIGMAS
from models import catalog
from pages.mask_rcnn.persons import GREEN, JOINTS, ORANGE, WHITE, keypoints_of, maps_of, skeleton
from pages.mask_rcnn.shared import NETWORK, xyxy
from pages.shared.one_person import Person, person_of
from ui import page
from ui.components import Grid, Lines, Points, following, live_slider, matrices, stage, words
from ui.pictures import KEPT

REGRESSION = "pose-regression"
HEAT, FIRST, SECOND = WAYS = ("heat map", "regression, first stage", "regression, second stage")
HALF = math.sqrt(2 * math.log(2))  # so many s·k away a joint is half as alike
CORNERS = 24  # of a polygon drawn as a circle


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def said_of(seed: int) -> dict[str, Tensor]:
    """Joints (14, 2) of a person in the true box, by both networks."""
    person = person_of(seed)
    numbers = catalog.load(REGRESSION)(person.image, person.box)
    logits = maps_of(seed, xyxy(person.box))
    return {HEAT: heat.enlarged_best(logits, person.box), FIRST: numbers.first, SECOND: numbers.second}


def oks_of(person: Person, joints: Tensor, area: float) -> tuple[np.ndarray, float]:
    """Similarity (14,) of every joint, and their mean over those that count."""
    found, truth = torch.cat([joints, torch.ones(len(JOINTS), 1)], 1), keypoints_of(person)
    given = found[None].double().numpy(), truth[None].double().numpy(), np.array([area]), np.array(SIGMAS)
    return ks.similarities(*given)[0, 0], float(ks.oks(*given)[0, 0])


@st.fragment
@page.guard()
def similarity(person: Person) -> None:
    page.section(
        "OKS, opened",
        "How alike are two persons made of joints? One bell curve a joint, as wide as that kind of joint is vague.",
    )
    way = st.segmented_control("Joints of", WAYS, default=HEAT, required=True, key="oks_way", **KEPT)
    joints = said_of(person.seed)[way]
    with (
        live_slider("All joints moved to the right", 0, 40, 0, key="oks_moved", unit="px", window=2) as moved,
        live_slider("Area counted as", 0.1, 4.0, 1.0, step=0.1, key="oks_area", format="× %.1f", window=2) as times,
    ):
        placed, area = joints + torch.tensor([float(moved), 0.0]), person.area * times
        similar, mean = oks_of(person, placed, area)
        counts = (person.visibility > 0).numpy()
        if not counts.any():
            words("No joint of this person lies in the picture, so there is nothing to compare.", "oks_none")
            return
        k, s = 2 * np.array(SIGMAS), math.sqrt(area)
        worst = JOINTS[int(np.where(counts, similar, 2).argmin())]
        with page.predict(
            "oks-worst",
            f"Joints of the {way}: which joint of person {person.seed} is least alike to its truth?",
            JOINTS,
        ) as prediction:
            left, right = st.columns([2, 3], gap="large")
            with left:
                stage("oks_stage", zoom=False, width=380, window=2).show(
                    person.image,
                    [circles(person.joints[torch.from_numpy(counts)], HALF * s * k[counts]),
                     *skeleton(placed, ORANGE, [f"{name}: {way}" for name in JOINTS]),
                     Points(person.joints.numpy(), GREEN, 3.5, notes=[f"{name}: truth" for name in JOINTS])],
                    alt=f"The joints of the {way} and the true ones, with circles",
                    caption="Green: truth. Orange: found. On a white circle the similarity is one half.",
                )  # fmt: skip
            with right:
                errors = person.errors(placed).numpy()
                table = np.stack([errors, k, np.where(counts, similar, np.nan)], 1)
                matrices("oks_joints", window=2).show(
                    [Grid("joints", table, title="of each joint", rows=JOINTS, columns=["d, px", "k", "exp(…)"],
                          format="%.2f", colour="none", cell=26)],
                    caption="A blank does not count: the joint lies outside the picture.",
                )  # fmt: skip
            words(arithmetic(worst, errors, similar, k, s, int(counts.sum()), mean), "oks_told")
            at = JOINTS.index(worst)
            prediction.outcome(worst, f"{errors[at]:.1f} px away, similarity {similar[at]:.2f}.")
    if not following():
        outlook(person)


def arithmetic(
    worst: str, errors: np.ndarray, similar: np.ndarray, k: np.ndarray, s: float, n: int, mean: float
) -> str:
    at = JOINTS.index(worst)
    return (
        f"**{worst}**: exp(−{errors[at]:.1f}² / (2 · {s:.1f}² · {k[at]:.3f}²)) = **{similar[at]:.3f}**, with s = "
        f"√area = {s:.1f} px\n\nOKS = mean of {n} joints = **{mean:.3f}**"
    )


def circles(middles: Tensor, radii: np.ndarray) -> Lines:
    """Around every joint the circle of half similarity."""
    angle = np.linspace(0, 2 * np.pi, CORNERS + 1)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    around = middles.numpy()[:, None] + radii[:, None, None] * ring
    return Lines(np.concatenate([around[:, :-1], around[:, 1:]], -1).reshape(-1, 4), WHITE, 1)


def outlook(person: Person) -> None:
    """Both networks side by side, and where they are compared over many persons."""
    means = {each: oks_of(person, joints, person.area)[1] for each, joints in said_of(person.seed).items()}
    st.markdown(
        f"Person {person.seed} in the true box: "
        + ", ".join(f"{each} OKS **{value:.3f}**" for each, value in means.items())
        + ". A map can glow in two places and take the wrong one, a left foot for a right one; the regression then "
        "says a place between them."
    )
    page.remind("Pose regression")
    page.footer(f"{NETWORK}, {REGRESSION}", catalog.load(NETWORK).device)
