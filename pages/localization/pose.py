"""Pose: 28 numbers in the frame of a person's box, a second look around each joint, and joints out of sight."""

from dataclasses import replace

import streamlit as st
import torch
from torch import Tensor

from labs import pose as lab
from labs.pose import JOINTS
from models import catalog
from models.networks.pose_regression import PATCH, Pose, look
from pages.localization import pose_heat, pose_hidden, pose_scored
from pages.localization.pose_shared import (
    COLOURS,
    FIRST,
    NETWORK,
    SECOND,
    TRUTH,
    Person,
    asked,
    mean_error,
    notes,
    person_of,
    skeleton,
)  # fmt: skip
from ui import page
from ui.components import Box, Boxes, Points, address, following, resting, stage, words
from ui.pictures import KEPT, MAX_SEED

KEY, LINK = "pose_stage", "pose_box"
OF = "_pose_of"  # in the session: whose box lies on the stage
SEED = 37
LEAST = 12.0  # pixels, the shorter side of a box that is asked about


def pose() -> None:
    """All sections on poses, in reading order."""
    two_stages()
    pose_scored.scored()
    page.show_code(
        [lab.normalised, lab.in_pixels, lab.masked_l2, lab.mirrored, lab.patches, lab.refined, lab.pck, lab.oks],
        r"L = \frac{1}{|V|} \sum_{i \in V} \lVert y_i - \hat y_i \rVert^2, \quad "
        r"\mathrm{OKS} = \frac{1}{|V|} \sum_{i \in V} e^{-d_i^2 / (2 s^2 k_i^2)}",
        'torchvision.models.detection.keypointrcnn_resnet50_fpn(weights="DEFAULT")',
    )


@st.fragment
@page.guard()
def two_stages() -> None:
    page.section(
        "Pose",
        "14 joints are 28 numbers: one network says them all for a person's box, and looks again around each joint.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Person", 0, MAX_SEED, SEED, key="pose_seed", width=140, **KEPT)
        shown = st.pills(
            "Show", [FIRST, SECOND, TRUTH], selection_mode="multi", default=[FIRST, SECOND], key="pose_show", **KEPT
        )
        joint = JOINTS.index(st.selectbox("Joint", JOINTS, index=10, key="pose_joint", width=170, **KEPT))
    person = person_of(seed)
    canvas, side = st.columns([3, 2], gap="large")
    with canvas:
        view = stage(KEY, start(person), window=2, width=400, zoom=False)
        box = torch.tensor(view.boxes[0].xyxy)
        if resting(KEY) and not following():
            mirror(box, person)
        said = answer(person, box)
        layers = [
            layer
            for name, joints in ((TRUTH, person.joints), (FIRST, said.first), (SECOND, said.second))
            if name in shown
            for layer in skeleton(joints, COLOURS[name], name, notes(person, joints, name), name == FIRST)
        ]
        looked = Box("patch", tuple(said.patches[joint].tolist()), "", COLOURS[FIRST], dash=True, width=1.5,
                     note=f"what the second stage sees around the {JOINTS[joint]}")  # fmt: skip
        view.show(
            person.image, [*layers, Boxes([looked, *view.boxes])],
            alt=f"Person {seed} with the skeletons of {', '.join(shown) or 'no stage'}",
            caption="Drag the person's box: it is the frame of the 28 numbers. Dashed orange: first stage. "
            "Blue: second. Green: truth.",
        )  # fmt: skip
    with side:
        st.button("The true box", icon=":material/undo:", key="pose_reset", on_click=reset, args=(person,))
        second_look(person, said, joint)
        words(arithmetic(person, said, joint), "pose_arithmetic")
    page.footer(NETWORK, said.device, said.seconds * 1000)
    closer(person, said)
    pose_hidden.hidden(person)
    pose_heat.beside(person, joint)


def answer(person: Person, box: Tensor) -> Pose:
    """What the network says for a box; for the true one it has been asked before.

    Raises:
        ValueError: the box is too small to see a person in.
    """
    if float((box[2:] - box[:2]).min()) < LEAST:
        raise ValueError(f"A box of a person is at least {LEAST:g} pixels wide and high: make it larger.")
    if torch.equal(box, torch.tensor(drawn(person.box).xyxy)):
        return asked(person.seed)
    return catalog.load(NETWORK)(person.image, box)


def second_look(person: Person, said: Pose, joint: int) -> None:
    """The patch around a joint as the second stage sees it, and where it moves the joint."""
    patch = said.patches[joint]
    width = float(patch[2] - patch[0])
    places = torch.stack([said.first[joint], said.second[joint], person.joints[joint]])
    at = (places - patch[:2]) * PATCH / width
    names = (FIRST, SECOND, TRUTH)
    stage("pose_patch", zoom=False, width=190).show(
        look(person.image, patch, PATCH),
        [Points(at.numpy(), colours=[COLOURS[name] for name in names], radius=6.0, notes=list(names))],
        alt=f"The second stage's view around the {JOINTS[joint]}",
        caption=f"The second stage's {PATCH} × {PATCH} pixels.",
    )


def arithmetic(person: Person, said: Pose, joint: int) -> str:
    """From two of the 28 numbers to a pixel, and on by the second stage."""
    u, v = said.numbers[2 * joint : 2 * joint + 2].tolist()
    x1, y1, x2, y2 = said.square.tolist()
    first, second = said.first[joint].tolist(), said.second[joint].tolist()
    side = float(said.patches[joint][2] - said.patches[joint][0])
    dx, dy = ((b - a) / side for a, b in zip(first, second, strict=True))
    errors = [float(person.errors(each)[joint]) for each in (said.first, said.second)]
    return (
        f"**{JOINTS[joint]}**: numbers {2 * joint + 1} and {2 * joint + 2} of 28\n\n"
        f"x = {(x1 + x2) / 2:.1f} {signed(u)} · {x2 - x1:.1f} = **{first[0]:.1f} px**\n\n"
        f"y = {(y1 + y2) / 2:.1f} {signed(v)} · {y2 - y1:.1f} = **{first[1]:.1f} px**\n\n"
        f"second stage: {signed(dx)} and {signed(dy)} of {side:.1f} px = **({second[0]:.1f}, {second[1]:.1f})**\n\n"
        f"off by {errors[0]:.1f} px, then **{errors[1]:.1f} px**"
    )


def signed(number: float) -> str:
    """A number that is added to another one."""
    return f"{'−' if number < 0 else '+'} {abs(number):.3f}"


def closer(person: Person, said: Pose) -> None:
    """Joint by joint, is the second look an improvement?"""
    total = int(person.seen.sum())
    with page.predict(
        "pose-closer",
        f"{total} joints of person {person.seed} are in sight: for how many of them does the second look come closer?",
        page.Number(0, len(JOINTS), 1),
    ) as prediction:
        before, after = person.errors(said.first), person.errors(said.second)
        better = int(((after < before) & person.seen).sum())
        rows = [
            {"joint": name, "in sight": "yes" if seen else "no", "first stage": a, "second stage": b}
            for name, seen, a, b in zip(JOINTS, person.seen.tolist(), before.tolist(), after.tolist(), strict=True)
        ]
        st.dataframe(
            rows, hide_index=True, key="pose_errors", height=248,
            column_config={name: st.column_config.NumberColumn(name, format="%.1f px") for name in (FIRST, SECOND)},
        )  # fmt: skip
        pair = [mean_error(person, joints) for joints in (said.first, said.second)]
        prediction.outcome(
            better, f"Over the joints in sight the mean error goes from {pair[0]:.1f} to {pair[1]:.1f} pixels."
        )


def start(person: Person) -> list[Box]:
    """The true box, at first where the address puts it; a new person puts it back."""
    before = st.session_state.get(OF)
    if before != person.seed:
        place = linked() if before is None else None
        if before is not None:
            address.keep(LINK, None)
        st.session_state[OF] = person.seed
        st.session_state[KEY] = [drawn(person.box) if place is None else drawn(place)]
    return st.session_state[KEY]


def linked() -> Tensor | None:
    """The box of the address; None if it names none, or what it says is no box in the picture."""
    try:
        numbers = address.numbers(LINK, 4)
    except ValueError:
        numbers = ()
    if numbers is None:
        return None
    if not numbers or not (0 <= numbers[0] <= numbers[2] - LEAST and 0 <= numbers[1] <= numbers[3] - LEAST
                           and max(numbers) <= 224):  # fmt: skip
        address.keep(LINK, None)
        return None
    return torch.tensor(numbers)


def mirror(box: Tensor, person: Person) -> None:
    """Once the hand rests, its box stands in the address."""
    moved = not torch.equal(box, torch.tensor(drawn(person.box).xyxy))
    address.keep(LINK, ",".join(f"{at:g}" for at in box.tolist()) if moved else None)


def reset(person: Person) -> None:
    st.session_state[KEY] = [drawn(person.box)]
    address.keep(LINK, None)


def drawn(box: Tensor) -> Box:
    """The box to drag, to a tenth of a pixel."""
    x1, y1, x2, y2 = (round(at, 1) for at in box.tolist())
    return replace(BOX, xyxy=(x1, y1, x2, y2))


BOX = Box("person", (0, 0, 1, 1), "person", "#FFFFFF", editable=True, width=2)
