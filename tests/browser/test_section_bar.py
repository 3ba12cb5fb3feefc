"""The bar of sections in a real browser: where one is, keys, links to a section, lecture mode, the name of the tab."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.measuring import PHONE, PROJECTOR
from tests.browser.reading import arrive, rest
from tests.browser.test_every_page import AXE, grave
from ui.course import ready

PAGE = "transposed_convolution"
HERE = ".st-key-section_bar-live [aria-current]"
ABREAST = [".st-key-class_window button", "[data-testid=stStatusWidget] svg", "[data-testid=stMainMenu]"]
PLACES = (
    "(all) => all.map((each) => document.querySelector(each).getBoundingClientRect()).map((at) => [at.left, at.right])"
)
RUNS = ForwardMsg(session_status_changed={"script_is_running": True}).SerializeToString()  # the server says: it runs
INSIDE = """link => {
  const { top, bottom } = link.getBoundingClientRect()
  const list = link.closest('[data-testid=stSidebarContent]').getBoundingClientRect()
  return list.top <= top && bottom <= list.bottom
}"""
TOP = "(id) => document.getElementById(id).getBoundingClientRect().top"


def test_a_link_to_a_section_lands_on_it_and_keys_go_on(server, page):
    page.goto(f"{server}/{PAGE}?lecture=1#show-the-code")
    expect(page).to_have_title("Transposed Convolution · Receptive", timeout=90_000)
    expect(page.locator(HERE)).to_contain_text("Show the code", timeout=90_000)
    rest(page)  # a page that still grows moves the sections past the window
    links = page.locator(".st-key-section_bar-live a")
    ids = links.evaluate_all("links => links.map((link) => link.dataset.id)")
    headings = page.locator("[class*=st-key-section-] h2, .st-key-page-sources h2")
    assert ids == headings.evaluate_all("nodes => nodes.map((node) => node.id)") and ids[-1] == "sources"
    assert 0 <= page.evaluate(TOP, "show-the-code") <= 150
    at = ids.index("show-the-code")
    page.keyboard.press("k")
    expect(page.locator(HERE)).to_have_attribute("data-id", ids[at - 1])
    assert page.url.endswith(f"#{ids[at - 1]}")
    page.keyboard.press("j")
    expect(page.locator(HERE)).to_have_attribute("data-id", "show-the-code")
    links.first.click()
    expect(page.locator(HERE)).to_have_attribute("data-id", ids[0])
    bar = page.locator(".st-key-page-bar")
    assert bar.bounding_box()["y"] >= 0  # in sight wherever one is
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("j")
    page.wait_for_timeout(300)
    expect(page.locator(HERE)).to_have_attribute("data-id", ids[0])  # a control keeps its keys
    pages = ready()
    after = pages[[each.file for each in pages].index(PAGE) + 1]
    bar.get_by_role("link", name="Next page").click()
    expect(page).to_have_title(f"{after.title} · Receptive", timeout=90_000)
    assert "lecture=1" in page.url
    expect(page.locator(".st-key-section_bar-live a").first).to_be_visible(timeout=90_000)
    page.get_by_test_id("stLogoLink").click()
    expect(page).to_have_title("Receptive", timeout=90_000)
    assert "lecture=1" in page.url


def test_on_a_phone_too_the_section_that_a_link_lands_on_is_marked(server, page):
    page.set_viewport_size(PHONE)
    page.goto(f"{server}/{PAGE}?lecture=1#show-the-code")
    expect(page.locator(HERE)).to_have_attribute("data-id", "show-the-code", timeout=90_000)
    assert page.locator("html").evaluate("node => getComputedStyle(node).fontSize") == "16px"
    rest(page)
    assert page.evaluate(TOP, "show-the-code") > 90
    expect(page.locator(HERE)).to_have_attribute("data-id", "show-the-code")


def test_the_last_pages_name_is_in_view_and_the_windows_of_the_bar_are_read_in_the_dark(server, page):
    last = ready()[-1]
    page.set_viewport_size(PROJECTOR)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    arrive(page, f"{server}/{last.path}?notes=1", last)
    assert page.get_by_test_id("stSidebarNavLink").last.evaluate(INSIDE)
    page.evaluate(AXE.read_text())
    notes = page.locator(".st-key-page-notes")
    last_line = notes.locator("p").last.bounding_box()
    assert notes.bounding_box()["y"] + notes.bounding_box()["height"] >= last_line["y"] + last_line["height"] + 8
    for name in ("Class", "Take home"):
        page.locator(".st-key-page-bar").get_by_text(name, exact=True).click()
        expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
        rest(page)
        assert not grave(page, runOnly=["color-contrast"])
        page.keyboard.press("Escape")


@pytest.mark.parametrize("state", ["", "lecture=1", "pin=1"])
def test_the_mark_of_a_page_that_runs_lies_on_nothing(server, page, state):
    lines, held = [], []

    def pass_on(line):
        lab = line.connect_to_server()
        lines.append(line)
        line.on_message(lab.send)
        lab.on_message(lambda said: held.append(said) if held else line.send(said))

    page.route_web_socket(re.compile("/_stcore/stream"), pass_on)
    page.goto(f"{server}/anchors?{state}")
    rest(page)
    held.append(b"")  # from now on what the lab says is held back, so the run does not end
    lines[0].send(RUNS)
    mark = page.get_by_test_id("stStatusWidget")
    stop = mark.get_by_role("button")
    expect(mark).to_be_visible()
    places = page.evaluate(PLACES, ABREAST)
    assert all(left[1] <= right[0] + 0.5 for left, right in pairwise(places)), places
    expect(stop.locator("..")).to_have_css("opacity", "0")
    stop.focus()
    expect(stop.locator("..")).to_have_css("opacity", "1")
