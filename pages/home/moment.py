"""What the page looks at: one Lab World scene in some light and fog, drawn once for all visitors. Needs no torch."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import streamlit as st

import scenes
from scenes.render import View

SIZE = 224  # of the pictures that the networks see
LARGE = 528  # of the picture at the top; travels as WebP, which smaller ones do not


@dataclass(frozen=True, eq=False)
class Moment:
    """`view` is the scene at 224 pixels with its truth; the picture in it is the one that the networks see."""

    seed: int
    light: float
    fog: float
    view: View

    @property
    def key(self) -> tuple[int, float, float]:
        """Names this moment for all visitors."""
        return self.seed, self.light, self.fog


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read, as all below
def moment(seed: int, light: float, fog: float) -> Moment:
    """The scene of a seed in a light (0 night to 1 day) and a fog (0 to 1)."""
    known = _truth(seed)
    scene = replace(known.scene, light=light, fog=fog)
    return Moment(seed, light, fog, replace(known, scene=scene, image=drawn(seed, light, fog, SIZE)))


# Light and fog leave the truth as it is.
@st.cache_resource(max_entries=256, show_spinner=False)
def _truth(seed: int) -> View:
    return scenes.render(scenes.sample(seed, scenes.Knobs(light=1.0, fog=0.0)), SIZE)


@st.cache_resource(max_entries=256, show_spinner=False)
def drawn(seed: int, light: float, fog: float, size: int) -> np.ndarray:
    """The picture alone, uint8 (size, size, 3)."""
    return scenes.render_image(replace(_truth(seed).scene, light=light, fog=fog), size)


def sketch(moment: Moment) -> np.ndarray:
    """The large picture while a hand moves: the small one enlarged, which takes a third of the time."""
    return cv2.resize(moment.view.image, (LARGE, LARGE), interpolation=cv2.INTER_CUBIC)
