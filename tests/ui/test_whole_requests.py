"""Controls of several fragments that change within a moment: all their fragments are asked for, and no other."""

from types import SimpleNamespace

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import SessionState

from ui import whole_requests

FRAGMENTS = {"fog": "scene", "light": "scene", "stride": "grid", "seed": None}


@pytest.fixture
def session():
    """A session with four controls, all of which said 1 in the last run, and the requests that reach Streamlit."""
    state = SessionState()
    for name, fragment in FRAGMENTS.items():
        metadata = WidgetMetadata(name, lambda value: value, lambda value: value, "int_value", fragment_id=fragment)
        state._new_widget_state.set_widget_metadata(metadata)
        state._old_state[name] = 1
    asked = []
    request = whole_requests.in_all_fragments(lambda _, client: asked.append(client))
    found = SimpleNamespace(session_state=state, asked=asked, request=request)
    ask(found, "")  # the page itself
    return found


def ask(session, fragment: str, pressed: str = "", **values: int) -> list[str]:
    """Send a request with these values; returns the fragments that Streamlit is asked for."""
    session.asked.clear()
    client = ClientState(fragment_id=fragment)
    for name, value in values.items():
        client.widget_states.widgets.add(id=name, int_value=value)
    if pressed:
        client.widget_states.widgets.add(id=pressed, trigger_value=True)
    session.request(session, client)
    return [each.fragment_id for each in session.asked]


def test_the_first_request_of_a_session_is_for_the_whole_page(session):
    """Whose browser has come from a server that is gone asks for a fragment that nobody here knows."""
    del session.__dict__["_receptive_begun"]
    assert ask(session, "scene", fog=2) == [""]
    assert ask(session, "scene", fog=3) == ["scene"]


def test_one_change_is_one_request(session):
    assert ask(session, "scene", fog=2, light=1, stride=1, seed=1) == ["scene"]
    assert ask(session, "grid", fog=2, light=1, stride=5, seed=1) == ["grid"]


def test_the_fragments_of_all_changed_controls_run(session):
    ask(session, "scene", fog=2, light=1, stride=1, seed=1)
    assert ask(session, "scene", fog=3, light=2, stride=2, seed=1) == ["scene", "grid"]
    assert ask(session, "grid", fog=4, light=2, stride=3, seed=1) == ["grid", "scene"]


def test_a_first_word_counts_if_it_says_something_new(session):
    assert ask(session, "scene", fog=2, stride=7) == ["scene", "grid"]
    assert ask(session, "scene", fog=3, stride=7, light=1, seed=1) == ["scene"]


def test_a_control_outside_all_fragments_wants_the_whole_page(session):
    assert ask(session, "scene", fog=2, seed=2) == ["scene", ""]


def test_a_request_for_the_whole_page_needs_no_other(session):
    assert ask(session, "", fog=2, stride=2, seed=2) == [""]
    assert ask(session, "scene", fog=3, stride=2, seed=2) == ["scene"]


def test_a_button_is_pressed_once(session):
    assert ask(session, "scene", pressed="train", fog=2, stride=2) == ["scene", "grid"]
    first, again = session.asked
    assert [each.id for each in first.widget_states.widgets] == ["fog", "stride", "train"]
    assert [each.id for each in again.widget_states.widgets] == ["fog", "stride"]


def test_controls_of_another_page_and_no_state_at_all_are_left_alone(session):
    assert ask(session, "scene", fog=2, elsewhere=3) == ["scene"]
    session.asked.clear()
    session.request(session, None)
    assert session.asked == [None]


def test_streamlit_is_changed_once():
    before = AppSession.request_rerun
    whole_requests.complete()
    assert hasattr(AppSession.request_rerun, "complete")
    assert before in (AppSession.request_rerun, AppSession.request_rerun.__wrapped__)
    once = AppSession.request_rerun
    whole_requests.complete()
    assert AppSession.request_rerun is once
