"""Small web socket messages leave at once.

Streamlit binds its socket without naming the protocol, so asyncio leaves Nagle's algorithm on: a rerun's second message
then waits for the browser's delayed acknowledgement of the first, 40 ms on Linux, after every move of a slider.
"""

from __future__ import annotations

import socket

CONNECTION = "receptive.connection"  # of an ASGI scope: uvicorn's protocol object, for who writes to it directly


class NoDelay:
    """ASGI middleware that sets TCP_NODELAY on every web socket connection of uvicorn; others it leaves alone."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "websocket":
            # ASGI does not show the connection; uvicorn's `send` is a method of the protocol object that holds it.
            scope[CONNECTION] = getattr(send, "__self__", None)
            transport = getattr(scope[CONNECTION], "transport", None)
            connection = transport.get_extra_info("socket") if transport is not None else None
            if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self.app(scope, receive, send)
