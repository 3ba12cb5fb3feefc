"""The style sheets stand in the page itself; what is no page passes as it is."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui import first_paint

PAGE = b'<html><head></head><body><div id="root"></div></body></html>'
HEADERS = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"60"), (b"etag", b'"1"')]


def run(coroutine) -> None:
    """To its end, in a thread of its own: after a test in a browser, this one has a loop that is still running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def answered(pieces=(PAGE,), status=200, headers=HEADERS, method="GET", query=b"") -> tuple[dict, bytes]:
    """The status with the headers, and the body, of what goes through the middleware."""
    sent = []

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": number + 1 < len(pieces)})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "query_string": query, "headers": []}
    run(first_paint.FirstPaint(app)(scope, None, send))
    start, *rest = sent
    return {**start, "headers": dict(start["headers"])}, b"".join(each["body"] for each in rest)


@pytest.mark.parametrize("pieces", [(PAGE,), (PAGE[:50], PAGE[50:]), (PAGE, b"")])
def test_a_page_ends_with_the_style_sheets(pieces):
    start, body = answered(pieces)
    before, inside = body.split(b'<div id="root"></div>')
    assert before == b"<html><head></head><body>" and inside.endswith(b"</style>\n</body></html>")
    for sheet in ("style.css", "print.css"):
        assert (first_paint.HERE / sheet).read_bytes() in inside
    assert (first_paint.HERE / "lecture.css").read_bytes() not in inside
    # With its old date or mark, a browser would keep the page of an older style sheet.
    assert start["headers"] == {b"content-type": HEADERS[0][1], b"content-length": str(len(body)).encode()}


@pytest.mark.parametrize(("query", "there"), [
    (b"lecture=1", True), (b"predict=off&lecture=1", True),
    (b"lecture=0", False), (b"lecture=\xff", False), (b"lecture=1&lecture=0", False),
])  # fmt: skip
def test_lecture_mode_has_its_own(query, there):
    assert ((first_paint.HERE / "lecture.css").read_bytes() in answered(query=query)[1]) == there


@pytest.mark.parametrize("other", [
    {"status": 404}, {"status": 206}, {"method": "HEAD"}, {"pieces": (b"<html><body></body></html>",)},
    {"headers": [(b"content-type", b"text/javascript")]}, {"headers": []},
    {"headers": [*HEADERS, (b"content-encoding", b"gzip")]},
], ids=str)  # fmt: skip
def test_what_is_no_page_passes_as_it_is(other):
    start, body = answered(**other)
    assert body == b"".join(other.get("pieces", (PAGE,))) and start["status"] == other.get("status", 200)
    if "pieces" not in other:
        assert start["headers"] == dict(other.get("headers", HEADERS))


def test_a_web_socket_passes():
    seen = []

    async def app(*given):
        seen.append(given)

    run(first_paint.FirstPaint(app)({"type": "websocket"}, 1, 2))
    assert seen == [({"type": "websocket"}, 1, 2)]


@pytest.mark.parametrize(("accepts", "left"), [
    (b"text/html,*/*;q=0.8", [b"accept", b"cookie"]),
    (b"*/*", [b"accept", b"accept-encoding", b"if-none-match", b"cookie"]),
])  # fmt: skip
def test_a_browser_that_opens_a_page_is_given_all_of_it(accepts, left):
    """Compressed, or "as you have it already", there would be nothing to write the styles into."""
    seen = []

    async def app(scope, _receive, _send):
        seen.extend(name for name, _ in scope["headers"])

    headers = [(b"accept", accepts), (b"accept-encoding", b"gzip"), (b"if-none-match", b"1"), (b"cookie", b"a=b")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    run(first_paint.FirstPaint(app)(scope, None, None))
    assert seen == left
