"""The SSD page in a real browser: grids, clicks and sliders redraw, and a link keeps what they say."""

import re

import pytest
from playwright.sync_api import expect

from models import catalog

pytestmark = pytest.mark.skipif(
    not all((catalog.WEIGHTS / f"{name}.json").exists() for name in ("ssd", "yolo-cell", "detector")),
    reason="without the networks' weights the page is not offered",
)
SIZE = 224  # of the picture


def test_a_hand_goes_through_the_page(server, page):
    page.goto(f"{server}/ssd?predict=off&ssd_threshold=0.6")
    expect(page.get_by_text("Missed at score")).to_be_visible(timeout=120_000)  # what the page computes last
    expect(page.get_by_text("8,732 default boxes in all")).to_be_visible()
    stage = page.get_by_role("group", name="A grid of 10×10 positions")
    stage.scroll_into_view_if_needed()
    width = stage.bounding_box()["width"]
    stage.click(position={"x": width * 10 / SIZE, "y": width * 10 / SIZE})
    page.wait_for_url("**ssd_at=*")
    page.get_by_role("slider", name="Grid").first.press("ArrowLeft")
    expect(page.get_by_role("group", name="A grid of 19×19 positions, the 6 default boxes of one")).to_be_visible()
    page.wait_for_url("**ssd_grid_6=19*")

    page.locator(".st-key-ssd_grids button", has_text="this lab's").click()
    expect(page.get_by_text("6,140 default boxes in all")).to_be_visible()
    expect(page.get_by_role("group", name="A grid of 7×7 positions")).to_be_visible()

    expect(page.get_by_text("The loss of this scene by grid")).to_be_visible(timeout=120_000)
    slider = page.get_by_role("slider", name="Negatives for each positive")
    slider.press("Home")
    expect(page.get_by_text(re.compile("positives and 0 negatives"))).to_be_visible()
    page.wait_for_url("**ssd_ratio=0*")

    found = page.get_by_text(re.compile(r"scores? above 0\.60"))
    expect(found).to_be_visible()  # the link's
    page.locator(".st-key-ssd_speak button", has_text="28×28").click()
    expect(page.get_by_text("28×28: 0")).to_be_visible()
    expect(page.get_by_text("SSD's AP against the better of both YOLOs")).to_be_visible(timeout=120_000)
