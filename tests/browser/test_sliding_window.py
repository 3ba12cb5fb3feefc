"""The Sliding Window page in a real browser: the crop and its scores follow the hand, an output shows its window, and
the boxes follow the threshold."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.reading import rest
from ui import course

pytestmark = pytest.mark.skipif(
    "sliding_window" not in [lesson.file for lesson in course.ready()], reason="the classifier has no weights yet"
)


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/sliding_window?predict=off")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)
    return page


def test_the_window_the_output_and_the_threshold_follow_the_hand(lesson):
    box = lesson.locator('.st-key-window_hand-live [data-id="window"]').first
    box.scroll_into_view_if_needed()
    told = lesson.locator(".st-key-window_hand_said-live .words")
    expect(told).to_contain_text("p =")
    first = told.inner_text()
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    for step in (1, 2, 3):  # while the button is down
        lesson.mouse.move(x - 40 * step, y - 25 * step, steps=4)
        expect(told).not_to_have_text(first, timeout=30_000)
        first = told.inner_text()
    lesson.mouse.up()
    lesson.wait_for_url(re.compile(r"window_place=\d+(%2C|,)\d+"))
    rest(lesson)  # a hand that pauses writes where it is, too
    place = re.search(r"window_place=(\d+)(?:%2C|,)(\d+)", lesson.url).groups()
    box.focus()
    lesson.keyboard.press("ArrowRight")
    lesson.wait_for_url(re.compile(rf"window_place={int(place[0]) + 1}(%2C|,){place[1]}"))

    output = lesson.locator(".st-key-window_output-live .frame").first
    output.scroll_into_view_if_needed()
    size = output.bounding_box()
    output.hover(position={"x": size["width"] * 3.5 / 22, "y": size["height"] * 5.5 / 22})
    shown = lesson.get_by_text("Its window: columns 12 to 39, rows 20 to 47. 4 · 3 = 12, 4 · 5 = 20.")
    expect(shown.first).to_be_visible(timeout=30_000)

    slider = lesson.get_by_role("slider", name="Score threshold").first
    slider.scroll_into_view_if_needed()
    count = lesson.locator(".st-key-window_kept_words-live .words")
    before = int(re.match(r"([\d,]+) of 484", count.inner_text())[1])
    slider.press("Home")
    expect(count).to_contain_text("p ≥ 0.05", timeout=30_000)
    assert int(re.match(r"([\d,]+) of 484", count.inner_text())[1].replace(",", "")) > before
    lesson.wait_for_url("**window_threshold=0.05*")
