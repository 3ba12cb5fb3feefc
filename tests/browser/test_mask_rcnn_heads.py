"""Mask R-CNN's heads and joints in a real browser: bars follow the slider, maps the hand, OKS its sliders."""

import re

from playwright.sync_api import expect


def test_bars_maps_and_similarity_follow_the_hand(server, page):
    page.goto(f"{server}/mask_rcnn?predict=off&heads_detections=100")
    expect(page.get_by_text("A common slide says").first).to_be_attached(timeout=120_000)

    total = page.locator(".st-key-heads_sum-live .words")
    expect(total).to_contain_text("100 ·", timeout=60_000)
    slider = page.get_by_role("slider", name="Detections in the picture")
    slider.scroll_into_view_if_needed()
    slider.press("Home")
    expect(total).to_contain_text("+ 1 · 25.3 + 1 · 63.8 =", timeout=30_000)

    box = page.locator('.st-key-joint_stage-live [data-id="person"]').first
    box.scroll_into_view_if_needed()
    told = page.locator(".st-key-joint_told-live .words")
    expect(told).to_contain_text("neck: column", timeout=30_000)
    before, at = told.inner_text(), box.bounding_box()
    x, y = at["x"] + 12, at["y"] + 0.3 * at["height"]  # where no joint lies
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y + 10, steps=4)  # while the button is down
    expect(told).not_to_have_text(before, timeout=30_000)
    page.mouse.up()
    page.wait_for_url(re.compile(r"joint_box=[\d.]+(%2C|,)"))

    similar = page.locator(".st-key-oks_told-live .words")
    slider = page.get_by_role("slider", name="All joints moved to the right")
    slider.scroll_into_view_if_needed()
    whole = float(re.search(r"OKS = mean of \d+ joints = ([\d.]+)", similar.inner_text())[1])
    slider.press("End")
    expect(similar).not_to_contain_text(f"= {whole:.3f}", timeout=30_000)
    assert float(re.search(r"OKS = mean of \d+ joints = ([\d.]+)", similar.inner_text())[1]) < whole / 2
