"""People on the localization page in a real browser: the integral follows the hand, a pair of the table puts the line
between its joints, and a slider pushes persons together."""

import re

import pytest
from playwright.sync_api import expect

from ui import course

pytestmark = pytest.mark.skipif(
    "localization" not in [lesson.file for lesson in course.ready()], reason="the network has no weights, so no page"
)


@pytest.fixture
def people(server, page):
    page.goto(f"{server}/localization?predict=off&people_line=60,60,60,120")
    expect(page.locator(".st-key-people_matched-live .words")).to_contain_text("Best possible", timeout=120_000)
    return page


def words(page, key: str):
    return page.locator(f".st-key-{key}-live .words")


def test_line_table_and_overlap_in_one_visit(people):
    told = words(people, "people_arithmetic")
    expect(told).to_contain_text("v = (0.00, 1.00)")  # the line of the link goes straight down

    end = people.locator('[data-id="second end"]').first
    end.scroll_into_view_if_needed()
    at = end.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    people.mouse.move(x, y)
    people.mouse.down()
    said = set()
    for step in range(30):
        people.mouse.move(x + 3 * step, y)
        people.wait_for_timeout(50)
        said.add(told.inner_text())
    people.mouse.up()
    assert len(said) >= 3, "while the button is down"
    people.wait_for_url(lambda url: "people_line=" in url and "60.0%2C120.0" not in url)

    people.locator(".st-key-people_pairs-live .cell").first.click()
    people.wait_for_url(re.compile("people_pairs_at=pairs"))
    expect(told).not_to_have_text(said.pop())

    slider = people.get_by_role("slider", name="Overlap")
    slider.scroll_into_view_if_needed()
    summary = words(people, "people_summary")
    before = summary.inner_text()
    slider.focus()
    slider.press("Home")
    people.wait_for_url(re.compile(r"people_overlap=0\.0"))
    expect(summary).not_to_have_text("")
    assert before
