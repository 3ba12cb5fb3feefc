"""A hall by https under a path: safe cookies, web sockets and invitations, also inside the page of another site."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.elsewhere import platform
from tests.browser.test_hall import PATIENCE, STAY, at_work, cookies
from tests.browser.test_rooms import LAYERS, opened, step


@pytest.fixture(scope="module")
def secure(chromium, tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("No openssl here to make a certificate with.")
    folder = tmp_path_factory.mktemp("https")
    key, certificate = folder / "key.pem", folder / "lab.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=lab", "-keyout", key,
         "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + key.read_text())
    options = [f"--certificate={certificate}", "--prefix=/lab"]
    with at_work(folder, *options, processes=1, scheme="https", prefix="/lab") as found:
        yield found.address


@pytest.fixture
def page(chromium):
    """A visitor who believes this certificate."""
    with contextlib.closing(chromium.new_context(ignore_https_errors=True)) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def test_cookies_are_sent_by_https_alone_and_inside_other_sites_too(secure):
    kept = {each.partition("=")[0]: each for each in cookies(f"{secure}/_stcore/health")}
    assert set(kept) == {STAY}
    assert kept[STAY].endswith("; SameSite=None; Secure; Partitioned") and kept[STAY].count("SameSite") == 1
    assert "HttpOnly" in kept[STAY]


def test_a_class_is_invited_by_https_and_under_the_path(secure, page):
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    code = opened(page, secure)
    page.get_by_role("button", name="Class").click()
    expect(page.get_by_alt_text(f"QR code of {secure}/?room={code}")).to_be_visible()
    page.keyboard.press("Escape")
    assert step(page)
    page.wait_for_url(re.compile("rf_layers="))
    start = secure.replace("https:", "wss:")
    assert {each.removeprefix(start) for each in sockets} == {"/_stcore/stream", "/api/live", "/api/class"}


@pytest.fixture
def outside(secure, tmp_path):
    """The address of another site, "localhost", whose page has the lab inside."""
    frame = f'<iframe src="{secure}/upsampling" style="width:100%;height:95vh"></iframe>'
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Elsewhere</title>{frame}")
    with platform(tmp_path) as address:
        yield f"{address}/"


def test_the_lab_works_inside_another_site_uploads_included(outside, page, tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "mine.png")
    page.goto(outside)
    lab = page.frame_locator("iframe")
    expect(lab.get_by_role("slider", name=LAYERS).first).to_be_visible(timeout=PATIENCE)
    lab.get_by_role("button", name="Picture").first.click()
    lab.get_by_test_id("stPopoverBody").get_by_text("Upload", exact=True).click()
    lab.locator('input[type="file"]').set_input_files(tmp_path / "mine.png")
    expect(lab.get_by_text("nobody knows the true classes here")).to_be_visible(timeout=PATIENCE)
    kept = {each["name"]: each for each in page.context.cookies()}
    assert kept[STAY]["sameSite"] == "None" and kept[STAY]["secure"]
