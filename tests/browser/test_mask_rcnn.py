"""The Mask R-CNN page in a real browser: the mask follows box and threshold, the target its proposal."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "mask_rcnn" not in [lesson.file for lesson in course.ready()], reason="the detector has no weights yet"
)


def dragged(page, key: str, told, dx: float, dy: float) -> None:
    """Drag the box of a stage in three steps; what is told changes while the button is down."""
    box = page.locator(f'.st-key-{key}-live [data-id="region"]').first
    box.scroll_into_view_if_needed()
    first, at = told.inner_text(), box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in (1, 2, 3):
        page.mouse.move(x + dx * step, y + dy * step, steps=3)
        expect(told).not_to_have_text(first, timeout=30_000)
        first = told.inner_text()
    page.mouse.up()


def test_mask_and_target_follow_the_hand(server, page):
    page.goto(f"{server}/mask_rcnn?predict=off")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)
    told = page.locator(".st-key-mask_said-live .words")
    expect(told).to_contain_text("with the exact mask")
    slider = page.get_by_role("slider", name="Threshold").first
    slider.press("End")
    expect(told).to_contain_text("The mask is empty", timeout=30_000)
    slider.press("Home")
    expect(told).not_to_contain_text("The mask is empty", timeout=30_000)
    dragged(page, "mask_scene", told, 14, -12)
    page.wait_for_url(re.compile(r"mask_box=[\d.]+(%2C|,)"))

    loss = page.locator(".st-key-mask_loss_said-live .words")
    page.get_by_role("button", name="Its upper half").click()
    expect(loss).to_contain_text("Mean of 784 cells", timeout=30_000)
    dragged(page, "mask_proposal", loss, 12, 8)
    page.wait_for_url(re.compile(r"mask_prop=[\d.]+(%2C|,)"))
