"""Web socket messages leave at once, on a connection made the way Streamlit makes it."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
import websockets

from ui.no_delay import NoDelay


async def reports(scope, receive, send):
    """Answers every web socket with the TCP_NODELAY of its connection."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    connection = send.__self__.transport.get_extra_info("socket")
    delay = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await send({"type": "websocket.send", "text": "waits" if delay == 0 else "at once"})
    await send({"type": "websocket.close"})


async def asked(app):
    listening = socket.socket(family=socket.AF_INET)  # no protocol named, as in Streamlit
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_level="error"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        async with websockets.connect(f"ws://127.0.0.1:{listening.getsockname()[1]}") as client:
            return await client.recv()
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize("app, answer", [(reports, "waits"), (NoDelay(reports), "at once")])
def test_messages_leave_at_once(app, answer):
    # In a thread of its own: the browser tests beside this one leave an event loop running in theirs.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, asked(app)).result() == answer
