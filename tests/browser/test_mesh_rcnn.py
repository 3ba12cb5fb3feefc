"""The Mesh R-CNN page in a real browser: a hand, a key and a slider turn, choose and pull; without WebGL, too."""

import re

import pytest
from playwright.sync_api import expect

INK = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let sum = 0
  for (let i = 3; i < data.length; i += 4) sum += data[i] > 0
  return sum / (data.length / 4)
}"""
PIXELS = "canvas => canvas.toDataURL()"
NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return /webgl/.test(kind) ? null : get.call(this, kind, ...more)
}"""


def turns(lesson, view: str):
    frame = lesson.locator(f".st-key-{view}-live .frame")
    expect(frame).to_have_attribute("data-turn", "-30.0,15.0", timeout=120_000)
    return frame


@pytest.mark.parametrize("webgl", [True, False], ids=["as it comes", "without WebGL"])
def test_a_hand_turns_a_slider_chooses_and_a_ball_is_pulled(server, page, webgl):
    if not webgl:
        page.add_init_script(NO_WEBGL)
    page.goto(f"{server}/mesh_rcnn?predict=off&mesh_step=0")
    frame = turns(page, "mesh_truth")
    if not webgl:
        expect(frame).to_have_attribute("data-drawn", "software")
    canvas = frame.locator("canvas")
    assert 0.08 < canvas.evaluate(INK) < 0.6, "the solid stands in the middle of an empty picture"
    before = canvas.evaluate(PIXELS)

    at = frame.bounding_box()
    page.mouse.move(at["x"] + 100, at["y"] + 150)
    page.mouse.down()
    page.mouse.move(at["x"] + 180, at["y"] + 130, steps=4)
    expect(frame).to_have_attribute("data-turn", "-70.0,5.0")
    assert canvas.evaluate(PIXELS) != before
    page.mouse.up()
    page.wait_for_url(re.compile(r"mesh_truth_turn=-70(%2C|,)5(&|$)"))

    frame.press("ArrowLeft")
    frame.press("ArrowDown")
    expect(frame).to_have_attribute("data-turn", "-60.0,15.0")
    page.wait_for_url(re.compile(r"mesh_truth_turn=-60(%2C|,)15(&|$)"))
    frame.get_by_role("button", name="From the front").click()
    expect(frame).to_have_attribute("data-turn", "0.0,0.0")
    small = canvas.evaluate(INK)
    frame.press("+")
    page.wait_for_function("([canvas, ink, small]) => eval(ink)(canvas) > 1.2 * small",
                           arg=[canvas.element_handle(), INK, small])  # fmt: skip

    said = page.locator(".st-key-mesh_said-live .words")
    expect(said).to_contain_text("Cat: ")
    page.get_by_role("slider", name="Thing, from far to near").press("End")
    expect(said).to_contain_text("Ball: ", timeout=30_000)
    fit = turns(page, "mesh_fit")
    expect(fit).to_have_attribute("aria-label", re.compile("and the ball$"), timeout=30_000)
    if not webgl:
        return
    ball, fitted = fit.locator("canvas").first, page.locator(".st-key-mesh_fit_said-live .words")
    first, told = ball.evaluate(PIXELS), fitted.inner_text()
    page.get_by_role("slider", name="Step").press("PageUp")
    expect(fitted).not_to_have_text(told, timeout=60_000)
    page.wait_for_function("([canvas, first]) => canvas.toDataURL() !== first", arg=[ball.element_handle(), first])
    expect(fit.locator("canvas")).to_have_count(3)
