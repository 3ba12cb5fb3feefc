"""The state of a session, as a body sees it whose run is noted for others (`ui/shared_runs.py`): what is looked at in
it becomes a part of the `Recording`, what is done to it becomes one of its acts.

tests/ui/test_shared_runs.py holds it to the pinned Streamlit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from contextlib import contextmanager
from typing import Any

from ui import recording
from ui.components import wire
from ui.recording import ABSENT, MESSAGE, SEQUENCE, Recording, Registered, frozen
from ui.streamlit_inside import Inside

inside = Inside("no run can be noted for others, every visitor's rerun is run")
with inside:
    from streamlit.runtime.state.common import WidgetMetadata
    from streamlit.runtime.state.safe_session_state import SafeSessionState
    from streamlit.runtime.state.session_state import SessionState, WStates

    inside.needs(SafeSessionState, "_state", "_yield_callback", "register_widget", "query_params")
    inside.needs(SessionState, "_new_widget_state", "_old_state", "query_params")
    inside.needs(WStates, "states")
    inside.needs(WidgetMetadata, "id")


def value_of(state: SessionState, key: str) -> Any:
    try:
        return state[key]
    except KeyError:
        return ABSENT


def parameter(state: SessionState, name: str) -> Any:
    try:
        return state.query_params[name]
    except KeyError:
        return ABSENT


def fresh(state: SessionState, key: str) -> bool | None:
    """Whether the component has sent a message that is not taken in; None for one that is older than the state of a
    class and counts no more. `key` is that of its sequence."""
    name, taken, put = key.removesuffix(SEQUENCE), value_of(state, key), value_of(state, wire.SINCE)
    said = value_of(state, name + MESSAGE)
    message = said.get("message") if isinstance(said, dict) else None
    number = message.get("sequence") if isinstance(message, dict) else None
    if not (type(number) is int and number > (0 if taken is ABSENT else taken)):
        return False
    return True if wire.counts(name, message, None if put is ABSENT else put) else None


def widget_of(state: SessionState, widget: str, key: str | None) -> tuple | None:
    """What an answer to its registration depends on; None for a widget that is new."""
    here, before = widget in state._new_widget_state.states, widget in state._old_state
    if not (here or before):
        return None
    keyed = key is not None and key in state._old_state
    return recording.for_all(value_of(state, widget)), here, before, keyed


def of_the_lab(key: str | None) -> bool:
    """True for a component's two widgets: its state, and what is pressed once, which none of ours has."""
    return key is not None and (key.endswith(MESSAGE) or f"{MESSAGE}__" in key)


class RecordingState(SafeSessionState if inside.there else object):
    """The state of a session, as a body sees it whose run is recorded."""

    def __init__(self, real: SafeSessionState, noted: Recording):
        super().__init__(real._state, real._yield_callback)
        object.__setattr__(self, "noted", noted)

    def __getitem__(self, key: str) -> Any:
        noted: Recording = self.noted
        if key.endswith(SEQUENCE):
            if not noted.aside and key not in noted.written:
                noted.read("fresh", key, fresh(self._state, key))
            return super().__getitem__(key)
        try:
            value = super().__getitem__(key)
        except KeyError:
            noted.read_state(key, ABSENT)
            raise
        noted.read_state(key, value)
        return value

    def __contains__(self, key: str) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.noted.wrote(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.noted.wrote(key, ABSENT)

    def is_new_state_value(self, user_key: str) -> bool:
        new = super().is_new_state_value(user_key)
        if user_key not in self.noted.written:
            self.noted.read("new", user_key, new)
        return new

    def reset_state_value(self, user_key: str, value: Any | None) -> None:
        super().reset_state_value(user_key, value)
        self.noted.spoil("a widget was set back")

    @property
    def filtered_state(self) -> dict[str, Any]:
        return WholeState(self)

    def register_widget(self, metadata: WidgetMetadata, user_key: str | None):
        noted: Recording = self.noted
        if not of_the_lab(user_key):  # what such a one says is read as state
            depends = widget_of(self._state, metadata.id, user_key)
            if depends is None:
                noted.spoil("a widget is new")
            noted.read("widget", f"{metadata.id}\n{user_key or ''}", depends)
        noted.aside += 1
        try:
            result = super().register_widget(metadata, user_key)
        finally:
            noted.aside -= 1
        noted.acts.append(Registered(metadata, user_key, answer(result)))
        return result

    @contextmanager
    def query_params(self):
        with super().query_params() as params:
            yield params if self.noted.aside else ReadParameters(params, self.noted)


class WholeState:
    """All of the state, of which such a body looks at some."""

    def __init__(self, state: RecordingState):
        self._state = state

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __contains__(self, key: str) -> bool:
        return key in self._state

    def __getattr__(self, name: str) -> Any:
        self._state.noted.spoil("the whole state was looked at")
        return getattr(SafeSessionState.filtered_state.fget(self._state), name)


class ReadParameters:
    """The parameters of the address, as such a body sees them; to write them all is Streamlit's."""

    def __init__(self, real: Any, noted: Recording):
        self._real, self.noted = real, noted

    def __getitem__(self, name: str) -> str:
        try:
            value = self._real[name]
        except KeyError:
            self.noted.read("query", name, ABSENT)
            raise
        self.noted.read("query", name, value)
        return value

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        self.noted.spoil("the whole address was looked at")
        return getattr(self._real, name)


def answer(result: Any) -> Hashable:
    try:
        about = vars(result) if hasattr(result, "__dict__") else dataclasses.asdict(result)
        return frozen(about | {"value": recording.for_all(about["value"])})
    except recording.OwnError:
        return None
