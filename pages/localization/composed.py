"""Scenes put together by hand: two things at a distance, one thing on its way out of the picture, nothing at all."""

from dataclasses import replace

import streamlit as st

import scenes
from scenes import Knobs, Placed, Scene
from scenes.render import View
from scenes.scene import FRAME, METRES

SEED = 5  # of the backdrop: land on both sides
HEIGHT = 62.0  # of the larger thing, frame units


def backdrop() -> Scene:
    """A clear day without things or trees."""
    return replace(scenes.sample(SEED, Knobs(objects=0, light=1.0, fog=0.0, noise=0.0)), trees=())


def thing(label: str, x: float, seed: int = SEED) -> Placed:
    """One thing of a class that stands at x, of a size to be seen well."""
    drawn = scenes.sample(seed, Knobs(objects=1, classes=(label,), occlusion=0.0, truncation=0.0)).objects[0]
    unscaled = replace(drawn, x=0.0, y=0.0, scale=1.0, lift=0.0).box
    scale = HEIGHT / float(max(unscaled[2] - unscaled[0], unscaled[3] - unscaled[1]))
    scale *= (METRES[label] / max(METRES.values())) ** 0.25  # a duck is smaller than a car, but no dot
    return replace(drawn, x=x, y=FRAME * 0.78, scale=scale, lift=0.0)


@st.cache_resource(max_entries=256, show_spinner=False)  # shared and only read
def two(first: str, second: str, distance: int) -> View:
    """Two things, their middles `distance` frame units apart, around the middle of the picture."""
    at = FRAME / 2
    placed = (thing(first, at - distance / 2), thing(second, at + distance / 2, SEED + 1))
    return scenes.render(replace(backdrop(), objects=placed))


@st.cache_resource(max_entries=256, show_spinner=False)
def cut(label: str, share: int) -> View:
    """One thing of which `share` per cent of the width lie beyond the right border."""
    placed = thing(label, 0.0)
    width = float(placed.box[2] - placed.box[0])
    right = float(placed.box[2])  # of the thing at x = 0
    return scenes.render(replace(backdrop(), objects=(replace(placed, x=FRAME + width * share / 100 - right),)))


@st.cache_resource(max_entries=1, show_spinner=False)
def nothing() -> View:
    """The backdrop alone."""
    return scenes.render(backdrop())
