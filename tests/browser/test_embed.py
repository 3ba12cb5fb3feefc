"""The lab in a frame of a page of another site: what one copies in the lab works there."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.camera import take_photo
from tests.browser.conftest import visiting
from tests.browser.elsewhere import platform
from tests.browser.reading import PATIENCE, arrive
from ui.course import ready

STATE = "anchors?anchors_seed=8&predict-anchors-best=guessed&room=ABCDEF"
SANDBOX = "allow-scripts allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox"
HIDDEN = ("[data-testid=stSidebar]", "[data-testid=stHeader]", ".st-key-page-bar", ".st-key-page-way-on")


@pytest.fixture(scope="module")
def code(server, chromium):
    """What "Take home" gives for the first section of a page, and for the page."""
    with visiting(chromium) as tab:
        arrive(tab, f"{server}/{STATE}", next(each for each in ready() if each.file == "anchors"))
        tab.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
        tab.locator("h2#play").evaluate("node => node.scrollIntoView()")
        tab.locator(".st-key-page-bar").get_by_text("Take home").click()
        field = tab.get_by_label("Code to embed", exact=True)
        found = []
        for name, says in (
            ("Embed this section", r"&amp;section=play\W"),
            ("Embed this page", r"^(?!.*section=)<iframe"),
        ):
            tab.get_by_role("button", name=name).click()
            expect(field).to_have_value(re.compile(says))
            found.append(field.input_value())
            assert field.evaluate("node => node.value.slice(node.selectionStart, node.selectionEnd)") == found[-1]
    return found


def source(code: str) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(code.split('src="')[1].split('"')[0].replace("&amp;", "&"))
    return parts.path, parse_qs(parts.query)


def test_the_code_has_the_state_and_nothing_personal(code):
    section, page = code
    assert source(section) == ("/anchors", {"anchors_seed": ["8"], "embed": ["true"], "section": ["play"]})
    assert source(page) == ("/anchors", {"anchors_seed": ["8"], "embed": ["true"]})
    assert 'allow="camera; clipboard-write; fullscreen"' in section and 'title="Anchors · Receptive"' in section


def test_a_section_lives_in_a_page_of_another_site(code, server, chromium, tmp_path):
    head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
    (tmp_path / "course.html").write_text(f'{head}<a href="task.html">Task</a>', encoding="utf-8")
    (tmp_path / "task.html").write_text(f"{head}{code[0]}", encoding="utf-8")
    boxed = code[0].replace("<iframe", f'<iframe sandbox="{SANDBOX}"')
    (tmp_path / "boxed.html").write_text(f"{head}{boxed}", encoding="utf-8")
    picture = np.full((60, 80, 3), (30, 160, 220), np.uint8)
    assert cv2.imwrite(str(tmp_path / "mine.png"), picture)
    with platform(tmp_path) as outside, visiting(chromium) as tab:
        live = []

        def heard(line):
            if "/api/live" in line.url:
                line.on("framereceived", lambda said: live.append(said))

        tab.on("websocket", heard)
        tab.goto(f"{outside}/course.html")
        tab.get_by_role("link", name="Task").click()
        lab = tab.frame_locator("iframe")
        expect(lab.locator("h2#play")).to_be_visible(timeout=PATIENCE * 1000)
        expect(lab.locator(".st-key-embed-way-out a")).to_be_visible(timeout=PATIENCE * 1000)
        for hidden in (*HIDDEN, "h1", "h2:not(#play)"):
            for each in lab.locator(hidden).all():
                expect(each).to_be_hidden()
        inside = tab.frames[1]

        # A slider follows the hand over the direct line: Streamlit's own way waits until it is let go.
        slider = lab.get_by_role("slider", name="Smallest size")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        middle = box["y"] + box["height"] / 2
        tab.mouse.move(box["x"] + box["width"] / 4, middle)
        tab.mouse.down()
        for share in np.linspace(0.25, 0.75, 9):
            tab.mouse.move(box["x"] + box["width"] * share, middle)
            tab.wait_for_timeout(60)
        tab.mouse.up()
        expect(slider).not_to_have_attribute("aria-valuenow", "32")
        assert live, "nothing was answered on the direct line"
        inside.wait_for_url("**anchors_smallest=*")

        lab.get_by_role("button", name="Hand in").click()
        expect(lab.get_by_role("button", name="Hand-in as a file")).to_be_visible()
        tab.keyboard.press("Escape")

        lab.get_by_role("button", name="Picture").first.click()
        lab.get_by_role("radio", name="Upload").click()
        lab.locator("input[type=file]").set_input_files(tmp_path / "mine.png")
        expect(lab.get_by_text("mine.png")).to_be_visible()
        expect(lab.get_by_text("No picture yet")).to_be_hidden()
        lab.get_by_role("radio", name="Camera").click()
        inside.wait_for_function("() => document.querySelector('video')?.readyState >= 2")  # the picture has come
        take_photo(lab)
        expect(lab.get_by_text("No picture yet")).to_be_hidden()

        # All of it is in the frame's own address, and the other page's Back leads back.
        found = parse_qs(urlsplit(tab.frames[1].url).query)
        assert found["embed"] == ["true"] and found["section"] == ["play"] and found["anchors_source"] == ["Camera"]
        with tab.expect_popup() as opened:
            lab.locator(".st-key-embed-way-out a").click()
        opened.value.wait_for_url(f"{server}/anchors?*", wait_until="commit")
        whole = urlsplit(opened.value.url)
        # A camera's picture has no truth, so the control of that may have gone meanwhile.
        assert whole.fragment == "play" and {
            name: texts for name, texts in parse_qs(whole.query).items() if name != "anchors_truth"
        } == {name: texts for name, texts in found.items() if name not in ("embed", "section", "anchors_truth")}
        opened.value.close()
        tab.go_back()
        expect(tab.get_by_role("link", name="Task")).to_be_visible()
        tab.goto(f"{outside}/boxed.html")
        works_in_a_sandbox(tab, server)


def works_in_a_sandbox(tab, server) -> None:
    """With what docs/embed.md asks of a platform that adds one: controls, a file to download, the whole page."""
    lab = tab.frame_locator("iframe[sandbox]")
    way_out = lab.locator(".st-key-embed-way-out a")
    expect(way_out).to_be_visible(timeout=PATIENCE * 1000)
    slider = lab.get_by_role("slider", name="Smallest size")
    slider.press("ArrowRight")
    tab.frames[1].wait_for_url("**anchors_smallest=36*")
    lab.get_by_role("button", name="Hand in").click()
    with tab.expect_download() as file:
        lab.get_by_role("button", name="Hand-in as a file").click()
    assert file.value.suggested_filename.endswith(".json")
    tab.keyboard.press("Escape")
    with tab.expect_popup() as opened:
        way_out.click()
    opened.value.wait_for_url(f"{server}/anchors?*anchors_smallest=36*", wait_until="commit")
    assert opened.value.evaluate("self.origin") == server, "outside the sandbox"
