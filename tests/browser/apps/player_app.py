"""A small app with a player, for tests/browser/test_player.py."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui import components
from ui.components import live
from ui.components.player import reels

app = st.App(Path(__file__).with_name("player_script.py"), routes=[live.route(), reels.route(), *components.routes()])
