"""Painting a panoptic map in a real browser: mouse, pen, finger, keys, undo; and two segments under the hand."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def lesson(server, page):
    page.goto(f"{server}/panoptic?predict=off&panoptic_radius=10")
    expect(page.locator(".st-key-panoptic_paint-live .frame")).to_be_visible(timeout=240_000)
    return page


def pointer(frame, kind, place, *events):
    """A pointer of this kind at a place, in shares of the frame."""
    frame.evaluate(
        """(node, [kind, [x, y], events]) => {
          const { left, top, width, height } = node.getBoundingClientRect()
          node.setPointerCapture = () => {}
          const [clientX, clientY] = [left + x * width, top + y * height]
          const all = { bubbles: true, pointerId: 7, pointerType: kind, clientX, clientY, button: 0 }
          for (const name of events) node.dispatchEvent(new PointerEvent(name, all))
        }""",
        [kind, place, events],
    )  # fmt: skip


def test_every_hand_paints_and_every_step_can_be_undone(lesson):
    frame = lesson.locator(".st-key-panoptic_paint-live .frame")
    told = lesson.locator(".st-key-panoptic_painted-live .words")
    undo, redo = (lesson.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    expect(told).to_contain_text("100% of the pixels empty")
    expect(undo).to_have_attribute("aria-disabled", "true")
    frame.scroll_into_view_if_needed()
    at = frame.bounding_box()

    lesson.mouse.move(at["x"] + 0.2 * at["width"], at["y"] + 0.2 * at["height"])
    lesson.mouse.down()
    lesson.mouse.move(at["x"] + 0.8 * at["width"], at["y"] + 0.2 * at["height"], steps=6)
    expect(told).to_contain_text("94% of the pixels empty", timeout=30_000)  # while the button is down
    lesson.mouse.up()
    seen = ["94%"]
    for kind, y in (("pen", 0.5), ("touch", 0.8)):
        pointer(frame, kind, [0.2, y], "pointerdown")
        pointer(frame, kind, [0.8, y], "pointermove", "pointerup")
        seen.append(f"{100 - 6 * (len(seen) + 1)}%")
        expect(told).to_contain_text(f"{seen[-1]} of the pixels empty", timeout=30_000)
    pointer(frame, "touch", [0.5, 0.35], "pointerdown", "pointercancel")  # the browser takes the finger: no stroke
    frame.press("Control+z")
    expect(told).to_contain_text(f"{seen[1]} of the pixels empty", timeout=30_000)
    undo.click()
    expect(told).to_contain_text(f"{seen[0]} of the pixels empty", timeout=30_000)
    undo.click()
    expect(told).to_contain_text("100% of the pixels empty", timeout=30_000)
    redo.click()
    expect(told).to_contain_text(f"{seen[0]} of the pixels empty", timeout=30_000)
    frame.press("Enter")  # fills what hangs together where the pointer last was, or the middle
    expect(told).to_contain_text("· 0% of the pixels empty", timeout=30_000)
    undo.click()
    expect(told).to_contain_text(f"{seen[0]} of the pixels empty", timeout=30_000)

    box = lesson.locator('.st-key-panoptic_pair-live [data-id="B"]').first
    box.scroll_into_view_if_needed()
    box.focus()
    ious = lesson.locator(".st-key-panoptic_pair_ious-live .words")
    before = ious.inner_text()
    box.press("Shift+ArrowLeft")
    expect(ious).not_to_have_text(before, timeout=30_000)
    lesson.wait_for_url(re.compile(r"panoptic_pair_at=[\d.]+(%2C|,)"))
