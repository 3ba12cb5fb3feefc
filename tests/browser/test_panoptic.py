"""The panoptic page in a real browser: map, turns and the other order follow the hand, and the address keeps them."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "panoptic" not in [lesson.file for lesson in course.ready()], reason="panoptic-fpn has no weights yet"
)


def test_the_merge_follows_the_sliders_and_the_address_keeps_them(server, page):
    page.goto(f"{server}/panoptic?predict=off")
    expect(page.get_by_role("heading", name="Sources")).to_be_attached(timeout=120_000)
    told = page.locator(".st-key-panoptic_told-live .words")
    expect(told).to_contain_text("of 50,176 pixels", timeout=60_000)
    before = told.inner_text()

    slider = page.get_by_role("slider", name="Mask from")
    at = slider.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in (1, 2):  # while the button is down
        page.mouse.move(x + 0.2 * step * at["width"], y, steps=4)
        expect(told).not_to_have_text(before, timeout=30_000)
        before = told.inner_text()
    page.mouse.up()
    page.wait_for_url(re.compile(r"panoptic_mask=0\.[89]"))

    turn = page.get_by_role("slider", name="Turn")
    turn.scroll_into_view_if_needed()
    story = page.locator(".st-key-panoptic_turn_told-live .words")
    expect(story).to_contain_text("1. ")
    expect(story).to_contain_text("Taken already: 0 /")
    turn.press("End")
    expect(story).to_contain_text("Stuff.", timeout=30_000)
    page.wait_for_url(re.compile(r"panoptic_turn=\d"))
    expect(page.locator(".st-key-panoptic_after-live")).to_be_visible()

    feature = page.get_by_role("slider", name="Feature map")
    feature.scroll_into_view_if_needed()
    feature.press("End")
    expect(page.get_by_role("img", name="Feature map 64 of P5").or_(page.get_by_label("Feature map 64 of P5")).first
           ).to_be_attached(timeout=30_000)  # fmt: skip
