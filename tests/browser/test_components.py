"""The live components in a real Chromium: pointer, keyboard, touch; nothing lost, nothing remounted, nothing shared."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.servers import serve


@pytest.fixture(scope="module")
def address():
    with serve("tests/browser/apps/components_app.py", "/_stcore/health") as found:
        yield found.address


@pytest.fixture
def sliders(page, address):
    page.goto(address)
    page.get_by_role("slider", name="IoU threshold").wait_for()
    settle(page)
    return page


@pytest.fixture
def stage(page, address):
    return visit(page, address, "Stage", ".frame canvas")


@pytest.fixture
def grids(page, address):
    return visit(page, address, "Grids", ".cell")


def visit(page, address, name, selector):
    page.goto(address)
    page.get_by_role("link", name=name).click()
    page.locator(selector).first.wait_for()
    settle(page)
    return page


def settle(page, text=None):
    """Wait until no run is under way, and until `text` is on the page."""
    if text:
        page.get_by_text(text).first.wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(250)


def shown(page, start):
    """The line of the app's own print-out that begins with `start`."""
    return page.locator("[data-testid=stText]", has_text=re.compile(f"^{start}")).inner_text()


def wait_shown(page, start, pattern):
    page.locator("[data-testid=stText]", has_text=re.compile(f"^{start}")).filter(
        has_text=re.compile(pattern)
    ).wait_for()


def drag(page, points, pause=8):
    """Press at the first point, move through the others, keep holding."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
        page.wait_for_timeout(pause)


def track_point(page, name, share):
    box = page.get_by_role("slider", name=name).bounding_box()
    return box["x"] + 11 + (box["width"] - 22) * share, box["y"] + box["height"] / 2


def picture_point(page, x, y, size=224):
    box = page.locator(".frame").first.bounding_box()
    return box["x"] + x * box["width"] / size, box["y"] + y * box["width"] / size


class Traffic:
    """What the browser sends for one component and what it is sent, on Streamlit's socket and on the direct line.

    `sent` has the messages, `ahead` how many of them were without their drawing when each left, itself included.
    """

    def __init__(self, page, key):
        self.key, self.sent, self.ahead, self.drawn = key, [], [], 0
        page.on("websocket", self.listen)

    def listen(self, socket):
        out, back = (self.out_line, self.back_line) if socket.url.endswith("/api/live") else (self.out, self.back)
        socket.on("framesent", out)
        socket.on("framereceived", back)

    def leave(self, message):
        self.sent.append(message)
        self.ahead.append(message["sequence"] - self.drawn)

    def out(self, frame):
        states = BackMsg.FromString(frame).rerun_script.widget_states.widgets
        for state in states:
            if state.id.endswith(f"-{self.key}") and state.WhichOneof("value") == "json_value":
                message = json.loads(state.json_value)["message"]
                if not self.sent or message["sequence"] > self.sent[-1]["sequence"]:  # else it is told once more
                    self.leave(message)

    def back(self, frame):
        answer = ForwardMsg.FromString(frame)
        if answer.WhichOneof("type") == "delta" and answer.delta.new_element.WhichOneof("type") == "bidi_component":
            data = json.loads(answer.delta.new_element.bidi_component.json)[0]
            if data["key"] == self.key:
                self.drawn = max(self.drawn, data["sequence"])

    def out_line(self, frame):
        asked = json.loads(frame)
        if asked["key"] == self.key:
            self.leave(asked["message"])

    def back_line(self, frame):
        for key, data in json.loads(frame)["drawings"] or ():
            if key == self.key:
                self.drawn = max(self.drawn, data["sequence"])


def boxes(page):
    found = re.findall(r"([\w-]+):([\d.,-]+)", shown(page, "boxes="))
    return {name: [float(v) for v in numbers.split(",")] for name, numbers in found}


class TestSlider:
    def test_drag_sends_many_values_and_never_loses_the_last(self, sliders):
        drag(sliders, [track_point(sliders, "IoU threshold", 0.5)])
        for share in (0.6, 0.7, 0.8, 0.9):
            sliders.mouse.move(*track_point(sliders, "IoU threshold", share), steps=10)
            wait_shown(sliders, "iou=", rf"iou={share} ")  # still held: drawn while dragging
        assert "iou=" not in sliders.url
        sliders.mouse.up()
        sliders.wait_for_url("**/?iou=0.9")

    def test_slow_work_is_not_flooded_and_ends_on_the_last_value(self, page, address):
        """Never more than two values are on their way, however slow the work, the machine or the hand."""
        traffic = Traffic(page, "slow.live")
        page.goto(address)
        page.get_by_role("slider", name="Slow work").wait_for()
        settle(page)
        drag(page, [track_point(page, "Slow work", i / 50) for i in range(8, 51)])
        page.mouse.up()
        wait_shown(page, "slow=", "slow=20 ")
        settle(page)
        assert [ahead for ahead in traffic.ahead if not 1 <= ahead <= 2] == []
        assert traffic.sent[-1]["settled"] is True and traffic.sent[-1]["value"] == 20
        assert shown(page, "slow=").startswith("slow=20 ")

    def test_thumb_keeps_its_node(self, sliders):
        sliders.get_by_role("slider", name="IoU threshold").evaluate("node => { window.kept = node }")
        drag(sliders, [track_point(sliders, "IoU threshold", share) for share in (0.5, 0.6, 0.7)])
        sliders.mouse.up()
        wait_shown(sliders, "iou=", r"iou=0\.7 ")
        sliders.get_by_role("slider", name="Outside a fragment").press("Home")
        wait_shown(sliders, "outside=", "outside=1")
        assert sliders.get_by_role("slider", name="IoU threshold").evaluate("node => node === window.kept")

    def test_keyboard_only(self, sliders):
        slider = sliders.get_by_role("slider", name="IoU threshold")
        for key, value in [
            ("ArrowRight", "0.51"),
            ("ArrowDown", "0.5"),
            ("PageUp", "0.6"),
            ("Home", "0.0"),
            ("End", "1.0"),
        ]:
            slider.press(key)
            wait_shown(sliders, "iou=", f"iou={re.escape(value)} ")
        assert slider.get_attribute("aria-valuetext") == "1"
        sliders.wait_for_url("**/?iou=1.0")
        slider.press("Backspace")
        wait_shown(sliders, "iou=", r"iou=0\.5 ")
        sliders.wait_for_url(lambda url: "iou" not in url)

    def test_whole_numbers_stay_whole_and_options_stay_options(self, sliders):
        sliders.get_by_role("slider", name="Outside a fragment").press("ArrowRight")
        wait_shown(sliders, "outside=", "^outside=6$")
        sliders.get_by_role("slider", name="Interpolation").press("End")
        wait_shown(sliders, "mode=", "^mode=bicubic$")
        assert sliders.get_by_role("slider", name="Interpolation").get_attribute("aria-valuetext") == "bicubic"

    def test_double_click_restores_the_default(self, sliders):
        sliders.mouse.click(*track_point(sliders, "IoU threshold", 0.8))
        wait_shown(sliders, "iou=", r"iou=0\.8 ")
        sliders.mouse.dblclick(*track_point(sliders, "IoU threshold", 0.3))
        wait_shown(sliders, "iou=", r"iou=0\.5 ")

    def test_python_sets_the_value(self, sliders):
        sliders.get_by_role("button", name="Reset").click()
        wait_shown(sliders, "iou=", r"iou=0\.25 ")
        slider = sliders.get_by_role("slider", name="IoU threshold")
        expect(slider).to_have_attribute("aria-valuenow", "0.25")
        slider.press("ArrowRight")
        wait_shown(sliders, "iou=", r"iou=0\.26 ")

    def test_play_sweeps_and_pauses(self, sliders):
        sliders.get_by_role("button", name="Play IoU threshold").click()
        wait_shown(sliders, "iou=", r"distinct=([6-9]|\d\d)")
        sliders.get_by_role("button", name="Pause IoU threshold").click()
        settle(sliders)
        rest = sliders.get_by_role("slider", name="IoU threshold").get_attribute("aria-valuenow")
        assert float(re.search(r"iou=([\d.]+)", shown(sliders, "iou="))[1]) == float(rest)

    def test_a_block_that_raises_does_not_hang_the_slider(self, sliders):
        slider = sliders.get_by_role("slider", name="Breaks at 3")
        for _ in range(2):
            slider.press("ArrowRight")
        sliders.get_by_text("Three is not possible").wait_for()
        slider.press("ArrowRight")
        wait_shown(sliders, "breaks=", "breaks=4")

    def test_deep_link(self, page, address):
        page.goto(f"{address}/?iou=0.37&outside=99&mode=nonsense&slow=abc")
        wait_shown(page, "iou=", r"iou=0\.37 ")
        assert shown(page, "outside=") == "outside=9"
        assert shown(page, "mode=") == "mode=bilinear"
        assert shown(page, "slow=").startswith("slow=3 ")

    def test_value_survives_a_visit_to_another_page(self, sliders):
        sliders.get_by_role("slider", name="IoU threshold").press("End")
        sliders.wait_for_url("**/?iou=1.0")
        sliders.get_by_role("link", name="Grids").click()
        sliders.locator(".cell").first.wait_for()
        sliders.get_by_role("link", name="Sliders").click()
        wait_shown(sliders, "iou=", r"iou=1\.0 ")
        sliders.get_by_role("slider", name="IoU threshold").press("ArrowLeft")
        wait_shown(sliders, "iou=", r"iou=0\.99 ")

    def test_two_visitors_never_see_each_other(self, sliders, other, address):
        other.goto(address)
        wait_shown(other, "iou=", r"iou=0\.5 ")
        sliders.get_by_role("slider", name="IoU threshold").press("End")
        other.get_by_role("slider", name="IoU threshold").press("Home")
        wait_shown(sliders, "iou=", r"iou=1\.0 ")
        wait_shown(other, "iou=", r"iou=0\.0 ")
        assert other.get_by_role("slider", name="IoU threshold").get_attribute("aria-valuenow") == "0"

    def test_touch(self, phone, address):
        phone.goto(address)
        phone.get_by_role("slider", name="IoU threshold").wait_for()
        settle(phone)
        touch = phone.context.new_cdp_session(phone)
        x, y = track_point(phone, "IoU threshold", 0.5)
        end, _ = track_point(phone, "IoU threshold", 1.0)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 31):
            touch.send(
                "Input.dispatchTouchEvent",
                {"type": "touchMove", "touchPoints": [{"x": x + (end - x) * step / 30, "y": y}]},
            )
            if step % 6 == 0:
                wait_shown(phone, "iou=", rf"iou={0.5 + step / 60:.1f} ")  # the finger is still down
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        phone.wait_for_url("**/?iou=1.0*")
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


class TestStage:
    def test_drag_moves_the_box_and_keeps_its_node(self, stage):
        stage.locator(".editable").first.evaluate("node => { window.kept = node }")
        path = [picture_point(stage, 100 + i, 115 + i / 2) for i in range(31)]
        drag(stage, path, pause=16)
        wait_shown(stage, "boxes=", "guess:90,85,170,175")
        stage.mouse.up()
        settle(stage)
        assert stage.locator(".editable").first.evaluate("node => node === window.kept && node.isConnected")
        assert boxes(stage) == {"truth": [30, 50, 105, 130], "guess": [90, 85, 170, 175]}
        assert "selected=guess" in shown(stage, "selected=")
        # Its label is written by Python from the place the hand chose.
        assert stage.locator(".tag text", has_text=re.compile("^guess 90$")).count() == 1

    def test_resize_by_a_corner_is_clamped_to_the_picture(self, stage):
        stage.mouse.click(*picture_point(stage, 100, 115))
        settle(stage, "selected=guess")
        drag(stage, [picture_point(stage, x, y) for x, y in [(140, 160), (180, 200), (260, 260)]])
        stage.mouse.up()
        wait_shown(stage, "boxes=", "guess:60,70,224,224")

    def test_draw_then_delete(self, stage):
        drag(stage, [picture_point(stage, x, y) for x, y in [(150, 10), (180, 30), (210, 50)]])
        stage.mouse.up()
        wait_shown(stage, "boxes=", "box-1:150,10,210,50")
        wait_shown(stage, "selected=", "selected=box-1 ")
        stage.keyboard.press("Delete")
        wait_shown(stage, "boxes=", "^boxes=truth:30,50,105,130 guess:60,70,140,160$")

    def test_keyboard_only(self, stage):
        stage.locator(".editable").first.focus()
        stage.keyboard.press("ArrowRight")
        stage.keyboard.press("Shift+ArrowDown")
        wait_shown(stage, "boxes=", "guess:61,80,141,170")
        stage.keyboard.press("Alt+ArrowLeft")
        wait_shown(stage, "boxes=", "guess:61,80,140,170")
        stage.keyboard.press("n")
        wait_shown(stage, "boxes=", "box-1:84,84,140,140")
        stage.keyboard.press("Shift+ArrowLeft")
        wait_shown(stage, "boxes=", "box-1:74,84,130,140")
        stage.keyboard.press("Backspace")
        wait_shown(stage, "boxes=", "170$")

    def test_arrow_keys_move_a_cross_and_enter_clicks(self, stage):
        frame = stage.locator(".frame").last
        stage.get_by_role("slider", name="Shift").focus()
        for _ in range(40):
            stage.keyboard.press("Tab")
            if frame.evaluate("node => node.matches(':focus')"):
                break
        assert stage.get_by_text("Arrow keys move the cross, Enter clicks.").is_visible()
        stage.keyboard.press("ArrowRight")
        stage.keyboard.press("ArrowUp")
        stage.keyboard.press("Enter")
        wait_shown(stage, "cell=", r"cell=Spot\(x=144.0, y=80.0, what=None\) clicked=True")
        stage.keyboard.press("Shift+ArrowLeft")  # ten places, but no further than the first
        stage.keyboard.press("Enter")
        wait_shown(stage, "cell=", r"cell=Spot\(x=16.0, y=80.0")
        assert stage.locator("[data-cross]").last.is_visible()
        stage.keyboard.press("Tab")
        assert not stage.locator("[data-cross]").last.is_visible()

    def test_arrow_keys_read_notes_where_a_click_means_nothing(self, stage):
        stage.locator(".frame").first.focus()
        for _ in range(10):
            stage.keyboard.press("ArrowRight")
        for _ in range(4):
            stage.keyboard.press("ArrowDown")
        assert stage.get_by_text("The house").is_visible()

    def test_click_and_hover_report_what_is_there(self, stage):
        stage.mouse.move(*picture_point(stage, 157, 134))
        wait_shown(stage, "hover=", r"what='house'")
        assert stage.get_by_text("The house").is_visible()
        stage.mouse.click(*picture_point(stage, 10, 200))
        wait_shown(stage, "selected=", r"selected=None click=Spot\(x=10.*what=None\) clicked=True")
        stage.mouse.move(5, 5)
        wait_shown(stage, "hover=", "hover=None")

    def test_zoom_keeps_coordinates(self, stage):
        stage.locator(".frame").first.focus()
        stage.keyboard.press("+")
        stage.keyboard.press("+")
        canvas = stage.locator(".frame canvas").first
        assert canvas.bounding_box()["width"] == pytest.approx(
            1.5625 * stage.locator(".frame").first.bounding_box()["width"], rel=0.01
        )
        # The middle of the picture is still under the middle of the frame.
        stage.mouse.click(*picture_point(stage, 112, 112))
        wait_shown(stage, "selected=", r"click=Spot\(x=11[12]\.?\d*, y=11[12]")
        stage.keyboard.press("0")
        assert canvas.bounding_box()["width"] == pytest.approx(
            stage.locator(".frame").first.bounding_box()["width"], rel=0.01
        )

    def test_picture_travels_once(self, page, address):
        frames = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
        stage = visit(page, address, "Stage", ".frame canvas")
        assert sum(b"data:image/png" in bytes(frame) for frame in frames) >= 2
        frames.clear()
        stage.get_by_role("slider", name="Opacity").press("ArrowLeft")
        drag(stage, [picture_point(stage, 100 + i, 115) for i in range(0, 20, 2)])
        stage.mouse.up()
        settle(stage)
        assert any(isinstance(frame, str) for frame in frames)  # the direct line's are text
        assert not any("data:image" in (frame if isinstance(frame, str) else repr(frame)) for frame in frames)

    def test_heat_map_changes_without_a_blank_frame(self, stage):
        stage.evaluate(
            """() => {
            const hosts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
            const frames = hosts.flatMap((host) => [...host.shadowRoot.querySelectorAll('.frame')])
            const canvas = frames[1].querySelectorAll('canvas')[1]
            window.heat = canvas
            window.seen = new Set()
            window.blank = 0
            const look = () => {
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
              if (!pixels.some((v) => v)) window.blank += 1
              window.seen.add(canvas.dataset.name)
              requestAnimationFrame(look)
            }
            look()
          }"""
        )
        drag(stage, [track_point(stage, "Shift", 0.4)])
        for seen, share in enumerate((0.5, 0.6, 0.7, 0.8), 2):
            stage.mouse.move(*track_point(stage, "Shift", share), steps=10)
            stage.wait_for_function(f"window.seen.size >= {seen}")  # still held: drawn while dragging
        stage.mouse.up()
        settle(stage)
        assert stage.evaluate("[window.heat.isConnected, window.blank]") == [True, 0]

    def test_touch_drags_a_box(self, phone, address):
        phone.goto(f"{address}/stages")
        phone.locator(".editable").first.wait_for()
        settle(phone)
        touch = phone.context.new_cdp_session(phone)
        for kind, x in [("touchStart", 100), ("touchMove", 110), ("touchMove", 125), ("touchMove", 130)]:
            place = dict(zip("xy", picture_point(phone, x, 115), strict=True))
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
            phone.wait_for_timeout(60)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        wait_shown(phone, "boxes=", r"guess:90,70,170,160")

    def test_a_second_finger_ends_a_drag_and_the_box_rests_when_both_lift(self, phone, address):
        phone.goto(f"{address}/stages")
        phone.locator(".editable").first.wait_for()
        settle(phone)
        touch = phone.context.new_cdp_session(phone)
        first, moved, second = (
            {"id": number, **dict(zip("xy", picture_point(phone, *place), strict=True))}
            for number, place in ((0, (100, 115)), (0, (130, 115)), (1, (200, 200)))
        )
        for kind, points in [
            ("touchStart", [first]), ("touchMove", [moved]), ("touchStart", [moved, second]), ("touchEnd", [moved]),
        ]:  # fmt: skip
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            phone.wait_for_timeout(60)
        wait_shown(phone, "settled=", "settled=False")
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        wait_shown(phone, "settled=", "settled=True")
        wait_shown(phone, "boxes=", r"guess:90,70,170,160")


class TestGrids:
    def cell(self, page, grid, row, column):
        inside = page.get_by_role("grid", name=re.compile(f"^{grid},")).first
        return inside.locator(f"[role=gridcell][aria-rowindex='{row + 1}'][aria-colindex='{column + 1}']")

    def test_typing_sends_at_once_and_enter_keeps_the_node(self, grids):
        cell = self.cell(grids, "input", 0, 1)
        cell.evaluate("node => { window.kept = node }")
        cell.click()
        grids.keyboard.type("2.5")
        wait_shown(grids, "input=", r"\[\[1.0, 2.5\], \[3.0, 4.0\]\]")  # before Enter
        grids.keyboard.press("Enter")
        assert self.cell(grids, "output", 1, 3).inner_text() == "2.5"
        assert cell.evaluate("node => node === window.kept && node === node.getRootNode().activeElement")

    def test_escape_brings_the_old_value_back(self, grids):
        self.cell(grids, "input", 1, 1).click()
        grids.keyboard.type("70")
        wait_shown(grids, "input=", r"70\.0\]\]")
        grids.keyboard.press("Escape")
        wait_shown(grids, "input=", r"4\.0\]\]")

    @pytest.mark.parametrize(
        ("grid", "typed", "sentence"),
        [
            ("input", "5e", "“5e” is not a number. The old value 1 is back."),
            ("input", "4444", "4444 is outside −999 to 999. The old value 1 is back."),
            ("x", "1/2", "1/2 is not a whole number. The old value 1 is back."),
        ],
    )
    def test_a_bad_number_is_refused_in_a_sentence(self, grids, grid, typed, sentence):
        cell = self.cell(grids, grid, 0, 0)
        cell.click()
        grids.keyboard.type(typed)
        grids.keyboard.press("Enter")
        grids.get_by_text(sentence).wait_for()
        settle(grids)
        assert cell.inner_text() == "1"
        grids.wait_for_timeout(600)  # longer than a click
        self.cell(grids, grid, 0, 1 if grid == "input" else 0).press("ArrowDown")
        grids.get_by_text(sentence).wait_for(state="detached")

    def test_hover_shows_the_sources_and_the_arithmetic(self, grids):
        self.cell(grids, "y", 0, 0).hover()
        grids.get_by_text("y[0, 0] = 1 × 1 + 0.5 × 2 − 1 × 3 + 0 × 4 = −1").wait_for()
        assert [self.cell(grids, "x", i, 0).get_attribute("class").count("source") for i in range(4)] == [
            1,
            1,
            1,
            1,
        ]
        assert "target" in self.cell(grids, "y", 0, 0).get_attribute("class")

    def test_hover_is_symmetric(self, grids):
        self.cell(grids, "input", 0, 0).hover()
        fed = grids.get_by_role("grid", name=re.compile("^output,")).locator(".source")
        assert fed.count() == 4
        grids.mouse.move(5, 5)
        grids.get_by_text("Hover an output cell.").wait_for()
        assert fed.count() == 0

    def test_highlight_marks_cells_without_a_pointer(self, grids):
        assert "source" in self.cell(grids, "X", 1, 2).get_attribute("class")
        assert "source" not in self.cell(grids, "X", 0, 2).get_attribute("class")

    def test_keyboard_only(self, grids):
        self.cell(grids, "output", 0, 0).focus()
        grids.keyboard.press("ArrowRight")
        grids.keyboard.press("ArrowDown")
        grids.keyboard.press("Enter")
        wait_shown(grids, "input=", r"selected=Cell\(grid='output', row=1, column=1\)")
        grids.keyboard.press("Escape")
        wait_shown(grids, "input=", "selected=None")
        self.cell(grids, "input", 0, 0).focus()
        grids.keyboard.type("8")
        grids.keyboard.press("ArrowDown")
        grids.keyboard.type("6")
        grids.keyboard.press("Enter")
        wait_shown(grids, "input=", r"\[\[8.0, 2.0\], \[6.0, 4.0\]\]")

    def test_python_sets_numbers(self, grids):
        self.cell(grids, "input", 0, 0).click()
        grids.keyboard.type("5")
        grids.keyboard.press("Enter")
        wait_shown(grids, "input=", r"\[\[5.0")
        grids.get_by_role("button", name="Preset").click()
        wait_shown(grids, "input=", r"\[\[9.0, 8.0\], \[7.0, 6.0\]\]")
        expect(self.cell(grids, "input", 0, 0)).to_have_text("9")
