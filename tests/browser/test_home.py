"""Home in a real browser: the picture before the networks, every control, the links, the address."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from models import catalog
from pages.home.tasks import available
from tests.browser.conftest import visiting
from ui.course import ready

TASKS = available()
NUMBER = re.compile(r"mIoU \d\.\d\d")


def settled(page):
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    page.wait_for_timeout(300)  # the component draws after the run


def canvas(page, key: str) -> str:
    """What a stage shows, as the pixels of its picture."""
    frame = page.locator(f'[class*="st-key-{key}"] .frame canvas').first
    return frame.evaluate("each => each.dataset.name")


@pytest.mark.skipif("segmenter-bilinear" not in catalog.shipped(), reason="the network has no weights yet")
def test_cold_server_paints_the_picture_before_the_networks(cold_server, page):
    """The scene and every panel are there while the libraries load; then the numbers come, and nothing moves."""
    page.goto(cold_server)
    expect(page.locator(".frame canvas").first).to_be_visible()
    assert page.request.get(f"{cold_server}/api/ready").status == 503
    panel = page.locator(".st-key-home-semantic")
    expect(panel.get_by_text("The network is being loaded")).to_be_visible()
    settled(page)
    before = panel.bounding_box()
    expect(panel.get_by_text(NUMBER)).to_be_visible(timeout=90_000)
    expect(page.get_by_text("The network is being loaded")).to_have_count(0, timeout=90_000)
    settled(page)
    after = panel.bounding_box()
    assert after == pytest.approx(before, abs=2)
    page.wait_for_timeout(1500)  # the page has stopped to ask
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()


def test_every_control_changes_scene_and_panels(server, page):
    page.goto(server)
    expect(page.locator(".frame canvas").first).to_be_visible()
    if TASKS:
        expect(page.get_by_text("The network is being loaded")).to_have_count(0, timeout=90_000)
    keys = ["home_scene", *(f"home_pair_{task.key}" for task in TASKS)]
    seen = []

    def shown():
        settled(page)
        page.wait_for_timeout(500)
        return [canvas(page, key) for key in keys]

    seen.append(shown())
    page.get_by_role("button", name="Next scene").click()
    page.wait_for_url("**home_seed=15*")
    seen.append(shown())
    page.mouse.move(0, 0)  # the button's help lies over the heading while a pointer is on the button
    page.locator("h1").click()
    page.keyboard.press("n")
    page.wait_for_url("**home_seed=16*")
    seen.append(shown())
    page.get_by_role("slider", name="Fog").press("End")
    page.wait_for_url("**home_fog=1.0*")
    seen.append(shown())
    page.get_by_role("slider", name="Light").press("Home")
    page.wait_for_url("**home_light=0.0*")
    seen.append(shown())
    for column in zip(*seen, strict=True):
        # The true classes stay in fog and night, and a semantic map of fog may equal another; pictures never do.
        assert len(set(column)) == len(column), column

    link, last = page.url, seen[-1]
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".frame canvas").first).to_be_visible()
    assert shown() == last


@pytest.mark.skipif(not TASKS, reason="no network has weights yet")
def test_panels_lead_to_their_pages(server, page):
    page.goto(f"{server}/?lecture=1")
    for task in TASKS:
        link = page.locator(f".st-key-home-{task.key}").get_by_role("link")
        expect(link).to_have_attribute("href", re.compile(rf"(^|/){task.lesson().file}\?(.*&)?lecture=1"))
    link.click()
    expect(page.get_by_role("heading", level=1, name=task.lesson().title, exact=True)).to_be_visible()
    assert f"/{task.lesson().file}" in page.url and "lecture=1" in page.url


def test_map_leads_to_a_lesson_and_keeps_lecture_mode(server, page):
    page.goto(f"{server}/?lecture=1")
    page.locator(".st-key-lesson-lab_world").get_by_role("link", name="Lab World").click()
    expect(page.get_by_role("heading", level=1, name="Lab World", exact=True)).to_be_visible()
    assert "/lab_world" in page.url and "lecture=1" in page.url
    expect(page.locator('[data-testid="stSidebarNav"]')).to_have_count(0)


def test_map_shows_every_page_with_its_topics(server, page):
    page.goto(server)
    for lesson in ready()[1:]:
        card = page.locator(f".st-key-lesson-{lesson.file}")
        expect(card).to_contain_text(lesson.question)
        expect(card).to_contain_text(lesson.topics)


def test_on_a_phone_the_picture_comes_first(server, chromium):
    with visiting(chromium, viewport={"width": 390, "height": 844}) as tab:
        tab.goto(server)
        picture = tab.locator(".frame canvas").first
        expect(picture).to_be_visible()
        settled(tab)
        box = picture.bounding_box()
        assert box["y"] + box["height"] < 844 and box["width"] > 330
        shown = sorted(TASKS, key=lambda task: task.key not in ("semantic", "detection"))  # beside the scene: first
        places = [tab.locator(f".st-key-home-{task.key}").bounding_box() for task in shown]
        assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(places))
