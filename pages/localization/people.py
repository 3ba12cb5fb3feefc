"""From joints to people: maps of all joints, fields of all limbs, and who belongs to whom (OpenPose, bottom-up)."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import keypoint_similarity
from labs import part_affinity_fields as lab
from labs.part_affinity_fields import Assembled
from models import catalog
from models.networks.pose_fields import LIMBS, SIZE, STRIDE
from models.recipes.pose_fields import Recipe
from pages.localization import people_compared, people_integral
from pages.localization.people_scene import (
    LIMB_NAMES,
    NAMES,
    NETWORK,
    SKY,
    VERMILION,
    crowd,
    people_in,
    picture,
    skeletons,
)
from ui import page
from ui.components import Heat, Lines, Points, following, live_slider, stage, words
from ui.pictures import KEPT, MAX_SEED

FIRST_SEED, FIRST_COUNT, FIRST_OVERLAP = 35, 3, 0.6
MAP, FIELD, PERSONS = SHOWN = ("Joint map", "Limb field", "Persons")
THEIRS, TRUTH = SAID_BY = ("Network", "Truth")
EVERY = "all joints"
SLIDER = "people_overlap"
FIRST_LIMB = LIMB_NAMES.index("left shoulder – left hip")
SHORTEST = 0.25  # of a field's vector that is drawn
SOURCES = (
    ("Cao, Simon, Wei, Sheikh 2017: Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields (OpenPose)",
     "paper", "https://arxiv.org/abs/1611.08050"),
    ("Lin et al. 2014: Microsoft COCO; its keypoint task defines OKS", "paper", "https://arxiv.org/abs/1405.0312"),
    ("He et al. 2017: Mask R-CNN, the keypoint head of the top-down way", "paper", "https://arxiv.org/abs/1703.06870"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Seen:
    """What is to be put together: `maps` (14, 56, 56), `fields` (13, 2, 56, 56), and what becomes of them."""

    maps: Tensor
    fields: Tensor
    assembled: Assembled


@st.cache_resource(max_entries=128, show_spinner=False)  # shared and only read
def true_fields(seed: int, count: int, overlap: float) -> Seen:
    """What the network should have said: maps and fields drawn from the true joints."""
    recipe, size = Recipe(), (SIZE // STRIDE, SIZE // STRIDE)
    kept = [each.keypoints for each in crowd(seed, count, overlap).instances if each.keypoints is not None]
    joints = torch.from_numpy(np.array(kept, np.float32).reshape(-1, len(NAMES), 3))
    maps = lab.joint_maps(joints, size, STRIDE, recipe.sigma)
    fields = lab.part_affinity_fields(joints, LIMBS, size, STRIDE, recipe.half_width)
    return Seen(maps, fields, lab.assemble(maps, fields, LIMBS, STRIDE))


def next_crowd() -> None:
    st.session_state["people_seed"] = (st.session_state["people_seed"] + 1) % (MAX_SEED + 1)


def people() -> None:
    """One crowd from its joints to its persons, then many crowds."""
    one_crowd()
    people_compared.crowds()


def code() -> None:
    """The functions behind the section."""
    page.show_code(
        [lab.joint_maps, lab.part_affinity_fields, lab.joint_candidates, lab.along_limbs, lab.limb_scores,
         lab.greedy_matching, lab.persons_of, lab.assemble],
        r"E = \int_0^1 L\big((1-u)\,d_a + u\,d_b\big) \cdot \frac{d_b - d_a}{\lVert d_b - d_a \rVert}\, du",
        "scipy.optimize.linear_sum_assignment(scores, maximize=True)  # the best matching, where greedy is not enough",
    )  # fmt: skip
    page.show_code(
        [keypoint_similarity.oks, keypoint_similarity.average_precision, keypoint_similarity.joints_found],
        r"OKS = \frac{\sum_i \exp(-d_i^2 / 2 s^2 k_i^2)\, [v_i > 0]}{\sum_i [v_i > 0]}",
        "pycocotools.cocoeval.COCOeval(truth, found, 'keypoints')",
    )


@st.fragment
@page.guard()
def one_crowd() -> None:
    page.section(
        "From joints to people",
        "One pass marks every joint of everybody; only the fields of the limbs between them say whose they are.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        seed = st.number_input(
            "Crowd", 0, MAX_SEED, FIRST_SEED, key="people_seed", width=140, icon=":material/groups:",
            label_visibility="collapsed", **KEPT,
        )  # fmt: skip
        st.button("Next crowd", icon=":material/casino:", key="people_next", on_click=next_crowd)
        count = st.segmented_control(
            "Persons", range(1, 6), default=FIRST_COUNT, required=True, key="people_count",
            format_func=lambda n: f"{n} person{'s' * (n > 1)}", label_visibility="collapsed", **KEPT,
        )  # fmt: skip
    canvas, side = st.columns([3, 2], gap="large")
    with side:
        shown = st.segmented_control("Show", SHOWN, default=FIELD, required=True, key="people_shown", **KEPT)
        source = st.segmented_control(
            "Said by", SAID_BY, default=THEIRS, required=True, key="people_said_by", **KEPT,
            help="Truth: the maps and fields that the network is trained to draw, from the true joints.",
        )  # fmt: skip
        joint = st.selectbox("Joint", [EVERY, *NAMES], key="people_joint", **KEPT)
        limb = LIMB_NAMES.index(st.selectbox("Limb", LIMB_NAMES, FIRST_LIMB, key="people_limb", **KEPT))
        with live_slider("Overlap", 0.0, 1.0, FIRST_OVERLAP, step=0.05, key=SLIDER, format="%.2f") as overlap:
            dragged = following(SLIDER)
            image = picture(seed, count, overlap) if dragged else crowd(seed, count, overlap).image
            said = people_in(image)
            seen = Seen(said.maps, said.fields, said.assembled)
            if source == TRUTH:
                seen = true_fields(seed, count, overlap)
            with canvas:
                draw(image, seen, shown, NAMES.index(joint) if joint != EVERY else None, limb)
            words(summary(seen, limb), "people_summary")
    page.footer(NETWORK, catalog.load(NETWORK).device, (said.seconds + said.assembly_seconds) * 1000)
    if not dragged:  # all below follows when the hand lets go
        people_integral.integral(image, seen.fields, seen.assembled, limb, (seed, count, overlap, source))
    if not following():
        people_compared.compared(crowd(seed, count, overlap), said)


def draw(image: np.ndarray, seen: Seen, shown: str, joint: int | None, limb: int) -> None:
    """The picture under a joint map with its peaks, a limb's field of arrows, or the persons."""
    if shown == MAP:
        values = seen.maps.amax(0) if joint is None else seen.maps[joint]
        peaks = torch.cat(seen.assembled.candidates if joint is None else [seen.assembled.candidates[joint]])
        layers = [Heat(values.numpy(), "magma", 0, 1, opacity=0.6), Points(peaks[:, :2].numpy(), SKY, radius=4)]
        caption = f"{'All joints' if joint is None else NAMES[joint].capitalize()}: {len(peaks)} peaks"
    elif shown == FIELD:
        layers = arrows(seen.fields[limb])
        caption = f"Field of {LIMB_NAMES[limb]}: arrows point from the first joint to the second"
    else:
        persons, _ = bottom_up_of(seen)
        layers = skeletons(persons)
        caption = f"{len(persons)} persons put together"
    stage("people_picture", width=440, zoom=False).show(
        image, layers, alt=f"A crowd and what the network says of it: {shown}", caption=caption
    )


def bottom_up_of(seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Persons (n, 14, 3) and scores (n,) of what was put together."""
    return seen.assembled.persons.double().numpy(), seen.assembled.person_scores.double().numpy()


def arrows(field: Tensor) -> list[Heat | Lines]:
    """A field (2, h, w) as an arrow per cell, and its lengths below."""
    lengths = field.norm(dim=0)
    rows, columns = torch.nonzero(lengths > SHORTEST, as_tuple=True)
    centres = lab.cell_centres((field.shape[1], field.shape[2]), STRIDE)[rows, columns]
    half = field[:, rows, columns].T * STRIDE / 2 * 1.2
    heat = Heat(lengths.numpy(), "gray", 0, 1, opacity=0.35)
    return [heat, Lines(torch.cat([centres - half, centres + half], 1).numpy(), VERMILION, width=1.5, arrow=True)]


def summary(seen: Seen, limb: int) -> str:
    """How many of everything there is."""
    first, second = LIMBS[limb]
    a, b = (len(seen.assembled.candidates[joint]) for joint in (first, second))
    return (
        f"**{a}** peaks for {NAMES[first]}, **{b}** for {NAMES[second]}: {a} × {b} = **{a * b}** possible limbs, "
        f"**{len(seen.assembled.connections[limb])}** chosen · "
        f"**{len(seen.assembled.persons)}** persons put together"
    )
