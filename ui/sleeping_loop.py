"""An event loop without file descriptors, for sessions that never run one.

Streamlit gives every session an event loop, in case a page of it wants one; each holds three descriptors, also for two
minutes after its student has left. The lab's pages want none, and descriptors are what a full hall runs out of first.
"""

from __future__ import annotations

import asyncio
import functools
import selectors

from ui.streamlit_inside import Inside

inside = Inside("each session holds three more file descriptors")
with inside:
    from streamlit.runtime.app_session import AppSession

    inside.needs(AppSession, "_script_event_loop")


class SleepingLoop(asyncio.SelectorEventLoop):
    """An event loop that opens its descriptors when it is first run; it can be installed and closed without any."""

    def __init__(self):
        super().__init__(getattr(selectors, "PollSelector", selectors.SelectSelector)())

    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None

    def _close_self_pipe(self) -> None:
        if self._ssock is not None:
            super()._close_self_pipe()

    def run_forever(self) -> None:
        if self._ssock is None:
            super()._make_self_pipe()
        super().run_forever()


def put_to_sleep() -> None:
    """Give the sessions of the running Streamlit sleeping loops; a second call does nothing."""
    if not inside.there:
        return
    real = AppSession.__init__
    if hasattr(real, "sleeping"):
        return

    @functools.wraps(real)
    def begin(self, *given, **named):
        real(self, *given, **named)
        self._script_event_loop.close()
        self._script_event_loop = SleepingLoop()

    begin.sleeping = True
    AppSession.__init__ = begin
