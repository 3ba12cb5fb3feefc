"""What a visitor takes home: the notebook, the link, pictures and charts as files, and the printed page."""

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import visiting
from tests.browser.reading import PATIENCE, arrive
from ui.course import ready

SVG = "{http://www.w3.org/2000/svg}"
ADDRESS = "upsampling?up_factor=3#play"


@pytest.fixture(scope="module")
def tab(server, chromium):
    """The page at rest, opened once. No test is about speed: the page's networks may take their time."""
    with visiting(chromium, reduced_motion="reduce") as tab:
        tab.set_default_timeout(PATIENCE * 1000)
        arrive(tab, f"{server}/{ADDRESS}", next(each for each in ready() if each.file == "upsampling"))
        yield tab


@pytest.fixture
def window(tab):
    """What "Take home" opens in the bar."""
    tab.locator(".st-key-page-bar").get_by_text("Take home").click()
    tab.get_by_role("button", name="Jupyter notebook").wait_for()
    yield tab
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("button", name="Jupyter notebook")).to_be_hidden()


def saved(page, click) -> tuple[str, bytes]:
    """Name and content of the file that a click downloads."""
    with page.expect_download() as caught:
        click()
    return caught.value.suggested_filename, caught.value.path().read_bytes()


def test_the_notebook_has_the_state_of_the_page(window):
    name, content = saved(window, window.get_by_role("button", name="Jupyter notebook").click)
    assert name == "receptive-upsampling.ipynb"
    notebook = json.loads(content)
    assert notebook["nbformat"] == 4 and any("factor = 3" in cell["source"] for cell in notebook["cells"])
    assert "up_factor=3" in notebook["cells"][0]["source"]


def test_the_link_leads_to_this_state_and_section(window, server):
    # Nobody has allowed this page to write to the clipboard in every browser: the link is there to be copied by hand.
    window.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    window.get_by_role("button", name="Copy link to this section").click()
    expect(window.get_by_text("Press Ctrl + C to copy the link below")).to_be_visible()
    field = window.get_by_label("Link to this section", exact=True)
    assert field.input_value() == f"{server}/{ADDRESS}"
    assert field.evaluate("node => [node.selectionStart, node.selectionEnd - node.value.length]") == [0, 0]


def test_a_picture_is_saved_as_it_stands(tab):
    picture = tab.locator(".st-key-up_picture-live .frame")
    picture.scroll_into_view_if_needed()
    picture.hover()
    name, content = saved(tab, picture.get_by_role("button", name="Save as PNG").click)
    assert name == "upsampling-up_picture.png"
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[0] == image.shape[1] and image.shape[0] % 240 == 0 and image.std() > 20
    name, content = saved(tab, picture.get_by_role("button", name="Save as SVG").click)
    assert name == "upsampling-up_picture.svg"
    drawing = ElementTree.fromstring(content)
    assert drawing.find(f".//{SVG}image").get("href").startswith("data:image/png;base64,")


def test_what_is_drawn_on_a_picture_is_saved_with_it(tab):
    field = tab.locator(".st-key-rf_plain-live .frame")
    field.scroll_into_view_if_needed()
    field.hover()
    _, content = saved(tab, field.get_by_role("button", name="Save as SVG").click)
    drawing = ElementTree.fromstring(content)
    assert drawing.findall(f".//{SVG}rect") and any("px" in (text.text or "") for text in drawing.iter(f"{SVG}text"))


@pytest.mark.parametrize(("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_a_chart_is_saved(tab, kind, start):
    chart = tab.locator(".st-key-up_kernel-figure-live .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    chart.hover()
    name, content = saved(tab, chart.locator(f".modebar-btn[data-title='Save as {kind}']").click)
    assert name == f"upsampling-up_kernel.{kind.lower()}" and content.startswith(start)


def test_a_printed_page_is_a_handout(tab):
    """No controls but what is chosen with them, dark on white, and no picture cut in two."""
    tab.emulate_media(media="print", color_scheme="dark")
    for hidden in (".st-key-page-bar", "[data-testid=stSidebar]", "[data-testid=stPopover]", ".tools", ".modebar"):
        for each in tab.locator(hidden).all():
            expect(each).to_be_hidden()
    method = tab.locator(".st-key-up_method")
    expect(method.get_by_text("bilinear", exact=True)).to_be_visible()
    expect(method.get_by_text("nearest", exact=True)).to_be_hidden()
    expect(tab.locator(".st-key-rf_layers-live [role=slider]")).to_be_hidden()
    expect(tab.locator(".st-key-rf_layers-live .readout")).to_have_text("6")
    expect(tab.locator(".stApp")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(tab.locator(".stApp")).to_have_css("overflow", "visible")
    expect(tab.locator("h1")).to_have_css("color", "rgb(26, 28, 34)")
    expect(tab.locator(".st-key-up_picture-live .frame")).to_have_css("break-inside", "avoid")
    assert tab.pdf(format="A4").startswith(b"%PDF")
    tab.emulate_media(media="screen", color_scheme="light")
