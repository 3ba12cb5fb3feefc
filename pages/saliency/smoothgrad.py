"""SmoothGrad: the mean gradient of noisy copies, refined copy by copy while the slider moves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

import numpy as np
import streamlit as st
import torch
from streamlit.errors import StreamlitAPIException
from torch import Tensor

from labs.saliency import largest_magnitude, mean_so_far, noisy_copy
from models import catalog
from models.inside import saliency
from models.inside.saliency import DEVIATION, GRADIENT
from pages.saliency.shared import STEP, Focus, asked, end_of
from pages.shared.heat_maps import POSITIVE, colour_bar, number, positive_layer
from ui import page
from ui.components import following, live_slider, stage, words
from ui.pictures import KEPT

MOST = 50  # noisy copies
DEVIATIONS = (0.0, 0.02, 0.05, DEVIATION, 0.2, 0.4)
PATIENCE = 0.2  # s of work before what is there is drawn


@dataclass
class Copies:
    """The maps of the mean gradient of the first 1, 2, 3, … noisy copies, made when somebody asks for them; threads
    take turns."""

    gradients: Iterator[Tensor]
    mean: Tensor
    maps: list[Tensor] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def first(self, count: int, seconds: float) -> int:
        """Make the maps up to `count` copies, at least one more, for about so many `seconds`; returns how many of the
        copies asked for are there."""
        until = monotonic() + seconds
        with self.lock:
            while len(self.maps) < count:
                self.mean = mean_so_far(self.mean, next(self.gradients), len(self.maps) + 1)
                self.maps.append(largest_magnitude(self.mean))
                if monotonic() > until:
                    break
            return min(len(self.maps), count)


@st.cache_resource(max_entries=12, show_spinner=False)
def copies(network: str, image: np.ndarray, target: int, deviation: float) -> Copies:
    """What all visitors of a picture, class and noise share."""
    x = asked(network, image).x
    return Copies(saliency.noisy_gradients(catalog.load(network), x, target, deviation), torch.zeros_like(x))


@st.fragment
@page.guard()
def smoothgrad(focus: Focus) -> None:
    page.section(
        "Average the noise away",
        "SmoothGrad: the mean gradient of noisy copies of the picture. Press play: each step adds one copy.",
    )
    deviation = st.select_slider(
        "Noise", DEVIATIONS, DEVIATION, key="saliency_deviation", width=320,
        help="Standard deviation of the noise, as a share of the step from black to white.", **KEPT,
    )  # fmt: skip
    with live_slider("Noisy copies", 1, MOST, 8, key="saliency_copies", play="once", play_seconds=MOST / 10) as wanted:
        found = copies(focus.network, focus.image, focus.target, deviation)
        there = found.first(wanted, PATIENCE)
        plain, heat = focus.map_of(GRADIENT), found.maps[there - 1]
        end = end_of(plain)
        words(f"Mean gradient of **{there}** of {wanted} noisy copies, largest value {number(float(heat.max()))}",
              "saliency_copies_words")  # fmt: skip
        shown = (
            ("saliency_noisy", f"Copy {there}, as the network sees it", copy_of(focus, deviation, there - 1), []),
            ("saliency_plain", "The gradient of the picture itself", focus.image, [positive_layer(plain, end)]),
            ("saliency_smooth", f"SmoothGrad of {there} copies", focus.image, [positive_layer(heat, end)]),
        )
        for panel, (key, title, picture, layers) in zip(st.columns(3, gap="medium"), shown, strict=True):
            with panel:
                stage(key, zoom=False).show(picture, layers, alt=title, caption=title)
    colour_bar(POSITIVE, end, STEP, most="moves the score")
    if following():
        return
    if there < wanted:
        go_on()
    st.markdown(
        "The gradient jumps from pixel to pixel, because the network is made of a huge number of flat pieces and each "
        "copy of the picture falls on another one. Their mean is the slope over a neighbourhood, as wide as the noise. "
        "It is calm, but it is no longer the gradient of this picture: with much noise it is that of pictures which "
        "nobody has seen."
    )


def go_on() -> None:
    """Draw again, with more of what is wanted: only this section where it runs alone, else the page."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def copy_of(focus: Focus, deviation: float, index: int) -> np.ndarray:
    """A noisy copy as a picture, uint8 (224, 224, 3); what is darker than black or brighter than white is cut."""
    noisy = noisy_copy(focus.said.x, deviation, index).clamp(0, 1)
    return (noisy.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
