"""The frame of the lab in a real browser: cold deep links, navigation, lecture mode, an unknown address."""

import pytest
from playwright.sync_api import expect

from ui.course import ready

NAVIGATION = '[data-testid="stSidebarNav"]'
# Each needs a server of its own.
DEEP = [
    pytest.param(each, marks=() if at % 12 == 0 else pytest.mark.sweep, id=each.path)
    for at, each in enumerate(each for each in ready() if each.path)
]


@pytest.mark.parametrize("lesson", DEEP)
def test_cold_server_deep_link_shows_navigation_and_that_page(cold_server, page, lesson):
    """The first visitor of a fresh server must not get the old automatic navigation (the `pages/` trap)."""
    page.goto(f"{cold_server}/{lesson.path}")
    expect(page.get_by_role("heading", level=1, name=lesson.title, exact=True)).to_be_visible()
    names = page.locator(f"{NAVIGATION} a").all_inner_texts()
    assert [name.split("\n")[-1] for name in names] == [each.menu for each in ready()]
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("heading", level=2).first).to_be_visible(timeout=60_000)
    assert page.url.startswith(f"{cold_server}/{lesson.path}")


@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.sweep)])
def test_navigation_leads_from_page_to_page(server, page, every):
    page.goto(server)
    for lesson in ready()[::every]:
        page.locator(f"{NAVIGATION} a", has_text=lesson.menu).first.click()
        heading = page.get_by_role("heading", level=1, name=lesson.title, exact=True)
        expect(heading).to_be_visible(timeout=90_000)


def test_lecture_mode_hides_the_side_bar_and_enlarges_type(server, page):
    size = "getComputedStyle(document.querySelector('h1')).fontSize.replace('px', '') * 1"
    page.goto(server)
    expect(page.locator(NAVIGATION)).to_be_visible()
    usual = page.evaluate(size)
    page.goto(f"{server}/?lecture=1")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(NAVIGATION)).to_have_count(0)
    expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
    page.wait_for_function(f"{size} >= {1.2 * usual}")
