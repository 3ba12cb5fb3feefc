"""What a runner that has ended by itself has left is taken in; what a stopped one still says is not."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import ScriptRunner, ScriptRunnerEvent

from ui import last_words


class Runner:
    def stop(self):
        return "stopped"


@pytest.fixture
def session():
    """A session whose newest runner is `new`, after `old`; `taken` is what it takes in, as Streamlit's does."""
    found = SimpleNamespace(old=Runner(), new=Runner(), taken=[])
    found._scriptrunner = found.new

    def handle(self, sender, event, message=None):
        if sender is self._scriptrunner:
            self.taken.append((event, message))
            if event is ScriptRunnerEvent.SHUTDOWN:
                self._scriptrunner = None

    found.tell = lambda *event: last_words.heard_out(handle)(found, *event)
    return found


def test_an_ended_runner_is_heard_out_and_the_newest_stays(session):
    for event, message in (
        (ScriptRunnerEvent.SCRIPT_STARTED, None),
        (ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=100"),
        (ScriptRunnerEvent.FRAGMENT_STOPPED_WITH_SUCCESS, None),
    ):
        session.tell(session.old, event, message)
        assert session.taken.pop() == (event, message) and session._scriptrunner is session.new


def test_its_shutdown_does_not_end_the_newest(session):
    session.tell(session.old, ScriptRunnerEvent.SHUTDOWN)
    assert session.taken == [] and session._scriptrunner is session.new


def test_the_newest_says_what_it_likes(session):
    session.tell(session.new, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=100")
    session.tell(session.new, ScriptRunnerEvent.SHUTDOWN)
    assert session.taken == [(ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=100"), (ScriptRunnerEvent.SHUTDOWN, None)]
    assert session._scriptrunner is None


def test_a_runner_that_was_told_to_stop_no_longer_counts(session):
    assert last_words.marked(Runner.stop)(session.old) == "stopped"
    session.tell(session.old, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=20")
    assert session.taken == []


def test_an_event_of_nobody_and_an_error_leave_the_newest(session):
    session.tell(None, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=20")
    assert session.taken == []

    def fails(*_):
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        last_words.heard_out(fails)(session, session.old, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, "text=100")
    assert session._scriptrunner is session.new


def test_streamlit_is_changed_once():
    last_words.heed()
    once = AppSession._handle_scriptrunner_event_on_event_loop, ScriptRunner.request_stop
    assert once[0].heeds and hasattr(once[1], "__wrapped__")
    last_words.heed()
    assert once == (AppSession._handle_scriptrunner_event_on_event_loop, ScriptRunner.request_stop)
