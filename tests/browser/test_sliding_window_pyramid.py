"""Boxes and pyramids in a real browser: sliders move the levels, a click opens a window, work goes on behind."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "sliding_window" not in [lesson.file for lesson in course.ready()],
    reason="the window networks have no weights, so no page yet",
)


def test_levels_windows_and_work_behind(server, page):
    page.goto(f"{server}/sliding_window?predict=off&window_seed=7&window_scenes=100")
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=90_000)
    # The pyramid follows its slider.
    scales = page.get_by_role("slider", name="Scales", exact=True)
    scales.scroll_into_view_if_needed()
    expect(page.get_by_label("5 copies of the picture, each smaller").first).to_be_visible()
    scales.press("ArrowLeft")
    expect(page.get_by_label("4 copies of the picture, each smaller").first).to_be_visible()
    page.wait_for_url("**pyramid_count=4*")
    # A window that is clicked is opened, and the link opens it again.
    opened = page.locator(".words", has_text=re.compile("IoU with the nearest")).first
    opened.scroll_into_view_if_needed()
    before = opened.inner_text()
    frame = page.get_by_label(re.compile(r"^\d+ windows above the threshold")).first
    frame.scroll_into_view_if_needed()
    size = frame.bounding_box()
    frame.click(position={"x": 0.55 * size["width"], "y": 0.5 * size["height"]})  # not in the surest one
    page.wait_for_url("**window_box_at=*")
    expect(opened).not_to_have_text(before, timeout=60_000, use_inner_text=True)
    after = opened.inner_text()
    page.goto(page.url)
    expect(opened).to_have_text(after, timeout=90_000, use_inner_text=True)
    # Scenes are judged behind the page, which answers meanwhile, until told to stop.
    judge = page.get_by_role("button", name="Judge the scenes")
    judge.scroll_into_view_if_needed()
    judge.click()
    expect(page.get_by_text(re.compile(r"Scenes, then their AP: \d+ of"))).to_be_visible(timeout=90_000)
    threshold = page.get_by_role("slider", name="NMS threshold", exact=True)
    threshold.press("End")
    page.wait_for_url("**pyramid_nms=0.9*")
    page.locator(".st-key-window_judge_stop button").click()
    expect(page.get_by_text("What is done stays done")).to_be_visible(timeout=90_000)
