"""What the sections have in common: which thing of the scene was chosen, its truth as a solid, and the colours."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from labs import inflated_solid
from scenes import Instance, Placed
from scenes.silhouettes import Silhouette, silhouette, thing_of
from ui.pictures import Picture

SEED = 96  # a cat behind a ball
THING = "mesh_thing"  # its place among the things of the scene, from far to near, from 1
CELLS = 32  # along the longer side of a solid on the page
SKY, ORANGE, VERMILION, GREY, WHITE = "#56B4E9", "#E69F00", "#D55E00", "#8A9099", "#FFFFFF"


@dataclass(frozen=True, eq=False)
class Truth:
    """A thing's whole silhouette, u of Poisson's equation on the same cells, and the solid that follows."""

    outline: Silhouette
    u: np.ndarray
    mesh: inflated_solid.Mesh

    @property
    def middle(self) -> Tensor:
        low, high = self.mesh.vertices.amin(0), self.mesh.vertices.amax(0)
        return (low + high) / 2

    @property
    def sides(self) -> Tensor:
        """Width, height and depth in pixels."""
        return self.mesh.vertices.amax(0) - self.mesh.vertices.amin(0)


def things(picture: Picture) -> tuple[Instance, ...]:
    """The things of a scene from far to near; none in a photograph."""
    return picture.view.instances if picture.view is not None else ()


def first_choice(picture: Picture) -> int:
    """The most hidden thing of which a third is still seen, as a place from 1."""
    hidden = [each.visible if each.visible > 1 / 3 else 2.0 for each in things(picture)]
    return int(np.argmin(hidden)) + 1


def chosen(picture: Picture) -> Instance | None:
    """The thing that the slider of the first section says; None where there is none."""
    found = things(picture)
    if not found:
        return None
    place = st.session_state.get(THING)
    place = place if isinstance(place, int) else first_choice(picture)
    return found[min(max(place, 1), len(found)) - 1]


def truth_of(picture: Picture, thing: Instance, cells: int = CELLS) -> Truth:
    """The solid of a thing of a scene; the longer side of its silhouette has that many cells."""
    placed = thing_of(picture.scene, thing.id)
    return _truth(repr(placed), cells, placed)


@st.cache_resource(max_entries=128, show_spinner=False)  # shared and only read
def _truth(look: str, cells: int, _thing: Placed) -> Truth:
    """`look` is all that is drawn of the thing, for the cache."""
    whole = silhouette(_thing, cells)
    u = inflated_solid.poisson(whole.coverage, whole.cell)
    return Truth(whole, u, inflated_solid.inflate(whole.coverage, whole.corner, whole.cell))


def to_unit(points: Tensor, truth: Truth) -> Tensor:
    """Points in pixels, moved to the solid's middle and divided by its longest side."""
    return (points - truth.middle) / truth.sides.max()


def named(thing: Instance) -> str:
    return f"the {thing.label}"


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
