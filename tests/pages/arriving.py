"""How a visitor arrives at a page, or at a section that stands alone."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest


def arrived(at: AppTest, query: dict[str, Any] | None, state: dict[str, Any]) -> AppTest:
    """The visit, run once, with this query in its address and this session state."""
    for key, value in (query or {}).items():
        at.query_params[key] = value
    for key, value in state.items():
        at.session_state[key] = value
    return at.run()
