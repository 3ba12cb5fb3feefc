"""Work that takes its time: a button begins it, a thread of its own does it, and what is done is there for all."""

from collections.abc import Callable, Hashable, Iterator

import streamlit as st

from pages.shared.watched import AT_ONCE, Watched
from ui import page

REFRESH = 0.5  # seconds between two looks
SAID = {
    "waiting": f"{AT_ONCE} runs are under way on this machine already: yours begins when one of them ends.",
    "stopped": "Stopped. What is done stays done; the button goes on from here.",
    "failed": "It broke off; the server log says why. The button begins anew.",
}


def offer(key: str, name: Hashable, label: str, frames: Callable[[], Iterator[tuple[int, int, str]]]) -> None:
    """The button that begins the work, and how far it is.

    `frames()` does the work: after each part it gives (parts done, parts, what it does). It starts anew after a stop,
    so it must itself know what is there already. `name`: what it is about; another one stops it. `key` is where the
    session keeps it, and the name of the button. Once all is done, the page runs again.
    """
    kept, run = st.session_state.get(f"_{key}", (None, None))
    if run is not None and kept != name:
        run.stop()
        run = None
    running = run is not None and run.running
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(label, type="primary", icon=":material/play_arrow:", key=key, disabled=running):
            run = Watched(frames())
            st.session_state[f"_{key}"] = (name, run)
            run.start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key=f"{key}_stop", disabled=not running):
            run.stop(wait=5.0)
            st.rerun()
    if running:
        _watch(run)
    elif run is not None and run.state in SAID:
        st.caption(SAID[run.state])


@st.fragment(run_every=REFRESH)
@page.guard()
def _watch(run: Watched[tuple[int, int, str]]) -> None:
    """Only this fragment runs again while the work goes on."""
    if not run.running:
        st.rerun()
    done, parts, what = run.look() or (0, 1, SAID.get(run.state, "Beginning"))
    st.progress(done / parts, f"{what}: {done} of {parts}" if done else what)
