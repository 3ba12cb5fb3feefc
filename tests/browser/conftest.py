"""A real browser. A test that uses ``page`` fails on any error in the console or on the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30_000  # milliseconds; two busy cores may be slow, and no test is about speed
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
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
        browser.close()


def is_error(message) -> bool:
    """True for console errors, save one: on a deep link Streamlit looks for its server under that path first (404)."""
    return message.type == "error" and "/_stcore/" not in message.location.get("url", "")


@pytest.fixture
def page(chromium):
    """A fresh visitor. At the end, any console error, uncaught script error, or exception box fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    errors = []
    tab.on("console", lambda message: errors.append(message.text) if is_error(message) else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    boxes = tab.locator('[data-testid="stException"]').all_inner_texts()
    context.close()
    assert not errors + boxes
