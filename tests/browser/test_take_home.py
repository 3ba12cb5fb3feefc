"""What a visitor takes home: the notebook, the link, pictures and charts as files, and the printed page."""

import json
from xml.etree import ElementTree

import cv2
import numpy as np
from playwright.sync_api import expect

SVG = "{http://www.w3.org/2000/svg}"


def saved(page, click) -> tuple[str, bytes]:
    """Name and content of the file that a click downloads."""
    with page.expect_download() as caught:
        click()
    return caught.value.suggested_filename, caught.value.path().read_bytes()


def test_all_there_is_to_take_home(page, server):
    page.goto(f"{server}/upsampling?up_factor=3#play")
    picture = page.locator(".st-key-up_picture-live .frame")
    expect(picture.locator("canvas").first).to_be_visible()

    expect(page.locator(".st-key-page-way-on")).to_be_visible()  # the whole page is there
    page.locator(".st-key-page-bar").get_by_text("Take home").click()
    button = page.get_by_role("button", name="Jupyter notebook")
    name, content = saved(page, button.click)
    assert name == "receptive-upsampling.ipynb"
    notebook = json.loads(content)
    assert notebook["nbformat"] == 4 and any("factor = 3" in cell["source"] for cell in notebook["cells"])
    assert "up_factor=3" in notebook["cells"][0]["source"]

    # Nobody has allowed this page to write to the clipboard in every browser: the link is there to be copied by hand.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy link to this section").click()
    field = page.get_by_label("Link to this section", exact=True)
    assert field.input_value() == f"{server}/upsampling?up_factor=3#play"
    assert field.evaluate("node => [node.selectionStart, node.selectionEnd - node.value.length]") == [0, 0]
    page.keyboard.press("Escape")

    picture.hover()
    name, content = saved(page, picture.get_by_role("button", name="Save as PNG").click)
    assert name == "upsampling-up_picture.png"
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[0] == image.shape[1] and image.shape[0] % 240 == 0 and image.std() > 20
    name, content = saved(page, picture.get_by_role("button", name="Save as SVG").click)
    drawing = ElementTree.fromstring(content)
    assert name == "upsampling-up_picture.svg"
    assert drawing.find(f".//{SVG}image").get("href").startswith("data:image/png;base64,")

    chart = page.locator(".st-key-up_kernel-figure .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    chart.hover()
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        name, content = saved(page, chart.locator(f".modebar-btn[data-title='Save as {kind}']").click)
        assert name == f"upsampling-up_kernel.{kind.lower()}" and content.startswith(start)

    field = page.locator(".st-key-rf_plain-live .frame")
    field.scroll_into_view_if_needed()
    field.hover()
    _, content = saved(page, field.get_by_role("button", name="Save as SVG").click)
    drawing = ElementTree.fromstring(content)
    assert drawing.findall(f".//{SVG}rect") and any("px" in (text.text or "") for text in drawing.iter(f"{SVG}text"))

    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".st-key-page-bar", "[data-testid=stSidebar]", "[data-testid=stPopover]", ".tools", ".modebar"):
        assert not any(each.is_visible() for each in page.locator(hidden).all()), hidden
    method = page.locator(".st-key-up_method")
    expect(method.get_by_text("bilinear", exact=True)).to_be_visible()
    expect(method.get_by_text("nearest", exact=True)).to_be_hidden()
    expect(page.locator(".st-key-rf_layers-live [role=slider]")).to_be_hidden()
    expect(page.locator(".st-key-rf_layers-live .readout")).to_have_text("6")
    looks = "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).overflow]"
    assert page.locator(".stApp").evaluate(looks) == ["rgb(255, 255, 255)", "visible"]
    assert page.locator("h1").evaluate("node => getComputedStyle(node).color") == "rgb(26, 28, 34)"
    assert picture.evaluate("node => getComputedStyle(node).breakInside") == "avoid"
    assert page.pdf(format="A4").startswith(b"%PDF")
