"""What the sections on poses share: a scene with one person, what the networks say of it, and a skeleton to draw."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from torch import Tensor

from labs.pose import JOINTS
from models import catalog
from models.inside import joint_heat_maps
from models.inside.joint_heat_maps import JointMaps
from models.networks.pose_regression import NO_LOSS, Pose
from pages.shared.one_person import WORDS, Person, person_of
from scenes.classes import SKELETON
from ui.components import Lines, Points

NETWORK, DETECTOR = "pose-regression", "detector"
ORANGE, BLUE, GREEN, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#CC79A7"
FIRST, SECOND, TRUTH = "first stage", "second stage", "truth"
COLOURS = {FIRST: ORANGE, SECOND: BLUE, TRUTH: GREEN}


@st.cache_resource(max_entries=512, show_spinner=False)
def asked(seed: int, rule: str = NO_LOSS) -> Pose:
    """What the network says of a scene's person in the true box."""
    person = person_of(seed)
    return catalog.load(NETWORK)(person.image, person.box, rule)


@st.cache_resource(max_entries=512, show_spinner=False)
def maps_of(seed: int) -> JointMaps:
    """What the detector's keypoint head says of the same person in the same box."""
    person = person_of(seed)
    return joint_heat_maps.heat_maps(catalog.load(DETECTOR), person.image, person.box)


def skeleton(joints: Tensor, colour: str, name: str, notes: Sequence[str], dash: bool = False) -> list[Lines | Points]:
    """Limbs and joints (14, 2) of one pose on a stage."""
    at = joints.numpy()
    limbs = np.array([[*at[a], *at[b]] for a, b in SKELETON])
    return [
        Lines(limbs, colour=colour, width=2.5, dash=dash),
        Points(at, colour=colour, radius=4.0, notes=notes, ids=[f"{name}-{i}" for i in range(len(at))]),
    ]


def notes(person: Person, joints: Tensor, name: str) -> list[str]:
    """What stands at each joint under the pointer."""
    errors = person.errors(joints).tolist()
    return [
        f"{joint}, {WORDS[int(seen)]}: {name}" + ("" if name == TRUTH else f", {error:.1f} px off")
        for joint, seen, error in zip(JOINTS, person.visibility, errors, strict=True)
    ]


def mean_error(person: Person, joints: Tensor, counts: Tensor | None = None) -> float:
    """Mean distance in pixels over the joints in sight, or over those that count; NaN without any."""
    return float(person.errors(joints)[person.seen if counts is None else counts].mean())
