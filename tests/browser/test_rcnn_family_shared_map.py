"""SPP-net and Fast R-CNN in a real browser: the region follows the hand, a click chooses the region of the gradient."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "rcnn_family" not in [lesson.file for lesson in course.ready()], reason="R-CNN has no weights yet"
)


def test_the_region_on_the_map_and_the_gradient_follow_the_hand(server, page):
    page.goto(f"{server}/rcnn_family?predict=off&spp_region=3&fast_region=2")
    expect(page.get_by_role("heading", name="Sources")).to_be_attached(timeout=120_000)
    told = page.locator(".st-key-spp_rule_said-live .words").first
    expect(told).to_contain_text("SPP-net reads", timeout=60_000)
    first = told.inner_text()
    pyramid, gradient = (page.locator(f".st-key-{key}-live").get_by_role("slider").first
                         for key in ("spp_region", "fast_region"))  # fmt: skip
    pyramid.focus()
    pyramid.press("Home")
    expect(told).not_to_have_text(first, timeout=30_000)
    page.wait_for_url(re.compile(r"spp_region=1$|spp_region=1&"))

    said = page.locator(".st-key-fast_gradient_said-live .words").first
    expect(said).to_contain_text("of the gradient lies outside the region", timeout=60_000)
    before = said.inner_text()
    gradient.focus()
    gradient.press("Home")
    expect(said).not_to_have_text(before, timeout=60_000)
    page.wait_for_url(re.compile(r"fast_region=1$|fast_region=1&"))
    picture = page.locator(".st-key-fast_picture-live [data-id='region']").first
    expect(picture).to_be_attached()
