"""What a network remembers, in a real browser: neighbours follow the hand, and a neighbour that is clicked asks."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "feature_space" not in [lesson.file for lesson in course.ready()],
    reason="the classifier has no weights, so no page yet",
)
SENTENCE = re.compile(r"The \d+ nearest of 1,0\d\d: ")


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/feature_space")
    expect(page.get_by_text(SENTENCE)).to_be_visible(timeout=90_000)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=90_000)
    return page


def test_neighbours_follow_k_while_it_is_dragged(lesson):
    slider = lesson.get_by_role("slider", name="Neighbours k", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    lesson.locator(".words", has_text=SENTENCE).first.evaluate(
        """(said) => { window.seen = new Set(); const look = () => {
        window.seen.add(/The (\\d+) nearest/.exec(said.innerText)?.[1]); requestAnimationFrame(look) }; look() }"""
    )
    x = lambda k: box["x"] + 11 + (box["width"] - 22) * (k - 1) / 11  # noqa: E731
    y = box["y"] + box["height"] / 2
    lesson.mouse.move(x(8), y)
    lesson.mouse.down()
    for i in range(61):
        lesson.mouse.move(x(8 - 5 * i / 60), y)
        lesson.wait_for_timeout(16)
    held = lesson.evaluate("window.seen.size")
    lesson.mouse.up()
    assert held >= 4
    lesson.wait_for_url("**space_k=3*")
    expect(lesson.get_by_text("The 3 nearest of")).to_be_visible()


def test_the_keyboard_goes_to_an_earlier_layer_and_the_link_comes_back_to_it(lesson):
    slider = lesson.get_by_role("slider", name="Layer", exact=True)
    expect(lesson.get_by_text("Layer residual28b: 128 numbers")).to_be_visible()
    slider.press("Home")
    expect(lesson.get_by_text("Layer picture: 3 numbers")).to_be_visible()
    lesson.wait_for_url("**space_layer=picture*")
    lesson.goto(lesson.url)
    expect(lesson.get_by_text("Layer picture: 3 numbers")).to_be_visible(timeout=90_000)


def test_a_neighbour_that_is_clicked_asks_in_its_turn(lesson):
    frame = lesson.get_by_label(re.compile("The 12 nearest pictures")).first
    frame.scroll_into_view_if_needed()
    size = frame.bounding_box()
    frame.click(position={"x": size["width"] / 12, "y": size["height"] / 4})
    lesson.wait_for_url("**space_from=*")
    expect(lesson.get_by_text("in the gallery itself and left out")).to_be_visible()
    lesson.get_by_role("button", name="Ask with my picture again").click()
    expect(lesson.get_by_text("in the gallery itself and left out")).to_be_hidden()


def test_another_network_has_other_layers(lesson):
    lesson.get_by_role("radio", name="ImageNet", exact=True).or_(
        lesson.get_by_role("button", name="ImageNet", exact=True)
    ).first.click()
    expect(lesson.get_by_text("Layer head: 1280 numbers")).to_be_visible(timeout=90_000)
