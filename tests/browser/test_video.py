"""The video page in a real browser: it plays with detections, a line is dragged and counted, a link brings all back."""

import re

from playwright.sync_api import expect

from benchmarks import video

PATIENT = 240_000  # ms: a network looks at a film, on whatever machine this is


def test_it_plays_with_detections_and_a_link_brings_it_back(server, page):
    page.set_default_timeout(PATIENT)
    page.goto(f"{server}/video?predict=off&video_detector=SSD&video_every=4&video_play_frame=8")
    root = page.locator(".st-key-video_play-live .player")
    expect(root).to_have_attribute("data-drawn", "8", timeout=PATIENT)
    expect(root).to_have_attribute("data-boxes", re.compile(r"[1-9]"), timeout=PATIENT)
    screen = page.locator(".st-key-video_play-live .screen")
    expect(screen).to_have_attribute("aria-label", re.compile(r"^Film 3, frame 9: SSD finds \d"))
    screen.press("Space")
    expect(root).not_to_have_attribute("data-drawn", "8", timeout=PATIENT)
    expect(page.locator(".st-key-video_play-live .rates")).to_contain_text("frames/s painted", timeout=PATIENT)
    screen.press("Space")
    frame = root.get_attribute("data-frame")
    page.wait_for_url(re.compile(rf"video_play_frame={frame}(&|$)"), timeout=PATIENT)

    end = page.get_by_role("button", name=re.compile("^First end of the line"))
    expect(end).to_be_visible(timeout=PATIENT)
    end.press("Shift+ArrowLeft")
    page.wait_for_url(re.compile(r"video_count_line=102(%2C|,)90(%2C|,)112(%2C|,)224"), timeout=PATIENT)
    expect(page.locator(".st-key-video_truly-live .words")).to_contain_text("In truth: ", timeout=PATIENT)
    expect(page.locator(".st-key-video_counted-live .words")).to_contain_text("SSD and its tracks: ", timeout=PATIENT)
    page.reload()
    expect(end).to_have_attribute("aria-label", "First end of the line: x 102, y 90", timeout=PATIENT)
    expect(root).to_have_attribute("data-drawn", frame, timeout=PATIENT)


def test_only_changes_of_the_frame_are_counted(page):
    page.set_content("<div id=player data-drawn=''></div>")
    player = page.locator("#player")
    player.evaluate(video.COUNT)
    for drawn in ("", "0", "0", "1", "1", "2"):
        player.evaluate("(player, drawn) => { player.dataset.drawn = drawn }", drawn)
    assert player.evaluate("player => player.counted") == 3
