"""A pin: which controls are in step, and a state beside the next one in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.camera import take_photo
from tests.browser.conftest import visiting
from tests.browser.reading import rest

PAGE, MODEL, SEED, FOG = "semantic_segmentation", "segmentation_model", "segmentation_seed", "More fog"
WEIGHTS = Path(__file__).parents[2] / "models" / "weights" / "segmenter-bed-of-nails.safetensors"
# A state as in the address: what differs, the live state before and after, whether the change that sets apart goes on.
LIVE_STEPS = [
    # Nothing differs: what changes is set apart, with what depends on it, and a default is remembered as one.
    ("-", "a=1", "a=2", False, "a=1", "a=1"),
    ("-", "", "a=2&b=3", False, "-=a&-=b", ""),
    ("a=1", "a=2", "a=2&b=3", True, "-=b&a=1", "a=1"),
    # Something differs: it stays apart, all else moves both.
    ("a=1", "a=2", "a=3", False, "a=1", "a=1"),
    ("a=1", "a=2&b=1", "a=2&b=2", False, "a=1", "a=1&b=2"),
    ("-=a", "a=2", "a=2&b=1&b=2", False, "-=a", "b=1&b=2"),
    # The same on both sides is in step again.
    ("a=1", "a=2&b=1", "a=1&b=1", False, "-", "a=1&b=1"),
    ("-=a", "a=2", "", False, "-", ""),
    # Guesses, modes and the class are nobody's difference.
    ("-", "lecture=1", "predict-x=3&room=ABCDEF&pin=a%3D1&follow=1-a", False, "-", ""),
]
# What differs, the live state, the copy before and after a hand on it.
COPY_STEPS = [
    ("-", "a=1", "a=1", "a=2", "a=2", "a=1"),
    ("a=2", "a=1", "a=2", "a=3", "a=3", "a=1"),
    ("a=2", "a=1", "a=2", "a=1", "-", "a=1"),
    ("a=2", "a=1&b=1", "a=2&b=1", "a=2&b=4", "a=2", "a=1&b=4"),
    ("a=2", "a=1&b=1", "a=2&b=1", "a=2", "a=2", "a=1"),
]
RULE = """async ([live, copy, levels]) => {
  const { afterCopy, apartAfter, copyOf, queryOf, read, stateOf, write } = await import('/assets/pin/in_step.js')
  const { across } = await import('/assets/pin/level.js')
  return [
    live.map(([apart, before, after, setting]) => {
      const found = apartAfter(read(apart), stateOf(before), stateOf(after), setting)
      return [write(found), queryOf(copyOf(stateOf(after), found))]
    }),
    copy.map(([apart, live, before, after]) => {
      const found = afterCopy(read(apart), stateOf(live), stateOf(before), stateOf(after), false)
      return [write(found.apart), queryOf(found.live)]
    }),
    levels.map(([y, from, to]) => across(y, from, to)),
  ]
}"""
SECTIONS = [["", 0], ["play", 100], ["only-here", 300], ["sources", 500]], [["", 10], ["play", 110], ["sources", 710]]
LEVELS = [(50, 60.0), (100, 110.0), (300, 410.0), (600, 810.0), (-5, 5.0)]


def test_which_controls_are_in_step(server, page):
    page.goto(f"{server}/api/health")
    levels = [[y, *SECTIONS] for y, _ in LEVELS]
    rows = [[row[:4] for row in steps] for steps in (LIVE_STEPS, COPY_STEPS)]
    lived, copied, level = page.evaluate(RULE, [*rows, levels])
    assert lived == [list(row[4:]) for row in LIVE_STEPS]
    assert copied == [list(row[4:]) for row in COPY_STEPS]
    assert level == [there for _, there in LEVELS]


def press(tab, name):
    tab.locator(".st-key-pin-live").get_by_role("button", name=name, exact=True).click()


def opened(tab):
    """The copy, once it is there and both rest."""
    copy = tab.frame_locator("iframe[title='Pinned copy']")
    expect(copy.get_by_role("slider", name=FOG)).to_be_attached(timeout=90_000)
    both_rest(tab)
    return copy


def both_rest(tab) -> None:
    """The change that sets the two apart is over once both sides have rested for a moment."""
    for side in (tab, tab.frame_locator("iframe[title='Pinned copy']")):
        state = side.get_by_test_id("stApp")
        expect(state).to_have_attribute("data-test-script-state", "notRunning", timeout=90_000)
    tab.wait_for_timeout(600)


def choose(tab, name):
    box = tab.locator(f".st-key-{MODEL} input")
    box.focus()
    tab.keyboard.press("ArrowDown")
    tab.get_by_role("option", name=name, exact=True).click()


def model(side):
    return side.locator(f".st-key-{MODEL} input")


def scene(side):
    return side.locator(f".st-key-{SEED} input")


@pytest.fixture
def lines(page):
    """The web sockets of the tab, in the order in which they were opened."""
    found = []
    page.on("websocket", lambda line: found.append(line))
    return found


def test_a_state_beside_the_next_one(server, page, chromium, lines):
    page.goto(f"{server}/{PAGE}")
    expect(page.get_by_role("slider", name=FOG)).to_be_visible(timeout=90_000)
    rest(page)
    alone = len(lines)
    press(page, "Pin")
    copy, head = opened(page), page.get_by_role("region", name="Pinned copy")
    expect(head.get_by_role("status")).to_contain_text("Change one thing on the live side")
    page.wait_for_url("**pin=-*")
    # What is veiled here is veiled there, and nothing is asked there.
    view = copy.locator("[class*=st-key-predict-view-]").first
    assert view.locator("> *").first.evaluate("node => getComputedStyle(node).visibility") == "hidden"
    expect(copy.get_by_role("button", name="Show me")).to_have_count(0)
    # The network sets the two apart.
    first = model(page).input_value()
    choose(page, "segmenter-bed-of-nails")
    chip = head.get_by_role("button", name=f"Model: {first}|segmenter-bed-of-nails")
    expect(chip).to_be_visible()
    expect(model(copy)).to_have_value(first)
    expect(head.get_by_role("status")).to_contain_text(f"Pinned: Model {first}")
    both_rest(page)
    # Every other control moves both: one of Streamlit's, there and back, and one of ours.
    start = scene(page).input_value()
    for key, shows in (("ArrowUp", str(int(start) + 1)), ("ArrowDown", start)):
        scene(page).focus()
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        expect(scene(copy)).to_have_value(shows)
        both_rest(page)
    for side, other in ((page, copy), (copy, page)):  # a hand on either side
        slider = side.get_by_role("slider", name=FOG)
        slider.focus()
        before = slider.get_attribute("aria-valuenow")
        page.keyboard.press("ArrowRight")
        expect(slider).not_to_have_attribute("aria-valuenow", before)
        after = slider.get_attribute("aria-valuenow")
        expect(other.get_by_role("slider", name=FOG)).to_have_attribute("aria-valuenow", after)
        both_rest(page)
    assert model(page).input_value() == "segmenter-bed-of-nails" and model(copy).input_value() == first
    address = page.url
    assert f"pin=-%3D{MODEL}" in address
    # An own picture is there on both sides.
    page.locator(".st-key-picture-segmentation").get_by_role("button", name="Picture").click()
    page.get_by_test_id("stPopoverBody").get_by_text("Upload", exact=True).click()
    png = io.BytesIO()
    Image.new("RGB", (80, 60), (9, 8, 200)).save(png, "PNG")
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput")
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": png.getvalue()})
    for side in (page, copy):
        expect(side.get_by_text("Nobody has labelled the pixels of this picture")).to_be_visible()
        expect(side.get_by_text("No picture yet")).to_have_count(0)
    photographed(page, copy)
    page.keyboard.press("Escape")
    # A chip brings what differs in step.
    chip.press("Enter")
    expect(model(copy)).to_have_value("segmenter-bed-of-nails")
    expect(head.get_by_role("status")).to_contain_text("Change one thing")
    weighed(page, copy, head)
    head.get_by_role("button", name="Unpin").press("Enter")
    expect(head).to_have_count(0)
    page.wait_for_url(lambda url: "pin=" not in url)
    expect(page.locator(".st-key-pin-live").get_by_role("button", name="Pin", exact=True)).to_be_focused()
    page.wait_for_timeout(300)
    assert len(lines) > alone and all(line.is_closed() for line in lines[alone:])  # its session has lost its browser
    assert page.evaluate("document.querySelectorAll('iframe, [data-pin]').length") == 0
    follows_a_link(server, chromium, address, first)


def photographed(page, copy) -> None:
    """What the camera takes on the live side is looked at on both; the copy asks for no camera of its own."""
    page.get_by_test_id("stPopoverBody").get_by_text("Camera", exact=True).click()
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    both_rest(page)
    expect(copy.get_by_text("No picture yet")).to_be_visible()
    take_photo(page)
    for side in (page, copy):
        expect(side.get_by_text("Nobody has labelled the pixels of this picture")).to_be_visible()
        expect(side.get_by_text("No picture yet")).to_have_count(0)
    assert copy.locator("video").count() == 0
    both_rest(page)


def weighed(page, copy, head) -> None:
    """Own weights set the two apart; a chip brings them to the copy, too."""
    both_rest(page)
    page.locator(".st-key-model-segmentation").get_by_role("button", name="Models").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(WEIGHTS)
    said = f"segmenter-bed-of-nails with the weights of “{WEIGHTS.name}”"
    expect(page.get_by_text(said)).to_be_visible()
    page.keyboard.press("Escape")
    both_rest(page)
    expect(copy.get_by_text(said)).to_have_count(0)
    head.get_by_role("button", name="Own file: none|").press("Enter")
    expect(copy.get_by_text(said)).to_be_visible()
    expect(page.get_by_text(said)).to_be_visible()
    expect(head.get_by_role("status")).to_contain_text("Change one thing")


def follows_a_link(server, chromium, address, first) -> None:
    """A link opened anew shows both; on a phone a switch shows either."""
    with visiting(chromium, viewport={"width": 390, "height": 844}) as other:
        other.goto(address)
        head = other.get_by_role("region", name="Pinned copy")
        head.get_by_role("button", name="Pinned", exact=True).click()
        copy = opened(other)
        expect(copy.get_by_role("heading", level=1)).to_be_visible()
        expect(other.get_by_role("heading", level=1)).to_be_hidden()
        expect(model(copy)).to_have_value(first)
        fog = copy.get_by_role("slider", name=FOG).get_attribute("aria-valuenow")
        head.get_by_role("button", name="Live", exact=True).click()
        expect(other.get_by_role("heading", level=1)).to_be_visible()
        expect(model(other)).to_have_value("segmenter-bed-of-nails")
        expect(other.get_by_role("slider", name=FOG)).to_have_attribute("aria-valuenow", fog)
        assert other.evaluate("document.documentElement.scrollWidth") == 390


def test_what_is_unpinned_leaves_nothing_behind(server, page):
    page.goto(f"{server}/{PAGE}")
    expect(page.get_by_role("slider", name=FOG)).to_be_visible(timeout=90_000)
    rest(page)
    press(page, "Pin")
    opened(page)
    page.evaluate(
        "() => { const { shadowRoot } = document.querySelector('section[data-pin]');"
        " window.copy = new WeakRef(shadowRoot.querySelector('iframe').contentDocument) }"
    )
    page.get_by_role("region", name="Pinned copy").get_by_role("button", name="Unpin").click()
    memory = page.context.new_cdp_session(page)
    for _ in range(20):
        memory.send("HeapProfiler.collectGarbage")
        if page.evaluate("() => !window.copy.deref()"):
            break
        page.wait_for_timeout(500)
    assert page.evaluate("() => !window.copy.deref()"), "something still holds the copy's document"
    memory.detach()
