"""The lab's style sheets come with the page that Streamlit serves, so that nothing is ever painted without them.

Streamlit's own way, `st.html`, waits for a script of its own: until that has come, on a slow machine for seconds,
headings are tall and controls stand elsewhere, and a hand that reaches for one then misses it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from ui import embed

HERE = Path(__file__).parent
SHEETS = ("style.css", "print.css")
ROOT, END = b'id="root"', b"</body>"  # of Streamlit's page; its end comes after all that is written into the head
PARTLY = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")  # what brings less than the whole page
DATED = (b"content-length", b"etag", b"last-modified")  # of the page without the styles


def styles(lecture: bool) -> bytes:
    """The style sheets as HTML, those of lecture mode too if `lecture`."""
    sheets = (*SHEETS, "lecture.css") if lecture else SHEETS
    return "".join(f"<style>{(HERE / sheet).read_text()}</style>\n" for sheet in sheets).encode()


class FirstPaint:
    """ASGI middleware that writes the style sheets into the page that Streamlit serves."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        if b"text/html" in asked.get(b"accept", b""):  # a browser that opens a page, not one of its parts
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] not in PARTLY]}
        query = scope["query_string"].decode("latin-1")
        lecture = parse_qs(query).get("lecture") == ["1"]
        start, body = None, b""

        async def styled(message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and is_page(message):
                start = message
            elif start and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = body.replace(END, styles(lecture) + embed.head(query) + END) if ROOT in body else body
                kept = [each for each in start["headers"] if each[0].lower() not in DATED]
                length = (b"content-length", str(len(page)).encode())
                await send({**start, "headers": [*kept, length]})
                await send({"type": "http.response.body", "body": page})
            else:
                await send(message)

        await self.app(scope, receive, styled)


def is_page(start) -> bool:
    """Whether this begins a whole page of HTML that is not compressed."""
    headers = {name.lower(): value for name, value in start["headers"]}
    html = headers.get(b"content-type", b"").startswith(b"text/html")
    return start["status"] == 200 and html and b"content-encoding" not in headers
