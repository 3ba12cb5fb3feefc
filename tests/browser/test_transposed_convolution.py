"""The transposed convolution page in a real Chromium: animation, keyboard, typed numbers, hover, touch, links."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.reading import rest

SLIDER = "Copies stamped"


def visit(page, server, query=""):
    page.goto(f"{server}/transposed_convolution{query}")
    page.get_by_role("slider", name=SLIDER).wait_for(timeout=60_000)
    page.get_by_role("grid", name="sum of copies").wait_for()
    return page


@pytest.fixture
def lesson(page, server):
    return visit(page, server)


def numbers(page, grid):
    """The texts of all cells of the first grid whose name begins like this."""
    cells = page.get_by_role("grid", name=re.compile(f"^{re.escape(grid)}, ")).first.get_by_role("gridcell")
    return [text.replace("−", "-") for text in cells.locator(".number").all_inner_texts()]


def expect_numbers(page, grid, expected):
    cells = page.get_by_role("grid", name=re.compile(f"^{re.escape(grid)}, ")).first.locator(".number")
    expect(cells).to_have_text([value.replace("-", "−") for value in expected])


def test_keys_stamp_one_copy_after_the_other(lesson):
    slider = lesson.get_by_role("slider", name=SLIDER)
    slider.press("Home")
    expect(lesson.get_by_text("nothing is stamped yet")).to_be_visible()
    slider.press("ArrowRight")
    first = ["1", "2", "1", "", "", "2", "4", "2", "", "", "1", "2", "1"] + [""] * 12
    expect_numbers(lesson, "sum of copies", first)
    slider.press("End")
    expect_numbers(
        lesson, "output", ["4", "6", "8", "4", "8", "10", "12", "6", "12", "14", "16", "8", "6", "7", "8", "4"]
    )


def test_play_runs_to_the_end_and_keeps_the_grid(lesson):
    slider = lesson.get_by_role("slider", name=SLIDER)
    slider.press("Home")
    expect(lesson.get_by_text("nothing is stamped yet")).to_be_visible()
    lesson.get_by_role("grid", name=re.compile("^sum of copies")).evaluate("node => { window.kept = node }")
    lesson.get_by_role("button", name=re.compile("^Play")).first.click()
    expect(lesson.get_by_text("4 × filter is added")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuenow", "4")
    expect(lesson.get_by_role("button", name="Play Copies stamped")).to_be_visible()  # it has stopped at the end
    assert lesson.get_by_role("grid", name=re.compile("^sum of copies")).evaluate("node => node === window.kept")


def test_dragging_draws_while_the_hand_is_down(lesson):
    rest(lesson)  # on a busy machine the choice above the slider comes late, and moves it
    box = lesson.get_by_role("slider", name=SLIDER).bounding_box()
    y = box["y"] + box["height"] / 2
    left, right = box["x"] + 11, box["x"] + box["width"] - 11
    lesson.mouse.click(right, y)
    expect(lesson.get_by_text("4 × filter is added")).to_be_visible()
    lesson.mouse.move(right, y)
    lesson.mouse.down()
    for i in range(20):
        lesson.mouse.move(right + (left - right) * (i + 1) / 20, y)
    expect(lesson.get_by_text("nothing is stamped yet")).to_be_visible()
    assert lesson.evaluate("document.documentElement.hasAttribute('data-held')")  # what is out of sight rests
    lesson.mouse.up()
    expect(lesson).not_to_have_url(re.compile("stamp_step"))
    assert not lesson.evaluate("document.documentElement.hasAttribute('data-held')")
    far = lesson.locator('[class*="st-key-checkerboard_picture-live"] .rasters')
    expect(far).to_have_css("visibility", "hidden")  # layers that are not put together in every frame
    far.scroll_into_view_if_needed()
    expect(far).to_have_css("visibility", "visible")


def test_a_typed_number_runs_through(lesson):
    cell = lesson.get_by_role("grid", name=re.compile("^input, 2 by 2")).first.get_by_role("gridcell").first
    cell.click()
    lesson.keyboard.type("5")
    lesson.keyboard.press("Enter")
    lesson.get_by_role("slider", name=SLIDER).press("End")
    sums = lesson.get_by_role("grid", name=re.compile("^sum of copies, ")).locator(".number")
    expect(sums.first).to_have_text("5")


def test_hover_writes_the_arithmetic_of_a_row(lesson):
    name = "Two inputs, stride 2"
    lesson.get_by_role("radio", name=name).or_(lesson.get_by_role("button", name=name)).first.click()
    words = lesson.get_by_role("grid", name=re.compile("^in letters, 5 by 1"))
    expect(words.locator(".number")).to_have_text(["ax", "ay", "az+bx", "by", "bz"])
    words.get_by_role("gridcell").nth(2).hover()
    expect(lesson.get_by_text("az+bx = 2·3 + (-1)·1 = 5")).to_be_visible()


def test_illegal_values_in_a_link_become_legal(page, server):
    visit(page, server, "?stamp_stride=2&stamp_extra=9&stamp_padding=99")
    assert page.get_by_role("slider", name="Output padding").first.get_attribute("aria-valuemax") == "1"
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("different", exact=True)).to_have_count(0)


def test_a_link_restores_the_state(page, server):
    visit(page, server, "?stamp_stride=3&stamp_kernel=2")
    expect(page.get_by_role("grid", name="sum of copies, 5 by 5")).to_be_visible()


def test_touch_moves_a_slider(phone, server):
    visit(phone, server)
    slider = phone.get_by_role("slider", name=SLIDER)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    phone.touchscreen.tap(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    expect(phone.get_by_text("4 × filter is added")).to_be_visible()
    assert phone.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_two_visitors_do_not_share_values(page, other, server):
    for each in (page, other):
        visit(each, server)
    page.get_by_role("slider", name=SLIDER).press("End")
    expect(page.get_by_text("4 × filter is added")).to_be_visible()
    expect(other.get_by_text("nothing is stamped yet")).to_be_visible()
    assert other.get_by_role("slider", name=SLIDER).get_attribute("aria-valuenow") == "0"
