"""The localization page in a real browser: losses follow the dragged box, a link brings it back, heads learn in sight,
and one box stands between two things that are pulled apart."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "localization" not in [lesson.file for lesson in course.ready()], reason="the localizer has no weights, so no page"
)


@pytest.fixture
def boxed(server, page):
    page.goto(f"{server}/localization?localization_box=60,60,140,140&predict=off")
    expect(page.get_by_text("Girshick 2015").first).to_be_attached(timeout=120_000)
    return page


def words(page, key: str):
    return page.locator(f".st-key-{key}-live .words")


def test_losses_follow_the_hand_and_the_address_keeps_the_box(boxed):
    box = boxed.locator('[data-id="guess"]').first
    box.scroll_into_view_if_needed()
    told, written = words(boxed, "localization_losses"), words(boxed, "localization_written")
    expect(told).to_contain_text("IoU")
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    boxed.mouse.move(x, y)
    boxed.mouse.down()
    said = set()
    for step in range(20):
        boxed.mouse.move(x + 3 * step, y + 2 * step)
        boxed.wait_for_timeout(50)
        said.add((told.inner_text(), written.inner_text()))
    boxed.mouse.up()
    assert len({each[0] for each in said}) >= 3 <= len({each[1] for each in said}), "while the button is down"
    boxed.wait_for_url(lambda url: "localization_box=" in url and "localization_box=60" not in url)
    boxed.get_by_role("button", name="The network's box").click()
    boxed.wait_for_url(lambda url: "localization_box=" not in url)
    box.focus()
    for _ in range(3):
        boxed.keyboard.press("ArrowRight")
    boxed.wait_for_url(re.compile("localization_box="))


def test_a_training_starts_can_be_stopped_and_is_still_there_after_a_visit_elsewhere(boxed):
    start, stop = (boxed.get_by_role("button", name=name, exact=True) for name in ("Start", "Stop"))
    start.scroll_into_view_if_needed()
    start.click()
    expect(words(boxed, "multitask_told")).to_contain_text("The trunk has seen", timeout=60_000)
    stop.click()
    expect(words(boxed, "multitask_told")).to_contain_text("Stopped.", timeout=60_000)
    boxed.get_by_role("link", name="Lab World").first.click()
    expect(boxed.get_by_text("Where do pictures with a perfect ground truth come from?").first).to_be_visible()
    boxed.get_by_role("link", name="Localization", exact=True).first.click()
    expect(words(boxed, "multitask_told")).to_contain_text("Stopped.", timeout=60_000)


def test_the_one_box_is_drawn_anew_while_two_things_are_pulled_apart(boxed):
    slider = boxed.get_by_role("slider", name="Distance of the two")
    slider.scroll_into_view_if_needed()
    told = words(boxed, "apart_told")
    expect(told).to_contain_text("with the box around both")
    first = told.inner_text()
    slider.focus()
    slider.press("Home")
    expect(told).not_to_have_text(first)
    boxed.wait_for_url(re.compile("apart_distance=40"))
