"""What the sections on poses share: a scene with one person, what the networks say of it, and a skeleton to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

import scenes
from labs.pose import JOINTS
from models import catalog
from models.inside import joint_heat_maps
from models.inside.joint_heat_maps import JointMaps
from models.networks.pose_regression import NO_LOSS, Pose
from models.recipes import pose_people
from scenes.classes import SKELETON
from ui.components import Lines, Points

NETWORK, DETECTOR = "pose-regression", "detector"
ORANGE, BLUE, GREEN, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#CC79A7"
FIRST, SECOND, TRUTH = "first stage", "second stage", "truth"
COLOURS = {FIRST: ORANGE, SECOND: BLUE, TRUTH: GREEN}
SEEN, HIDDEN, OUTSIDE = 2, 1, 0
WORDS = {SEEN: "in sight", HIDDEN: "out of sight", OUTSIDE: "outside the picture"}


@dataclass(frozen=True, eq=False)
class Person:
    """A scene's person: `image` uint8 (224, 224, 3); in pixels its visible `box` (4,), true `joints` (14, 2), their
    `visibility` (14,) int64 as COCO writes it, the person's full `height`, and its `area` in square pixels."""

    seed: int
    image: np.ndarray
    box: Tensor
    joints: Tensor
    visibility: Tensor
    height: float
    area: float

    @property
    def seen(self) -> Tensor:
        """Bool (14,): which joints are in sight."""
        return self.visibility == SEEN

    def errors(self, joints: Tensor) -> Tensor:
        """Distances (14,) in pixels to the truth."""
        return (joints - self.joints).norm(dim=-1)


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def person_of(seed: int) -> Person:
    """The person of a composed scene.

    Raises:
        ValueError: nothing of the person is in sight.
    """
    view = scenes.render(pose_people.compose(seed), pose_people.SIZE)
    found = pose_people.person_of(view)
    if found is None or found.keypoints is None:
        raise ValueError(f"In scene {seed} something hides the whole person: choose another one.")
    joints = torch.from_numpy(found.keypoints).float()
    return Person(
        seed, view.image, torch.from_numpy(found.box).float(), joints[:, :2].contiguous(), joints[:, 2].long(),
        float(found.full_box[3] - found.full_box[1]), float(found.mask.sum()),
    )  # fmt: skip


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
