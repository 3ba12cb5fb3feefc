"""The RoI page in a real browser: the box follows the hand on picture and map, keys move it, a link brings it back."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "roi_pooling" not in [lesson.file for lesson in course.ready()], reason="the detector has no weights, so no page"
)


def row(page, frame: str):
    """The line of the frames table."""
    return page.get_by_role("row").filter(has_text=frame).first


@pytest.fixture
def roi(server, page):
    page.goto(f"{server}/roi_pooling?roi_box=100,80,220,200")
    expect(row(page, "320 × 320 px")).to_contain_text("100.00", timeout=90_000)
    return page


def test_the_projected_box_follows_the_hand(roi):
    box = roi.locator('[data-id="roi"]').first
    box.scroll_into_view_if_needed()
    # The map's box comes from Python; only the box on the picture is moved by the browser itself.
    roi.locator('[data-id="projected"]').first.evaluate("""(node) => {
        window.drawn = 0
        new MutationObserver(() => window.drawn++).observe(node.parentNode,
            { subtree: true, childList: true, attributes: true })
    }""")
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    roi.mouse.move(x, y)
    roi.mouse.down()
    for step in range(60):
        roi.mouse.move(x - step, y + step / 2)
        roi.wait_for_timeout(16)
    held = roi.evaluate("window.drawn")
    roi.mouse.up()
    assert held >= 6
    expect(row(roi, "320 × 320 px")).not_to_contain_text("100.00")
    roi.wait_for_url(lambda url: "roi_box=" in url and "roi_box=100" not in url)


def test_arrow_keys_move_the_box_by_a_pixel(roi):
    roi.locator('[data-id="roi"]').first.focus()
    roi.keyboard.press("ArrowRight")
    expect(row(roi, "320 × 320 px")).to_contain_text("101.00")
    expect(row(roi, "224 × 224 px")).to_contain_text("70.70")
    roi.wait_for_url("**roi_box=101*")


def test_a_click_opens_a_sampling_point_and_the_link_keeps_it(server, page):
    page.goto(f"{server}/roi_pooling?roi_box=100,80,220,200&roi_method=RoI+Align&roi_at=0,0,0,0&predict=off")
    arithmetic = page.get_by_text("bin (0, 0) = mean of its 4 samples")
    expect(arithmetic).to_be_visible(timeout=90_000)
    region = page.get_by_role("group", name="RoI Align on the region, cell by cell")
    region.scroll_into_view_if_needed()
    size = region.bounding_box()["width"]
    region.click(position={"x": size * 0.7, "y": size * 0.7})
    expect(page.get_by_text("bin (1, 1) = mean of its 4 samples")).to_be_visible()
    page.wait_for_url("**roi_at=1*")


def test_the_shift_moves_the_samples_but_not_the_rounded_box_yet(roi):
    rounded = roi.locator('[data-id="rounded"] rect').first
    place = rounded.get_attribute("x")
    slider = roi.get_by_role("slider", name="Shift to the right")
    slider.focus()
    slider.press("ArrowRight")
    expect(roi.locator('[data-id="moved"]').first).to_be_attached()
    assert rounded.get_attribute("x") == place
    slider.press("End")
    expect(rounded).not_to_have_attribute("x", place)


def test_a_maximum_writes_no_weights_into_the_lectures_numbers(roi):
    """Pointed at a number that does not win, the line says so and no output bears a factor."""
    grid = lambda title: roi.get_by_role("grid", name=re.compile(f"^{title}")).first  # noqa: E731
    number = grid("feature map").get_by_role("gridcell").nth(5 * 8 + 3)
    number.scroll_into_view_if_needed()
    number.hover()
    said = roi.get_by_text("Row 5, column 3: 0.13 lies in these bins. disjoint split: [1, 1], 0.96 wins")
    expect(said).to_be_visible()
    for title in ("disjoint split", "torchvision.ops.roi_pool"):
        expect(grid(title)).to_be_visible()
        expect(grid(title)).not_to_contain_text("×")
