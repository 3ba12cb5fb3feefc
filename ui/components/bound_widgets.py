"""What a bound widget (`bind="query-params"`) takes from the address: a value it can have, else its default.

Streamlit lets two kinds of text through. A number too large for an int (`?seed=inf`) raises, on every reload; and an
empty text (`?factor=`) empties a choice that has a default, even one that a visitor cannot empty.
"""

from __future__ import annotations

import functools
from typing import Any

from ui.streamlit_inside import Inside

inside = Inside("an address with a number too large for its control shows an error, an empty one empties a choice")
with inside:
    from streamlit.runtime.state.common import WidgetMetadata
    from streamlit.runtime.state.query_params import is_empty_url_value
    from streamlit.runtime.state.session_state import SessionState

    inside.needs(SessionState, "_seed_widget_from_url", "_clear_url_param")
    inside.needs(WidgetMetadata, "deserializer", "value_type")


def check() -> None:
    """From now on an address that no widget can mean shows the default and is put right."""
    if not inside.there:
        return
    seed = SessionState._seed_widget_from_url
    if hasattr(seed, "__wrapped__"):
        return

    @functools.wraps(seed)
    def checked(self: SessionState, metadata: Any, user_key: str, widget_id: str, url_value: str | list[str]) -> bool:
        try:
            if not (is_empty_url_value(url_value) and _one_of_several(metadata)):
                return seed(self, metadata, user_key, widget_id, url_value)
        except OverflowError:
            pass
        self._clear_url_param(user_key)
        return False

    SessionState._seed_widget_from_url = checked


def _one_of_several(metadata: Any) -> bool:
    """True for a widget whose default is one value, not a list: it is never empty."""
    default = metadata.deserializer(None)
    if isinstance(default, str):
        return metadata.value_type != "string_value"  # typed text may be empty
    return default is not None and not isinstance(default, (list, tuple))
