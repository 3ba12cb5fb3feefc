"""Lab World in a real browser: every control moves the picture, and a link brings it back."""

import time

import pytest
from playwright.sync_api import expect

KNOBS = ("Objects", "Occlusion", "Light", "Fog", "Noise")
LAYERS = ("Full extent", "Masks", "Semantic", "Panoptic", "Keypoints", "Captions")


@pytest.fixture
def world(server, page):
    page.goto(f"{server}/lab_world")
    expect(picture(page)).to_be_visible(timeout=60_000)
    settle(page)
    return page


def picture(page):
    return page.get_by_label("Lab World scene").first


def settle(page):
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=60_000)
    page.wait_for_timeout(400)


def look(page, but: bytes = b"") -> bytes:
    """The picture once it stands still; where `but` is given, once it is another one than that."""
    settle(page)
    last, now = None, picture(page).screenshot()
    deadline = time.monotonic() + 30
    while (now != last or now == but) and time.monotonic() < deadline:
        page.wait_for_timeout(150)
        last, now = now, picture(page).screenshot()
    return now


def test_every_slider_changes_the_picture_by_keyboard_alone(world):
    before = look(world)
    for name in KNOBS:
        slider = world.get_by_role("slider", name=name).first
        slider.focus()
        world.keyboard.press(
            "Home" if slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax") else "End"
        )
        after = look(world, but=before)
        assert after != before, name
        before = after


def test_every_layer_and_the_next_scene_change_the_picture(world):
    before = look(world)
    for name in LAYERS:
        world.get_by_role("button", name=name, exact=True).click()
        after = look(world, but=before)
        assert after != before, name
        before = after
    world.get_by_role("button", name="Next scene").click()
    assert look(world, but=before) != before


def test_a_link_brings_the_same_picture_to_a_new_visitor(world, other):
    slider = world.get_by_role("slider", name="Light").first
    slider.focus()
    world.keyboard.press("Home")
    world.get_by_role("button", name="Semantic", exact=True).click()
    world.wait_for_url("**light=0*")
    shown = look(world)
    assert "layers=" in world.url and "light=0" in world.url
    other.goto(world.url)
    expect(picture(other)).to_be_visible(timeout=60_000)
    assert look(other) == shown


def test_the_download_is_the_scene(world):
    with world.expect_download() as waiting:
        world.get_by_role("button", name="Download COCO JSON").click()
    assert waiting.value.suggested_filename == "scene-14.json"


def test_it_fits_a_phone(server, phone):
    phone.goto(f"{server}/lab_world")
    expect(picture(phone)).to_be_visible(timeout=60_000)
    settle(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
