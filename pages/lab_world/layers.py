"""The ground truth of a scene as layers of the stage, and the legend of their colours."""

import numpy as np
import streamlit as st

from pages.shared.swatches import swatch
from scenes import CLASSES, JOINTS, PALETTE, SKELETON, THINGS, View
from scenes.render import FIRST_THING
from ui.components import Box, Boxes, Labels, Lines, Points

LAYERS = ("Boxes", "Full extent", "Masks", "Semantic", "Panoptic", "Keypoints", "Captions")
COLOURS = [PALETTE[name] for name in CLASSES]
# One colour per instance, told apart by lightness too; stuff keeps its class colour.
INSTANCE_COLOURS = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#ffffff", "#8c564b", "#b39ddb",
)  # fmt: skip


def instance_colour(identity: int) -> str:
    return INSTANCE_COLOURS[(identity - FIRST_THING) % len(INSTANCE_COLOURS)]


def layers_of(view: View, chosen: list[str]) -> list:
    """The chosen ground truth as layers of the stage, rasters first."""
    layers = []
    if "Semantic" in chosen:
        layers.append(Labels(view.semantic, COLOURS, opacity=0.75))
    if "Panoptic" in chosen:
        ids = [
            COLOURS[i - 1] if 1 <= i <= 5 else instance_colour(i) for i in range(FIRST_THING + len(view.instances) + 40)
        ]
        layers.append(Labels(view.panoptic, ids, opacity=0.8))
    if "Masks" in chosen:
        things = [None if i < FIRST_THING else instance_colour(i) for i in range(FIRST_THING + 60)]
        layers.append(Labels(view.panoptic, things, opacity=0.65))
    boxes = []
    for number, i in enumerate(view.instances, start=1):
        # A caption is too long for a tag: it stands below. The number is that of the table's row.
        label = str(number) if "Captions" in chosen else f"{number} {i.label}"
        note = f"{i.caption} {i.visible:.0%} visible."
        if "Full extent" in chosen:
            boxes.append(Box(f"full-{i.id}", tuple(i.full_box), "", instance_colour(i.id), dash=True, note=note))
        if "Boxes" in chosen or "Captions" in chosen:
            boxes.append(Box(f"box-{i.id}", tuple(i.box), label, instance_colour(i.id), note=note))
    if boxes:
        layers.append(Boxes(boxes))
    if "Keypoints" in chosen:
        layers += skeletons(view)
    return layers


def skeletons(view: View) -> list:
    """Joints and limbs of every person: filled where visible, grey where hidden."""
    layers = []
    for i in view.instances:
        if i.keypoints is None:
            continue
        inside = i.keypoints[:, 2] > 0
        limbs = [(*i.keypoints[a, :2], *i.keypoints[b, :2]) for a, b in SKELETON if inside[a] and inside[b]]
        if limbs:
            layers.append(Lines(np.array(limbs), colour="#ffffff", width=2.5))
        shown = [k for k in range(len(JOINTS)) if inside[k]]
        if shown:
            states = {1: "hidden", 2: "visible"}
            layers.append(
                Points(
                    i.keypoints[shown, :2],
                    notes=[f"{JOINTS[k].replace('_', ' ')}, {states[int(i.keypoints[k, 2])]}" for k in shown],
                    colours=["#f0e442" if i.keypoints[k, 2] == 2 else "#777777" for k in shown],
                    ids=[f"joint-{i.id}-{JOINTS[k]}" for k in shown],
                    radius=4,
                )
            )
    return layers


def legend(view: View, chosen: list[str]) -> None:
    """What the colours of the chosen layers mean: classes, or one swatch per thing; captions, one a line."""
    lines = [[swatch(PALETTE[name], name) for name in classes_shown(view, chosen)]]
    if set(chosen) & {"Boxes", "Full extent", "Masks", "Panoptic", "Captions"}:
        things = [
            swatch(instance_colour(i.id), f"{number} {i.caption if 'Captions' in chosen else i.label}")
            for number, i in enumerate(view.instances, start=1)
        ]
        lines += [[each] for each in things] if "Captions" in chosen else [things]
    text = "".join(f"<div>{''.join(line)}</div>" for line in lines if line)
    if text:
        st.html(f'<div style="font-size:.9rem;line-height:1.6">{text}</div>')


def classes_shown(view: View, chosen: list[str]) -> list[str]:
    """The classes whose colours are on the picture: all that it holds, or in a panoptic map its stuff."""
    if not {"Semantic", "Panoptic"} & set(chosen):
        return []  # at every step of a drag; the maps are looked through only for what is shown
    there = [name for k, name in enumerate(CLASSES) if (view.semantic == k).any()]
    return there if "Semantic" in chosen else [name for name in there if name not in THINGS]
