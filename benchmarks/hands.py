"""A hand on a page: real pointer and key events of a real Chromium, at the rate of a mouse."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("probe.js")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PER_SECOND = 60  # events: what a mouse delivers, and one for every frame
STOPS = 60  # most places that a sweep visits in one direction
PATIENCE = 60_000  # ms until a page must be there


@contextmanager
def browser() -> Iterator[Any]:
    """A running Chromium (Playwright's Browser). Raises RuntimeError if none is installed."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise RuntimeError("no Chromium on this machine: install chromium to measure latency")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def tab(chromium: Any, address: str, control: dict[str, Any]) -> Iterator[Any]:
    """A fresh visitor's tab on `address` with the probe watching `control`, once the view is drawn and all is quiet.

    Raises RuntimeError if that, or anything done in the tab, takes longer than PATIENCE.
    """
    from playwright.sync_api import TimeoutError as TooLate

    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, color_scheme="light")
    try:
        context.add_init_script(path=PROBE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address, wait_until="commit")
        page.evaluate("control => window.probe.watch(control)", control)
        page.wait_for_function("window.probe.shows()", timeout=PATIENCE)
        page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=PATIENCE)
        page.wait_for_timeout(1500)
        yield page
    except TooLate as late:
        raise RuntimeError(f"{address} did not show {control['host']} in time") from late
    finally:
        context.close()


def css(key: str) -> str:
    """Selector of the container that Streamlit makes for the element with this key."""
    return ".st-key-" + "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in key)


def sweep(stops: int) -> Iterator[float]:
    """Shares 0 ... 1 of the way, up and down without end: every one is another stop, so that every event is news."""
    if stops < 2:
        raise ValueError("a sweep needs at least two stops")
    while True:
        yield from (i / (stops - 1) for i in range(stops - 1))
        yield from (i / (stops - 1) for i in range(stops - 1, 0, -1))


def stops_of(span: dict[str, float | None]) -> int:
    """Stops of a slider from its min, max and step, at most STOPS."""
    numbers = [span.get(name) for name in ("min", "max", "step")]
    if any(number is None for number in numbers):
        return STOPS
    low, high, step = numbers
    return min(STOPS, round((high - low) / step) + 1)


def paced(seconds: float, shares: Iterator[float], act: Callable[[float], None]) -> None:
    """Call `act` with the next share PER_SECOND times a second (less often if it is slower), for some seconds."""
    due = end = time.monotonic()
    end += seconds
    while time.monotonic() < end:
        act(next(shares))
        due = max(due + 1 / PER_SECOND, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def drag_slider(page: Any, key: str, seconds: float) -> None:
    """Take the thumb of the live slider `key` and sweep the track from end to end without letting go."""
    track = page.locator(f"{css(key + '.live')} .track")
    track.evaluate("node => node.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    rail = page.locator(f"{css(key + '.live')} .rail").bounding_box()
    y = rail["y"] + rail["height"] / 2
    page.mouse.move(rail["x"], y)
    page.mouse.down()
    shares = sweep(stops_of(page.evaluate("window.probe.range")))
    paced(seconds, shares, lambda share: page.mouse.move(rail["x"] + share * rail["width"], y))
    page.mouse.up()


def drag_box(page: Any, key: str, seconds: float) -> None:
    """Take the last editable box on the stage `key` by its middle and move it to and fro by 60 screen pixels."""
    box = page.locator(f"{css(key + '.live')} .editable").last
    box.evaluate("node => node.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    found = box.bounding_box()
    x, y = found["x"] + found["width"] / 2, found["y"] + found["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    paced(seconds, sweep(STOPS), lambda share: page.mouse.move(x + 60 * (share - 0.5), y + 30 * (share - 0.5)))
    page.mouse.up()


def press_arrows(page: Any, key: str, seconds: float) -> None:
    """Hold the arrow keys on the native slider `key`, to its end and back: it sends on every key.

    A pointer on this slider sends nothing before it lets go, so keys are the fastest way to move it.
    """
    handle = page.locator(f"{css(key)} input[type=range]").first
    handle.focus()
    low, high, step, now = handle.evaluate("n => [n.min, n.max, n.step, n.value].map(Number)")
    stops = round((high - low) / step)
    place, towards = round((now - low) / step), 1

    def press(_share: float) -> None:
        nonlocal place, towards
        if not 0 <= place + towards <= stops:
            towards = -towards
        place += towards
        page.keyboard.press("ArrowRight" if towards > 0 else "ArrowLeft")

    paced(seconds, sweep(2), press)
