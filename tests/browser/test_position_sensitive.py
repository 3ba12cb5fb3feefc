"""The R-FCN page in a real browser: parts, vote and maps follow the hand, and both networks are timed."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "position_sensitive" not in [lesson.file for lesson in course.ready()], reason="r-fcn has no weights yet"
)


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/position_sensitive?predict=off")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)
    return page


def test_parts_and_votes_follow_the_hand_and_the_shift_the_slider(lesson):
    box = lesson.locator('.st-key-rfcn_scene-live [data-id="rfcn"]').first
    box.scroll_into_view_if_needed()
    told = lesson.locator(".st-key-rfcn_vote-live .words")
    expect(told).to_contain_text("mean of 9 =")
    expect(lesson.locator('.st-key-rfcn_mosaic-live [data-id^="own-"]')).to_have_count(9)
    first, at = told.inner_text(), box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    for step in (1, 2, 3):  # while the button is down
        lesson.mouse.move(x + 25 * step, y - 30 * step, steps=4)
        expect(told).not_to_have_text(first, timeout=30_000)
        first = told.inner_text()
    lesson.mouse.up()
    lesson.wait_for_url(re.compile(r"rfcn_box=[\d.]+(%2C|,)"))

    slider = lesson.get_by_role("slider", name="Moved aside").first
    slider.scroll_into_view_if_needed()
    votes = lesson.locator(".st-key-rfcn_shift_said-live .words")
    slider.press("Home")
    expect(votes).to_have_text(re.compile(r"One map: 1\.00\. Nine maps: (1\.00|0\.9\d)\."), timeout=30_000)
    slider.press("End")
    expect(votes).to_have_text("One map: 0.00. Nine maps: 0.00.", timeout=30_000)

    lesson.get_by_role("button", name="Measure both here").click()
    expect(lesson.get_by_text("measured here just now", exact=False).first).to_be_visible(timeout=120_000)
    expect(lesson.get_by_role("figure", name="Milliseconds after the trunk against proposals")).to_be_visible()
