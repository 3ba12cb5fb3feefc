"""The Semantic Segmentation page in a real browser: scores follow the hand, a click opens a pixel, a network learns."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/semantic_segmentation")
    expect(page.get_by_text(re.compile(r"Pixel column \d+, row \d+")).first).to_be_visible(timeout=90_000)
    return page


def test_scores_follow_the_fog_while_it_is_dragged(lesson):
    slider = lesson.get_by_role("slider", name="More fog")
    slider.scroll_into_view_if_needed()
    lesson.evaluate(
        """() => { window.seen = new Set()
        const texts = (root) => [...root.querySelectorAll('*')].flatMap((each) =>
          [...(each.shadowRoot ? texts(each.shadowRoot) : []), ...(each.children.length < 9 ? [each.textContent] : [])])
        const look = () => { for (const each of texts(document)) {
          const found = /^mIoU ([.0-9]+) · pixel accuracy/.exec(each.trim()); if (found) window.seen.add(found[1]) }
        setTimeout(look, 30) }; look() }"""
    )
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    x = lambda share: box["x"] + 11 + (box["width"] - 22) * share  # noqa: E731
    lesson.mouse.move(x(0.5), y)
    lesson.mouse.down()
    for i in range(41):
        lesson.mouse.move(x(0.5 + 0.4 * i / 40), y)
        lesson.wait_for_timeout(30)
    held = lesson.evaluate("window.seen.size")
    lesson.mouse.up()
    assert held >= 4
    lesson.wait_for_url("**segmentation_more_fog=0.9*")


def test_a_click_opens_the_pixel_and_the_link_brings_it_back(lesson):
    frame = lesson.locator(".frame").first
    size = frame.bounding_box()
    frame.click(position={"x": size["width"] * 60.5 / 224, "y": size["height"] * 90.5 / 224})
    lesson.wait_for_url(re.compile("segmentation_at=60"))
    expect(lesson.get_by_text("Pixel column 60, row 90").first).to_be_visible()
    lesson.goto(lesson.url)
    expect(lesson.get_by_text("Pixel column 60, row 90").first).to_be_visible(timeout=90_000)


def test_a_network_learns_while_one_looks(lesson):
    lesson.get_by_role("button", name="Start", exact=True).click()
    line = lesson.get_by_text(re.compile(r"Step \d+ of 400 · loss"))
    expect(line).to_be_visible(timeout=90_000)
    first = line.inner_text()
    expect(line).not_to_have_text(first, timeout=60_000)  # without a touch
    lesson.get_by_role("button", name="Stop", exact=True).click()
    expect(lesson.get_by_text("Stopped. Start goes on from here.")).to_be_visible(timeout=60_000)
    watched = lesson.get_by_text(re.compile(r"Now on the scene at the top, with its knobs: mIoU"))
    picture = lesson.locator('[class*="st-key-segmentation_learner_1"] .frame canvas').first
    expect(watched).to_be_visible()
    for key in ("Home", "End"):  # a network that rests looks at what the knobs make of the scene now
        expect(picture).to_have_attribute("data-name", re.compile("."))
        shown = picture.get_attribute("data-name")
        lesson.get_by_role("slider", name="More fog").press(key)
        expect(picture).not_to_have_attribute("data-name", shown, timeout=60_000)
    lesson.get_by_role("button", name="Reset", exact=True).click()
    expect(lesson.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
