"""The questions of a page: their frames, whether the view is veiled, and any guess."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.browser.reading import rest

FRAME = "[class*=st-key-predict-]:has(> * > [class*=st-key-predict-ask-])"
HIDDEN = """(view) => {
  const children = [...view.children].filter((child) => !child.querySelector('[class*=st-key-predict-veil-]'))
  const parts = children.flatMap((child) => [child, ...child.querySelectorAll('*')])
  return parts.length > 0 && parts.every((part) => getComputedStyle(part).visibility === 'hidden')
}"""


def frames(tab: Page) -> Locator:
    """A question with the view that answers it, each."""
    return tab.locator(FRAME)


def is_veiled(frame: Locator) -> bool:
    """Whether the veil says so and nothing below it is seen, read or reached."""
    view = frame.locator("[class*=st-key-predict-view-]").first
    return frame.get_by_text("Your guess uncovers this").is_visible() and view.evaluate(HIDDEN)


def give_a_guess(frame: Locator) -> None:
    """The first option, the number or box that stands there, the items as they stand, or the middle of the picture."""
    asks = frame.locator("[class*=st-key-predict-ask-]").first
    give = asks.get_by_role("button", name="That is my guess")
    if not give.count():
        asks.get_by_role("radio").first.click()
        return
    items = asks.locator("button[data-variant=pills]")
    for number in range(items.count()):
        items.nth(number).click()
        rest(frame.page)  # a hand takes its time, and sees its choice before it goes on
    if not asks.locator(".editable").count() and asks.locator(".frame").count():
        asks.locator(".frame").click()
        asks.locator(".vectors").get_by_text("your guess").wait_for()
    give.click()
