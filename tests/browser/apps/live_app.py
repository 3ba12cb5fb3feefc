"""Controls on the direct line, for tests/ui/components/test_live.py and tests/browser/test_live.py."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from ui import components, last_words, whole_requests
from ui.components import live

whole_requests.complete()
last_words.heed()
app = st.App(Path(__file__).with_name("live_script.py"), routes=[live.route(), *components.routes()])
