"""A visitor brings a picture, draws its truth, is told what the detector is worth, and hands the drawing on."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import scenes
from models import catalog
from pages.shared import drawing_link
from tests.browser.conftest import visiting

SIZE = 224
SCENE = scenes.render(scenes.sample(14), SIZE)
BOXES = {thing.label: [float(value) for value in thing.box] for thing in SCENE.instances}  # the last of a class
pytestmark = pytest.mark.skipif("ssd" not in catalog.shipped(), reason="the detector has no weights")


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(SCENE.image).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


class Room:
    """The section on one visitor's page."""

    def __init__(self, page, address, picture):
        self.page = page
        page.goto(address)
        page.get_by_role("button", name="Picture").first.click(timeout=120_000)
        page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(picture)
        self.frame = page.locator(".st-key-ssd_truth_stage-live .frame")
        expect(self.frame).to_be_visible(timeout=120_000)
        page.keyboard.press("Escape")
        self.boxes = self.frame.locator(".editable[data-id]")
        self.figures = page.locator(".st-key-ssd_truth_figures-live .words")
        self.lines = page.locator(".st-key-ssd_truth_lines-live .words")
        self.settle()

    def settle(self):
        self.page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=60_000)
        self.page.wait_for_timeout(400)

    def drag(self, x1, y1, x2, y2):
        self.frame.evaluate("node => node.scrollIntoView({ block: 'center' })")
        self.page.wait_for_timeout(300)
        at = self.frame.bounding_box()
        scale = at["width"] / SIZE
        self.page.mouse.move(at["x"] + x1 * scale, at["y"] + y1 * scale)
        self.page.mouse.down()
        self.page.mouse.move(at["x"] + x2 * scale, at["y"] + y2 * scale, steps=6)
        self.page.mouse.up()

    def finger(self, *places):
        """A finger goes from place to place, in pixels of the picture."""
        self.frame.evaluate(
            """(node, [size, places]) => {
              const { left, top, width } = node.getBoundingClientRect()
              node.setPointerCapture = () => {}
              const say = (name, [x, y]) => node.dispatchEvent(new PointerEvent(name, { bubbles: true, pointerId: 7,
                pointerType: 'touch', clientX: left + (x / size) * width, clientY: top + (y / size) * width }))
              say('pointerdown', places[0])
              for (const place of places.slice(1)) say('pointermove', place)
              say('pointerup', places.at(-1))
            }""",
            [SIZE, places],
        )

    def take(self, name):
        hand = self.page.locator(".st-key-ssd_truth_class input")
        hand.click()
        hand.fill(name)
        self.page.keyboard.press("Enter")
        self.settle()

    def files(self):
        self.page.get_by_role("button", name="Files", exact=True).click()

    def give(self, key, path):
        self.page.locator(f".st-key-ssd_truth_{key}_file input[type=file]").set_input_files(path)
        self.settle()


def test_a_drawing_judges_travels_and_is_compared(server, page, chromium, picture, tmp_path):
    mine = Room(page, f"{server}/ssd?predict=off&ssd_source=Upload&ssd_draw=true", picture)
    expect(mine.figures).to_contain_text("Draw the first box")
    for number, name in enumerate(("duck", "car"), start=1):
        mine.take(name)
        mine.drag(*BOXES[name])
        expect(mine.boxes).to_have_count(number)
    expect(mine.figures).to_contain_text("recall 1.00 (2 of 2)")
    expect(mine.lines).to_contain_text("✓ 2 car: found by car")

    x1, y1, x2, _ = BOXES["car"]
    middle = (x1 + x2) / 2 + 8  # beside the handle
    mine.drag(middle, y1, middle, y1 - 60)  # by its line
    expect(mine.figures).to_contain_text("recall 0.50 (1 of 2)")
    expect(mine.lines).to_contain_text("✗ 2 car: missed")
    mine.drag(middle, y1 - 60, middle, y1)
    expect(mine.figures).to_contain_text("recall 1.00 (2 of 2)")

    duck = BOXES["duck"]
    mine.drag(duck[0] + 12, duck[1] + 12, duck[0] + 32, duck[1] + 30)  # inside a box a drag draws another
    expect(mine.boxes).to_have_count(3)
    expect(mine.lines).to_contain_text("✗ 3 car: missed")
    expect(page.get_by_role("button", name="Rename box")).to_be_disabled()  # it is a car already
    mine.take("ball")
    page.get_by_role("button", name="Rename box").click()
    expect(mine.lines).to_contain_text("✗ 3 ball: missed")
    page.get_by_role("button", name="Delete box").click()
    expect(mine.boxes).to_have_count(2)
    page.wait_for_url(re.compile(r"ssd_truth=duck[-\d]+_car[-\d]+(&|$)"))
    link = page.url
    mine.files()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as COCO JSON").click()
    download.value.save_as(tmp_path / "truth.json")
    written = json.loads((tmp_path / "truth.json").read_text())
    assert [each["name"] for each in written["categories"]] == ["duck", "car"] and len(written["annotations"]) == 2

    with visiting(chromium) as elsewhere:
        yours = Room(elsewhere, link, picture)
        expect(yours.boxes).to_have_count(2)
        expect(yours.figures).to_have_text(mine.figures.inner_text().strip())
        yours.finger([20, 20], [40, 50], [60, 70])
        expect(yours.boxes).to_have_count(3)
        expect(yours.lines).to_contain_text("✗ 3 ball: missed")  # the class in hand came with the link
        yours.frame.press("n")
        expect(yours.boxes).to_have_count(4)
        elsewhere.keyboard.press("Delete")
        expect(yours.boxes).to_have_count(3)
        elsewhere.get_by_role("button", name="Delete all").click()
        expect(yours.boxes).to_have_count(0)
        yours.files()
        (tmp_path / "hostile.json").write_text("[" * 50_000)
        yours.give("load", tmp_path / "hostile.json")
        expect(elsewhere.get_by_text("The file is no JSON")).to_be_visible()
        yours.give("load", tmp_path / "truth.json")
        expect(yours.boxes).to_have_count(2)
        expect(yours.figures).to_have_text(mine.figures.inner_text().strip())
        written["annotations"].pop()
        (tmp_path / "second.json").write_text(json.dumps(written))
        yours.give("other", tmp_path / "second.json")
        compared = elsewhere.locator(".st-key-ssd_truth_two_lines-live .words")
        expect(compared).to_contain_text("✓ A1 and B1: duck, IoU 1.00")
        expect(compared).to_contain_text("✗ A2 car: the second drawing has no such box")
        elsewhere.wait_for_url(re.compile("ssd_truth_2=duck"))


def test_the_network_that_is_shown_comes_with_a_link_and_with_back(server, page, chromium):
    painted = np.zeros((SIZE, SIZE), np.uint8)
    painted[:100] = 1
    link = f"scene_source=Photograph&scene_photo=Cat&scene_draw=true&scene_truth={drawing_link.packed(painted)}"
    page.goto(f"{server}/upsampling?predict=off&{link}")
    shown = page.locator(".st-key-scene_truth_shown").get_by_role("radio")
    expect(shown.first).to_be_checked(timeout=120_000)
    shown.last.click()
    page.wait_for_url("**scene_truth_shown=*")
    expect(shown.last).to_be_checked()
    with visiting(chromium) as elsewhere:
        elsewhere.goto(page.url)
        theirs = elsewhere.locator(".st-key-scene_truth_shown").get_by_role("radio")
        expect(theirs.last).to_be_checked(timeout=120_000)
        expect(theirs.first).not_to_be_checked()
    page.locator(".st-key-page-bar").get_by_role("link", name="Next page").click()
    expect(page.get_by_role("heading", level=1, name="Upsampling", exact=True)).to_be_hidden()
    page.go_back()
    page.wait_for_url("**scene_truth_shown=*")
    expect(shown.last).to_be_checked(timeout=120_000)
