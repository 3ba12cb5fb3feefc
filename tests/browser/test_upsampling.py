"""The upsampling page in a real browser: every control moves, the picture follows, and nothing complains."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/upsampling")
    expect(page.locator(".matrix .cell").first).to_be_visible(timeout=60_000)
    settle(page)
    return page


def settle(page):
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=60_000)
    page.wait_for_timeout(400)


def cells(page, matrix, sheet):
    """The printed numbers of one grid: `matrix` counts the rows of grids on the page, `sheet` the grids in it."""
    return page.locator(".matrix").nth(matrix).locator("figure").nth(sheet).locator(".cell")


def shown(page, matrix, sheet):
    return cells(page, matrix, sheet).locator(".number").all_inner_texts()


def choose(page, label):
    page.get_by_role("radio", name=label, exact=True).or_(
        page.get_by_role("button", name=label, exact=True)
    ).first.click()
    settle(page)


def test_every_method_changes_the_output(lesson):
    def numbers(sheet):
        return expect(cells(lesson, 0, sheet).locator(".number"))

    numbers(1).to_have_text(
        ["1", "1.25", "1.75", "2", "1.5", "1.75", "2.25", "2.5", "2.5", "2.75", "3.25", "3.5", "3", "3.25", "3.75", "4"]
    )
    choose(lesson, "nearest")
    numbers(1).to_have_text(["1", "1", "2", "2", "1", "1", "2", "2", "3", "3", "4", "4", "3", "3", "4", "4"])
    choose(lesson, "bed of nails")
    numbers(1).to_have_text(["1", "0", "2", "0", "0", "0", "0", "0", "3", "0", "4", "0", "0", "0", "0", "0"])
    choose(lesson, "bicubic")
    expect(cells(lesson, 0, 1).locator(".number").first).to_contain_text("0.68")
    choose(lesson, "max unpooling")
    numbers(2).to_have_text(["0", "0", "2", "0", "0", "1", "0", "0", "0", "0", "0", "0", "3", "0", "0", "4"])
    expect(lesson.locator(".matrix")).to_have_count(2)


def test_typing_a_number_changes_the_output_and_letters_are_refused(lesson):
    cells(lesson, 0, 0).first.click()
    lesson.keyboard.type("9")
    lesson.keyboard.press("Enter")
    expect(cells(lesson, 0, 1).first).to_contain_text("9")
    expect(lesson).to_have_url(re.compile("up_input=9"))
    cells(lesson, 0, 0).first.click()
    lesson.keyboard.type("duck")
    lesson.keyboard.press("Enter")
    expect(lesson.locator(".matrix").first).to_contain_text("is not a number")
    expect(cells(lesson, 0, 1).first).to_contain_text("9")


def test_pointing_at_an_output_marks_its_inputs_without_a_round_trip(lesson):
    cells(lesson, 0, 1).nth(5).hover()
    expect(lesson.locator(".matrix").first.locator(".line")).to_contain_text("0.5625 × 1")
    expect(lesson.locator(".matrix").first.locator(".source")).to_have_count(4)


def test_selecting_an_output_writes_its_arithmetic(lesson):
    cells(lesson, 0, 1).nth(10).click()
    expect(lesson.get_by_text("Output cell (2, 2)")).to_be_visible()


def test_overlapping_windows_lose_values(lesson):
    lesson.get_by_text("Overlapping windows (stride 1)").click()
    question = lesson.locator(".st-key-predict-upsampling-zeros")
    question.get_by_role("button", name="Show me").click()
    expect(lesson.get_by_text("3 of 9 values are lost")).to_be_visible()


def test_more_convolutions_see_more(lesson):
    expect(lesson.get_by_text("6 convolutions: sees 13 × 13 px")).to_be_visible()
    slider = lesson.get_by_role("slider", name="3×3 convolutions")
    picture = lesson.locator(".st-key-rf_plain-live .frame")
    before = picture.screenshot()
    slider.focus()
    lesson.keyboard.press("ArrowRight")
    expect(lesson.get_by_text("7 convolutions: sees 15 × 15 px")).to_be_visible()
    settle(lesson)
    assert picture.screenshot() != before


def test_a_link_restores_the_exact_state(server, page):
    page.goto(f"{server}/upsampling?up_method=bicubic&up_factor=3&up_input=5,6,7,8&rf_layers=9")
    expect(page.locator(".matrix .cell").first).to_be_visible(timeout=60_000)
    settle(page)
    assert shown(page, 0, 0) == ["5", "6", "7", "8"]
    assert len(shown(page, 0, 1)) == 36
    expect(page.get_by_text("9 convolutions: sees 19 × 19 px")).to_be_visible()


def test_fog_moves_the_five_predictions(lesson):
    table = lesson.get_by_text(re.compile(r"bilinear · mIoU")).first
    expect(table).to_be_visible(timeout=60_000)
    before = table.inner_text()
    slider = lesson.get_by_role("slider", name="More fog")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    lesson.mouse.move(box["x"] + 12, middle)
    lesson.mouse.down()
    for share in np.linspace(0.1, 0.9, 9):
        lesson.mouse.move(box["x"] + box["width"] * share, middle)
        lesson.wait_for_timeout(120)
    expect(table).not_to_have_text(before)
    lesson.mouse.up()
    settle(lesson)
    expect(lesson).to_have_url(re.compile("scene_more_fog="))


def test_an_uploaded_photograph_is_segmented(lesson, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (300, 400, 3), np.uint8)).save(tmp_path / "mine.jpg")
    lesson.get_by_role("button", name="Picture").first.click()
    choose(lesson, "Upload")
    lesson.locator('input[type="file"]').set_input_files(tmp_path / "mine.jpg")
    settle(lesson)
    expect(lesson.get_by_text(re.compile(r"bilinear · mIoU"))).to_have_count(0, timeout=30_000)
    found = lesson.get_by_label("Classes found by the network with bilinear upsampling").first
    expect(found).to_be_visible(timeout=60_000)
    expect(lesson.get_by_text("nobody knows the true classes here")).to_be_visible()
