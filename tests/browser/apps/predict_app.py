"""A page of questions in the frame of the lab, for tests/browser/test_predict.py."""

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
import app as door

app = st.App(
    Path(__file__).with_name("predict_script.py"),
    routes=door.routes(""),
    middleware=[Middleware(door.FirstPaint)],
    on_script_error=door.page.show_unexpected,
)
