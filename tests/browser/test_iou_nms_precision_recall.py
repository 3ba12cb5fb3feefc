"""The page in a real browser: the boxes follow the hand, the numbers follow the boxes, sliders redraw live."""

import re

import pytest
from playwright.sync_api import expect

from models import catalog

pytestmark = pytest.mark.skipif(
    not (catalog.WEIGHTS / "detector.json").exists(), reason="without the detector's weights the page is not offered"
)


def test_dragging_the_prediction_changes_iou_and_its_word(server, page):
    page.goto(f"{server}/iou_nms_precision_recall")
    metric = page.locator('[data-testid="stMetric"]', has_text="Intersection over union")
    expect(metric).to_contain_text("decent", timeout=60_000)
    before = metric.inner_text()
    prediction = page.locator('[data-id="prediction"]').first
    prediction.scroll_into_view_if_needed()
    prediction.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    expect(metric).not_to_have_text(before, timeout=10_000)


def test_a_link_opens_the_start_it_names(server, page):
    page.goto(f"{server}/iou_nms_precision_recall?iou_start=Apart&iou_measure=GIoU")
    metric = page.locator('[data-testid="stMetric"]', has_text="Intersection over union")
    expect(metric).to_contain_text("not a match", timeout=60_000)
    expect(page.get_by_text("enclosing box", exact=True).first).to_be_attached()


def test_boxes_follow_the_nms_slider_while_it_is_dragged(server, page):
    page.goto(f"{server}/iou_nms_precision_recall")
    heading = page.locator("strong", has_text=re.compile(r"raw boxes → \d+ kept"))
    expect(heading).to_be_visible(timeout=60_000)
    slider = page.get_by_role("slider", name="NMS threshold").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.locator('[data-id="raw-0"]').evaluate("""(node) => {
        window.drawn = 0
        new MutationObserver(() => window.drawn++).observe(node.parentNode,
            { subtree: true, childList: true, attributes: true })
    }""")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(box["x"] + box["width"] * (0.1 + 0.8 * step / 60), box["y"] + box["height"] / 2)
        page.wait_for_timeout(25)
    page.mouse.up()
    assert page.evaluate("window.drawn") > 5
