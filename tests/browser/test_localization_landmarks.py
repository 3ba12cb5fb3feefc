"""Landmarks in a real browser: the error follows the dragged square, arrow keys move it, and a link brings it back."""

import re

import pytest
from playwright.sync_api import expect

from models import catalog
from ui import course

pytestmark = pytest.mark.skipif(
    "localization" not in [lesson.file for lesson in course.ready()] or "face-landmarks" not in catalog.shipped(),
    reason="without weights there is no such section",
)


def test_the_error_follows_the_hand_and_the_head_leans_with_its_slider(server, page):
    page.goto(f"{server}/localization?landmarks_guess=60,60&predict=off")
    told = page.locator(".st-key-landmarks_hand-live .words")
    expect(told).to_contain_text("(60.0 −", timeout=120_000)
    square = page.locator('[data-id="landmark"]').first
    square.scroll_into_view_if_needed()
    square.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"landmarks_guess=63(%2C|,)60"))
    expect(told).to_contain_text("(63.0 −")
    at = square.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    said = set()
    for step in range(30):
        page.mouse.move(x + 3 * step, y + 2 * step)
        page.wait_for_timeout(50)
        said.add(told.inner_text())
    page.mouse.up()
    assert len(said) >= 3, "while the button is down"
    tilt, network = page.get_by_role("slider", name="Tilt of the head"), page.locator(".st-key-landmarks_mean-live")
    before = network.inner_text()
    tilt.focus()
    tilt.press("End")
    page.wait_for_url(re.compile(r"landmarks_tilt=60"))
    expect(network).not_to_have_text(before)
