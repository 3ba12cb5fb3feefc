"""The class activation page in a real browser: the box follows the hand, classes are chosen, links restore."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.asking import frames, is_veiled
from ui import course

pytestmark = pytest.mark.skipif(
    "class_activation" not in [lesson.file for lesson in course.ready()],
    reason="the classifiers have no weights, so no page yet",
)
KEEPS = re.compile(r"M above \d\.\d\d × max")


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/class_activation?cam_seed=459&cam_class=motorcycle&cam_other=dog")
    expect(page.get_by_text(KEEPS)).to_be_visible(timeout=90_000)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=90_000)
    return page


def threshold(page):
    slider = page.locator(".st-key-cam_share-live").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    return slider


def test_the_box_follows_the_threshold_while_it_is_dragged(lesson):
    box = threshold(lesson).bounding_box()
    lesson.locator(".words", has_text=KEEPS).first.evaluate(
        """(said) => { window.seen = new Set(); const look = () => {
        window.seen.add(said.innerText); requestAnimationFrame(look) }; look() }"""
    )
    x = lambda share: box["x"] + 11 + (box["width"] - 22) * share  # noqa: E731
    y = box["y"] + box["height"] / 2
    lesson.mouse.move(x(0.21), y)
    lesson.mouse.down()
    for i in range(61):
        lesson.mouse.move(x(0.21 + 0.6 * i / 60), y)
        lesson.wait_for_timeout(16)
    held = lesson.evaluate("window.seen.size")
    lesson.mouse.up()
    assert held >= 8
    lesson.wait_for_url("**cam_share=0.7*")
    expect(lesson.get_by_text(re.compile(r"M above 0\.7\d × max"))).to_be_visible()


def test_the_keyboard_moves_the_threshold(lesson):
    threshold(lesson).press("ArrowRight")
    expect(lesson.get_by_text("M above 0.21 × max")).to_be_visible()
    lesson.wait_for_url("**cam_share=0.21*")


def test_a_class_is_chosen_for_the_whole_page(lesson):
    expect(lesson.get_by_text("add most to the score of motorcycle?")).to_be_visible()
    lesson.get_by_role("radio", name="ball", exact=True).or_(
        lesson.get_by_role("button", name="ball", exact=True)
    ).first.click()
    expect(lesson.get_by_text("add most to the score of ball?")).to_be_visible()
    lesson.wait_for_url("**cam_class=ball*")
    expect(lesson.get_by_text("There is no ball in this scene").first).to_be_visible()


def test_a_click_writes_a_cell_out_and_the_link_restores_it(server, lesson):
    question = frames(lesson).filter(has_text="After how many does the sum stay").first
    assert is_veiled(question)
    question.get_by_role("button", name="Show me").click()
    expect(question.get_by_role("button", name="Ask me again")).to_be_visible()
    frame = lesson.get_by_label(re.compile("The sum of the first")).first
    frame.scroll_into_view_if_needed()
    width = frame.bounding_box()["width"]
    frame.click(position={"x": width * 3.5 / 14, "y": width * 5.5 / 14})
    expect(lesson.get_by_text("fₖ at row 5, column 3")).to_be_visible()
    lesson.wait_for_url("**cam_cell=5*")
    lesson.goto(lesson.url)
    expect(lesson.get_by_text("fₖ at row 5, column 3")).to_be_visible(timeout=90_000)


def test_augmented_runs_on_demand(server, page):
    page.goto(f"{server}/class_activation?cam_seed=459&cam_class=motorcycle&cam_views=4")
    page.locator(".st-key-cam_run").get_by_role("button").click(timeout=90_000)
    expect(page.get_by_text("mean of the unwarped maps", exact=True)).to_be_visible(timeout=90_000)
