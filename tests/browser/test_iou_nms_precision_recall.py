"""The page in a real browser: the boxes follow the hand, the numbers follow the boxes, sliders redraw live."""

import re
import time

import pytest
from playwright.sync_api import expect

from models import catalog
from tests.browser.reading import rest

pytestmark = pytest.mark.skipif(
    not (catalog.WEIGHTS / "detector.json").exists(), reason="without the detector's weights the page is not offered"
)


def numbers(page):
    """The line with the IoU of the two boxes."""
    return page.locator(".words", has_text="Intersection over union").first


def test_dragging_the_prediction_changes_iou_and_the_address_brings_it_back(server, page):
    page.goto(f"{server}/iou_nms_precision_recall")
    expect(numbers(page)).to_contain_text("That is decent", timeout=90_000)
    rest(page)  # from here on the hand is followed at once
    before = numbers(page).inner_text()
    box = page.locator('[data-id="prediction"]').first.bounding_box()
    x, y = box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.8
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(x + 3 * step, y + 2 * step)
        page.wait_for_timeout(30)
    expect(numbers(page)).not_to_contain_text("That is decent")  # the hand still holds the box
    assert "iou_boxes" not in page.url
    page.mouse.up()
    page.wait_for_url("**iou_boxes=*")
    rest(page)
    link, moved = page.url, numbers(page).inner_text()
    page.goto("about:blank")
    page.goto(link)
    expect(numbers(page)).to_be_visible(timeout=60_000)
    rest(page)
    assert numbers(page).inner_text() == moved != before


def test_a_link_opens_the_start_it_names(server, page):
    page.goto(f"{server}/iou_nms_precision_recall?iou_start=Apart&iou_measure=GIoU")
    expect(numbers(page)).to_contain_text("not a match", timeout=60_000)
    expect(page.get_by_text("enclosing box", exact=True).first).to_be_attached()


def test_a_point_of_the_curve_shows_its_detection_and_a_click_goes_there(server, page):
    page.goto(f"{server}/iou_nms_precision_recall?pr_scenes=10&pr_step=2")
    which = page.locator(".words", has_text=re.compile(r"Detection \d+ of"))
    expect(which).to_contain_text("Detection 2 of", timeout=120_000)
    first = page.locator('[aria-label^="Precision-recall curve"] .scatterlayer .points path').first
    first.scroll_into_view_if_needed()
    place = first.bounding_box()
    middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(middle[0] + 3, middle[1] + 60)
    page.mouse.move(*middle, steps=5)
    expect(which).to_contain_text("Detection 1 of")
    assert "pr_step=1" not in page.url
    page.mouse.move(middle[0] + 3, middle[1] + 120, steps=5)
    expect(which).to_contain_text("Detection 2 of")
    page.mouse.move(*middle, steps=5)
    expect(which).to_contain_text("Detection 1 of")
    page.mouse.click(*middle)
    page.wait_for_url("**pr_step=1*")


def test_boxes_follow_the_nms_slider_while_it_is_dragged(server, page):
    page.goto(f"{server}/iou_nms_precision_recall")
    heading = page.locator("strong", has_text=re.compile(r"raw boxes → \d+ kept"))
    expect(heading).to_be_visible(timeout=60_000)
    slider = page.get_by_role("slider", name="NMS threshold").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.locator('[data-id="raw-0"]').first.evaluate("""(node) => {
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
    page.locator(".st-key-nms_next button:visible").scroll_into_view_if_needed()
    page.keyboard.press("n")  # the next scene, for the row of pictures that is in view
    page.wait_for_url(re.compile(r"nms_seed=\d+"))
    seed = re.search(r"nms_seed=\d+", page.url)[0]
    assert "published_seed" not in page.url
    page.locator(".st-key-published_next button:visible").evaluate("node => node.scrollIntoView({ block: 'start' })")
    page.keyboard.press("n")
    page.wait_for_url("**published_seed=12**")
    assert seed in page.url


def test_the_table_of_all_classes_fits_beside_the_side_bar(server, page):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{server}/iou_nms_precision_recall?pr_scenes=10")
    scroller = page.locator(".dvn-scroller").first
    expect(scroller).to_be_attached(timeout=90_000)
    page.wait_for_function(
        "(node) => node.clientWidth > 400 && node.scrollWidth <= node.clientWidth", arg=scroller.element_handle()
    )


def test_the_chosen_measure_is_large_and_follows_the_hand(server, page):
    page.goto(f"{server}/iou_nms_precision_recall?iou_measure=GIoU&iou_start=Apart")
    chosen = page.locator(".st-key-iou-chosen .words")
    expect(chosen).to_contain_text("GIoU = −", timeout=90_000)
    assert chosen.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)") >= 24
    before = chosen.inner_text()
    box = page.locator('[data-id="prediction"]').first
    box.scroll_into_view_if_needed()
    at = box.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] / 2 + 20, at["y"] + at["height"] / 2 + 90, steps=8)
    expect(chosen).not_to_have_text(before)
    page.mouse.up()


def test_a_click_on_a_cell_or_a_bar_shows_its_pictures(server, page):
    page.goto(f"{server}/iou_nms_precision_recall?pr_scenes=10&fails_scenes=10&predict=off")
    matrix = page.get_by_role("grid", name=re.compile("^SSD, 9 by 9"))
    expect(matrix).to_be_visible(timeout=120_000)
    rest(page)
    matrix.get_by_role("gridcell").nth(9 + 1).click()  # cats seen as cats
    shown = page.locator(".words", has_text=re.compile("SSD: .*, in "))
    expect(shown).to_contain_text("cat seen as cat")
    page.wait_for_url("**fails_matrix_at=a%2C1%2C1**")
    expect(page.locator('[data-id^="said-"]').first).to_be_attached()
    page.get_by_role("radio", name="AP lost").click()
    bars = page.locator('[aria-label="AP lost by kind of error"] .barlayer .point path')
    expect(bars.first).to_be_attached()
    rest(page)
    bar = bars.nth(8 + 5)  # of the second detector: missed
    bar.scroll_into_view_if_needed()
    told = page.locator('[aria-label="AP lost by kind of error"] .hoverlayer .hovertext')
    at, until = (0.0, 0.0), time.monotonic() + 60
    while "missed" not in " ".join(told.all_text_contents()):  # pictures that come into sight move the bars once more
        assert time.monotonic() < until
        place = bar.bounding_box()
        at = place["x"] + place["width"] / 2, place["y"] + place["height"] - 2
        page.mouse.move(*at, steps=3)
        page.wait_for_timeout(200)
    page.mouse.click(*at)
    page.wait_for_url("**fails_lost_at=0%2C1%2C5**")
    expect(page.locator(".words", has_text="YOLO, cells: missed")).to_be_visible()
