"""The Focal Loss page in a real browser: curves follow γ, a bar under the pointer shows its anchors, a click opens one,
and the first steps run and can be stopped."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "focal_loss" not in [lesson.file for lesson in course.ready()], reason="RetinaNet has no weights yet"
)


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/focal_loss?predict=off")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)
    return page


def test_the_curves_the_bars_and_the_first_steps(lesson):
    told = lesson.locator(".st-key-focal_arithmetic-live .words")
    expect(told).to_contain_text("100 times less")
    gamma = lesson.get_by_role("slider", name="γ", exact=True)
    gamma.press("Home")
    expect(told).to_contain_text(" 1 times less", timeout=30_000)
    lesson.wait_for_url("**focal_gamma=0.0*")

    paid = lesson.locator(".st-key-focal_count_words-live .words")
    share = re.search(r"easy negatives ([\d.]+)%", paid.inner_text())[1]
    count = lesson.get_by_role("slider", name="γ of the loss")
    count.scroll_into_view_if_needed()
    count.press("Home")
    expect(paid).to_contain_text("γ = 0.0", timeout=30_000)
    assert float(re.search(r"easy negatives ([\d.]+)%", paid.inner_text())[1]) > float(share)

    shown = lesson.locator(".st-key-focal_anchors-live")
    before = shown.inner_text()
    bar = lesson.locator('.st-key-focal_bars-live [data-id$="-n"]').first
    shown.scroll_into_view_if_needed()  # beside the bars, and as high
    at = bar.bounding_box()
    lesson.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2, steps=3)
    expect(shown).not_to_have_text(before, timeout=30_000)

    picture = lesson.locator(".st-key-focal_opened-live .frame").first
    picture.scroll_into_view_if_needed()
    size = picture.bounding_box()
    picture.click(position={"x": size["width"] * 0.1, "y": size["height"] * 0.8})
    lesson.wait_for_url(re.compile(r"focal_at=\d+(%2C|,)\d+"))

    lesson.get_by_role("button", name="Start").click()
    progress = lesson.locator(".st-key-focal_progress-live .words")
    expect(progress).to_contain_text("γ = 2", timeout=120_000)
    lesson.get_by_role("button", name="Stop").click()
    expect(progress).to_contain_text(re.compile("Stopped|Done"), timeout=60_000)
