"""Choose a thing and turn its solid; what the picture hides of it; how an outline is blown up."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import inflated_solid
from pages.mesh_rcnn.shared import (
    GREY,
    ORANGE,
    SKY,
    THING,
    VERMILION,
    WHITE,
    Truth,
    chosen,
    first_choice,
    rgb,
    things,
    truth_of,
)
from scenes import Instance
from ui import page
from ui.components import Box, Boxes, Heat, Lines, Solid, following, live_slider, resting, solids, stage, words
from ui.pictures import Picture

STAGE = "mesh_scene"
FATES = {inflated_solid.SEEN: SKY, inflated_solid.HIDDEN: ORANGE, inflated_solid.OUTSIDE: VERMILION}
SHARES = (20, 40, 60, 80, 100)


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """The slider moves this section and the next; once it rests, the rest of the page follows."""
    page.section("Turn it", "Choose a thing, then drag its solid: here is its truth, also behind what hides it.",
                 always=True)  # fmt: skip
    found = things(picture)
    if not found:
        stage(STAGE, zoom=False, width=380).show(picture.image, alt="The picture")
        words("There is no solid to turn here: only a thing of Lab World comes with its whole shape.", "mesh_nothing")
        return
    columns, body = st.columns([1, 1], gap="large"), st.container()
    view = stage(STAGE, zoom=False, window=2)
    if view.clicked and view.click is not None and view.click.what in (ids := [str(each.id) for each in found]):
        st.session_state[THING] = ids.index(view.click.what) + 1
    if len(found) == 1:
        st.session_state[THING] = 1
        look(picture, view, columns)
    else:
        with (
            columns[0],
            live_slider("Thing, from far to near", 1, len(found), first_choice(picture), key=THING, window=2),
            body,
        ):
            look(picture, view, columns)
    if resting(THING) and not following():
        last = st.session_state.setdefault("_mesh_shown", (picture.name, st.session_state[THING]))
        if last != (picture.name, st.session_state[THING]):
            st.session_state["_mesh_shown"] = (picture.name, st.session_state[THING])
            if last[0] == picture.name:
                st.rerun()  # the sections below are of another thing now


def look(picture: Picture, view, columns) -> None:
    thing = chosen(picture)
    assert thing is not None
    truth = truth_of(picture, thing)
    mesh = truth.mesh
    with columns[0]:
        faces = mesh.faces.numpy()
        solids("mesh_truth", tall=360, window=2).show(
            [Solid("truth", mesh.vertices.numpy(), faces, colours=fate_colours(picture, thing, truth))],
            alt=f"The solid of the {thing.label}",
            caption="Blue: seen. Orange: hidden. Vermilion: outside the picture. Grey: its back.",
        )
        width, height, depth = truth.sides.tolist()
        words(
            f"**{thing.label.capitalize()}**: {thing.visible:.0%} of it is seen. Its solid is {width:.0f} px wide, "
            f"{height:.0f} px high and {depth:.0f} px deep, of {len(faces):,} triangles.",
            "mesh_said",
        )
    with columns[1]:
        view.show(
            picture.image,
            [Boxes(marks(picture, thing))],
            alt=f"The scene; {thing.label} is chosen",
            caption="Click a thing to choose it. Solid: what is seen of it. Dashed: all of it.",
        )
    asked_share(picture, thing, truth)
    blown_up(thing, truth)


def marks(picture: Picture, thing: Instance) -> list[Box]:
    """Quiet boxes for a click on the other things; the chosen one as it is seen, and whole."""
    quiet = [Box(str(each.id), four(each.box), "", GREY, width=1, note=each.label) for each in things(picture)]
    mine = [Box("whole", four(thing.full_box), "", WHITE, dash=True, width=2, note="all of it"),
            Box("seen", four(thing.box), thing.label, ORANGE, width=3)]  # fmt: skip
    return [replace(each, width=0.0) if each.id == str(thing.id) else each for each in quiet] + mine


def four(box: np.ndarray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2


def fate_colours(picture: Picture, thing: Instance, truth: Truth) -> np.ndarray:
    """One colour for each corner of the solid: what becomes of it in the picture."""
    vertices = truth.mesh.vertices.numpy()
    # one pixel: the picture's pixels are not the outline's cells
    fates = inflated_solid.fates(vertices[:, :2], picture.view.panoptic, thing.id, slack=1)
    table = np.array([rgb(colour) for colour in FATES.values()], np.uint8)
    colours = table[fates]
    colours[vertices[:, 2] > 0.5 * truth.outline.cell] = rgb(GREY)
    return colours


def shares(picture: Picture, thing: Instance, truth: Truth) -> list[float]:
    """Of the whole silhouette: the share that is seen, hidden, and outside the picture."""
    whole = truth.outline
    places = np.argwhere(whole.coverage > inflated_solid.INSIDE)[:, ::-1]
    fates = inflated_solid.fates((places + 0.5) * whole.cell + np.array(whole.corner), picture.view.panoptic, thing.id)
    return [float((fates == fate).mean()) for fate in FATES]


def asked_share(picture: Picture, thing: Instance, truth: Truth) -> None:
    seen, hidden, outside = shares(picture, thing, truth)
    answer = min(SHARES, key=lambda share: abs(share - 100 * seen))
    with page.predict(
        "mesh-share", f"How much of the whole silhouette of the {thing.label} does this picture show?",
        [f"about {share} %" for share in SHARES],
    ) as prediction:  # fmt: skip
        words(f"Seen **{seen:.0%}**, hidden **{hidden:.0%}**, outside the picture **{outside:.0%}**.", "mesh_shares")
        prediction.outcome(f"about {answer} %", "A mask ends where something stands in front. A solid does not: the "
                           "network must know the rest by heart.")  # fmt: skip


def blown_up(thing: Instance, truth: Truth) -> None:
    page.section(
        "Blow up an outline",
        "Where does the depth come from? Poisson's equation raises the outline like a pillow: √u to the front, √u to "
        "the back.",
    )
    whole, u = truth.outline, truth.u
    left, right = st.columns(2, gap="large")
    with (
        left,
        live_slider("Cut at this height", 0, 100, 50, key="mesh_cut", unit="%", window=2) as cut,
    ):
        rows = np.flatnonzero((u > 0).any(1))
        row = rows[round(cut / 100 * (len(rows) - 1))]
        height, width = u.shape
        line = np.array([[0, row + 0.5, width, row + 0.5]], float)
        stage("mesh_u", zoom=False, window=2, width=380).show(
            None,
            [Heat(np.where(u > 0, np.sqrt(u), np.nan), "cividis", opacity=1, smooth=False), Lines(line, VERMILION, 3)],
            size=(width, height), alt=f"Depth of the {thing.label}, cell by cell",
            caption=f"√u, from 0 on the outline (dark) to {np.sqrt(u.max()):.1f} px (bright). Line: the cut.",
        )  # fmt: skip
        with right:
            profile(whole, np.sqrt(u[row]))
    bigger = whole.cell * 2
    volume = inflated_solid.volume(truth.mesh.vertices, truth.mesh.faces)
    with page.predict(
        "mesh-twice", f"The same outline twice as wide and twice as high: the {thing.label} of {volume:,.0f} px³ "
        "becomes how many times as large?", ["2 times", "4 times", "6 times", "8 times"],
    ) as prediction:  # fmt: skip
        grown = inflated_solid.inflate(whole.coverage, whole.corner, bigger)
        times = inflated_solid.volume(grown.vertices, grown.faces) / volume
        words(f"**{volume:,.0f} px³** before, **{times * volume:,.0f} px³** after.", "mesh_twice")
        prediction.outcome(f"{times:.0f} times", "u grows with the square of the width, so √u, the depth, doubles too: "
                           "the solid keeps its shape.")  # fmt: skip


def profile(whole, depth: np.ndarray) -> None:
    """The cut through the solid: front and back over x."""
    x = (np.arange(len(depth)) + 0.5) * whole.cell + whole.corner[0]
    depth = np.where(np.convolve(depth, (1, 1, 1), "same") > 0, depth, np.nan)  # lines begin and end on the outline
    figure = go.Figure()
    for sign, name, colour in ((1, "front", SKY), (-1, "back", GREY)):
        figure.add_scatter(x=x, y=sign * depth, name=name, line={"color": colour, "width": 3})
    figure.update_layout(xaxis={"title": "x, px"}, yaxis={"title": "towards the viewer, px", "scaleanchor": "x"})
    page.figure(figure, "mesh_profile", height=320, alt="The cut through the solid")
