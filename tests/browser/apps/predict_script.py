"""Run by predict_app.py."""

import numpy as np
import streamlit as st

from ui import page
from ui.components import Box, Boxes, Grid, live_slider, matrices, stage
from ui.components.stage.layers import GREEN

page.begin("Questions", question="What comes out?")


@st.fragment
@page.guard()
def sums() -> None:
    with live_slider("Factor", 1, 6, 3, key="factor", window=2) as factor:
        with page.predict("sum", "What is the sum of the four cells?", [4, 8, 12, 16]) as prediction:
            matrices("cells", window=2).show([Grid("cells", np.full((2, 2), factor), vmin=0, vmax=6)])
            prediction.outcome(min(4 * factor, 16), "because four cells hold the same number.")


@st.fragment
@page.guard()
def share() -> None:
    with page.predict("share", "How much of the line is blue?", page.Number(0, 100, 5, "%")) as prediction:
        st.markdown("A line, a third of it blue.")
        prediction.outcome(33, "The rest is grey.")


@st.fragment
@page.guard()
def sizes() -> None:
    with page.predict("sizes", "Which is the smallest, and which the largest?",
                      page.Order(["cat", "car", "ball"])) as prediction:  # fmt: skip
        st.markdown("Ball, cat, car.")
        prediction.outcome(("ball", "cat", "car"))


@st.fragment
@page.guard()
def light() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[30:60, 10:50] = 200
    for key, start in (("where", None), ("box", (5, 5, 25, 25))):
        with page.predict(key, "Where is the light?", page.Region(picture, start)) as prediction:
            truth = Box("truth", (10, 30, 50, 60), "truth", GREEN)
            stage(f"{key}_truth", width=360).show(picture, [Boxes([truth]), *prediction.layers], alt="Light")
            prediction.outcome(truth.xyxy, "because it is.")


sums()
share()
sizes()
light()
