"""A photograph by the camera that Chromium pretends to have (`FLAGS` of conftest.py)."""

from __future__ import annotations

import contextlib

from playwright.sync_api import FrameLocator, Page, expect


def take_photo(side: Page | FrameLocator) -> None:
    """Press the button, again where a browser that is still busy gives no picture, until there is one."""
    taken = side.get_by_role("button", name="Clear photo")
    for _ in range(5):
        side.get_by_role("button", name="Take Photo").click()
        with contextlib.suppress(AssertionError):
            expect(taken).to_be_visible(timeout=5000)
            break
    expect(taken).to_be_visible()
