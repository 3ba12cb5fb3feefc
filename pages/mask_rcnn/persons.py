"""What the sections on keypoints share: one person, the box of the hand, and the maps that the keypoint head draws."""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs.pose import JOINTS
from models import catalog
from models.inside import region_heads
from models.inside.region_heads import KEYPOINTS
from pages.mask_rcnn.shared import NETWORK, grown, linked_box, regions_of, xyxy
from pages.shared.one_person import Person, person_of
from scenes import SKELETON
from ui.components import Box, Lines, Points, address, resting

__all__ = ["JOINTS", "person_of"]
SIDE = 56  # places along each side of a map
SEED = 53  # a large person behind a smaller thing
STAGE, LINK, OF = "joint_stage", "joint_box", "_joint_of"
GREEN, ORANGE, SKY, PURPLE, YELLOW, WHITE = "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#FFFFFF"
BOX = Box("person", (0, 0, 1, 1), "", WHITE, editable=True, width=2)


@st.cache_resource(max_entries=200, show_spinner=False)  # shared and only read; 0.2 MB a box
def maps_of(seed: int, box: tuple[float, float, float, float]) -> Tensor:
    """The keypoint head's logits (14, 56, 56) for a box on a person's scene; the trunk runs once a scene."""
    features = regions_of(person_of(seed).image)
    return region_heads.logits(catalog.load(NETWORK), features, KEYPOINTS, torch.tensor([box]))[0]


def keypoints_of(person: Person) -> Tensor:
    """The true joints (14, 3): x, y in pixels and COCO's visibility."""
    return torch.cat([person.joints, person.visibility[:, None].float()], 1)


def glow(share: Tensor) -> np.ndarray:
    """The probabilities of a map over the best one, NaN where there is next to nothing."""
    shown = (share / share.max()).numpy()
    return np.where(shown >= 0.02, shown, np.nan)


def start(person: Person) -> list[Box]:
    """The true box, at first where the address puts it; a new person puts it back."""
    before = st.session_state.get(OF)
    if before != person.seed:
        place = linked_box(LINK) if before is None else None
        if before is not None:
            address.keep(LINK, None)
        st.session_state[OF] = person.seed
        if before is not None or STAGE not in st.session_state:
            st.session_state[STAGE] = [true_box(person) if place is None else replace(BOX, xyxy=place)]
    return st.session_state[STAGE]


def held(person: Person, view) -> Tensor:
    """The box of this moment (4,), large enough to hold; once the hand rests, it stands in the address."""
    box = grown(view.boxes[0].xyxy)
    if resting(STAGE):
        if box != view.boxes[0].xyxy:
            view.boxes = st.session_state[STAGE] = [replace(BOX, xyxy=box)]
        moved = box != true_box(person).xyxy
        address.keep(LINK, ",".join(f"{value:g}" for value in box) if moved else None)
    return torch.tensor(box)


def reset(person: Person) -> None:
    st.session_state[STAGE] = [true_box(person)]
    address.keep(LINK, None)


def true_box(person: Person) -> Box:
    return replace(BOX, xyxy=grown(xyxy(person.box)))


def skeleton(joints: Tensor, colour: str, notes: list[str]) -> list[Lines | Points]:
    """Limbs and joints (14, 2)."""
    at = joints.numpy()
    limbs = np.array([[*at[a], *at[b]] for a, b in SKELETON])
    return [Lines(limbs, colour, 2), Points(at, colour, 3.5, notes=notes)]
