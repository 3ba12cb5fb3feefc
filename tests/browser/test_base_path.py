"""The lab behind a path (--server.baseUrlPath): charts, components and the direct line as at the root."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from benchmarks.servers import serve


@pytest.fixture(scope="module")
def beneath():
    with serve("app.py", "/lab/api/ready", "--server.baseUrlPath=lab") as found:
        yield found


def test_a_page_draws_its_chart_and_moves_on_the_direct_line(page, beneath):
    lines, answers = [], []

    def opened(socket):
        if socket.url.endswith("/api/live"):
            lines.append(socket.url)
            socket.on("framereceived", lambda frame: answers.append(frame))

    page.on("websocket", opened)
    page.goto(f"{beneath.address}/lab/iou_nms_precision_recall")
    curve = page.locator("[class*=st-key-pr_curve]")  # the chart before it stays veiled until a guess
    expect(curve.locator("[data-figure] .main-svg").first).to_be_visible(timeout=90_000)
    slider = page.get_by_role("slider").first
    expect(slider).to_be_visible()
    assert all("/lab/api/live" in each for each in lines) and lines
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    page.wait_for_url(re.compile(r"\?"))
    assert answers
    written = beneath.printed.read_text()
    assert "Traceback" not in written and "Error" not in written
