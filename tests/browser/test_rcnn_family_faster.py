"""The R-CNN Family in a real browser: Faster R-CNN's boxes, a loss and the four steps follow the hand and the link."""

import re

import pytest
from playwright.sync_api import expect

from pages.rcnn_family import alternating, table
from ui import course

pytestmark = pytest.mark.skipif(
    "rcnn_family" not in [lesson.file for lesson in course.ready()] or not (alternating.ready() and table.ready()),
    reason="some networks of the family have no weights, so the page is not whole",
)


def words(page, key: str):
    return page.locator(f".st-key-{key}-live .words")


def test_boxes_losses_and_steps_follow_the_hand_and_stand_in_the_address(server, page):
    page.goto(f"{server}/rcnn_family?predict=off&alternating_step=3")
    expect(page.get_by_text("Ren et al. 2015").first).to_be_attached(timeout=240_000)
    for name, key in (("The first boxes", "faster_recall"), ("Region, the one that pays most first", "losses_told"),
                      ("Step", "alternating_told")):  # fmt: skip
        slider, told = page.get_by_role("slider", name=name, exact=True), words(page, key)
        slider.scroll_into_view_if_needed()
        expect(told).not_to_be_empty()
        before = told.inner_text()
        slider.focus()
        slider.press("ArrowRight")
        expect(told).not_to_have_text(before)
    expect(words(page, "alternating_told")).to_contain_text("Step 4")
    page.wait_for_url(re.compile("(?=.*faster_boxes=21)(?=.*losses_region=2)(?=.*alternating_step=4)"))
