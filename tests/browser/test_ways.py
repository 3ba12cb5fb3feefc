"""From page to page: no dead end, and `?lecture=1` goes along; nothing is wider than a projector."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from ui.course import Lesson, ready

HOME = "The map of the course"  # Streamlit writes no address of the first page into a link, but a click leads there
LINKS = "links => links.map((link) => [link.href, link.innerText])"


@pytest.fixture(scope="module")
def seen(server, chromium) -> dict[str, dict]:
    """Every page in lecture mode at 1280 px: its links within the lab, and what it looks like."""
    found = {}
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    for lesson in ready():
        tab.goto(f"{server}/{lesson.path}?lecture=1", wait_until="commit")
        expect(tab.get_by_role("heading", level=1, name=lesson.title, exact=True)).to_be_visible(timeout=90_000)
        # What the page writes last.
        last = ".st-key-page-way-on" if lesson.path else f".st-key-lesson-{ready()[-1].file}"
        expect(tab.locator(f"{last} a").last).to_be_attached(timeout=90_000)
        links = tab.locator("[data-testid=stMain] a").evaluate_all(LINKS)
        found[lesson.path] = {
            "links": [(link, text) for link, text in links if link.startswith(server) and "#" not in link],
            "side bar": tab.locator("[data-testid=stSidebar]:visible").count(),
            "type": tab.locator("html").evaluate("node => parseFloat(getComputedStyle(node).fontSize)"),
            "width": tab.locator("[data-testid=stMain]").evaluate("node => [node.scrollWidth, node.clientWidth]"),
        }
    context.close()
    return found


def leads_to(page: dict) -> set[str]:
    """Paths of the pages that a page links to."""
    return {"" if HOME in text else urlsplit(link).path.strip("/") for link, text in page["links"]}


@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_lecture_mode(seen, lesson: Lesson):
    page = seen[lesson.path]
    assert page["side bar"] == 0 and page["type"] >= 20
    assert page["width"][0] <= page["width"][1], "scrolls sideways"
    assert all(parse_qs(urlsplit(link).query).get("lecture") == ["1"] for link, _ in page["links"]), page["links"]


def test_from_home_every_page_can_be_reached_and_none_is_a_dead_end(seen):
    reached, waiting = set(), [""]
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += leads_to(seen[here])
    assert reached == {lesson.path for lesson in ready()}
    for lesson, after in zip(ready()[1:], [*ready()[2:], ready()[0]], strict=True):
        assert {after.path, ""} <= leads_to(seen[lesson.path]), lesson.title


def test_the_next_page_is_one_click_away_and_lecture_mode_stays(server, page):
    first, second = ready()[1:3]
    page.goto(f"{server}/{first.path}?lecture=1")
    page.get_by_role("link", name=re.compile(f"Next: {re.escape(second.title)}")).click()
    expect(page.get_by_role("heading", level=1, name=second.title, exact=True)).to_be_visible()
    page.wait_for_url(f"**/{second.path}?lecture=1*")
    page.get_by_role("link", name=HOME).click()
    expect(page.get_by_role("heading", level=1, name=ready()[0].title, exact=True)).to_be_visible()
    page.wait_for_url(f"{server}/?lecture=1*")
