"""What the sections on one box share: the networks, what they said of a picture, the true box, and colours."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from models import catalog
from models.networks.localizer import Localization
from models.recipes.localizer import APART, JOINT
from ui.pictures import KEPT, Picture

NETWORKS = {"Joint": JOINT, "Heads apart": APART}
ORANGE, BLUE, GREEN, VERMILION, PURPLE, WHITE = "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#FFFFFF"
SIZE = 224  # of the pictures on the page


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def asked(network: str, image: np.ndarray) -> Localization:
    """What a network says of a picture; the next visitor with the same picture pays nothing."""
    return catalog.load(network)(image)


@dataclass(frozen=True, eq=False)
class Focus:
    """What the first sections look at: a picture, a network of the catalogue, and what it said.

    `truth` is the largest thing of a scene; None in a scene without things and for pictures whose truth nobody knows.
    """

    picture: Picture
    network: str
    said: Localization

    @property
    def things(self) -> int | None:
        """How many things are in sight; None where nobody knows."""
        return None if self.picture.view is None else len(self.picture.view.instances)

    @property
    def truth(self):
        things = self.picture.view.instances if self.picture.view else ()
        return max(things, key=lambda each: each.mask.sum(), default=None)

    @property
    def true_box(self) -> Tensor | None:
        """xyxy in pixels."""
        return None if self.truth is None else torch.from_numpy(self.truth.box).float()


def choose(picture: Picture) -> Focus:
    """Draw the choice of a network and ask it."""
    with st.container(key="line-localization", horizontal=True):
        name = st.segmented_control(
            "Network", list(NETWORKS), default="Joint", required=True, key="localization_network", **KEPT,
            help="Joint: trunk and heads learned together in the end. Heads apart: each by itself, the trunk frozen.",
        )  # fmt: skip
    network = NETWORKS[name]
    return Focus(picture, network, asked(network, picture.image))


def xyxy(box: Tensor) -> tuple[float, float, float, float]:
    """As a stage wants it."""
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
