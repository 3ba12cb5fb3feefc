"""A run of a fragment's body, told to another session: what the body did is done again there, in order.

tests/ui/test_shared_runs.py holds it to the pinned Streamlit.
"""

from __future__ import annotations

import json
from typing import Any

from ui import recording
from ui.components import address, live, wire
from ui.components.stage.wire_format import Rasters
from ui.recorded_state import answer, of_the_lab, value_of
from ui.recording import ABSENT, MESSAGE, SEQUENCE, Again, Drawn, Kept, Put, Registered, Said, Took
from ui.streamlit_inside import Inside

inside = Inside("no run can be told to others, every visitor's rerun is run")
with inside:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.forward_msg_cache import populate_hash_if_needed
    from streamlit.runtime.fragment import MemoryFragmentStorage
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext, ThreadState
    from streamlit.runtime.state.safe_session_state import SafeSessionState
    from streamlit.runtime.state.session_state import SessionState, WStates

    inside.needs(MemoryFragmentStorage, "register")
    inside.needs(ScriptRunContext, "_enqueue", "session_state", "shared", "fragment_storage")
    inside.needs(ThreadState, "scoped")
    inside.needs(SafeSessionState, "_state")
    inside.needs(SessionState, "_new_widget_state", "_old_state", "register_widget")
    inside.needs(WStates, "widget_metadata")

ROOM = 2_000  # bytes that an act takes beside its text


def _known(state: SessionState, widget: str) -> bool:
    return widget in state._new_widget_state.widget_metadata and widget in state._old_state


class KeptRun:
    """What a body did, for others; never changed."""

    def __init__(self, acts: list, thread: dict[str, Any], inner: list[tuple], ids: list[tuple]):
        self.acts, self.thread, self.inner, self.ids = acts, thread, inner, ids
        for act in acts:
            if isinstance(act, Drawn):
                act.message.delta.new_element.bidi_component.json = ""
                act.message.hash = ""

    def size(self) -> int:
        """Bytes, rather more than less: a raster counts in every run that shows it."""
        found = 0
        for act in self.acts:
            found += ROOM
            match act:
                case Said():
                    found += act.message.ByteSize()
                case Drawn():
                    found += act.message.ByteSize() + len(act.data) + sum(len(url) for _, url in act.rasters or ())
                case Put():
                    found += len(repr(act.value))
        return found

    def replay(self, context: ScriptRunContext, key: str) -> bool:
        """Do in this session what the body did. False if Streamlit or a class answers otherwise: the session's values
        are as they were, and the body must run."""
        said: list[ForwardMsg] = []
        enqueue, state = context._enqueue, context.session_state
        before = {act.key: value_of(state._state, act.key) for act in self.acts if isinstance(act, Put | Took)}
        context._enqueue = said.append
        try:
            with ThreadState.scoped(**self.thread):
                alike = all([self._do(act, state._state, said) for act in self.acts])
        finally:
            context._enqueue = enqueue
        if not alike:
            for message in said:
                if message.WhichOneof("type") != "delta":  # the address, which now counts as told
                    enqueue(message)
            for name, value in before.items():
                self._put(state._state, name, value)
            return False
        for each, fragment, parent, target, lifetime in self.inner:
            context.fragment_storage.register(
                each, fragment, parent_fragment_id=parent, target_key=target, lifetime=lifetime
            )
        for attribute, ids in self.ids:
            known = getattr(context.shared, attribute)
            for each in ids:
                known.check_and_add(each)
        for message in said:
            enqueue(message)
        return True

    @staticmethod
    def _put(state: SessionState, key: str, value: Any) -> None:
        if value is not ABSENT:
            state[key] = value
        elif key in state:
            del state[key]

    @staticmethod
    def _do(act: Any, state: SessionState, said: list) -> bool:
        match act:
            case Said():
                message = ForwardMsg()
                message.CopyFrom(act.message)
                said.append(message)
            case Drawn():
                said.append(_drawn(act))
            case Registered() if of_the_lab(act.key) and _known(state, act.metadata.id):
                pass  # it is as it was: known by its key, with the one callback that all have
            case Registered():
                return answer(state.register_widget(act.metadata, act.key)) == act.found
            case Put():
                KeptRun._put(state, act.key, recording.own(act.value))
            case Took():
                state[act.key] = state[act.key.removesuffix(SEQUENCE) + MESSAGE]["message"]["sequence"]
            case Kept(name=None):
                address.mend()
            case Kept():
                address.keep(act.name, act.text)
            case Again():
                return act.do()
        return True


def _drawn(act: Drawn) -> ForwardMsg:
    """The message that mounts a component, with what is this session's own."""
    name = act.key.removesuffix(MESSAGE)
    more = wire.own_part(name, act.window) | {"live": live.offer(act.key, act.fragment)}
    if act.rasters is not None:
        rasters = Rasters(name, act.missing)
        for raster, url in act.rasters:
            rasters.show(raster, lambda url=url: url)
        more = {"rasters": rasters.bytes} | more
    message = ForwardMsg()
    message.CopyFrom(act.message)
    message.delta.new_element.bidi_component.json = f"[{act.data[:-1]}, {json.dumps(more)[1:]}]"
    populate_hash_if_needed(message)
    return message
