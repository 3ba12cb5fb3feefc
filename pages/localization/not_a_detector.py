"""Why one box is no detector: two things, no thing, a thing cut by the border, and how many outputs n things need."""

import streamlit as st
import torch
from torch import Tensor

from labs import boxes as geometry
from labs import localization
from pages.localization import composed
from pages.localization.shared import BLUE, ORANGE, SIZE, asked, xyxy
from scenes import THINGS
from scenes.render import View
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import KEPT

KINDS = ("Two things", "Cut by the border", "Nothing")
BETWEEN = "on neither"
MATCH = 0.5


@st.fragment
@page.guard()
def not_a_detector(network: str) -> None:
    page.section(
        "Why it does not detect",
        "The network has twelve outputs, whatever is in the picture: pull two things apart and watch its one box.",
    )
    with st.container(key="line-apart", horizontal=True):
        kind = st.segmented_control("In the picture", KINDS, default=KINDS[0], required=True, key="apart_kind", **KEPT)
        first = st.selectbox("First", THINGS, index=THINGS.index("car"), key="apart_first", width=200, **KEPT)
        second = st.selectbox("Second", THINGS, index=THINGS.index("cat"), key="apart_second", width=200,
                              disabled=kind != KINDS[0], **KEPT)  # fmt: skip
    if kind == KINDS[0]:
        with live_slider("Distance of the two", 40, 150, 130, step=2, unit="px", key="apart_distance") as distance:
            two_things(network, first, second, distance)
    elif kind == KINDS[1]:
        with live_slider("Beyond the border", 0, 90, 50, step=2, unit="%", key="apart_cut") as share:
            cut(network, first, share)
    else:
        nothing(network)
    if not following():
        outputs()


def two_things(network: str, first: str, second: str, distance: int) -> None:
    """The one box between, around or on two things."""
    view = composed.two(first, second, distance)
    said = asked(network, view.image)
    truths = [torch.from_numpy(each.box).float() for each in view.instances]
    names = [f"the {each.label}" for each in view.instances]
    if len(set(names)) < len(names):
        order = sorted(range(len(truths)), key=lambda each: float(truths[each][0]))
        for place, index in zip(("left", "right"), order, strict=True):
            names[index] = f"the {place} {view.instances[index].label}"
    with page.predict(
        "localization-two", f"{distance} pixels lie between {' and '.join(names)}. On which will the box lie?",
        [*names, BETWEEN],
    ) as prediction:  # fmt: skip
        overlaps = {name: float(geometry.iou(said.box, truth)) for name, truth in zip(names, truths, strict=True)}
        draw(view, said.box, [Box(str(i), xyxy(truth), "", BLUE, width=2) for i, truth in enumerate(truths)])
        around = geometry.enclosing_box(truths[0], truths[1])
        told = " · ".join(f"IoU with {name} **{value:.2f}**" for name, value in overlaps.items())
        words(
            f"Said: **{said.label} {float(said.probabilities.max()):.2f}**. {told} · with the box around both "
            f"**{float(geometry.iou(said.box, around)):.2f}**",
            "apart_told",
        )
        best = max(overlaps, key=lambda name: overlaps[name])
        on = overlaps[best] >= MATCH
        why = "It has chosen one; nothing tells of the other." if on else "Four numbers cannot suit two boxes at once."
        prediction.outcome(best if on else BETWEEN, f"“On” means an IoU of at least {MATCH:g}. {why}")


def cut(network: str, label: str, share: int) -> None:
    """A thing on its way out of the picture: the truth is what is left of it."""
    view = composed.cut(label, share)
    said = asked(network, view.image)
    if not view.instances:
        draw(view, said.box, [])
        words(f"Nothing is left of the {label}, and the network says **{said.label}**.", "apart_told")
        return
    thing = view.instances[0]
    left, whole = (torch.from_numpy(each).float() for each in (thing.box, thing.full_box))
    draw(view, said.box, [Box("left", xyxy(left), "in the picture", BLUE, width=2)])
    words(
        f"Said: **{said.label} {float(said.probabilities.max()):.2f}**. IoU with what is in the picture "
        f"**{float(geometry.iou(said.box, left)):.2f}**, with the whole {label} "
        f"**{float(geometry.iou(said.box, whole)):.2f}**: training showed it boxes of what is in sight.",
        "apart_told",
    )


def nothing(network: str) -> None:
    """A landscape: the network cannot say that nothing is there."""
    view = composed.nothing()
    said = asked(network, view.image)
    draw(view, said.box, [])
    words(
        f"Said: **{said.label} {float(said.probabilities.max()):.2f}**, and a box of "
        f"{said.numbers[2] * SIZE:.0f} × {said.numbers[3] * SIZE:.0f} pixels. Nothing is there, but the eight "
        "probabilities add up to 1 and four numbers are always a box.",
        "apart_told",
    )


def draw(view: View, box: Tensor, truths: list[Box]) -> None:
    """The scene with the network's box and the true ones."""
    stage("apart_stage", width=400, zoom=False).show(
        view.image, [Boxes([*truths, Box("guess", xyxy(box), "box", ORANGE, width=3)])],
        alt="A scene with the network's one box" + (" and the true ones" if truths else ""),
        caption="Orange: the network's box. Blue: truth." if truths else "Orange: the network's box.",
    )  # fmt: skip


def outputs() -> None:
    """How the number of outputs grows."""
    with live_slider("Things n", 0, 12, 3, key="apart_things") as count:
        needed = localization.outputs_needed(count, len(THINGS))
        words(
            f"n = {count}: n (K + 4) = {count} · ({len(THINGS)} + 4) = **{needed} outputs**. The layer has "
            f"{localization.outputs_needed(1, len(THINGS))}, and the number is part of its weights: another picture "
            "with another n would need another network.",
            "apart_outputs",
        )
    st.caption(
        "Detectors make one answer for each of many windows, anchors or cells, so their number follows the "
        "picture. The next pages show how."
    )
