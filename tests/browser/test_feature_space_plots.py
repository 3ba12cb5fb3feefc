"""The plots of What a Network Remembers in a real browser: t-SNE in the open, and what is pointed at is shown large."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/feature_space?predict=off&plot_way=t-SNE&plot_iterations=2000")
    expect(page.get_by_text(re.compile("Not begun"))).to_be_visible(timeout=90_000)
    return page


def test_what_is_pointed_at_is_shown_large(lesson):
    told = lesson.locator('[class*="st-key-plot_under"]')
    expect(told.get_by_text("The picture that asks")).to_be_visible()
    plot = lesson.locator('[class*="st-key-plot_points"] .frame').first
    plot.scroll_into_view_if_needed()
    size = plot.bounding_box()
    for step in range(1, 40):  # along a diagonal that meets many
        plot.hover(position={"x": size["width"] * step / 40, "y": size["height"] * step / 40})
        lesson.wait_for_timeout(150)
        if told.get_by_text(re.compile("scene 1")).count():
            break
    expect(told.get_by_text(re.compile("scene 1"))).to_be_visible()


def test_points_move_without_a_touch_and_are_stopped(lesson):
    lesson.locator(".st-key-plot_start button").click()
    line = lesson.get_by_text(re.compile(r"On its way\. Iteration \d+ · KL"))
    expect(line).to_be_visible(timeout=90_000)
    expect(line).not_to_have_text(line.inner_text(), timeout=60_000)
    lesson.locator(".st-key-plot_stop button").click()
    expect(lesson.get_by_text("Stopped. Start goes on from here.")).to_be_visible(timeout=60_000)
