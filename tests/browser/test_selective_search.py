"""The Selective Search page in a real browser: regions follow the slider, a click takes a region, the slider climbs."""

import re

import pytest
from playwright.sync_api import expect

PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/selective_search?predict=off")
    expect(page.get_by_role("heading", name="Sources")).to_be_attached(timeout=120_000)
    return page


def test_regions_follow_the_slider_and_the_tree_follows_the_click(lesson):
    told = lesson.locator(".st-key-selective_told-live .words")
    expect(told).to_contain_text("8 regions left")
    picture = lesson.locator(".st-key-selective_regions-live .frame canvas").first
    before = picture.evaluate(PIXELS)
    slider = lesson.get_by_role("slider", name="Merges done").first
    slider.press("End")
    expect(told).to_contain_text("1 region left", timeout=30_000)
    slider.press("Home")
    expect(told).to_contain_text("140 boxes so far", timeout=30_000)
    slider.press("ArrowRight")
    expect(told).to_contain_text("141 boxes so far", timeout=30_000)
    lesson.wait_for_url("**selective_merges=1*")
    assert picture.evaluate(PIXELS) != before

    frame = lesson.locator(".st-key-selective_tree-live .frame").first
    frame.scroll_into_view_if_needed()
    size = frame.bounding_box()
    frame.click(position={"x": size["width"] * 30.5 / 224, "y": size["height"] * 200.5 / 224})
    line = lesson.locator(".st-key-selective_tree_told-live .words")
    expect(line).to_contain_text(re.compile(r"Column (30|31), row (200|201)"), timeout=30_000)
    lesson.wait_for_url(re.compile(r"selective_at=3[01](%2C|,)20[01]"))
    up = lesson.get_by_role("slider", name="Steps up").first
    up.press("Home")
    expect(line).to_contain_text("has no parts", timeout=30_000)
    up.press("End")
    expect(line).to_contain_text("of 50,176 px", timeout=30_000)
