"""From a map to a place: five readings of the same map, and how fine a map must be."""

import math
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import keypoint_heat_maps as heat
from pages.mask_rcnn.persons import GREEN, JOINTS, ORANGE, PURPLE, SIDE, SKY, WHITE, YELLOW, keypoints_of
from pages.mask_rcnn.shared import xyxy
from pages.shared.one_person import Person
from ui import page
from ui.components import Box as Frame
from ui.components import Boxes, Grid, GridLines, Heat, Points, following, live_slider, matrices, stage, words

NEAR = 4  # cells on each side of the best one that are shown at least
SIDES = (4, 7, 14, 28, 56, 112)


def grid(read: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A reading in cells, in pixels."""
    return lambda logits, box: heat.in_picture(read(logits), box, (SIDE, SIDE))


# Maps (14, 56, 56) and box to joints (14, 2) in pixels, and a colour.
READINGS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "corner of the best cell": (grid(lambda logits: heat.best_cells(logits) - 0.5), WHITE),
    "its middle": (grid(heat.best_cells), ORANGE),
    "a quarter towards the neighbour": (grid(heat.quarter_shifted), SKY),
    "enlarged, then arg max": (heat.enlarged_best, PURPLE),
    "mean of all cells": (grid(heat.mean_place), YELLOW),
}


def places(person: Person, box: Tensor, logits: Tensor, joint: int) -> None:
    """The readings of one joint's map, close up, and their errors over all joints."""
    page.section(
        "From a map to a place", "A cell is some pixels wide, so where in it is the joint? Five readings of one map."
    )
    joints = {name: read(logits, box) for name, (read, _) in READINGS.items()}
    errors = {name: person.errors(at) for name, at in joints.items()}
    with page.predict(
        "joint-reading", f"Which reading of its map comes closest to the {JOINTS[joint]}?", list(READINGS)
    ) as prediction:
        left, right = st.columns(2, gap="large")
        with left:
            close_up(person, box, logits, joint, joints)
        with right:
            rows = torch.stack([torch.stack([each[joint], mean(each, person.seen)]) for each in errors.values()])
            matrices("joint_readings", window=2).show(
                [Grid("readings", rows.numpy(), title="pixels off, this joint and the mean", rows=list(READINGS),
                      columns=["this joint", "all in sight"], format="%.2f", colour="none")],
            )  # fmt: skip
            words(arithmetic(box, logits, joint), "joint_arithmetic")
        best = min(errors, key=lambda name: float(errors[name][joint]))
        prediction.outcome(best, f"It is {float(errors[best][joint]):.2f} pixels off.")
    if not following():
        st.caption(
            "The corner is a mistake that is easily made: cell 7 reaches from 7 to 8, and its middle is 7.5. Mask "
            "R-CNN enlarges the map until a cell is a pixel and takes the arg max there. Hourglass networks move a "
            "quarter of a cell (Newell et al. 2016). The mean has a gradient (Sun et al. 2018), and is drawn to "
            "whatever else glows."
        )


def close_up(person: Person, box: Tensor, logits: Tensor, joint: int, joints: dict[str, Tensor]) -> None:
    """The cells around the best one, the readings in them, and the truth if it lies nearby."""
    share = heat.probabilities(logits[joint])
    scale = SIDE / (box[2:] - box[:2])
    cells = {name: (at[joint] - box[:2]) * scale for name, at in joints.items()}
    truth = (person.joints[joint] - box[:2]) * scale
    low, high = window(heat.best_cells(logits)[joint], truth)
    shown = [(name, at, READINGS[name][1]) for name, at in cells.items()] + [("truth", truth, GREEN)]
    inside = [each for each in shown if bool(((each[1] >= low) & (each[1] <= high)).all())]
    side = [int(value) for value in (high - low).tolist()]
    part = share[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
    stage("joint_close", zoom=False, width=380, window=2).show(
        None,
        [Heat(part.numpy(), "gray", 0, float(share.max()) * 1.4, opacity=1.0, smooth=False),
         GridLines(rows=side[1], cols=side[0], colour="#555555", width=0.5),
         Points(np.array([(at - low).tolist() for _, at, _ in inside]).reshape(-1, 2), radius=6.0,
                colours=[colour for _, _, colour in inside], notes=[name for name, _, _ in inside])],
        size=(side[0], side[1]), alt=f"The cells around the best one of the {JOINTS[joint]}, and five readings",
        caption="White: corner. Orange: middle. Blue: a quarter on. Purple: enlarged. Yellow: mean. Green: truth.",
    )  # fmt: skip


def window(best: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Low and high cells (x, y) of a square of the map around the best cell, wide enough for a truth on the map."""
    away = math.ceil(float((truth - best).abs().max())) + 1
    half = min(max(NEAR, away), SIDE // 2 - 1)
    low = (best.floor() - half).clamp(0, SIDE - 2 * half - 1)
    return low, low + 2 * half + 1


def mean(errors: Tensor, seen: Tensor) -> Tensor:
    """Over the joints in sight; NaN without any."""
    return errors[seen].mean()


def arithmetic(box: Tensor, logits: Tensor, joint: int) -> str:
    """The middle of the best cell in pixels, and the quarter."""
    x, y = heat.best_cells(logits)[joint].tolist()
    dx, dy = (heat.quarter_shifted(logits)[joint] - heat.best_cells(logits)[joint]).tolist()
    x1, y1, x2, y2 = box.tolist()
    px, py = (x2 - x1) / SIDE, (y2 - y1) / SIDE
    return (
        f"A cell is {px:.2f} × {py:.2f} pixels. Middle of the best one: x = {x1:.1f} + {x:g} · {px:.2f} = "
        f"**{x1 + x * px:.1f}**, y = {y1:.1f} + {y:g} · {py:.2f} = **{y1 + y * py:.1f}**\n\n"
        f"The quarter: {step(dx)} · {px:.2f} in x, {step(dy)} · {py:.2f} in y"
    )


def step(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):g}" if value else "0"


@st.fragment
@page.guard()
def fineness(person: Person) -> None:
    """What a map costs that makes no mistake: the joint is somewhere in its cell."""
    st.subheader("How fine must a map be?", anchor="how-fine")
    with live_slider("Places along a side", options=SIDES, value=SIDE, key="joint_side", window=2) as side:
        box = person.box
        off = {each: grid_error(person, each) for each in SIDES}
        aim = heat.targets(keypoints_of(person)[None], box[None], side)
        told = [placed(off[each]) for each in SIDES]
        with page.predict(
            "joint-fineness", f"A map of {side} × {side} places that makes no mistake: how far off is it on average?",
            list(dict.fromkeys(told)),
        ) as prediction:  # fmt: skip
            cells = torch.stack([aim.places[0] % side, aim.places[0] // side], -1) + 0.5
            at, count = heat.in_picture(cells, box, (side, side)), aim.count[0]
            left, right = st.columns([2, 3], gap="large")
            with left:
                stage("joint_fine", zoom=False, width=330, window=2).show(
                    person.image,
                    [Boxes([Frame("box", xyxy(box), "", WHITE, width=1.5)]),
                     Points(person.joints[count].numpy(), GREEN, 4), Points(at[count].numpy(), ORANGE, 4)],
                    alt="The true joints and the middles of their cells",
                    caption="Green: true joints. Orange: the middles of their cells.",
                )  # fmt: skip
            with right:
                lines = [f"{'**' * (each == side)}{each} × {each}: {text}{'**' * (each == side)}"
                         for each, text in zip(SIDES, told, strict=True)]  # fmt: skip
                words("\n\n".join(lines), "joint_fine_said")
            prediction.outcome(
                placed(off[side]), f"A cell is {float(box[2] - box[0]) / side:.1f} × "
                f"{float(box[3] - box[1]) / side:.1f} pixels of this person.",
            )  # fmt: skip
    if not following():
        st.caption(
            "Joints need a finer map than outlines, says the paper: masks are 28 × 28, these maps 56 × 56. Twice the "
            "places halve this error; the network's own mistakes stay."
        )


def placed(off: float) -> str:
    """An error in words; NaN is that of a box without a joint."""
    return "no joint in the box" if math.isnan(off) else f"{off:.2f} px"


def grid_error(person: Person, side: int) -> float:
    """The mean distance in pixels from the joints that count to the middles of their cells; NaN where none does."""
    aim = heat.targets(keypoints_of(person)[None], person.box[None], side)
    cells = torch.stack([aim.places[0] % side, aim.places[0] // side], -1) + 0.5
    return float(person.errors(heat.in_picture(cells, person.box, (side, side)))[aim.count[0]].mean())
