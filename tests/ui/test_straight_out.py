"""Messages that leave together: the same ones, in the same order, and none is lost."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from starlette.websockets import WebSocketDisconnect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import Config, NewSession
from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ui import straight_out
from ui.no_delay import CONNECTION
from ui.straight_out import OneWrite, once, once_for_all, shorter, waiting


def on_a_loop(main):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(main())).result(60)


def said(text=None):
    msg = ForwardMsg()
    if text is None:
        msg.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    else:
        msg.delta.new_element.markdown.body = text
        msg.metadata.delta_path.append(int(text))
    return msg


class Client:
    def __init__(self):
        self._send_queue, self.heard = asyncio.Queue(), []


class Session:
    """As much of Streamlit's as counts here."""

    id = "s"

    def __init__(self):
        self._event_loop, self._browser_queue = asyncio.get_running_loop(), ForwardMsgQueue()
        self.told, self.settled, self._scriptrunner = 0, 0, object()

    def _message_enqueued_callback(self):
        self.told += 1

    def flush_browser_queue(self):
        return self._browser_queue.flush()

    def on_flushed_messages_sent(self):
        self.settled += 1

    def plain(self, msg):
        self._browser_queue.enqueue(msg)
        self._message_enqueued_callback()

    _enqueue_forward_msg = waiting(plain)


@pytest.fixture
def runtime(monkeypatch):
    """A runtime with one session at most, `session`, whose browser is `client`."""
    here = SimpleNamespace(session=None, client=None)
    manager = SimpleNamespace(get_active_session_info=lambda _: here if here.session is not None else None)
    real = SimpleNamespace(
        _session_mgr=manager, _send_message=lambda info, msg: info.client.heard.append(msg),
        disconnect_session=lambda *_given, **_named: None,
    )  # fmt: skip
    monkeypatch.setattr(straight_out, "Runtime", SimpleNamespace(exists=lambda: True, instance=lambda: real))
    return here


def test_words_leave_together_and_in_order_when_the_run_is_over(runtime, monkeypatch):
    monkeypatch.setattr(straight_out, "TOGETHER", 3600.0)  # it is the end of the run that lets them go

    async def main():
        runtime.session, runtime.client = session, client = Session(), Client()
        for msg in (said("0"), said("1"), said()):
            session._enqueue_forward_msg(msg)
        assert client.heard == []
        await asyncio.sleep(0)
        assert client.heard == [said("0"), said("1"), said()] and (session.told, session.settled) == (0, 1)

    on_a_loop(main)


def test_words_of_a_run_that_goes_on_leave_after_a_moment(runtime):
    async def main():
        runtime.session, runtime.client = session, client = Session(), Client()
        for number in (0, 1):
            session._enqueue_forward_msg(said(str(number)))
            while len(client.heard) <= number:
                await asyncio.sleep(0.001)

    on_a_loop(main)


def test_from_another_thread_or_when_the_browser_is_slow_they_go_streamlits_way(runtime):
    async def main():
        runtime.session, runtime.client = session, client = Session(), Client()
        await asyncio.to_thread(session._enqueue_forward_msg, said("0"))
        assert session.told == 1
        for _ in range(straight_out.MANY):
            client._send_queue.put_nowait(b"")
        session._enqueue_forward_msg(said("1"))
        straight_out.deliver(session)
        assert session.told == 2 and len(session._browser_queue) == 2 and client.heard == []

    on_a_loop(main)


def test_what_a_session_says_to_nobody_stays_until_somebody_is_there(runtime):
    async def main():
        session = Session()
        session._enqueue_forward_msg(said("0"))
        straight_out.deliver(session)
        assert len(session._browser_queue) == 1
        runtime.session, runtime.client = session, Client()
        session._enqueue_forward_msg(said("1"))
        straight_out.deliver(session)
        assert runtime.client.heard == [said("0"), said("1")]

    on_a_loop(main)


def test_only_what_the_newest_run_writes_takes_the_short_way():
    asked, queued = [], []
    session = SimpleNamespace(
        _scriptrunner="new", _call_soon_on_event_loop=lambda callback: callback(), _enqueue_forward_msg=queued.append,
        _handle_scriptrunner_event_on_event_loop=lambda *given: asked.append(given),
    )  # fmt: skip
    on_event = shorter(lambda self, *given, **named: asked.append((given, named)))
    written = ScriptRunnerEvent.ENQUEUE_FORWARD_MSG
    on_event(session, "new", written, "a")
    on_event(session, "old", written, "b")
    on_event(session, "new", ScriptRunnerEvent.SHUTDOWN, client_state=1)
    assert queued == ["a"]
    assert asked == [("old", written, "b"), (("new", ScriptRunnerEvent.SHUTDOWN, None), {"client_state": 1})]


class Connection(WebSocketsSansIOProtocol):
    """Frames and writes of a connection without a network."""

    def __init__(self):
        self.writable, self.disconnected, self.close_sent = asyncio.Event(), False, False
        self.frames, self.writes = [], []
        self.conn = SimpleNamespace(send_binary=self.frames.append, data_to_send=lambda: list(self.frames))
        self.transport = SimpleNamespace(write=self.writes.append)


def test_what_waits_is_written_at_once_and_not_before_the_browser_reads():
    async def main():
        connection, queue = Connection(), asyncio.Queue()
        socket = OneWrite(SimpleNamespace(scope={CONNECTION: connection}), queue)
        sending = asyncio.create_task(socket.send_bytes(b"a"))
        await asyncio.sleep(0)
        queue.put_nowait(b"b")
        assert connection.writes == []
        connection.writable.set()
        await sending
        assert (connection.frames, connection.writes, queue.empty()) == ([b"a", b"b"], [b"ab"], True)
        connection.disconnected = True
        with pytest.raises(WebSocketDisconnect):
            await socket.send_bytes(b"c")

    on_a_loop(main)


def test_another_server_is_sent_one_by_one():
    sent = []

    async def send_bytes(payload):
        sent.append(payload)

    socket = OneWrite(SimpleNamespace(scope={}, send_bytes=send_bytes), asyncio.Queue())
    on_a_loop(lambda: socket.send_bytes(b"a"))
    assert sent == [b"a"]


def test_settings_and_pages_are_streamlits():
    plain = getattr(app_session._populate_config_msg, "__wrapped__", app_session._populate_config_msg)
    straight = once(plain)
    for _ in range(2):
        one, other = Config(), Config()
        plain(one)
        straight(other)
        assert one == other and one.ByteSize() > 0
    populate = app_session.AppSession._populate_app_pages
    populate = getattr(populate, "__wrapped__", populate)
    listed = once_for_all(populate)
    for pages in ({"a": "one"}, {"a": "one"}, {"a": "two"}, {"b": "two"}, {"a": "one", "b": "two"}):
        pages = {page: {"page_name": name, "icon": "x"} for page, name in pages.items()}
        one, other = NewSession(), NewSession()
        populate(None, one, pages)
        listed(None, other, pages)
        assert one == other and len(other.app_pages) == len(pages)
