"""Tells the browser with the page's first answer which scripts the controls will need.

A control's script is asked for when the control is on the page, and asks for the next one in its turn: ten steps in a
row while the browser is busy drawing. With the `Link` header they come while Streamlit itself is still loading.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit

from ui.components import wire

STATIC = Path(streamlit.__file__).parent / "static"
FIRST = ("live_slider", "matrix", "section_bar", "stage", "words")  # the controls that nearly every page begins with
CHUNK = "BidiComponent"  # Streamlit's own script that loads a control
_IMPORTS = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


@cache
def links() -> bytes:
    """The value of the `Link` header, addresses relative to a page."""
    ours = [f"assets/{each}?v={wire.VERSION}" for each in ("wire.js", *_ours(".js"))]
    styles = [f"assets/{each}?v={wire.VERSION}" for each in _ours(".css")]
    scripts = [f"static/js/{each}" for each in chunks(STATIC)]
    said = [f"<{each}>; rel=modulepreload" for each in (*ours, *scripts)]
    said += [f"<{each}>; rel=preload; as=fetch; crossorigin" for each in styles]
    return ", ".join(said).encode()


def _ours(suffix: str) -> list[str]:
    return [
        path.relative_to(wire.FOLDER).as_posix()
        for name in FIRST
        for path in sorted((wire.FOLDER / name).glob(f"*{suffix}"))
    ]


def chunks(static: Path) -> list[str]:
    """The file of CHUNK in Streamlit's folder `static`, and those it imports that its first page does not; none where
    Streamlit keeps them otherwise."""
    page, scripts = static / "index.html", static / "static" / "js"
    first = next(iter(sorted(scripts.glob(f"{CHUNK}.*.js"))), None)
    if first is None or not page.exists():
        return []
    known, wanted, found = page.read_text(encoding="utf-8"), [first.name], []
    while wanted:
        name = wanted.pop()
        if name in found or name in known or not (scripts / name).exists():
            continue
        found.append(name)
        wanted += _IMPORTS.findall((scripts / name).read_text(encoding="utf-8"))
    return found


class Preload:
    """ASGI middleware that adds the header to every page, and to nothing else."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def sending(message) -> None:
            if message["type"] == "http.response.start":
                kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
                if kinds and kinds[0].startswith(b"text/html"):
                    message = message | {"headers": [*message["headers"], (b"link", links())]}
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)
