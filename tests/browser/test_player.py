"""The player in a real browser: a hand, keys and the clock move the film, and nothing piles up."""

import re

import pytest
from playwright.sync_api import expect

from benchmarks.servers import serve
from tests.browser.conftest import visiting

INK = """canvas => {
  const { width, height } = canvas
  return [...canvas.getContext('2d').getImageData(width - 4, height / 2, 1, 1).data].slice(0, 3)
}"""


@pytest.fixture(scope="module")
def app():
    with serve("tests/browser/apps/player_app.py", "/_stcore/health") as found:
        yield found.address


def shown(page, frame: int):
    """The player once it has drawn this frame."""
    root = page.locator(".player")
    expect(root).to_have_attribute("data-drawn", str(frame))
    return root


def said(page):
    return page.get_by_test_id("stText")


def test_it_plays_and_a_hand_and_keys_move_it(app, page):
    page.goto(app)
    root = shown(page, 5)
    expect(root).to_have_attribute("data-playing", "false")
    screen, canvas = page.locator(".screen"), page.locator(".screen canvas")
    assert all(abs(value - 20) <= 3 for value in canvas.evaluate(INK)), "frame 5 is grey, 20 bright"
    expect(root).to_have_attribute("data-boxes", "1")

    page.keyboard.press("Space")  # nothing has the keyboard
    expect(root).to_have_attribute("data-playing", "true")
    expect(root).to_have_attribute("data-frame", re.compile(r"^[2-5]\d$"))
    expect(page.locator(".rates")).to_contain_text(re.compile(r"[\d.]+ frames/s painted · 6.3 detections/s · 40 ms"))
    page.get_by_role("button", name="Pause").click()
    expect(root).to_have_attribute("data-playing", "false")
    frame = int(root.get_attribute("data-frame"))
    expect(said(page)).to_contain_text(f"frame={frame} ")
    page.wait_for_url(re.compile(rf"film_frame={frame}(&|$)"))

    screen.press("Home")
    shown(page, 0)
    screen.press("ArrowRight")
    shown(page, 1)
    screen.press("Shift+ArrowRight")
    shown(page, 26)
    screen.press("End")
    shown(page, 59)
    track = page.get_by_role("slider", name="Frame")
    expect(track).to_have_attribute("aria-valuetext", "frame 60 of 60, 2.36 seconds")
    track.fill("30")
    shown(page, 30)
    assert all(abs(value - 120) <= 3 for value in canvas.evaluate(INK))
    page.wait_for_url(re.compile(r"film_frame=30(&|$)"))
    page.get_by_role("combobox", name="Speed").select_option("0.5")
    page.wait_for_url(re.compile(r"film_speed=0\.5(&|$)"))

    page.get_by_text("Boxes", exact=True).click()
    expect(root).to_have_attribute("data-boxes", "0")
    expect(page.locator(".rates")).not_to_contain_text("detections")


def test_the_line_follows_a_hand_and_keys_and_a_link_brings_it_back(app, page):
    page.goto(app)
    shown(page, 5)
    end = page.get_by_role("button", name=re.compile("^First end of the line"))
    canvas = page.locator(".screen canvas").bounding_box()
    at = end.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2 + 4)
    page.mouse.down()
    page.mouse.move(canvas["x"] + canvas["width"] / 4, canvas["y"] + canvas["height"] / 3, steps=4)
    expect(said(page)).to_contain_text("line=(30.0, 30.0, 60.0, 90.0)")  # while the button is down
    page.mouse.up()
    page.wait_for_url(re.compile(r"film_line=30(%2C|,)30(%2C|,)60(%2C|,)90"))
    end.press("ArrowDown")
    end.press("Shift+ArrowRight")
    page.wait_for_url(re.compile(r"film_line=40(%2C|,)31(%2C|,)60(%2C|,)90"))
    page.reload()
    shown(page, 5)
    expect(said(page)).to_contain_text("line=(40.0, 31.0, 60.0, 90.0)")
    expect(end).to_have_attribute("aria-label", "First end of the line: x 40, y 31")


def test_less_motion_ends_the_film_at_its_end(app, chromium):
    with visiting(chromium, reduced_motion="reduce") as tab:
        tab.goto(f"{app}?film_frame=50")
        root = shown(tab, 50)
        tab.locator(".screen").press("Space")
        expect(root).to_have_attribute("data-drawn", "59")
        expect(root).to_have_attribute("data-playing", "false")


PLATES = """async ([marks, side]) => {
  const { paintMarks } = await import('/assets/player/marks.js')
  const pen = Object.assign(document.createElement('canvas'), { width: side, height: side }).getContext('2d')
  const plates = [], fill = pen.fillRect.bind(pen)
  pen.fillRect = (...place) => { plates.push(place); fill(...place) }
  paintMarks(pen, marks, 1, 1, 12)
  return plates
}"""


def test_names_of_things_that_stand_together_cover_each_other_nowhere(app, page):
    """Of one thing alone the name stands on its box; at the top of the picture there is no room to give way."""
    page.goto(app)
    shown(page, 5)

    def plates(*places):
        return page.evaluate(PLATES, [[[*place, "person", 0.79, None, "seen"] for place in places], 300])

    ((left, top, wide, tall),) = plates((100, 120, 140, 200))
    assert (left, top + tall) == (99, 120)
    crowd = plates((100, 120, 140, 200), (120, 126, 150, 210), (90, 122, 130, 190), (100 + wide, 124, 290, 290))
    assert len(crowd) == 4
    for at, (x, y, w, h) in enumerate(crowd):
        for a, b, c, d in crowd[at + 1 :]:
            assert x >= a + c or a >= x + w or y >= b + d or b >= y + h
    assert min(y for _, y, _, _ in plates((100, 8, 140, 90), (110, 12, 150, 90))) == 0
