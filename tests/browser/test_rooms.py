"""A class in two real browsers: a room is opened and joined, followed, let go of, caught up with, and votes twice."""

import csv
import io
import re

from playwright.sync_api import expect

from tests.browser.asking import HIDDEN
from tests.browser.conftest import visiting

LAYERS = "3×3 convolutions"
QUESTION = ".st-key-predict-rf-count"


def is_veiled(frame) -> bool:
    view = frame.locator("[class*=st-key-predict-view-]").first
    return frame.get_by_text("The lecturer uncovers this").is_visible() and view.evaluate(HIDDEN)


def tool(tab):
    """Press "Class" in the bar."""
    tab.locator(".st-key-page-bar").get_by_text("Class", exact=True).click()


def bar(tab):
    return tab.locator(".st-key-class_line-live")


def step(tab, name=LAYERS):
    """One step to the right on a slider; its value."""
    slider = tab.get_by_role("slider", name=name).first
    slider.focus()
    before = slider.get_attribute("aria-valuenow")
    tab.keyboard.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuenow", before)
    return slider.get_attribute("aria-valuenow")


def opened(lecturer, server) -> str:
    """Open a room on the page of upsampling; its code."""
    lecturer.goto(f"{server}/upsampling")
    expect(lecturer.get_by_role("slider", name=LAYERS)).to_be_visible()
    tool(lecturer)
    lecturer.get_by_role("button", name="Open a room").click()
    code = lecturer.get_by_test_id("stPopoverBody").get_by_role("heading", level=2)
    expect(code).to_have_text(re.compile("^[A-Z]{6}$"))
    expect(lecturer.get_by_alt_text(re.compile(f"QR code of .*room={code.inner_text()}"))).to_be_visible()
    found = code.inner_text()
    lecturer.wait_for_url(f"**room={found}*")
    lecturer.keyboard.press("Escape")
    return found


def joined(student, server, code) -> None:
    """Type the letters on the front page; one lands where the class is."""
    student.goto(server)
    tool(student)
    student.get_by_label("Six letters").fill(code.lower())
    student.get_by_role("button", name="Join a room").click()
    student.wait_for_url(f"**/upsampling*room={code}*")
    expect(student.get_by_role("slider", name=LAYERS)).to_be_visible()
    student.keyboard.press("Escape")
    expect(bar(student).get_by_text("Following")).to_be_visible()


def source(tab, name: str) -> None:
    """Choose where the picture comes from, and close the window."""
    tab.get_by_role("button", name="Picture").first.click()
    tab.get_by_test_id("stPopoverBody").get_by_text(name, exact=True).click()
    tab.wait_for_url(lambda address: ("scene_source" in address) == (name != "Lab World"))
    tab.keyboard.press("Escape")
    expect(tab.get_by_test_id("stPopoverBody")).to_have_count(0)


def test_a_class(server, chromium):
    with visiting(chromium) as lecturer, visiting(chromium) as student:
        code = opened(lecturer, server)
        joined(student, server, code)
        expect(bar(lecturer).get_by_text("1 here")).to_be_visible()
        follow(lecturer, student)
        vote(lecturer, student)
        end(lecturer, student, code)


def follow(lecturer, student) -> None:
    told = step(lecturer)
    theirs = student.get_by_role("slider", name=LAYERS).first
    expect(theirs).to_have_attribute("aria-valuenow", told)
    drag(lecturer, student)
    lecturer.get_by_role("link", name="Next page").click()
    student.wait_for_url("**/transposed_convolution?*")
    stride = student.get_by_role("slider", name="Stride").first
    expect(stride).to_be_visible()
    student.wait_for_url(lambda address: "follow" not in address)
    # A hand lets go, and the lecturer goes on alone.
    step(student, "Input size")
    expect(bar(student).get_by_role("button", name="Catch up")).to_be_visible()
    lecturer.wait_for_url("**/transposed_convolution?*")
    lecturer.get_by_role("link", name="Previous page").click()
    lecturer.wait_for_url("**/upsampling?*")
    told = step(lecturer)
    assert "transposed_convolution" in student.url and "transposed" not in lecturer.url
    bar(student).get_by_role("button", name="Catch up").click()
    student.wait_for_url("**/upsampling?*")
    expect(student.get_by_role("slider", name=LAYERS).first).to_have_attribute("aria-valuenow", told)
    expect(bar(student).get_by_text("Following")).to_be_visible()


def drag(lecturer, student) -> None:
    """While her hand still holds the slider, the address says nothing: what is seen comes by the relay."""
    slider = lecturer.get_by_role("slider", name=LAYERS).first
    slider.scroll_into_view_if_needed()
    box, address = slider.bounding_box(), lecturer.url
    lecturer.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    lecturer.mouse.down()
    lecturer.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2, steps=3)
    held = slider.get_attribute("aria-valuenow")
    expect(student.get_by_role("slider", name=LAYERS).first).to_have_attribute("aria-valuenow", held)
    words = ".st-key-rf_plain_words-live"
    expect(student.locator(words)).to_have_text(lecturer.locator(words).inner_text(), use_inner_text=True)
    assert lecturer.url == address
    lecturer.mouse.up()
    lecturer.wait_for_url(lambda now: now != address)
    expect(bar(student).get_by_text("Following")).to_be_visible()


def vote(lecturer, student) -> None:
    asks, answers = lecturer.locator(QUESTION), student.locator(QUESTION)
    asks.scroll_into_view_if_needed()
    expect(asks.get_by_text("0 of 1 have answered")).to_be_visible()
    answers.get_by_role("radio", name="15", exact=True).click()
    expect(answers.get_by_text("Your answer counts")).to_be_visible()
    expect(asks.get_by_text("1 of 1 have answered")).to_be_visible()
    assert is_veiled(answers) and is_veiled(asks) and not asks.locator("[class*=class_tally]").count()
    expect(bar(student).get_by_text("Following")).to_be_visible()  # an answer does not let go
    come_back(lecturer, student)
    asks.get_by_role("button", name="Stop and discuss").click()
    expect(answers.get_by_text("Discuss: no answers")).to_be_visible()
    asks.get_by_role("button", name="Ask again").click()
    expect(answers.get_by_text("Second vote")).to_be_visible()
    answers.get_by_role("radio", name="75", exact=True).click()
    expect(asks.get_by_text("1 of 1 have answered")).to_be_visible()
    asks.get_by_text("Show the answers").click()
    expect(asks.get_by_label(re.compile("First vote: .*15 1.*Second vote: .*75 1"))).to_be_visible()
    assert is_veiled(answers) and not answers.locator("[class*=class_tally]").count()
    asks.get_by_role("button", name="Uncover").click()
    expect(answers.get_by_text("You said 75")).to_be_visible()
    expect(answers.get_by_label(re.compile("First vote: .*15 1.*Second vote: .*75 1"))).to_be_visible()


def come_back(lecturer, student) -> None:
    """From a picture of her own, by hand and by the button: her answer is there again, and her picture is not."""
    answers = student.locator(QUESTION)
    told = lecturer.get_by_role("slider", name=LAYERS).first.get_attribute("aria-valuenow")
    source(student, "Photograph")
    answers.get_by_role("radio", name="8", exact=True).click()
    expect(answers.get_by_text("so your answer was not counted")).to_be_visible()
    source(student, "Lab World")
    expect(answers.get_by_role("radio", name="15", exact=True)).to_be_checked()
    expect(bar(student).get_by_role("button", name="Catch up")).to_be_visible()
    source(student, "Photograph")
    bar(student).get_by_role("button", name="Catch up").click()
    student.wait_for_url(lambda address: "scene_source" not in address and "follow" not in address)
    theirs = student.get_by_role("slider", name=LAYERS).first
    theirs.press("Home")  # her browser says again what all controls have, also those in the window
    student.wait_for_url(re.compile(r"rf_layers=1(&|$)"))
    student.wait_for_timeout(500)  # the address could still change back
    assert "scene_source" not in student.url
    bar(student).get_by_role("button", name="Catch up").click()
    expect(theirs).to_have_attribute("aria-valuenow", told)
    expect(answers.get_by_role("radio", name="15", exact=True)).to_be_checked()
    expect(bar(student).get_by_text("Following")).to_be_visible()


def end(lecturer, student, code) -> None:
    lecturer.reload()  # her browser has kept the key
    expect(bar(lecturer).get_by_text("1 here")).to_be_visible()
    tool(lecturer)
    with lecturer.expect_download() as caught:
        lecturer.get_by_role("button", name="Results as CSV").click()
    table = list(csv.DictReader(io.StringIO(caught.value.path().read_text())))
    assert [(row["question"], row["round"], row["answer"], row["votes"]) for row in table] == [
        ("rf-count", "1", "15", "1"), ("rf-count", "2", "75", "1"),
    ]  # fmt: skip
    lecturer.get_by_role("button", name="End the room").click()
    expect(student.get_by_text("The room is closed.")).to_be_visible()
    student.wait_for_url(lambda address: code not in address)
