"""The Anchors page in a real browser: a click chooses a position, a dragged slider redraws while it is held."""

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "anchors" not in [lesson.file for lesson in course.ready()], reason="the detector has no weights, so no page yet"
)


@pytest.fixture
def anchors(server, page):
    page.goto(f"{server}/anchors?predict=off")  # no veil: the words it covers are read here
    expect(page.get_by_text("row 7, column 7", exact=True)).to_be_visible(timeout=90_000)
    return page


def test_a_click_chooses_the_nearest_position(anchors):
    frame = anchors.locator(".frame").first
    width = frame.bounding_box()["width"]
    frame.click(position={"x": width * 46 / 224, "y": width * 83 / 224})
    expect(anchors.get_by_text("row 5, column 3", exact=True)).to_be_visible()
    anchors.wait_for_url("**anchors_at=46*")


def test_the_stride_is_in_the_address(anchors):
    anchors.get_by_role("slider", name="Stride").first.press("ArrowRight")
    expect(anchors.get_by_text("7 × 7 positions")).to_be_visible()
    anchors.wait_for_url("**anchors_stride=32*")


def test_labels_follow_the_threshold_while_it_is_dragged(anchors):
    slider = anchors.get_by_role("slider", name="Negative below IoU")
    slider.scroll_into_view_if_needed()
    anchors.locator(".words", has_text="Negative").first.evaluate(
        """(node) => {
        window.seen = new Set()
        new MutationObserver(() => window.seen.add(node.innerText)).observe(node, { childList: true, subtree: true })
        }"""
    )
    box = slider.bounding_box()
    x = lambda share: box["x"] + 11 + (box["width"] - 22) * share  # noqa: E731
    y = box["y"] + box["height"] / 2
    anchors.mouse.move(x(0.3), y)
    anchors.mouse.down()
    for i in range(61):
        anchors.mouse.move(x(0.3 - 0.25 * i / 60), y)
        anchors.wait_for_timeout(16)
    held = anchors.evaluate("window.seen.size")
    anchors.mouse.up()
    assert held >= 6
    anchors.wait_for_url("**anchors_negative=0.05*")
