"""Numbers or a map? The detector's keypoint head says where a joint may be; the regression says one place."""

import numpy as np
import streamlit as st

from labs.pose import JOINTS
from models import catalog
from models.inside.joint_heat_maps import JointMaps
from pages.localization.pose_shared import BLUE, DETECTOR, GREEN, ORANGE, PURPLE, Person, asked, maps_of
from ui import page
from ui.components import Heat, Points, stage, words

NAMES = ("first stage", "second stage", "heat map")


FAINT = 0.02  # of the best cell: what is less is left clear


def glow(maps: JointMaps, joint: int) -> np.ndarray:
    """The probability of each cell over that of the best one, NaN where it is next to nothing."""
    heat = maps.maps[joint].flatten().softmax(0).view_as(maps.maps[joint]).numpy()
    return np.where(heat >= FAINT * heat.max(), heat / heat.max(), np.nan)


def beside(person: Person, joint: int) -> None:
    """The heat map of the joint chosen above, its maximum, and both stages of the regression."""
    page.section(
        "Numbers or a map",
        "The lab's detector does pose with one heat map a joint, as Mask R-CNN: it says where, and how sure it is.",
    )
    said, maps = asked(person.seed), maps_of(person.seed)
    errors = [float(person.errors(joints)[joint]) for joints in (said.first, said.second, maps.joints)]
    with page.predict(
        "pose-heat", f"Which comes closest to the {JOINTS[joint]} of person {person.seed}?", NAMES
    ) as prediction:
        canvas, side = st.columns(2, gap="large")
        heat = maps.maps[joint].flatten().softmax(0).view_as(maps.maps[joint])
        with canvas:
            places = [person.joints[joint], said.first[joint], said.second[joint], maps.joints[joint]]
            stage("pose_heat_stage", zoom=False, width=330).show(
                person.image,
                [
                    Heat(glow(maps, joint), "inferno", 0.0, 1.0, 0.75, xyxy=tuple(maps.box.tolist())),
                    Points(
                        [each.tolist() for each in places], colours=[GREEN, ORANGE, BLUE, PURPLE], radius=6.0,
                        notes=["truth", *NAMES],
                    ),
                ],
                alt=f"The detector's heat map of the {JOINTS[joint]}",
                caption="Green: truth. Orange, blue: first and second stage. Purple: maximum of the heat map.",
            )  # fmt: skip
        with side:
            lines = "\n\n".join(f"{name}: off by **{error:.1f} px**" for name, error in zip(NAMES, errors, strict=True))
            words(
                f"{lines}\n\n:gray[The map has {heat.shape[0]} × {heat.shape[1]} cells on the box; its best cell holds "
                f"{float(heat.max()):.0%} of the probability.]",
                "pose_heat_told",
            )
        best = min(zip(errors, NAMES, strict=True))[1]
        prediction.outcome(best, "All three were given the true box; choose another joint above and look again.")
    page.footer(DETECTOR, catalog.load(DETECTOR).device)
