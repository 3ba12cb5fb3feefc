"""The dense captioning page in a real browser: the sentence follows the hand, and a click takes another thing."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "dense_captioning" not in [lesson.file for lesson in course.ready()], reason="densecap has no weights yet"
)


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/dense_captioning?predict=off")
    expect(page.get_by_text("again before every word", exact=False).first).to_be_attached(timeout=120_000)
    return page


def test_words_follow_the_slider_and_the_sentence_the_hand(lesson):
    told = lesson.locator(".st-key-densecap_sentence-live .words")
    after = lesson.locator(".st-key-densecap_next-live")
    expect(told).to_contain_text(".")
    sentence = told.inner_text()
    slider = lesson.get_by_role("slider", name="Words said").first
    slider.press("Home")
    expect(after).to_contain_text("as the first word", timeout=30_000)
    slider.press("End")
    expect(after).to_contain_text("the full stop ends it", timeout=30_000)
    assert told.inner_text() == sentence, "the words stay; what is still to be said is grey"
    below = lesson.locator(".st-key-densecap_before-live .words")
    spoken_below = below.inner_text()

    box = lesson.locator('.st-key-densecap_scene-live [data-id="region"]').first
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    lesson.mouse.move(x + 110, y - 15, steps=6)  # from the dog to the car
    expect(told).not_to_have_text(sentence, timeout=30_000)  # while the button is down
    lesson.mouse.up()
    lesson.wait_for_url(re.compile(r"densecap_box=[\d.]+(%2C|,)"))
    expect(below).not_to_have_text(spoken_below, timeout=30_000)  # sections further down follow when it is let go

    lots = lesson.locator(".st-key-densecap_drawn-live .words")
    before = lots.inner_text()
    degree = lesson.get_by_role("slider", name="Temperature").first
    degree.scroll_into_view_if_needed()
    degree.press("End")
    expect(lots).not_to_have_text(before, timeout=30_000)
    degree.press("Home")
    expect(lots).to_have_text(re.compile(r"^\s*(\S.*?)\s*(?:\1\s*){4}$"), timeout=30_000)  # five times the same
