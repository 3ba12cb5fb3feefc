"""A scene with one person, close to the viewer, and the truth about every joint."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

import scenes
from models.recipes import pose_people

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
