# ruff: noqa: E501 (the scripts read better in long lines)
"""What holds on every page: the keyboard reaches all of it, axe-core finds nothing serious, it fits phone and projector,
a link restores it, lecture mode goes along, no page is a dead end, and what answers a question is veiled until a guess.
The picture comes first: on a projector and on a phone the first one stands whole in the window with a control that moves
it; nothing hides behind an edge; a projector's pictures are read from the last row.

Where nothing is asked (`?predict=off`) nothing is veiled, so that every control can be moved and every word read."""

import re
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import frames, give_a_guess, is_veiled
from tests.browser.conftest import visiting
from tests.browser.measuring import PHONE, PROJECTOR, measured
from tests.browser.moving import move_all
from tests.browser.reading import arrive, rest
from ui.course import Lesson, ready

LARGE = {"width": 1280, "height": 900}
HOME = "The map of the course"  # Streamlit writes no address of the first page into a link, but a click leads there
LINKS = "links => links.map((link) => [link.href, link.innerText])"
SIZE = "node => parseFloat(getComputedStyle(node).fontSize)"
# As Back leads to an address: the page runs anew where it is, which costs a third of an arrival.
TURN = "query => { history.replaceState(null, '', location.pathname + query); dispatchEvent(new PopStateEvent('popstate')) }"
WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"

AXE = files("axe_playwright_python") / "axe.min.js"
GRAVE = ("serious", "critical")
# Streamlit's own chrome, which no page of ours can mend.
NOT_OURS = ["[data-testid=stHeader]", "[data-testid=stSidebarNav]", "[data-testid=stToolbar]"]
RUN_AXE = """async ([exclude, only]) => {
  const found = await axe.run({ exclude: exclude.map((each) => [each]) }, { resultTypes: ['violations'], ...only })
  return found.violations.map(({ id, impact, nodes }) => (
    { id, impact, count: nodes.length, first: nodes.slice(0, 3).map((node) => node.html.slice(0, 200)) }))
}"""

# All stops in reading order, with what each looks like without the focus. Of a radio group one button is a stop.
COLLECT_STOPS = r"""() => {
  const OF = ['outlineStyle', 'outlineColor', 'outlineWidth', 'boxShadow', 'borderTopColor', 'stroke', 'strokeWidth', 'opacity', 'backgroundColor']
  const look = (node) => {
    const above = [node]
    while (above.length < 5 && above.at(-1).parentElement) above.push(above.at(-1).parentElement)
    const near = [...above, ...node.querySelectorAll('*'),
      ...(node.closest('label')?.querySelectorAll('*') ?? [])].filter(Boolean).slice(0, 120)
    return near.map((each) => { const style = getComputedStyle(each); return OF.map((name) => style[name]).join() }).join(';')
  }
  const stops = []
  const walk = (root) => {
    for (const node of root.children) {
      const seen = node.getClientRects().length && getComputedStyle(node).visibility !== 'hidden'
      if (node.tabIndex >= 0 && !node.disabled && seen && !node.closest('[inert]')) stops.push(node)
      if (node.shadowRoot) walk(node.shadowRoot)
      walk(node)
    }
  }
  walk(document.querySelector('[data-testid=stMain]'))
  const group = (node) => {
    if (node?.type === 'radio' && node.name) return node.name
    return node?.dataset?.variant ? node.closest('[class*=st-key-]')?.className : null // arrow keys go on inside
  }
  window.stops = stops.filter((node, i) => !group(node) || stops.findIndex((other) => group(other) === group(node)) === i)
  const looks = window.stops.map(look)
  window.focused = () => {
    let node = document.activeElement
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
    const at = window.stops.findIndex((each) => each === node || (group(each) && group(each) === group(node)))
    const table = Boolean(node?.closest?.('[data-testid=stDataFrame]')) // marks its cell on a canvas; Tab goes through the cells
    const marked = table || look(window.stops[at] ?? node) !== looks[at]
    return { at, table, marked, inside: Boolean(document.activeElement?.closest('[data-testid=stMain]')), name: node?.outerHTML.slice(0, 160) ?? '' }
  }
  document.querySelector('[data-testid=stMain]').focus()
  return window.stops.map((node) => node.outerHTML.slice(0, 160))
}"""


TIMES = re.compile(r"[\d.,]+\s?(ms|s|GB|MB|%)\b|\d+(\.\d+)?×")


LEAST = 18  # px, of words and digits in pictures in lecture mode

# Six sliders above four grids of numbers that one can type into: on a phone they are taller than the window.
TOO_TALL = {("transposed_convolution", "phone")}


# Where all pages do by the same code what is tested: every fifth here, the others by `make sweep`.
EVERY_FIFTH = pytest.mark.parametrize(
    "lesson",
    [pytest.param(each, marks=pytest.mark.sweep if at % 5 != 2 else ()) for at, each in enumerate(ready())],
    indirect=True,
    ids=lambda each: each.file,
)


@pytest.fixture(scope="module", params=ready(), ids=lambda each: each.file)
def lesson(request) -> Lesson:
    return request.param


@pytest.fixture(scope="module")
def visit(server, chromium, lesson):
    """One visit for all that is wanted of the page: what stands where as everybody sees it first, on a projector and on
    a phone; and the tab, which is left as a link with `?predict=off` opens the page."""
    with visiting(chromium, viewport=PROJECTOR, reduced_motion="reduce") as tab:
        arrive(tab, f"{server}/{lesson.path}", lesson)
        found = {"projector": measured(tab)}
        tab.set_viewport_size(PHONE)
        rest(tab)
        found["phone"] = measured(tab)
        tab.set_viewport_size(LARGE)
        tab.evaluate(TURN, "?predict=off")
        tab.wait_for_function("document.querySelectorAll('[class*=st-key-predict-veil-]').length === 0")
        rest(tab)
        yield tab, found


@pytest.fixture(scope="module")
def tab(visit):
    return visit[0]


@pytest.fixture(scope="module")
def lecture(server, chromium, lesson):
    """What is seen in lecture mode: what stands where, how many side bars, the size of type, the width, the links."""
    with visiting(chromium, viewport=PROJECTOR, reduced_motion="reduce") as tab:
        arrive(tab, f"{server}/{lesson.path}?lecture=1", lesson)
        return {
            "seen": measured(tab),
            "bars": tab.locator("[data-testid=stSidebar]:visible").count(),
            "size": tab.locator("html").evaluate(SIZE),
            "width": tab.evaluate(WIDTH),
            "links": tab.locator("[data-testid=stMain] a").evaluate_all(LINKS),
        }


@pytest.fixture(scope="module")
def seen(visit, lecture):
    """What stands where, by window."""
    return visit[1] | {"lecture": lecture["seen"]}


def lasting(words: list[str]) -> list[str]:
    """Without what a clock says."""
    return [TIMES.sub("·", each) for each in words]


def grave(tab: Page, **only) -> str:
    """The serious violations that stay; on a busy machine Streamlit may still be fading an element in.

    `only`: options of axe-core, such as `runOnly`.
    """
    for _ in range(5):
        found = [each for each in tab.evaluate(RUN_AXE, [NOT_OURS, only]) if each["impact"] in GRAVE]
        if not found:
            break
        tab.wait_for_timeout(1000)
    return "\n".join(f"{each['id']} ({each['count']}): {each['first']}" for each in found)


def test_no_serious_violation_in_light_and_dark(tab):
    tab.evaluate(AXE.read_text())
    assert not grave(tab)
    light = tab.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(
        "(light) => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor !== light",
        arg=light,
    )
    rest(tab)
    assert not grave(tab, runOnly=["color-contrast", "link-in-text-block"])  # nothing else depends on the theme
    tab.emulate_media(color_scheme="light")


def test_tab_reaches_everything_in_order_and_shows_where_it_is(tab):
    stops = tab.evaluate(COLLECT_STOPS)
    reached, unmarked = [], []
    for _ in range(2 * len(stops) + 20):
        tab.keyboard.press("Tab")
        now = tab.evaluate("focused()")
        if now["at"] >= 0 and not (now["table"] and now["at"] in reached):
            reached.append(now["at"])
            if not now["marked"]:
                tab.wait_for_timeout(400)  # a colour may fade in
                if not tab.evaluate("focused()")["marked"]:
                    unmarked.append(now["name"])
        elif reached and not now["inside"]:
            break  # past the end of the page
    assert len(stops) > 5 and reached == sorted(set(reached)), "not in reading order, or no way out"
    assert set(reached) == set(range(len(stops))), [stops[i] for i in set(range(len(stops))) - set(reached)]
    assert not unmarked


def test_a_phone_does_not_scroll_sideways(tab):
    tab.set_viewport_size(PHONE)
    rest(tab)
    tab.wait_for_function(f"{WIDTH} <= 390")  # charts are drawn anew for their new width
    tab.set_viewport_size(LARGE)


@EVERY_FIFTH
def test_a_link_restores_every_control_in_a_new_browser(tab, chromium, lesson):
    before, shown = rest(tab), move_all(tab)
    assert shown["controls"] != before["controls"]
    for _ in range(3):
        address = tab.url
        with visiting(chromium, viewport=LARGE, reduced_motion="reduce") as other:
            opened = arrive(other, address, lesson)
        shown = rest(tab)
        if tab.url == address:  # on a busy machine the last value settles after the page has come to rest
            break
    assert opened["controls"] == shown["controls"]
    if lasting(opened["words"]) != lasting(shown["words"]):
        tab.keyboard.press("r")  # what runs that overtook each other have left behind goes with the next run
        shown = rest(tab)
    assert lasting(opened["words"]) == lasting(shown["words"])


@EVERY_FIFTH
def test_back_and_forward_restore_every_control(tab, lesson):
    """As the test before has left them, or untouched."""
    shown, address = rest(tab), tab.url
    to = "Next page" if lesson != ready()[-1] else "Previous page"
    tab.locator(".st-key-page-bar").get_by_role("link", name=to).click()
    other = ready()[ready().index(lesson) + (1 if to == "Next page" else -1)]
    expect(tab.get_by_role("heading", level=1, name=other.title, exact=True)).to_be_visible(timeout=90_000)
    there = rest(tab)
    for way, title, before in ((tab.go_back, lesson.title, shown), (tab.go_forward, other.title, there),
                               (tab.go_back, lesson.title, shown)):  # fmt: skip
        way()
        expect(tab.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible(timeout=90_000)
        assert rest(tab)["controls"] == before["controls"]
    assert tab.url == address


@pytest.mark.parametrize("window", ["projector", "lecture", "phone"])
def test_the_first_picture_is_whole_and_so_is_what_moves_it(seen, lesson, window):
    size, now = PHONE if window == "phone" else PROJECTOR, seen[window]

    def whole(place) -> bool:
        _, left, top, right, bottom = place
        return left >= 0 and right <= size["width"] and now["bar"] - 1 <= top < bottom <= size["height"]

    if (lesson.file, window) not in TOO_TALL:
        assert whole(now["pictures"][0]), now["pictures"][0]
    assert any(map(whole, now["controls"])), now["controls"][:4]
    assert not now["beyond"], "behind an edge"
    assert now["wide"] <= size["width"]


def test_a_projector_is_read_from_the_last_row(seen):
    first = seen["lecture"]["pictures"][0][0]
    small = [
        each for each in seen["lecture"]["words"]
        if each[1] < LEAST and (each[2] == first or "tag" in each[0] or "tick" in each[0])
    ]  # fmt: skip
    assert not small


@EVERY_FIFTH
def test_a_question_veils_its_view_until_a_guess(server, chromium, page, lesson):
    if not lesson.path:
        pytest.skip("home asks nothing")
    arrive(page, f"{server}/{lesson.path}", lesson)
    frame = frames(page).first
    expect(frame).to_be_visible()
    assert is_veiled(frame)
    frame.get_by_role("button", name="Show me").click()
    expect(frame.get_by_role("button", name="Ask me again")).to_be_visible()
    rest(page)
    assert not is_veiled(frame) and "=shown" in page.url
    frame.get_by_role("button", name="Ask me again").click()
    expect(frame.get_by_role("button", name="Show me")).to_be_visible()
    rest(page)
    assert is_veiled(frame) and "=shown" not in page.url
    give_a_guess(frame)
    expect(frame.get_by_text("You said")).to_be_visible()
    rest(page)
    assert not is_veiled(frame)
    with visiting(chromium, viewport=PROJECTOR, reduced_motion="reduce") as other:
        arrive(other, page.url, lesson)
        assert not is_veiled(frames(other).first)
        said = frame.locator("[class*=-said-]").first.inner_text()
        assert frames(other).first.locator("[class*=-said-]").first.inner_text() == said


def test_lecture_mode_and_the_way_on(tab, lecture, server, lesson):
    """Side bar hidden, type enlarged, as wide as the projector; links lead on to the next page, home, and nowhere out
    of lecture mode. Home leads to all pages, so none is a dead end and all can be reached."""
    assert lecture["bars"] == 0
    assert lecture["size"] >= 1.2 * tab.locator("html").evaluate(SIZE)
    assert lecture["width"] <= 1280
    within = [(link, text) for link, text in lecture["links"] if link.startswith(server) and "#" not in link]
    assert all(parse_qs(urlsplit(link).query).get("lecture") == ["1"] for link, _ in within), within
    leads_to = {"" if HOME in text else urlsplit(link).path.strip("/") for link, text in within}
    pages = ready()
    if lesson.path:
        after = pages[(pages.index(lesson) + 1) % len(pages)]
        assert {after.path, ""} <= leads_to
    else:
        assert leads_to >= {each.path for each in pages[1:]}


def test_the_next_page_is_one_click_away_and_lecture_mode_stays(server, page):
    first, second = ready()[1:3]
    page.goto(f"{server}/{first.path}?lecture=1")
    page.get_by_role("link", name=re.compile(f"Next: {re.escape(second.title)}")).click()
    expect(page.get_by_role("heading", level=1, name=second.title, exact=True)).to_be_visible()
    page.wait_for_url(f"**/{second.path}?lecture=1*")
    page.get_by_role("link", name=HOME).click()
    expect(page.get_by_role("heading", level=1, name=ready()[0].title, exact=True)).to_be_visible()
    page.wait_for_url(f"{server}/?lecture=1*")
