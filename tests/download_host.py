"""A local server that plays the download host, well or badly."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.hall import free_port
from models.pretrained.fetching import Source


class Host:
    """Serves `files` (name to bytes) and counts `requests`. `behaviour` is one of: well, slow (a pause between pieces),
    endless (no size told, and no end), stall (half, then silence), break (half, then the
    end), reset (no answer), 404, 503, page (a log-in page)."""

    def __init__(self, address: str):
        self.address, self.files, self.requests = address, {}, []
        self.behaviour, self.pause, self.go_on = "well", 0.02, threading.Event()

    def add(self, name: str, data: bytes) -> Source:
        """Put a file on the host; the source that fetches it."""
        self.files[name] = data
        return Source(f"{self.address}/{name}", hashlib.sha256(data).hexdigest()[:8], len(data))


@contextlib.contextmanager
def serve() -> Iterator[Host]:
    """A host on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            host.requests.append(self.path)
            data = host.files.get(self.path.rpartition("/")[2])
            if host.behaviour == "reset":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if host.behaviour in ("404", "503") or data is None:
                self.send_error(int(host.behaviour) if host.behaviour.isdigit() else 404)
                return
            if host.behaviour == "page":
                data = b"<html>Log in first</html>"
            self.send_response(200)
            if host.behaviour == "endless":
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    while not host.go_on.is_set():
                        self.wfile.write(bytes(1 << 16))
                return
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            piece = max(1, len(data) // 8)
            for start in range(0, len(data), piece):
                if start >= len(data) // 2 and host.behaviour == "break":
                    return
                if start >= len(data) // 2 and host.behaviour == "stall":
                    host.go_on.wait(10)
                if host.behaviour == "slow":
                    host.go_on.wait(host.pause)
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(data[start : start + piece])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host = Host(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield host
    finally:
        host.go_on.set()
        server.shutdown()
        server.server_close()


def closed_port() -> str:
    """An address where nobody answers."""
    return f"http://127.0.0.1:{free_port()}"
