"""A small app that shows every live component, for tests/browser/test_components.py."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui import components
from ui.components import live

app = st.App(Path(__file__).with_name("components_script.py"), routes=[live.route(), *components.routes()])
