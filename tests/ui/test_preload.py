"""The scripts of the controls are announced with the page, and with nothing else."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui import preload
from ui.components import wire


def headers_of(kind: bytes, scheme: str = "http") -> dict[bytes, bytes]:
    """The headers that an answer of this content type leaves with."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b"x"})

    async def keep(message):
        sent.append(message)

    # In a thread of its own: the browser tests beside this one leave an event loop running in theirs.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, preload.Preload(app)({"type": scheme}, None, keep)).result()
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
    return dict(sent[0]["headers"])


@pytest.mark.parametrize("kind, told", [(b"text/html", True), (b"text/html; charset=utf-8", True),
                                        (b"text/javascript", False), (b"application/json", False)])  # fmt: skip
def test_pages_alone_carry_the_header(kind, told):
    assert (b"link" in headers_of(kind)) == told
    assert headers_of(kind)[b"content-type"] == kind


def test_web_sockets_are_left_alone():
    assert b"link" not in headers_of(b"text/html", "websocket")


def test_every_address_is_one_that_is_served_and_in_this_version():
    addresses = re.findall(r"<([^>]+)>; rel=(modulepreload|preload; as=fetch; crossorigin)", preload.links().decode())
    assert len(addresses) == preload.links().count(b"<")
    ours = [address for address, _ in addresses if address.startswith("assets/")]
    for address in ours:
        path, version = address.split("?v=")
        assert f"/{path}" in wire.ASSETS and version == wire.VERSION
    scripts = {path for path, how in addresses if how == "modulepreload"}
    assert f"assets/wire.js?v={wire.VERSION}" in scripts and f"assets/stage/hands.js?v={wire.VERSION}" in scripts
    theirs = [address for address, _ in addresses if address.startswith("static/")]
    assert any(preload.CHUNK in each for each in theirs), "Streamlit's own script that loads a control"
    assert all((preload.STATIC / each).exists() for each in theirs)


def test_what_the_page_itself_names_is_not_announced_again(tmp_path):
    scripts = tmp_path / "static" / "js"
    scripts.mkdir(parents=True)
    (tmp_path / "index.html").write_text('<script src="./static/js/index.1.js"></script>')
    (scripts / "index.1.js").write_text("")
    (scripts / "BidiComponent.2.js").write_text(
        'import{a}from"./index.1.js";import"./deep.3.js";import{b}from"./gone.js"'
    )
    (scripts / "deep.3.js").write_text('import"./BidiComponent.2.js"')
    assert preload.chunks(tmp_path) == ["BidiComponent.2.js", "deep.3.js"]
    assert preload.chunks(tmp_path / "static") == [], "another layout"
