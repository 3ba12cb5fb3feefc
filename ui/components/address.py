"""What the live components and the pages write into the address, and never lose there.

Streamlit sends the whole query string with every change, and a run knows the string of the moment it was asked for. So
two changes in quick succession, in two fragments or while a slow run is under way, used to wipe each other out; and a
string from here wiped out what a bound widget (`bind="query-params"`) had meanwhile written in the browser. Here the
session keeps what was written on this page, and every run puts back what is missing.

Which widgets are bound, and what they say, is nowhere public. Where a newer Streamlit hides it, `mend` writes what was
kept through `st.query_params`, and a bound widget's change in the same moment may be lost from the address.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import recording
from ui.components import bound_widgets, live
from ui.streamlit_inside import Inside

inside = Inside("addresses are written through st.query_params, where two changes in one moment may lose one")
with inside:
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext, get_script_run_ctx
    from streamlit.runtime.state.common import WidgetMetadata
    from streamlit.runtime.state.query_params import (
        QueryParams,
        WidgetBinding,
        _coerce_value_for_query_url,
        _parse_query_string,
    )
    from streamlit.runtime.state.safe_session_state import SafeSessionState
    from streamlit.runtime.state.session_state import SessionState, WStates

    inside.needs(ScriptRunContext, "session_state", "page_script_hash", "query_string")
    inside.needs(SafeSessionState, "_state")
    inside.needs(SessionState, "query_params", "_new_widget_state")
    inside.needs(QueryParams, "_query_params", "_bindings_by_param", "_send_query_param_msg")
    inside.needs(WidgetBinding, "widget_id", "script_hash")
    inside.needs(WStates, "widget_metadata")
    inside.needs(WidgetMetadata, "serializer", "deserializer", "value_type")

bound_widgets.check()

LARGEST = 1e9  # no place on a picture is further away; NaN is not within it either
_KEPT = "address.kept"
_TOLD = "address.told"
_STATES = "address.states"


def turn_to(title: str) -> None:
    """A page begins: what another page has written no longer counts."""
    if st.session_state.get(_KEPT, (None,))[0] != title:
        st.session_state[_KEPT] = (title, {})
        st.session_state[_TOLD] = None


def title() -> str:
    """Of the page that has begun last; empty before any has."""
    return st.session_state.get(_KEPT, ("",))[0] or ""


def states() -> dict[str, dict[str, list[str]]]:
    """By title: the query of every page of this session, as it was left."""
    return st.session_state.get(_STATES, {})


def forget() -> None:
    """What was written on this page no longer counts: the address, which another hand has put in place, does."""
    st.session_state.pop(_KEPT, None)
    st.session_state[_TOLD] = None


def _kept() -> dict[str, str | None]:
    return st.session_state.setdefault(_KEPT, (None, {}))[1]


def keep(name: str, text: str | None) -> None:
    """Write query parameter `name`; None clears it."""
    with recording.aside() as noted:
        kept = _kept()
        if kept.get(name, "") != text:  # else `mend` at the end of the run sees to it
            kept[name] = text
            _put_right()
    if noted is not None:
        noted.acts.append(recording.Kept(name, text))


def linked(name: str) -> str | None:
    """The parameter as it was written last on this page, else as the link that was opened has it; None without one."""
    with recording.aside() as noted:
        kept = _kept()
        text = kept[name] if name in kept else st.query_params.get(name)
    if noted is not None:
        noted.linked(name, text)
    return text


def numbers(name: str, count: int, kind: type[int] | type[float] = float) -> tuple[Any, ...] | None:
    """`count` finite numbers with commas between them from parameter `name`, as `linked` has it; None without one.

    Raises ValueError after clearing the parameter if it holds anything else: the address is put right, and the page
    may say so.
    """
    text = linked(name)
    if text is None:
        return None
    try:
        found = tuple(kind(part) for part in text.split(","))
        if len(found) != count or not all(abs(number) <= LARGEST for number in found):
            raise ValueError(f"{name} does not hold {count} numbers")
    except ValueError:
        keep(name, None)
        raise
    return found


def standing() -> dict[str, str | list[str]]:
    """The parameters of this page's address as they are or are about to be, bound widgets' included."""
    context = get_script_run_ctx(suppress_warning=True) if inside.there else None
    if context is None:
        return {name: text for name, text in (st.query_params.to_dict() | _kept()).items() if text is not None}
    state = context.session_state._state
    right = state.query_params._query_params | _kept() | _bound(state, context.page_script_hash)
    return {name: text for name, text in right.items() if text is not None}


def mend() -> None:
    """Put right what the address says otherwise. Does nothing while a hand moves: the address changes when it rests."""
    with recording.aside() as noted:
        _put_right()
    if noted is not None:
        noted.acts.append(recording.Kept(None))


def _put_right() -> None:
    if live.following():
        return
    if not inside.there:
        _mend_in_public()
        return
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    state, told = context.session_state._state, st.session_state.get(_TOLD)
    right = {name: [text] if isinstance(text, str) else text for name, text in standing().items()}
    st.session_state.setdefault(_STATES, {})[title()] = right
    # The browser stands at what it showed when it asked for this run, or at what an earlier run has told it since.
    if right != _parse_query_string(context.query_string) or told not in (None, right):
        state.query_params._query_params = {
            name: texts[0] if len(texts) == 1 else texts for name, texts in right.items()
        }
        state.query_params._send_query_param_msg()
        st.session_state[_TOLD] = right


def _mend_in_public() -> None:
    """What was kept; a bound widget's parameter is left to Streamlit."""
    for name, text in _kept().items():
        if text is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != text:
            st.query_params[name] = text


def _bound(state: SessionState, page: str) -> dict[str, Any]:
    """Parameters of the bound widgets of this page: text or several; None where the widget says its default."""
    found = {}
    for name, binding in list(state.query_params._bindings_by_param.items()):
        metadata = state._new_widget_state.widget_metadata.get(binding.widget_id)
        if metadata is not None and binding.script_hash == page and binding.widget_id in state:
            value = state[binding.widget_id]
            says = value != metadata.deserializer(None)
            text = _coerce_value_for_query_url(metadata.serializer(value), metadata.value_type)
            found[name] = (text or "") if says else None
    return found
