"""A real browser. A test that uses ``page`` or ``visiting`` fails on any error in the console or on the page."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.reading import LISTEN

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30_000  # milliseconds; two busy cores may be slow, and no test is about speed
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",  # a camera that everybody lends
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        message = "No Chromium on this machine: install chromium to run the browser tests."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        IDLE.clear()
        browser.close()


def is_error(message) -> bool:
    """True for console errors, save one: on a deep link Streamlit looks for its server under that path first (404)."""
    return message.type == "error" and "/_stcore/" not in message.location.get("url", "")


IDLE: dict[str, list[Page]] = {}  # tabs that wait for their next visitor, by what they were opened with
FOR_GOOD = ("add_init_script", "route_web_socket", "on")  # after these a tab is as it was in a new context only
_CHANGED = "receptive_changed"  # attribute of a tab on which one of them was called


@contextlib.contextmanager
def visiting(chromium, script: str = "", **options) -> Iterator[Page]:
    """The tab of a fresh visitor. At the end any console error, uncaught script error, or exception box fails.

    `options` are those of `new_context`; `script` runs before those of each page. A tab that a visitor has left, with
    nothing stored, is handed to the next: it has compiled Streamlit's scripts, which is most of what a visit costs. Not
    one that has got a script or a listener of its own, or whose web sockets lead elsewhere.
    """
    viewport = options.pop("viewport", {"width": 1280, "height": 800})
    motion = options.pop("reduced_motion", "no-preference")
    name = f"{script}{sorted(options.items())}"
    if idle := IDLE.setdefault(name, []):
        tab = idle.pop()
        tab.set_viewport_size(viewport)
    else:
        tab = chromium.new_context(viewport=viewport, **options).new_page()
        for each in filter(None, (script, LISTEN)):
            tab.add_init_script(each)
        for name in FOR_GOOD:
            setattr(tab, name, functools.partial(change, tab, getattr(tab, name)))
    tab.set_default_timeout(PATIENCE)
    tab.emulate_media(media="null", color_scheme="light", reduced_motion=motion)
    errors = []
    watching = {
        "console": lambda message: errors.append(message.text) if is_error(message) else None,
        "pageerror": lambda error: errors.append(str(error)),
    }
    for event, watch in watching.items():
        type(tab).on(tab, event, watch)
    try:
        yield tab
        boxes = tab.locator('[data-testid="stException"]').all_inner_texts()
    except BaseException:
        tab.context.close()
        raise
    for event, watch in watching.items():
        tab.remove_listener(event, watch)
    if hasattr(tab, _CHANGED):
        tab.context.close()
    else:
        leave(tab)
        idle.append(tab)
    assert not errors + boxes


def change(tab: Page, how: Callable, *given) -> None:
    """Change the tab for good: nobody else gets it."""
    setattr(tab, _CHANGED, True)
    how(*given)


def leave(tab: Page) -> None:
    """What the visitor has opened is closed, and what the browser remembers is as at first."""
    if tab.url.startswith("http"):
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
    for other in tab.context.pages:
        if other != tab:
            other.close()
    tab.context.clear_cookies()
    tab.context.clear_permissions()
    tab.mouse.up()
    tab.mouse.move(0, 0)
    tab.goto("about:blank")
    tab.unroute_all()


@pytest.fixture
def page(chromium):
    """A fresh visitor."""
    with visiting(chromium) as tab:
        yield tab


@pytest.fixture
def other(chromium):
    """Another visitor, in a browser of its own."""
    with visiting(chromium) as tab:
        yield tab


@pytest.fixture
def phone(chromium):
    """A fresh visitor with a finger, on a telephone."""
    with visiting(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as tab:
        yield tab
