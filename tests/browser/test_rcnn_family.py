"""The R-CNN Family page in a real browser: the crops follow the hand, R-CNN finds boxes while one watches."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "rcnn_family" not in [lesson.file for lesson in course.ready()], reason="R-CNN has no weights yet"
)


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/rcnn_family?predict=off&rcnn_count=50%20proposals")
    expect(page.get_by_role("heading", name="Sources")).to_be_attached(timeout=120_000)
    return page


def test_a_crop_follows_the_slider_and_r_cnn_finds_boxes_among_the_proposals(lesson):
    told = lesson.locator(".st-key-rcnn_crop_said-live .words").first
    expect(told).to_contain_text("become 195 × 195", timeout=60_000)
    first = told.inner_text()
    slider = lesson.get_by_role("slider", name="Proposal").first
    slider.focus()
    slider.press("PageDown" if slider.get_attribute("aria-valuenow") != "1" else "PageUp")
    expect(told).not_to_have_text(first, timeout=30_000)
    lesson.wait_for_url(re.compile(r"rcnn_proposal=\d+"))
    box = lesson.locator('.st-key-rcnn_proposals-live [data-id="proposal-4"]').first
    box.focus()

    start = lesson.get_by_role("button", name="Run on 50 proposals")
    start.scroll_into_view_if_needed()
    start.click()
    expect(lesson.get_by_text("50 of 50 regions")).to_be_visible(timeout=120_000)
    expect(lesson.get_by_text(re.compile(r"One region took .* measured on 50")).first).to_be_visible(timeout=30_000)
    expect(lesson.locator('.st-key-rcnn_found-live [data-id^="found-"]').first).to_be_attached(timeout=30_000)
    expect(start).to_be_enabled(timeout=30_000)
