"""What a run has written is shown, also when the next one begins in the same moment.

A run of Streamlit's hands what it writes to the event loop, and the session throws away what comes from any runner but
its newest. When a fragment is asked for after the runner before has ended and before its words were handed on, that
fragment's text, its address and its end are lost: the page says one thing and its controls another. Here a runner that
has come to its end by itself is heard out; one that was told to stop is not.

It wraps two functions of the pinned Streamlit; tests/ui/test_last_words.py, tests/ui/components/test_live.py and
tests/browser/test_live.py hold it to that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ui.streamlit_inside import Inside

inside = Inside("what a fragment writes while the next one is asked for may be shown at its next change only")
with inside:
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import ScriptRunner

    inside.needs(AppSession, "_handle_scriptrunner_event_on_event_loop", "_scriptrunner")
    inside.needs(ScriptRunner, "request_stop")

_STOPPED = "_receptive_stopped"  # attribute of a runner that was told to stop


def heed() -> None:
    """Change the running Streamlit; a second call does nothing."""
    if inside.there and not hasattr(AppSession._handle_scriptrunner_event_on_event_loop, "heeds"):
        AppSession._handle_scriptrunner_event_on_event_loop = heard_out(
            AppSession._handle_scriptrunner_event_on_event_loop
        )
        ScriptRunner.request_stop = marked(ScriptRunner.request_stop)


def heard_out(handle: Callable[..., Any]) -> Callable[..., Any]:
    """`AppSession._handle_scriptrunner_event_on_event_loop` that also takes in what an ended runner has left.

    Its events were handed on before the next runner was made, so they come in order. Only its SHUTDOWN comes late, and
    would end the next one.
    """

    @functools.wraps(handle)
    def handled(self, sender, event, *rest, **named):
        newest = self._scriptrunner
        late = sender is not None and sender is not newest and event.name != "SHUTDOWN"
        if not late or getattr(sender, _STOPPED, False):
            return handle(self, sender, event, *rest, **named)
        self._scriptrunner = sender
        try:
            return handle(self, sender, event, *rest, **named)
        finally:
            self._scriptrunner = newest

    handled.heeds = True
    return handled


def marked(request_stop: Callable[..., Any]) -> Callable[..., Any]:
    """`ScriptRunner.request_stop` that notes it was called."""

    @functools.wraps(request_stop)
    def requested(self):
        setattr(self, _STOPPED, True)
        return request_stop(self)

    return requested
