# ruff: noqa: E501 (the script reads better in long lines)
"""The picture first: on every page, on a projector and on a phone, the first picture stands whole in the window together
with a control that moves it; nothing hides behind an edge; a projector's pictures are read from the last row."""

import pytest
from playwright.sync_api import expect

from tests.browser.reading import arrive, rest
from ui.course import ready

PROJECTOR, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
LEAST = 18  # px, of words and digits in pictures in lecture mode

# Six sliders above four grids of numbers that one can type into: on a phone they are taller than the window.
TOO_TALL = {("transposed_convolution", "phone")}

MEASURE = r"""() => {
  const pictures = [], controls = [], beyond = [], small = []
  const shown = (node) => node.getClientRects().length > 0 && getComputedStyle(node).visibility !== 'hidden'
  const box = (node) => { const { left, top, right, bottom } = node.getBoundingClientRect(); return [left, top, right, bottom].map(Math.round) }
  const name = (node, key) => `${key} ${node.className?.baseVal ?? node.className ?? ''} ${(node.textContent ?? '').slice(0, 30)}`.trim()
  const size = (node) => parseFloat(getComputedStyle(node).fontSize)
  const walk = (root, key) => {
    for (const node of root.children) {
      const inside = /st-key-([\w-]+)/.exec(node.getAttribute('class') ?? '')?.[1] ?? key
      if (inside === 'page-bar') continue
      if (shown(node)) {
        if (node.matches('.frame, .matrix > .items, [data-figure]')) pictures.push([inside, ...box(node)])
        if (node.matches('[role=slider], .editable, .frame[aria-description], [data-testid=stButtonGroup] button, [data-testid=stNumberInput]')) controls.push([inside, ...box(node)])
        if (node.matches('[data-testid=stButtonGroup] > [role]') && node.scrollWidth > node.clientWidth + 1) beyond.push(name(node, inside))
        if (node.matches('.tag rect')) {
          const [frame, plate] = [node.closest('.frame').getBoundingClientRect(), node.getBoundingClientRect()]
          if (plate.left < frame.left - 1 || plate.right > frame.right + 1 || plate.top < frame.top - 1 || plate.bottom > frame.bottom + 1) beyond.push(name(node.parentNode, inside))
        }
        if (node.matches('.tag text, .head, .number, figcaption, .xtick text, .ytick text') && node.textContent.trim()) small.push([name(node, inside), size(node), inside])
      }
      if (node.shadowRoot) walk(node.shadowRoot, inside)
      walk(node, inside)
    }
  }
  const main = document.querySelector('[data-testid=stMain]')
  main.scrollTo({ top: 0 })
  walk(main, '')
  return { pictures, controls, beyond, words: small, wide: main.scrollWidth, bar: document.querySelector('.st-key-page-bar').getBoundingClientRect().bottom }
}"""


@pytest.fixture(scope="module", params=ready(), ids=lambda each: each.file)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def seen(server, chromium, lesson):
    """What stands where, by window: one visit as it is, turned into a phone, and one in lecture mode."""
    context = chromium.new_context(viewport=PROJECTOR, reduced_motion="reduce")
    tab, found = context.new_page(), {}
    arrive(tab, f"{server}/{lesson.path}", lesson)
    found["projector"] = tab.evaluate(MEASURE)
    tab.set_viewport_size(PHONE)
    rest(tab)
    found["phone"] = tab.evaluate(MEASURE)
    tab.set_viewport_size(PROJECTOR)
    arrive(tab, f"{server}/{lesson.path}?lecture=1", lesson)
    found["lecture"] = tab.evaluate(MEASURE)
    context.close()
    return found


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


def test_a_picture_fills_the_screen_with_its_controls(server, page):
    lesson = next(each for each in ready() if each.file == "lab_world")
    page.set_viewport_size(PROJECTOR)
    arrive(page, f"{server}/{lesson.path}", lesson)
    frame, slider = page.locator(".frame").first, page.get_by_role("slider", name="Objects")
    before = frame.bounding_box()
    page.keyboard.press("f")
    expect(page.locator("[data-full]")).to_be_visible()
    page.wait_for_timeout(500)
    large = frame.bounding_box()
    assert large["height"] > 1.2 * before["height"] and large["y"] >= 0
    assert large["y"] + large["height"] <= page.viewport_size["height"] + 1
    value = slider.get_attribute("aria-valuenow")
    slider.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuenow", value)
    slider.press("Escape")
    expect(page.locator("[data-full]")).to_have_count(0)
    page.wait_for_timeout(300)
    assert frame.bounding_box()["height"] == pytest.approx(before["height"], abs=2)
    frame.hover()
    page.get_by_role("button", name="Full screen (f)").first.click()
    expect(page.locator("[data-full]")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator("[data-full]")).to_have_count(0)
