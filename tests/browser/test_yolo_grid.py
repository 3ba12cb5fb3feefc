"""The YOLO Grid page in a real browser: a dragged threshold redraws while held, clicks and keys choose, links keep."""

import re

import pytest
from playwright.sync_api import expect

from models import catalog
from models.recipes.yolo import NAMES

pytestmark = pytest.mark.skipif(
    not all((catalog.WEIGHTS / f"{name}.json").exists() for name in (*NAMES, "detector")),
    reason="without the networks' weights the page is not offered",
)
SIZE = 224  # of the picture


@pytest.fixture
def grid(server, page):
    page.goto(f"{server}/yolo_grid?predict=off")
    expect(page.get_by_text("Measured here:")).to_be_visible(timeout=120_000)  # what the page computes last
    return page


def click_at(stage, x, y):
    """Click a place of the picture, in its pixels."""
    stage.scroll_into_view_if_needed()
    width = stage.bounding_box()["width"]
    stage.click(position={"x": width * x / SIZE, "y": width * y / SIZE})


def test_a_click_opens_a_cell_and_a_key_refines_the_grid(grid):
    click_at(grid.get_by_role("group", name="things on a grid"), 10, 10)
    expect(grid.get_by_text("Row 0, column 0 answers for nothing")).to_be_visible()
    grid.wait_for_url("**yolo_at=*")
    slider = grid.get_by_role("slider", name="Grid S").first
    for _ in range(2):
        slider.press("ArrowRight")
    expect(grid.get_by_text("9×9×(5·3 + 8) = 9×9×23 = 1,863 numbers")).to_be_visible()
    grid.wait_for_url("**yolo_s=9*")


def test_detections_follow_the_threshold_while_it_is_dragged(grid):
    slider = grid.get_by_role("slider", name="Score threshold")
    slider.scroll_into_view_if_needed()
    line = grid.locator(".words", has_text=re.compile(r"\d+ detections?")).first
    expect(line).to_be_visible(timeout=60_000)
    line.evaluate(
        """(node) => {
        window.seen = new Set()
        new MutationObserver(() => window.seen.add(node.innerText)).observe(node, { subtree: true, childList: true })
        }"""
    )
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    grid.mouse.move(box["x"] + box["width"] * 0.3, y)
    grid.mouse.down()
    for i in range(61):
        grid.mouse.move(box["x"] + box["width"] * (0.3 + 0.5 * i / 60), y)
        grid.wait_for_timeout(16)
    held = grid.evaluate("window.seen.size")
    grid.mouse.up()
    assert held >= 6
    grid.wait_for_url("**yolo_threshold=*")


def test_a_link_restores_layout_cell_and_threshold(server, page):
    page.goto(f"{server}/yolo_grid?yolo_layout=anchor&yolo_s=3&yolo_threshold=0.77&yolo_cell=16%2C16&yolo_seed=2")
    expect(page.get_by_text("3×3×3×(5 + 8) = 3×3×39 = 351 numbers")).to_be_visible(timeout=90_000)
    expect(page.get_by_text(re.compile(r"of 1,960 scores above 0\.77"))).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The 5 boxes of one cell")).to_be_visible()
