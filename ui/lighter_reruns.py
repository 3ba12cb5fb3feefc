"""Nine things that Streamlit does on every rerun, done so that a class of a hundred can afford them.

All are changes from outside to private functions of the pinned Streamlit; each is left out if its function is not
there, and the log says so. What a page shows is the same with and without them.

- Reruns take turns. Each runs in a thread of its own, and many threads that want the interpreter at once make everybody
  wait for everybody: the event loop first, up to 5 ms for each of them whenever it wants to send.
- A run hands its messages over in batches, and the sender is woken without a detour. Streamlit wakes the event loop by
  a system call for every message, twice.
- A run that is over is heard to its end. A request that comes in between gets a new runner, and Streamlit then drops
  what the old one has said and the loop has not passed on: the more of it, the busier the machine.
- The state of a component is read as it is. Streamlit makes a class for every look at it, 33 in a usual rerun, and the
  garbage collector then stops everybody to clear them away.
- What a component shows is not hashed for its identity. Streamlit writes all of it as JSON a second time, and then does
  not look at the hash, because a component with a key is known by that.
- What a run has left in the session's state is put away, not all that ever was: Streamlit copies every value onto
  itself, by the longest way there is.
- A run that is over is let go. Its thread, its runner and its context hold each other, eighty objects that wait for the
  garbage collector; with two hundred students it found 800,000 of them once a minute, and everybody waited for 1.9 s.
- The theme is read once. Streamlit looks up some hundred options for every rerun; they do not change while it runs.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections import deque

from ui.streamlit_inside import Inside
from ui.turns import Turns

AT_ONCE = 1  # reruns that start to work at a time
LEASE = 0.1  # seconds for which a rerun keeps others waiting at most
RERUNS = Turns(AT_ONCE, LEASE)


def lighten() -> None:
    """Change the running Streamlit; a second call does nothing."""
    with Inside("reruns do not take turns, a full class waits longer") as inside:
        from streamlit.runtime.scriptrunner import ScriptRunner

        inside.needs(ScriptRunner, "_run_script")
        _replace(ScriptRunner, "_run_script", functools.partial(in_turn, RERUNS))
    with Inside("runs that are over wait for the garbage collector") as inside:
        from streamlit.runtime.scriptrunner import ScriptRunner

        inside.needs(ScriptRunner, "_run_script_thread", "_session_state")
        _replace(ScriptRunner, "_run_script_thread", let_go)
    with Inside("every message wakes the event loop") as inside:
        from streamlit.runtime.app_session import AppSession

        inside.needs(AppSession, "_call_soon_on_event_loop")
        _replace(AppSession, "_call_soon_on_event_loop", in_batches)
    with Inside("a request just after a run takes its last words away") as inside:
        from streamlit.runtime.app_session import AppSession

        inside.needs(AppSession, "_create_scriptrunner", "_scriptrunner")
        _replace(AppSession, "_create_scriptrunner", heard_to_its_end)
    with Inside("every message wakes the sender by a detour") as inside:
        from streamlit.runtime import Runtime
        from streamlit.runtime.runtime import AsyncObjects

        inside.needs(Runtime, "_enqueued_some_message", "_get_async_objs")
        inside.needs(AsyncObjects, "eventloop", "need_send_data")
        _replace(Runtime, "_enqueued_some_message", without_detour)
    with Inside("the state of a component is read through a class of its own") as inside:
        from streamlit.components.v2.bidi_component import main as component

        inside.needs(component, "make_bidi_component_presenter")
        _replace(component, "make_bidi_component_presenter", as_it_is)
    with Inside("what a component shows is hashed for an identity that its key gives") as inside:
        from streamlit.components.v2.bidi_component import main as component

        inside.needs(component, "compute_and_register_element_id", "BidiComponentMixin")
        inside.needs(component.BidiComponentMixin, "_build_bidi_identity_kwargs")
        _replace(component, "compute_and_register_element_id", known_by_its_key)
        _replace(component.BidiComponentMixin, "_build_bidi_identity_kwargs", later)
    with Inside("all of a session's state is put away after every rerun") as inside:
        from streamlit.runtime.state.session_state import KeyIdMapper, SessionState, WStates

        inside.needs(SessionState, "_compact_state", "_old_state", "_new_session_state", "_new_widget_state")
        inside.needs(SessionState, "_key_id_mapper")
        inside.needs(KeyIdMapper, "get_id_from_key")
        inside.needs(WStates, "states")
        _replace(SessionState, "_compact_state", what_is_new)
    with Inside("the theme is looked up for every rerun") as inside:
        from streamlit.runtime import app_session

        inside.needs(app_session, "_populate_theme_msg")
        _replace(app_session, "_populate_theme_msg", read_once)


def _replace(owner, name: str, changed) -> None:
    real = getattr(owner, name)
    if not hasattr(real, "lightened"):
        lighter = functools.wraps(real)(changed(real))
        lighter.lightened = True
        setattr(owner, name, lighter)


def in_turn(turns: Turns, run_script):
    """A rerun that waits for its turn."""

    def run(self, *given, **named):
        with turns.turn():
            return run_script(self, *given, **named)

    return run


def let_go(run_script_thread):
    """`ScriptRunner._run_script_thread`, after which its thread no longer holds what Streamlit has hung on it, the
    run's context, and the runner no longer the session's state, which asks it whether to stop."""

    def run(self):
        held = vars(threading.current_thread())
        own = set(held)
        try:
            run_script_thread(self)
        finally:
            for name in held.keys() - own:
                del held[name]
            self._session_state = None

    return run


_BATCH = "_receptive_batch"  # attribute of a session: callbacks that wait for the event loop
_adding = threading.Lock()  # of two that add a callback at once, one must see that it is the first


def in_batches(call_soon):
    """Callbacks of a session in their order, several at one waking of the event loop."""

    def call(self, callback):
        batch: deque = self.__dict__.setdefault(_BATCH, deque())
        with _adding:
            batch.append(callback)
            first = len(batch) == 1
        if first:  # else somebody has woken the loop, and it has not worked them off yet
            call_soon(self, functools.partial(work_off, batch))

    return call


def work_off(batch: deque) -> None:
    """Call all callbacks, also those that arrive meanwhile; one that raises does not keep the others back. If one of
    them calls this, nothing happens."""
    while batch and batch[0] is not None:
        callback, batch[0] = batch[0], None
        try:
            callback()
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler({"message": "A callback failed", "exception": error})
        finally:
            batch.popleft()  # only now: who finds the batch empty wakes the loop again


def heard_to_its_end(create_scriptrunner):
    """`AppSession._create_scriptrunner`, after what the runner before has said; one that was sent away is not heard."""

    def create(self, *given, **named):
        if self._scriptrunner is not None:
            work_off(self.__dict__.get(_BATCH, deque()))
        return create_scriptrunner(self, *given, **named)

    return create


def without_detour(enqueued):
    """On the event loop itself the sender is told at once that there is something to send."""

    def tell(self):
        asynchronous = self._get_async_objs()
        try:
            here = asyncio.get_running_loop() is asynchronous.eventloop
        except RuntimeError:  # in a thread of a script
            here = False
        if here:
            asynchronous.need_send_data.set()
        else:
            enqueued(self)

    return tell


def as_it_is(_make_presenter):
    """No presenter: `st.session_state` then has the dict that the browser sent."""

    def no_presenter(*_given, **_named) -> None:
        return None

    return no_presenter


_LATER = "_receptive_later"


def later(build):
    """`_build_bidi_identity_kwargs` that is called when the identity is wanted."""

    def identity(self, **about):
        return {_LATER: functools.partial(build, self, **about)}

    return identity


def known_by_its_key(compute):
    """`compute_and_register_element_id` that asks for an identity where there is no key."""

    def computed(element_type, *, user_key, key_as_main_identity, **about):
        build = about.pop(_LATER, None)
        if build is not None and (user_key is None or key_as_main_identity is not True):
            about |= build()
        return compute(element_type, user_key=user_key, key_as_main_identity=key_as_main_identity, **about)

    return computed


def what_is_new(_compact_state):
    """`SessionState._compact_state` for what is new, and for a widget whose key was set before it came."""

    def compact(self) -> None:
        widget, old = self._key_id_mapper.get_id_from_key, self._old_state
        found = {widget(key, key) for key in self._new_session_state} | set(self._new_widget_state.states)
        found |= {name for key in old if (name := widget(key, key)) is not key and name not in old}
        for key in found:
            try:
                old[key] = self[key]
            except KeyError:  # a widget's state that came before the widget, as in Streamlit
                pass
        self._new_session_state.clear()
        self._new_widget_state.states.clear()

    return compact


def read_once(populate):
    """The theme's options of a section, looked up once."""
    known: dict[str, object] = {}

    def populated(msg, section: str = "theme"):
        if section not in known:
            fresh = type(msg)()
            populate(fresh, section)
            known[section] = fresh
        msg.MergeFrom(known[section])

    return populated
