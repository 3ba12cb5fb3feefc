# ruff: noqa: E501 (the script reads better in long lines)
"""A hand that moves every control of a page."""

from __future__ import annotations

import time
from contextlib import suppress

from playwright.sync_api import Error, Page

from tests.browser.reading import rest

# The controls that are not in `done` and wait for a hand, numbered in `window.waiting`: [name, kind].
WAITING = r"""(done) => {
  const found = []
  const text = (node) => (node?.innerText ?? '').replace(/\s+/g, ' ').trim()
  const kind = (node) => {
    const role = node.getAttribute('role')
    if (role === 'slider') return node.getAttribute('aria-disabled') ? null : 'slider'
    if (node.tagName === 'BUTTON' && role === 'radio') return node.getAttribute('aria-checked') === 'true' ? null : 'choice'
    if (node.tagName === 'INPUT') return { checkbox: 'switch', number: 'number', radio: node.checked ? null : 'choice' }[node.type] ?? (role === 'combobox' ? 'list' : null)
    if (node.classList.contains('cell')) return node.getAttribute('aria-readonly') === 'false' ? 'cell' : null
    if (node.dataset.variant === 'pills') return 'choice'
    return node.classList.contains('editable') ? 'box' : null
  }
  const walk = (root, key) => {
    for (const node of root.children) {
      const classes = node.getAttribute('class') ?? ''
      if (/st-key-predict-ask-/.test(classes)) continue // an answer is nobody else's
      if (/st-key-\w+_source/.test(classes)) continue // a photograph would take the truth away; tests/ui/test_pictures.py
      const inside = /st-key-([\w-]+)/.exec(classes)?.[1] ?? key
      const what = node.getClientRects().length && !node.disabled ? kind(node) : null
      // Of a group of choices, of the cells of a grid and of the boxes of a stage, one is moved.
      const name = what && (['choice', 'cell', 'box'].includes(what) ? `${inside} ${what}` : `${inside} ${what} ${node.getAttribute('aria-label') ?? text(node.closest('label'))}`)
      if (what && !done.includes(name) && !found.some((each) => each.name === name)) found.push({ name, what, node })
      if (node.shadowRoot) walk(node.shadowRoot, inside)
      walk(node, inside)
    }
  }
  walk(document.querySelector('[data-testid=stMain]'), '')
  window.waiting = found.map((each) => each.node)
  return found.map((each) => [each.name, each.what])
}"""

LET_GO = """() => {
  let node = document.activeElement
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  node.blur()
}"""


# An open list closes when something scrolls, and what the focus has scrolled is told with the next frame.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PATIENCE = 300.0  # seconds in which a page with many controls has been moved on a busy machine


class Gone(Exception):
    """Another control has taken this one off the page, for now."""


def move(tab, number: int, kind: str) -> None:
    """What a hand does with the control."""
    node = tab.evaluate_handle(f"window.waiting[{number}]").as_element()
    if not node.evaluate("node => node.isConnected && node.getClientRects().length > 0"):
        raise Gone
    if kind in ("choice", "switch"):
        node.evaluate("node => (node.tagName === 'INPUT' ? node.closest('label') : node).click()")
        return
    try:
        node.focus()
    except Error as error:  # between the look and the hand
        raise Gone from error
    if kind == "slider":
        full = node.get_attribute("aria-valuenow") == node.get_attribute("aria-valuemax")
        tab.keyboard.press("ArrowLeft" if full else "ArrowRight")
    elif kind == "cell":
        tab.keyboard.type("0")
        tab.keyboard.press("Enter")
    elif kind == "list":
        tab.evaluate(TWO_FRAMES)
        tab.keyboard.press("ArrowDown")
        try:  # keys that come before the list is there leave Streamlit's box showing another value than it has
            tab.get_by_role("listbox").wait_for(timeout=10_000)
        except Error as error:  # a run has taken the box away meanwhile
            raise Gone from error
        for key in ("ArrowDown", "Enter"):
            tab.keyboard.press(key)
    elif kind == "number":
        tab.keyboard.press("ArrowUp")
    elif kind == "box":
        tab.keyboard.press("ArrowRight")


def move_all(tab: Page) -> dict:
    """Move every control, also those that come to the page meanwhile, as fast as a hand can; then what `rest` finds."""
    done, until = [], time.monotonic() + PATIENCE
    while waiting := tab.evaluate(WAITING, done):
        assert time.monotonic() < until, f"{[name for name, _ in waiting]} cannot be moved"
        for number, (name, kind) in enumerate(waiting):
            with suppress(Gone):
                move(tab, number, kind)
                done.append(name)
        tab.evaluate(LET_GO)  # what a grid says of the cell in hand is not in the link
        shown = rest(tab)
    return shown
