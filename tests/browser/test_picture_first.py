"""A picture fills the screen together with its controls. That it comes first on its page: test_every_page.py."""

import pytest
from playwright.sync_api import expect

from tests.browser.measuring import PHONE, PROJECTOR
from tests.browser.reading import arrive
from ui.course import ready


def test_a_picture_fills_the_screen_with_its_controls(server, page):
    lesson = next(each for each in ready() if each.file == "lab_world")
    page.set_viewport_size(PROJECTOR)
    arrive(page, f"{server}/{lesson.path}", lesson)
    frame, slider = page.locator(".frame").first, page.get_by_role("slider", name="Objects")
    before = frame.bounding_box()
    page.keyboard.press("f")
    expect(page.locator("[data-full]")).to_be_visible()
    page.wait_for_timeout(500)
    large = frame.bounding_box()
    assert large["height"] > 1.2 * before["height"] and large["y"] >= 0
    assert large["y"] + large["height"] <= page.viewport_size["height"] + 1
    value = slider.get_attribute("aria-valuenow")
    slider.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuenow", value)
    slider.press("Escape")
    expect(page.locator("[data-full]")).to_have_count(0)
    page.wait_for_timeout(300)
    assert frame.bounding_box()["height"] == pytest.approx(before["height"], abs=2)
    frame.hover()
    page.get_by_role("button", name="Full screen (f)").first.click()
    expect(page.locator("[data-full]")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator("[data-full]")).to_have_count(0)


@pytest.mark.parametrize(
    ("file", "key"), [("ssd", "ssd"), ("mask_rcnn", "masks"), ("roi_pooling", "roi"), ("position_sensitive", "rfcn")]
)
def test_a_photograph_is_above_the_fold_of_a_phone_whatever_is_said_of_the_networks(server, page, file, key):
    lesson = next(each for each in ready() if each.file == file)
    page.set_viewport_size(PHONE)
    arrive(page, f"{server}/{lesson.path}?{key}_source=Photograph&{key}_photo=Astronaut", lesson)
    said = page.get_by_text("drawn Lab World scenes only: expect wrong answers")
    expect(said).to_be_visible()
    assert said.bounding_box()["height"] < 50, "two lines"
    frame = page.locator(".frame").first.bounding_box()
    assert frame["y"] + frame["height"] <= 844
