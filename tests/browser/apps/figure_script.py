"""Run by figure_app.py."""

import plotly.graph_objects as go
import streamlit as st

from ui import page

page.begin("Figure", question="Does it stay?")


@st.fragment
@page.guard()
def wave() -> None:
    factor = st.number_input("Factor", 1, 9)
    page.figure(go.Figure(go.Scatter(x=[0, 1, 2], y=[0, factor, 0])), key="wave", alt="A wave")
    if factor == 8:
        raise ValueError("Eight is too many: choose a smaller factor.")


wave()
if st.button("Break"):
    raise KeyError("secret detail")
