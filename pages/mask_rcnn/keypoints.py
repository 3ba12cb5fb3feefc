"""Keypoints: every joint is one place of a 56x56 map, and a softmax lets all places compete for it."""

import math

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import keypoint_heat_maps as heat
from labs import keypoint_similarity as ks
from labs.keypoint_heat_maps import Targets
from models import catalog
from models.inside import region_heads
from pages.mask_rcnn import joint_places, joint_similarity
from pages.mask_rcnn.persons import (
    GREEN,
    JOINTS,
    ORANGE,
    SEED,
    SIDE,
    SKY,
    STAGE,
    glow,
    held,
    keypoints_of,
    maps_of,
    person_of,
    reset,
    skeleton,
    start,
)
from pages.mask_rcnn.shared import NETWORK, xyxy
from pages.shared.one_person import HIDDEN, OUTSIDE, SEEN, WORDS, Person
from ui import page
from ui.components import Box, Boxes, Grid, GridLines, Heat, Points, following, matrices, stage, words
from ui.pictures import KEPT, MAX_SEED

ROW = 7  # maps a line of the mosaic


@page.guard()
def keypoints() -> None:
    """All sections on joints, in reading order. Another person draws the page anew; a hand on the box only the maps."""
    page.section(
        "Keypoints: a map for each joint",
        f"A joint is a mask with a single 1 among {SIDE} × {SIDE} places, and a softmax lets the places compete.",
    )
    seed = st.number_input("Person", 0, MAX_SEED, SEED, key="joint_seed", width=140, **KEPT)
    with page.guard():
        person = person_of(seed)
        maps(person)
        joint_places.fineness(person)
        joint_similarity.similarity(person)


@st.fragment
@page.guard()
def maps(person: Person) -> None:
    """What the hand does to the person's box is shown at once, also in the section on places."""
    with st.container(key="line-joints", horizontal=True, vertical_alignment="bottom"):
        joint = JOINTS.index(st.selectbox("Joint", JOINTS, JOINTS.index("neck"), key="joint_name", width=170, **KEPT))
        st.button("The true box", icon=":material/undo:", key="joint_reset", on_click=reset, args=(person,))
    canvas, one, two = st.columns([4, 3, 3], gap="medium")
    view = stage(STAGE, start(person), window=2, zoom=False)
    box = held(person, view)
    logits = maps_of(person.seed, xyxy(box))
    share = heat.probabilities(logits)
    truth = keypoints_of(person)
    aim = heat.targets(truth[None], box[None], SIDE)
    found = heat.enlarged_best(logits, box)
    with canvas:
        view.show(
            person.image,
            [Heat(glow(share[joint]), "inferno", 0.0, 1.0, 0.75, xyxy=xyxy(box)),
             *skeleton(found, SKY, [f"{name}: the head" for name in JOINTS]),
             Points(person.joints[joint][None].numpy(), GREEN, 6, notes=[f"{JOINTS[joint]}: truth"]),
             Boxes(view.boxes)],
            alt=f"Person {person.seed} with the heat map of the {JOINTS[joint]}",
            caption="Drag the person's box. Green: the true joint. Blue: all joints as the head finds them.",
        )  # fmt: skip
    counts = bool(aim.count[0, joint])
    with one:
        target = heat.one_hot(aim, SIDE)[0, joint]
        stage("joint_target", zoom=False, window=2).show(
            None, [Heat(target.numpy(), "gray", 0, 1, opacity=1.0, smooth=False), Boxes(ring(aim, joint))],
            size=(SIDE, SIDE), alt=f"The target of the {JOINTS[joint]}",
            caption=f"Target: 1 in one of {SIDE * SIDE} cells." if counts else "No target: the joint does not count.",
        )  # fmt: skip
    with two:
        stage("joint_share", zoom=False, window=2).show(
            None, [Heat(share[joint].numpy(), "inferno", 0, float(share[joint].max()), opacity=1.0, smooth=False),
                   Boxes(ring(aim, joint))],
            size=(SIDE, SIDE), alt=f"What the network says of the {JOINTS[joint]}",
            caption="The network: a softmax over all cells, which sums to 1.",
        )  # fmt: skip
    words(told(person, box, share, aim, joint), "joint_told")
    counted(person, logits, share, aim)
    if not following():
        page.footer(NETWORK, catalog.load(NETWORK).device)
    joint_places.places(person, box, logits, joint)


def ring(aim: Targets, joint: int) -> list[Box]:
    """A frame around the target's cell, a cell away from it, so that the cell itself stays in sight."""
    if not bool(aim.count[0, joint]):
        return []
    row, column = divmod(int(aim.places[0, joint]), SIDE)
    return [Box("target", (column - 1, row - 1, column + 2, row + 2), "", ORANGE, width=1.5, note="the target's cell")]


def told(person: Person, box: Tensor, share: Tensor, aim: Targets, joint: int) -> str:
    """From the joint's pixels to its place, and what the place costs."""
    seen, (x, y) = int(person.visibility[joint]), person.joints[joint].tolist()
    (x1, y1, x2, y2), name = box.tolist(), JOINTS[joint]
    if seen == OUTSIDE:
        return f"The **{name}** lies outside the picture: no target, no loss.\n\n:gray[Its third number is 0.]"
    if not bool(aim.count[0, joint]):
        return (
            f"The **{name}** at ({x:.1f}, {y:.1f}) lies outside the box: **no cell, no loss**.\n\n"
            ":gray[A head sees nothing beyond its box, so it is not asked.]"
        )
    place = int(aim.places[0, joint])
    row, column = divmod(place, SIDE)
    p = float(share[joint, row, column])
    hidden = " It is hidden and counts all the same: the head must guess." if seen == HIDDEN else ""
    return (
        f"**{name}**: column ⌊({x:.1f} − {x1:.1f}) · {SIDE} / {x2 - x1:.1f}⌋ = **{column}**, "
        f"row ⌊({y:.1f} − {y1:.1f}) · {SIDE} / {y2 - y1:.1f}⌋ = **{row}**, "
        f"place {row} · {SIDE} + {column} = {place}\n\n"
        f"loss −ln {p:.4f} = **{-math.log(max(p, 1e-30)):.2f}**, and ln {SIDE * SIDE} = "
        f"{math.log(SIDE * SIDE):.2f} for a map that knows nothing.{hidden}"
    )


def counted(person: Person, logits: Tensor, share: Tensor, aim: Targets) -> None:
    """All joints: which count, and what each costs."""
    with page.predict(
        "joints-count", "How many of the 14 joints count in the loss of the box as it lies now?",
        page.Number(0, len(JOINTS), 1),
    ) as prediction:  # fmt: skip
        left, right = st.columns([3, 2], gap="large")
        with left:
            stage("joint_maps", zoom=False, window=2).show(
                None, [Heat(mosaic(share), "inferno", 0, 1, opacity=1.0, smooth=False),
                       GridLines(rows=len(JOINTS) // ROW, cols=ROW, colour="#888888"), marks(aim)],
                size=(ROW * SIDE, len(JOINTS) // ROW * SIDE), alt="The heat maps of all joints",
                caption=f"Each over its own maximum: {', '.join(JOINTS)}. Green: the targets.",
            )  # fmt: skip
        losses = heat.losses(logits[None], aim)[0]
        with right:
            best = share.flatten(1).max(1).values
            values = torch.stack([best, torch.where(aim.count[0], losses, torch.nan)], 1).numpy()
            matrices("joint_losses", window=2).show(
                [Grid("losses", values, title="of each joint", rows=rows(person), columns=["best cell", "loss"],
                      format="%.2f", colour="none", cell=26)],
                caption="A blank: no loss.",
            )  # fmt: skip
        count = int(aim.count.sum())
        mean = float(heat.loss(logits[None], aim))
        cost = f"The mean of their losses is {mean:.2f}." if count else "There is no loss."
        prediction.outcome(count, f"Those in the box and in the picture, hidden ones too. {cost}")
    if not following():
        hidden, away = (int((person.visibility == kind).sum()) for kind in (HIDDEN, OUTSIDE))
        st.caption(
            f"Person {person.seed}: {int((person.visibility == SEEN).sum())} joints in sight, {hidden} hidden, {away} "
            "outside the picture. The head always names 14 places, and torchvision gives each the visibility 1: that "
            "number is no prediction. How sure it is, the best cell's probability says."
        )


def mosaic(share: Tensor) -> np.ndarray:
    """The maps (14, 56, 56), each over its maximum, in lines of ROW."""
    shown = (share / share.amax((1, 2), keepdim=True)).numpy()
    return shown.reshape(-1, ROW, SIDE, SIDE).swapaxes(1, 2).reshape(-1, ROW * SIDE)


def marks(aim: Targets) -> Points:
    """The middles of the targets' cells on the mosaic."""
    counting = aim.count[0].nonzero()[:, 0].tolist()
    at = [
        (k % ROW * SIDE + place % SIDE + 0.5, k // ROW * SIDE + place // SIDE + 0.5)
        for k, place in ((k, int(aim.places[0, k])) for k in counting)
    ]
    return Points(np.array(at, np.float64).reshape(-1, 2), GREEN, 3.0, notes=[JOINTS[k] for k in counting])


def rows(person: Person) -> list[str]:
    """The joints, and in short how each is seen."""
    short = {SEEN: "", HIDDEN: " (hidden)", OUTSIDE: " (outside)"}
    assert set(short) == set(WORDS)
    return [f"{name}{short[seen]}" for name, seen in zip(JOINTS, person.visibility.tolist(), strict=True)]


def code() -> None:
    """The functions of the sections on heads and joints."""
    page.show_code(
        [heat.targets, heat.one_hot, heat.probabilities, heat.losses, heat.loss],
        r"L = -\frac{1}{|V|} \sum_{i \in V} \ln \frac{e^{z_i(x_i, y_i)}}{\sum_{x, y} e^{z_i(x, y)}}",
        "torchvision.models.detection.roi_heads.keypointrcnn_loss(logits, [boxes], [joints], [matched])",
    )
    page.show_code(
        [heat.best_cells, heat.quarter_shifted, heat.mean_place, heat.in_picture, heat.enlarged_best],
        library="torchvision.models.detection.roi_heads.heatmaps_to_keypoints(logits, boxes)",
    )
    page.show_code(
        [ks.similarities, ks.oks],
        r"\mathrm{OKS} = \frac{1}{|V|} \sum_{i \in V} e^{-d_i^2 / (2 s^2 k_i^2)}",
        "pycocotools.cocoeval.COCOeval(truth, found, 'keypoints').computeOks(image, category)",
    )
    page.show_code(
        [region_heads.logits, region_heads.layers_of],
        library="torchvision.models.detection.keypointrcnn_resnet50_fpn(weights='DEFAULT')",
    )
