"""A request of the browser runs every fragment in which something has changed.

Streamlit's page makes one request of all that is changed within a moment, and names one fragment in it: that of the
first change. The values of the others arrive, their fragments do not run, and the page then says one thing and its
controls another. On a busy machine such a moment is long. So the fragments of all changed controls are asked for here.

A browser that has lost its server and found another one may ask there for a fragment at once, which has none yet, and
would be told nothing. So the first request of a session is one for the whole page.

It wraps a function of the pinned Streamlit's sessions; tests/ui/test_whole_requests.py and
tests/browser/test_live.py hold it to that.
"""

from __future__ import annotations

import functools

from ui.streamlit_inside import Inside

inside = Inside("of controls that change within a moment, the first one's fragment is shown anew")
with inside:
    from streamlit.proto.ClientState_pb2 import ClientState
    from streamlit.proto.WidgetStates_pb2 import WidgetState
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.state.common import WidgetMetadata
    from streamlit.runtime.state.session_state import SessionState, WStates

    inside.needs(AppSession, "request_rerun", "session_state")
    inside.needs(SessionState, "_new_widget_state")
    inside.needs(WStates, "widget_metadata", "set_widget_from_proto")
    inside.needs(WidgetMetadata, "fragment_id")

_BEGUN = "_receptive_begun"  # attribute of a session: something has been asked of it
_RECEIVED = "_receptive_received"  # attribute of a session: id → bytes of the newest state of every control


def complete() -> None:
    """Change the running Streamlit; a second call does nothing."""
    if inside.there and not hasattr(AppSession.request_rerun, "complete"):
        AppSession.request_rerun = in_all_fragments(AppSession.request_rerun)


def in_all_fragments(request_rerun):
    """`AppSession.request_rerun`, followed by requests for the other fragments that have news."""

    @functools.wraps(request_rerun)
    def request(self, client_state: ClientState | None) -> None:
        if client_state and client_state.fragment_id and not self.__dict__.get(_BEGUN):
            client_state.fragment_id = ""
        self.__dict__[_BEGUN] = True
        received = self.__dict__.setdefault(_RECEIVED, {})
        others = news(client_state, received, self.session_state) if client_state else {}
        request_rerun(self, client_state)
        for fragment in others:
            again = ClientState()
            again.CopyFrom(client_state)
            again.fragment_id = fragment
            del again.widget_states.widgets[:]  # a button that was in the first request must not be pressed twice
            again.widget_states.widgets.extend(each for each in client_state.widget_states.widgets if lasts(each))
            request_rerun(self, again)

    request.complete = True
    return request


def news(client_state: ClientState, received: dict[str, bytes], state: SessionState) -> dict[str, None]:
    """The fragments, besides that of the request, with a control whose state is another than the one in `received`,
    which is brought up to date; "" for the whole page. A request for the whole page leaves none."""
    found = {}
    for widget in filter(lasts, client_state.widget_states.widgets):
        before, now = received.get(widget.id), widget.SerializeToString(deterministic=True)
        received[widget.id] = now
        metadata = state._new_widget_state.widget_metadata.get(widget.id)
        if before == now or metadata is None or (before is None and known(widget, state)):
            continue
        found[metadata.fragment_id or ""] = None
    found.pop(client_state.fragment_id, None)
    return found if client_state.fragment_id else {}


def lasts(widget: WidgetState) -> bool:
    """False for a button and its like: pressed once, then not."""
    return widget.WhichOneof("value") not in (
        "trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value", None,
    )  # fmt: skip


def known(widget: WidgetState, state: SessionState) -> bool:
    """True if the session has this value already: a control tells its first one without a hand on it."""
    fresh = WStates()
    fresh.widget_metadata = state._new_widget_state.widget_metadata
    fresh.set_widget_from_proto(widget)
    try:
        return fresh[widget.id] == state[widget.id]
    except KeyError:
        return False
