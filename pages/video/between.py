"""What becomes of a box until the next look: held where it was, or moved on by a Kalman filter."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import between_looks
from labs.matching import Detections
from labs.tracking import KALMAN, STILL, Settings
from pages.video import shared
from pages.video.shared import Choice
from scenes import THINGS
from ui import page
from ui.components import live_slider, words

LINES = {STILL: ("held", "#D55E00", "dash"), KALMAN: ("predicted", "#0072B2", "solid")}
ANSWERS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SURE = 1.0  # the score of a true box


@st.fragment
@page.guard()
def between(choice: Choice) -> None:
    page.section(
        "Between two looks",
        "A perfect detector that looks at every k-th frame only: how well does its last box still fit, frame by frame?",
    )
    with live_slider("A look at every k-th frame", 2, 15, 6, key="video_gap") as every:
        things, found = truth_of(choice)
        curves = {
            predict: between_looks.overlap_by_age(things, found, Settings(predict=predict, confirm=1), every)
            for predict in LINES
        }
        answer = nearest(curves[STILL][-1])
        with page.predict(
            "video-held", f"Film {choice.seed}, a look at every {every}th frame: just before the next look, how well "
            "does a box that was held where it was fit on average?", [f"IoU {each:.1f}" for each in ANSWERS],
        ) as prediction:  # fmt: skip
            figure = go.Figure()
            for predict, curve in curves.items():
                name, colour, dash = LINES[predict]
                figure.add_scatter(
                    x=np.arange(every), y=curve, name=name, mode="lines+markers",
                    line={"color": colour, "dash": dash, "width": 3},
                )  # fmt: skip
            figure.update_layout(
                xaxis={"title": "frames since the look", "dtick": 1}, yaxis={"title": "mean IoU", "range": [0, 1.03]}
            )
            page.figure(figure, "video_ages", height=320, alt="Mean IoU of held and predicted boxes by age")
            last = {LINES[predict][0]: curve[-1] for predict, curve in curves.items()}
            words(
                f"After **{every - 1}** frames, {(every - 1) / choice.film.rate:.2f} s: held **{last['held']:.2f}**, "
                f"predicted **{last['predicted']:.2f}**.",
                "video_ages_said",
            )
            prediction.outcome(
                f"IoU {answer:.1f}", "A small thing that is fast leaves its box at once; a prediction fits as long as "
                "the thing goes straight on, and the filter has had a few looks to learn how fast that is.",
            )  # fmt: skip


@st.cache_data(max_entries=16, show_spinner="The truth of every frame")
def _truth_of(name: str, _choice: Choice) -> tuple[list[np.ndarray], list[Detections]]:
    things, found = [], []
    for index in range(len(_choice.film)):
        seen = shared.truth_at(_choice, index)
        boxes = np.array([each.box for each in seen], float).reshape(-1, 4)
        labels = np.array([THINGS.index(each.label) + 1 for each in seen], int)
        things.append(np.array([each.track for each in seen], int))
        found.append(Detections(boxes, labels, np.full(len(seen), SURE)))
    return things, found


def truth_of(choice: Choice) -> tuple[list[np.ndarray], list[Detections]]:
    """Which things are in each frame, and where."""
    return _truth_of(choice.name, choice)


def nearest(value: float) -> float:
    """The answer that is nearest; where nothing was measured, the worst."""
    return ANSWERS[0] if np.isnan(value) else min(ANSWERS, key=lambda each: abs(each - value))
