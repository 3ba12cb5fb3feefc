"""Questions in a real browser: the veil, the keyboard, axe-core, a hand on a slider, nothing that jumps."""

import re

import pytest
from playwright.sync_api import expect

from benchmarks.servers import serve
from tests.browser.asking import frames, give_a_guess, is_veiled
from tests.browser.test_every_page import AXE, grave

RING = """(node) => {
  const rgb = (text) => { const pen = new OffscreenCanvas(1, 1).getContext('2d'); pen.fillStyle = ground; pen.fillRect(0, 0, 1, 1)
    pen.fillStyle = text; pen.fillRect(0, 0, 1, 1); return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3) }
  const light = (text) => { const [r, g, b] = rgb(text).map((each) => (each / 255 <= 0.04045 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const ground = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor
  const [a, b] = [light(getComputedStyle(node).borderTopColor), light(ground)].sort((a, b) => b - a)
  return (a + 0.05) / (b + 0.05)
}"""  # noqa: E501


@pytest.fixture(scope="module")
def questions():
    with serve("tests/browser/apps/predict_app.py", "/_stcore/health") as found:
        yield found.address


def frame(page, key):
    return page.locator(f".st-key-predict-{key}")


def test_every_kind_of_guess_uncovers_its_view_and_no_other(questions, page):
    page.goto(questions)
    expect(page.get_by_text("Your guess uncovers this")).to_have_count(5)
    for done, key in enumerate(("sum", "share", "sizes", "where", "box"), start=1):
        assert is_veiled(frame(page, key))
        give_a_guess(frame(page, key))
        expect(frame(page, key).get_by_text("You said")).to_be_visible()
        expect(page.get_by_text("Your guess uncovers this")).to_have_count(5 - done)
    page.wait_for_url(re.compile("predict-box="))
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_text("You said")).to_have_count(5)
    expect(page.get_by_text("Your guess uncovers this")).to_have_count(0)


def test_the_keyboard_goes_through_the_options_without_choosing(questions, page):
    page.goto(questions)
    first = frame(page, "sum")
    expect(first.get_by_role("radio", name="4", exact=True)).to_be_visible()
    expect(first.get_by_text("It is 12")).to_be_hidden()  # drawn, but not to be seen or read
    first.get_by_role("radio", name="4", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(first.get_by_role("radio", name="8", exact=True)).to_be_focused()
    page.wait_for_timeout(300)
    assert is_veiled(first)
    height = first.bounding_box()["height"]
    page.keyboard.press("Space")
    expect(first.get_by_text("You said 8. It is 12, because four cells")).to_be_visible()
    expect(first.get_by_role("radio", name="8", exact=True)).to_be_focused()
    assert abs(first.bounding_box()["height"] - height) < 1, "the page jumps when the veil is lifted"
    page.keyboard.press("Tab")
    expect(first.get_by_role("button", name="Ask me again")).to_be_focused()


def test_the_outcome_follows_a_hand_that_does_not_let_go(questions, page):
    page.goto(f"{questions}/?predict-sum=8")
    expect(frame(page, "sum").get_by_text("You said 8. It is 12")).to_be_visible()
    thumb = page.get_by_role("slider", name="Factor").bounding_box()
    rail = page.locator(".st-key-factor-live .rail").bounding_box()
    page.mouse.move(thumb["x"] + thumb["width"] / 2, rail["y"] + rail["height"] / 2)
    page.mouse.down()
    page.mouse.move(rail["x"] + 0.21 * rail["width"], rail["y"] + rail["height"] / 2)
    expect(frame(page, "sum").get_by_text("✓ Right")).to_be_visible()
    page.mouse.up()
    expect(frame(page, "sum").get_by_text("You said 8, and that is right")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_and_rings_that_are_seen(questions, page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{questions}/?predict-share=50&predict-where=32,45")
    expect(frames(page)).to_have_count(5)
    expect(frame(page, "where").get_by_text("You said")).to_be_visible()
    page.evaluate(AXE.read_text())
    assert not grave(page)
    assert frame(page, "sum").get_by_role("radio").first.evaluate(RING) >= 3
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
