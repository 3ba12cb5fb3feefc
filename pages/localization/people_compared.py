"""Bottom-up beside top-down: the persons that fields put together, and those of the detector's boxes."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import scenes
from labs import keypoint_similarity as ks
from labs.keypoint_similarity import Judged
from models import catalog
from models.networks.pose_fields import People
from models.recipes.pose_fields import CROWD, CROWD_HELD_OUT, PCK_AT, judge
from pages.localization.people_scene import (
    BLUE,
    DETECTOR,
    NETWORK,
    ORANGE,
    SURE,
    bottom_up,
    detected,
    skeletons,
    top_down,
    truth_in,
)
from scenes import View
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT

UP, DOWN = WAYS = ("Bottom-up", "Top-down")
EQUAL = "Equally many"
COUNTS = (10, 25, 50, 100, 200)
JUDGED = "_people_judged"  # in the session: how many scenes this visitor has seen judged
STYLES = {UP: (ORANGE, "circle", "solid"), DOWN: (BLUE, "square", "dash")}


@dataclass(frozen=True, eq=False)
class Verdict:
    """One way in one scene: `judged` its persons against the truth; which true persons (g,) were `found`; which true
    joints (g, 14) were `hit`, and which `count`; `ignored` (g,), of whom too little is seen; `seconds` it took."""

    judged: Judged
    found: np.ndarray
    hit: np.ndarray
    count: np.ndarray
    ignored: np.ndarray
    seconds: float

    @property
    def persons(self) -> str:
        """How many of how many were found."""
        return f"{int(self.found[~self.ignored].sum())} of {int((~self.ignored).sum())}"


def verdict(persons: np.ndarray, scores: np.ndarray, view: View, seconds: float) -> Verdict:
    """Persons (n, 14, 3), best first, against those of the scene."""
    truth = truth_in(view)
    judged = judge(persons, scores, truth)
    partners = ks.partners(judged)
    hit = ks.joints_found(persons, truth.joints, partners, PCK_AT * truth.heights)
    found = np.isin(np.arange(len(truth.joints)), partners)
    return Verdict(judged, found, hit, truth.joints[..., 2] > 0, truth.ignored, seconds)


def compared(view: View, said: People) -> None:
    """This crowd both ways."""
    st.subheader("Bottom-up beside top-down", anchor="people-compared")
    st.markdown(
        "**Bottom-up**: all joints in one pass, then persons. **Top-down**: the lab's detector finds each person's box "
        "and looks for the joints of one person inside it."
    )
    boxes = detected(view.image)
    up, down = bottom_up(said), top_down(boxes, SURE)
    verdicts = {
        UP: verdict(*up, view, said.seconds + said.assembly_seconds),
        DOWN: verdict(*down, view, boxes.seconds),
    }
    counts = {way: int(each.found[~each.ignored].sum()) for way, each in verdicts.items()}
    sure = top_down_boxes(boxes)
    with page.predict(
        "people-both", f"Persons in sight: {len(view.instances)}. Which way finds more of them?",
        [*WAYS, EQUAL],
    ) as prediction:  # fmt: skip
        for column, way, layers in zip(
            st.columns(2, gap="medium"), WAYS, (skeletons(up[0]), [Boxes(sure), *skeletons(down[0])]), strict=True
        ):
            with column:
                each = verdicts[way]
                st.markdown(f"**{way}** · {each.persons} persons found · {1000 * each.seconds:.0f} ms")
                stage(f"people_{way.lower()}", zoom=False).show(
                    view.image, layers, alt=f"The persons found {way.lower()}",
                    caption=f"{hits(each)} of the joints found, {len(each.judged.scores)} persons drawn",
                )  # fmt: skip
        best = EQUAL if counts[UP] == counts[DOWN] else max(counts, key=lambda way: counts[way])
        prediction.outcome(
            best,
            f"Bottom-up {verdicts[UP].persons}, top-down {verdicts[DOWN].persons}. Found: an OKS of 0.5 or more with "
            "the truth. Boxes that overlap much suppress each other, and of two persons in one box one is drawn; "
            "fields may link the joints of two.",
        )


def top_down_boxes(found) -> list[Box]:
    """The boxes in which the detector looked."""
    _, scores = top_down(found, SURE)
    kept = (found.labels == 1) & (found.scores >= SURE)
    return [
        Box(f"person-{i}", tuple(box.tolist()), f"{score:.2f}", BLUE, dash=True, width=1.5)
        for i, (box, score) in enumerate(zip(found.boxes[kept], scores, strict=True))
    ]


def hits(each: Verdict) -> str:
    """The share of joints found, among those of persons that count."""
    counts = each.count & ~each.ignored[:, None]
    return f"{100 * each.hit[counts].mean():.0f} %" if counts.any() else "none"


@st.cache_resource(max_entries=1024, show_spinner=False)  # shared and only read
def judged(seed: int) -> dict[str, Verdict]:
    """Both ways in one crowd that no network has seen."""
    view = scenes.render(scenes.sample(seed, CROWD))
    said = catalog.load(NETWORK)(view.image)
    boxes = catalog.load(DETECTOR)(view.image, masks=False, keypoints=True)
    return {
        UP: verdict(*bottom_up(said), view, said.seconds + said.assembly_seconds),
        DOWN: verdict(*top_down(boxes), view, boxes.seconds),
    }


@st.fragment
@page.guard()
def crowds() -> None:
    """Both ways over many crowds."""
    st.subheader("Over many crowds", anchor="people-crowds")
    count = st.select_slider("Crowds", COUNTS, COUNTS[1], key="people_crowds", width=320, **KEPT)
    seeds = range(CROWD_HELD_OUT, CROWD_HELD_OUT + count)
    start = st.empty()
    if st.session_state.get(JUDGED, 0) < count and not start.button(
        "Judge", type="primary", icon=":material/play_arrow:", key="people_judge"
    ):
        st.info(
            f"Both networks look at {count} crowds of two to five persons that neither has seen: about a quarter of a "
            "second each, and nothing for crowds that somebody has had judged before.", icon=":material/info:",
        )  # fmt: skip
        return
    start.empty()
    page.work_through(JUDGED, seeds, judged, "Crowds")
    found = [judged(seed) for seed in seeds]
    rows = [row(way, [each[way] for each in found]) for way in WAYS]
    with page.predict("people-ap", f"Which way has the higher average precision over {count} crowds?", WAYS) as first:
        st.dataframe(rows, hide_index=True, key="people_table")
        best = max(rows, key=lambda each: float(each["AP"]))
        first.outcome(
            str(best["way"]),
            f"AP {rows[0]['AP']:.2f} bottom-up, {rows[1]['AP']:.2f} top-down. The networks differ in more than the "
            f"way: {NETWORK} has {catalog.card(NETWORK)['parameters'] / 1e6:.1f} million parameters, {DETECTOR} "
            f"{catalog.card(DETECTOR)['parameters'] / 1e6:.1f}.",
        )
    times(found)


def row(way: str, verdicts: list[Verdict]) -> dict[str, str | float]:
    """The figures of one way over all scenes."""
    counted = [each.count & ~each.ignored[:, None] for each in verdicts]
    hit = np.concatenate([each.hit[mask] for each, mask in zip(verdicts, counted, strict=True)])
    persons = np.concatenate([each.found[~each.ignored] for each in verdicts])
    pictures = [each.judged for each in verdicts]
    return {
        "way": way,
        "AP": round(ks.mean_average_precision(pictures), 3),
        "AP at OKS 0.5": round(ks.average_precision(pictures, 0.5), 3),
        "persons found, %": round(100 * float(persons.mean()), 1),
        "joints found, %": round(100 * float(hit.mean()), 1),
        "ms a picture": round(1000 * float(np.median([each.seconds for each in verdicts])), 1),
    }


def times(found: list[dict[str, Verdict]]) -> None:
    """Milliseconds against the number of persons in the picture."""
    with page.predict(
        "people-times", "Three more persons come into the picture: which way takes clearly longer then?",
        [*WAYS, "Neither"],
    ) as prediction:  # fmt: skip
        drawing, slopes = go.Figure(), {}
        for way in WAYS:
            persons = np.array([len(each[way].found) for each in found])
            spent = np.array([1000 * each[way].seconds for each in found])
            colour, symbol, dash = STYLES[way]
            numbers = np.unique(persons)
            medians = np.array([np.median(spent[persons == n]) for n in numbers])
            slopes[way] = float(np.polyfit(numbers, medians, 1)[0]) if len(numbers) > 1 else 0.0
            drawing.add_scatter(
                x=numbers, y=medians, name=way, mode="lines+markers", line={"color": colour, "dash": dash},
                marker={"symbol": symbol, "color": colour},
            )  # fmt: skip
        drawing.update_layout(
            xaxis_title="persons in the picture", yaxis_title="median milliseconds", yaxis_rangemode="tozero",
            xaxis_dtick=1,
        )  # fmt: skip
        page.figure(drawing, "people_times", height=300, alt="Milliseconds a picture against persons in it, both ways")
        grows = max(slopes, key=lambda way: slopes[way])
        prediction.outcome(
            grows if slopes[grows] > 1 else "Neither",
            f"A further person costs {slopes[UP]:+.1f} ms bottom-up and {slopes[DOWN]:+.1f} ms top-down here: one pass "
            "costs the same for any crowd, while the keypoint head runs once a box.",
        )
