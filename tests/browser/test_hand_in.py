"""A student answers and hands in; a lecturer reads it, beside one that was changed."""

import csv
import io

from playwright.sync_api import expect

from tests.browser.asking import frames, give_a_guess
from tests.browser.conftest import visiting
from tests.browser.reading import PATIENCE, arrive, rest
from ui.course import ready


def saved(tab, name: str) -> bytes:
    with tab.expect_download() as caught:
        tab.get_by_role("button", name=name).click()
    return caught.value.path().read_bytes()


def test_a_class_hands_in(server, chromium, tmp_path):
    lesson = next(each for each in ready() if each.file == "transposed_convolution")
    with visiting(chromium) as tab:
        arrive(tab, f"{server}/{lesson.path}?line_digits=true", lesson)
        give_a_guess(frames(tab).first)
        rest(tab)
        tab.locator(".st-key-page-bar").get_by_text("Take home").click()
        expect(tab.get_by_text("1 answer since")).to_be_visible()
        tab.get_by_label("Label, if your lecturer wants one").fill("Number 7")
        tab.keyboard.press("Enter")
        expect(tab.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
        (tmp_path / "seven.json").write_bytes(saved(tab, "Hand-in as a file"))
        tab.get_by_text("The same as a code for a text field").click()
        code = tab.locator("[data-testid=stCode] code").last.inner_text()
    changed = (tmp_path / "seven.json").read_text(encoding="utf-8").replace("Number 7", "Number 8")
    (tmp_path / "eight.json").write_text(changed, encoding="utf-8")
    (tmp_path / "holiday.json").write_bytes(b"\x89PNG no hand-in at all")

    with visiting(chromium) as tab:
        arrive(tab, f"{server}/{lesson.path}", lesson)
        tab.locator(".st-key-page-bar").get_by_text("Class").click()
        tab.get_by_role("link", name="Read hand-ins").click()
        expect(tab.get_by_role("heading", level=1, name="Hand-ins")).to_be_visible(timeout=PATIENCE * 1000)
        tab.locator("input[type=file]").set_input_files(
            [tmp_path / name for name in ("eight.json", "holiday.json", "seven.json")]
        )
        tab.get_by_label("Codes, any text around them").fill(f"Ada: {code}")
        tab.keyboard.press("Control+Enter")
        expect(tab.get_by_text("2 unchanged, from this lab · 0 from another lab")).to_be_visible()
        expect(tab.get_by_text("1 changed since the lab wrote it · 1 not readable")).to_be_visible()
        expect(tab.locator("[data-testid=stDataFrame]")).to_be_visible()
        lines = list(csv.DictReader(io.StringIO(saved(tab, "Table as CSV").decode())))
        assert [(line["student"], line["check"][:9], line["answered"]) for line in lines] == [
            ("eight", "Changed s", ""), ("holiday", "Not reada", ""),
            ("Number 7", "Unchanged", "1"), ("Number 7", "Unchanged", "1"),
        ]  # fmt: skip
        assert b"transposed_convolution?line_digits=true" in saved(tab, "Every answer as CSV")
