"""The saliency page in a real browser: the probability follows the dragged patch, keys move it, a link brings it back,
and the copies of SmoothGrad are added while its slider plays."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "saliency" not in [lesson.file for lesson in course.ready()], reason="the classifier has no weights, so no page"
)


@pytest.fixture
def patched(server, page):
    page.goto(f"{server}/saliency?saliency_patch=20,20,60,60&saliency_copies=1&saliency_steps=2&predict=off")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)
    return page


def words(page, key: str):
    return page.locator(f".st-key-{key}-live .words")


def test_the_probability_follows_the_hand(patched):
    box = patched.locator('[data-id="patch"]').first
    box.scroll_into_view_if_needed()
    told = words(patched, "saliency_patch_words")
    expect(told).to_contain_text("probability")
    first = told.inner_text()
    at = box.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    patched.mouse.move(x, y)
    patched.mouse.down()
    said = set()
    for step in range(60):  # across the scene's things, slowly enough for a look at each place
        patched.mouse.move(x + 3 * step, y + 3 * step)
        patched.wait_for_timeout(50)
        said.add(told.inner_text())
    patched.mouse.up()
    assert len(said - {first}) >= 3, "while the button is down"
    patched.wait_for_url(lambda url: "saliency_patch=" in url and "saliency_patch=20" not in url)


def test_arrow_keys_move_the_patch_and_the_picture_is_covered_there(patched):
    box = patched.locator('[data-id="patch"]').first
    box.focus()
    for _ in range(3):
        patched.keyboard.press("ArrowRight")
    patched.wait_for_url(re.compile(r"saliency_patch=23(%2C|,)20(%2C|,)63(%2C|,)60"))


def test_play_adds_copies_one_after_the_other(patched):
    slider = patched.get_by_role("slider", name="Noisy copies")
    slider.scroll_into_view_if_needed()
    told = words(patched, "saliency_copies_words")
    expect(told).to_contain_text("Mean gradient of 1 of 1 noisy copies")
    slider.focus()
    for _ in range(2):
        slider.press("ArrowRight")
    expect(told).to_contain_text("Mean gradient of 3 of 3 noisy copies")
    slider.press("End")  # more than one look can make: the section goes on by itself
    expect(told).to_contain_text("Mean gradient of 50 of 50 noisy copies", timeout=120_000)
