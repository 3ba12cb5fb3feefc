"""Poses in a real browser: the joints follow the dragged box while the button is down, and the link brings it back."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "localization" not in [lesson.file for lesson in course.ready()], reason="a network has no weights, so no page"
)


def test_the_joints_follow_the_box_and_a_link_brings_it_back(server, page):
    page.goto(f"{server}/localization?pose_seed=3&predict=off")
    told = page.locator(".st-key-pose_arithmetic-live .words")
    expect(told).to_contain_text("of 28", timeout=120_000)
    first = told.inner_text()
    box = page.locator('.st-key-pose_stage [data-id="person"], [data-id="person"]').first
    box.scroll_into_view_if_needed()
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    said = set()
    for step in range(12):
        page.mouse.move(x + 2 * step, y)
        page.wait_for_timeout(120)
        said.add(told.inner_text())
    page.mouse.up()
    assert len(said - {first}) >= 2, "while the button is down"
    page.wait_for_url(re.compile("pose_box="))
    linked, there = page.url, told.inner_text()
    page.goto(linked)
    expect(told).to_have_text(there, timeout=120_000, use_inner_text=True)
