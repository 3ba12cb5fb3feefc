"""Which files of the components the browser can fetch, and under which addresses."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette

from ui.components import ASSETS, routes, wire


def get(address: str) -> tuple[int, dict[str, str]]:
    """Status and headers of a GET request to the routes."""
    path, _, query = address.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    sent = []

    async def receive():
        await asyncio.sleep(60)  # the client stays until it has everything
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    # In a thread of its own: the browser tests beside this one leave an event loop running in theirs.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, Starlette(routes=routes())(scope, receive, send)).result()
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_every_script_and_style_sheet_is_served_with_its_type():
    assert {"/assets/live_slider/live_slider.js", "/assets/stage/stage.css", "/assets/wire.js"} <= ASSETS.keys()
    for address in ASSETS:
        status, headers = get(address)
        assert status == 200
        assert headers["content-type"].startswith("text/javascript" if address.endswith("js") else "text/css")


def test_no_python_is_served():
    for address in ("/assets/wire.py", "/assets/stage/__init__.py", "/assets/../wire.py", "/assets/"):
        assert get(address)[0] == 404


def test_only_the_current_version_is_kept_by_browsers():
    address = "/assets/wire.js"
    assert "immutable" in get(f"{address}?v={wire.VERSION}")[1]["cache-control"]
    assert get(f"{address}?v=old")[1]["cache-control"] == "no-cache"


def test_every_module_a_script_imports_is_served():
    for address, path in ASSETS.items():
        for name in re.findall(r"new URL\(`([\w./]+)\$\{", path.read_text()):
            folder = address.rsplit("/", 1)[0]
            found = f"{folder.rsplit('/', 1)[0]}/{name[3:]}" if name.startswith("../") else f"{folder}/{name}"
            assert found in ASSETS
