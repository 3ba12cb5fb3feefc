"""A class does the same thing at the same time: who moves a control to where another has had it sees that run.

A rerun of a cheap view costs a server 8 ms, most of it Streamlit's bookkeeping for two dozen elements. What the body of
a fragment reads and does is a `Recording`; the next session in which everything that it read is the same is told the
same words without running the body. The session is left as a run leaves it: its values are set, its widgets are
registered, its address is written, its components have its own numbers and its own secret.

Only bodies that a page has marked (`page.alike`), in Streamlit's reruns of a fragment. Wherever a session is not like
the one that was recorded, the body runs (`replay`).

In a class the lecturer's bodies always run, since her class is shown what they draw. Her students share with those of
the same room: what a body hears of the class is how far it is with a question, which is a part of what it has read.
Whoever has a guess or an answer, sees the votes, or looks at her seat spoils a run, and is told none that did not.

All is done through private parts of the pinned Streamlit; tests/ui/test_shared_runs.py holds it to that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

from ui import lighter_reruns, recorded_state, recording, replay
from ui.components import address, live, wire
from ui.kept_runs import MEGABYTES, KeptRuns
from ui.recorded_state import RecordingState, fresh, parameter, value_of, widget_of
from ui.recording import ABSENT, ALIKE, MESSAGE, Recording, Registered, frozen
from ui.replay import KeptRun
from ui.rooms import seat, vote
from ui.streamlit_inside import Inside

inside = Inside("every visitor's rerun is run, also where another has had the same")
with inside:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.fragment import MemoryFragmentStorage
    from streamlit.runtime.scriptrunner_utils.script_run_context import (
        FragmentThreadState,
        ScriptRunContext,
        ThreadState,
        get_script_run_ctx,
    )
    from streamlit.runtime.scriptrunner_utils.shared_run_state import SharedRunState
    from streamlit.runtime.state.safe_session_state import SafeSessionState
    from streamlit.runtime.state.session_state import SessionState

    inside.needs(MemoryFragmentStorage, "lookup", "registration_sequence", "ids_registered_after")
    inside.needs(MemoryFragmentStorage, "outside_wrappers_for", "_fragments", "_parent_by_id", "_lifetime_by_id")
    inside.needs(MemoryFragmentStorage, "_target_key_by_id")
    inside.needs(ScriptRunContext, "_enqueue", "session_state", "shared", "page_script_hash", "fragment_ids_this_run")
    inside.needs(ScriptRunContext, "fragment_storage", "is_history_navigation", "context_info")
    inside.needs(ThreadState, "get")
    inside.needs(FragmentThreadState, "fragment_id")
    inside.needs(SharedRunState, "widget_ids_this_run", "widget_user_keys_this_run", "new_fragment_ids")
    inside.needs(SharedRunState, "form_ids_this_run")
    inside.needs(SafeSessionState, "_state")
    inside.needs(SessionState, "_new_session_state")

KEPT = KeptRuns(int(MEGABYTES * 1e6))
# Of the address: what holds for a whole page. A body need not look at them for its run to be another.
MODES = (*("lecture", "notes", "predict"), "pinned", "room", "follow", "put", "theme")
# What may be said twice. Files, errors, spinners and whatever a browser is told once may not.
ELEMENTS = frozenset(
    ("bidi_component", "button", "button_group", "checkbox", "code", "empty", "heading", "html", "markdown", "metric",
     "number_input", "radio", "selectbox", "slider", "text")
)  # fmt: skip


def share() -> None:
    """Change the running Streamlit; a second call does nothing."""
    there = inside.there and recorded_state.inside.there and replay.inside.there
    if there and not hasattr(MemoryFragmentStorage.lookup, "shares"):
        MemoryFragmentStorage.lookup = _shared(MemoryFragmentStorage.lookup)


def _shared(lookup):
    """`MemoryFragmentStorage.lookup` whose fragments may be replayed."""

    @functools.wraps(lookup)
    def found(self, key: str):
        fragment = lookup(self, key)
        return functools.partial(run, key, fragment) if _marked(fragment) and KEPT.most else fragment

    found.shares = True
    return found


def _of(fragment: Callable, name: str) -> Any:
    """What Streamlit's wrapper of a fragment has enclosed under this name; None if it has not."""
    names = getattr(getattr(fragment, "__code__", None), "co_freevars", ())
    return fragment.__closure__[names.index(name)].cell_contents if name in names else None


def _marked(fragment: Callable) -> bool:
    return hasattr(_of(fragment, "non_optional_func"), ALIKE)


def run(key: str, fragment: Callable) -> Any:
    """Run the fragment, or replay it."""
    context = get_script_run_ctx(suppress_warning=True)
    name = None if context is None or live.current() is not None else _name(context, key, fragment)
    if name is None:
        return fragment()
    # Who is the first at a value lets all pass who wait, most of whose runs are known, and may find her own known then.
    if _replayed(context, key, name) or (lighter_reruns.RERUNS.step_aside() and _replayed(context, key, name)):
        KEPT.count(shared=True)
        return None
    KEPT.count(shared=False)
    return record(context, key, fragment, name)


def _replayed(context: ScriptRunContext, key: str, name: Hashable) -> bool:
    """Whether a kept run of the fragment has been told instead of running it."""
    kept = KEPT.find(name, functools.partial(_looked_up, context, {}))
    return kept is not None and kept.replay(context, key)


def _name(context: ScriptRunContext, key: str, fragment: Callable) -> Hashable | None:
    """The fragment with its arguments, on this page in this mode; None where nothing is shared."""
    state = context.session_state._state
    alone = context.fragment_ids_this_run and key in context.fragment_ids_this_run
    place = value_of(state, seat.SEAT)
    room = place.code if isinstance(place, seat.Seat) else None
    leads = room is not None and place.leads  # a class is shown what the body draws, and she sees how it votes
    watched = value_of(state, wire.AUDIENCE) not in (ABSENT, None)
    if not alone or context.is_history_navigation or leads or watched:
        return None
    try:
        given = frozen((_of(fragment, "args"), _of(fragment, "kwargs")))
    except recording.OwnError:
        return None
    about = context.context_info
    seen = (about.locale, about.color_scheme, about.is_embedded) if about is not None else None
    modes = tuple(parameter(state, mode) for mode in MODES)
    return key, context.page_script_hash, room, given, modes, seen and tuple(map(str, seen))


def _look(context: ScriptRunContext, kind: str, name: str) -> Any:
    """What a session has now under a name that a run has read."""
    state = context.session_state._state
    match kind:
        case "state" if name.endswith(MESSAGE):
            return recording.for_all(value_of(state, name))
        case "state":
            return value_of(state, name)
        case "fresh":
            return fresh(state, name)
        case "query":
            return parameter(state, name)
        case "linked":
            return address.linked(name)
        case "widget":
            widget, _, key = name.partition("\n")
            return widget_of(state, widget, key or None)
        case "poll":
            return vote.poll_of(name)
        case _:
            return name in state._new_session_state  # "new"


def _looked_up(context: ScriptRunContext, known: dict[tuple, Hashable], names: tuple) -> Hashable | None:
    """What the session has under these names; `known` is what has been looked up for it already."""
    try:
        for name in names:
            if name not in known:
                known[name] = frozen(_look(context, *name))
    except recording.OwnError:
        return None
    return tuple([known[name] for name in names])


def record(context: ScriptRunContext, key: str, fragment: Callable, name: Hashable) -> Any:
    """Run the fragment and keep its run, if it is one for others."""
    noted, state, enqueue = Recording(), context.session_state, context._enqueue
    storage, shared = context.fragment_storage, context.shared
    before = storage.registration_sequence()
    thread: list[dict[str, Any]] = []

    def hear(message: ForwardMsg) -> None:
        if not noted.aside:
            if not thread:
                thread.append(vars(ThreadState.get()) | {"command_tracking_deactivated": False})
            _note(noted, message)
        enqueue(message)

    context.session_state, context._enqueue = RecordingState(state, noted), hear
    begun = recording.begin(noted)
    try:
        result = fragment()
    finally:
        recording.over(begun)
        context.session_state, context._enqueue = state, enqueue
    noted.end()
    if shared.form_ids_this_run.snapshot() or storage.outside_wrappers_for(key) or not thread:
        noted.spoil("it writes elsewhere")
    if any(isinstance(act, Registered) and act.found is None for act in noted.acts):
        noted.spoil("a widget has a value of its own")
    if not noted.spoilt:
        inner = [
            (each, storage._fragments[each], storage._parent_by_id.get(each), storage._target_key_by_id.get(each),
             storage._lifetime_by_id[each])
            for each in storage.ids_registered_after(before) if each != key
        ]  # fmt: skip
        ids = [
            (attribute, getattr(shared, attribute).snapshot())
            for attribute in ("widget_ids_this_run", "widget_user_keys_this_run", "new_fragment_ids")
        ]
        run = KeptRun(noted.acts, thread[0], inner, ids)
        KEPT.keep(name, noted.reads, run, run.size() + len(repr(noted.reads)))
    return result


def _note(noted: Recording, message: ForwardMsg) -> None:
    """Note what is said to the browser."""
    kind = message.delta.WhichOneof("type") if message.WhichOneof("type") == "delta" else None
    element = message.delta.new_element.WhichOneof("type") if kind == "new_element" else None
    if not (kind == "add_block" or element in ELEMENTS):
        noted.spoil(f"{element or kind or message.WhichOneof('type')} is said once")
        return
    copy = ForwardMsg()
    copy.CopyFrom(message)
    noted.said(copy, mounts=element == "bidi_component")
