"""Run by predict_app.py."""

import numpy as np
import streamlit as st

from ui import page
from ui.components import Grid, live_slider, matrices

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


sums()
share()
