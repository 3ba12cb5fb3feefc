# ruff: noqa: E501 (the script reads better in long lines)
"""What stands on a page: its controls and its text, read through the shadow roots of the live components."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from ui.course import Lesson

PATIENCE = 240.0  # seconds; two busy cores may be slow, and the first visitor of a page waits for its networks
QUIET = 0.7  # seconds without a change after which a page rests: a key on a slider counts as settled after 0.4
READS = 10  # of the time that reading the page takes, if that is longer: a busy machine is slow in everything

# Before the scripts of a page: counts what it says and hears.
LISTEN = r"""(() => {
  const Native = window.WebSocket
  window.frames_counted = 0
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', () => { window.frames_counted += 1 })
    }
    send(data) {
      window.frames_counted += 1
      super.send(data)
    }
  }
})()"""

# What moves while a page works, for next to nothing: whether it is busy or waits for an answer (ui/components/wire.js), and
# how much was said.
STIR = r"""() => {
  const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState
  const asking = document.documentElement.hasAttribute('data-asking')
  const busy = asking || state !== 'notRunning' || document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner]')
  return { frames: window.frames_counted, busy: Boolean(busy), address: location.href }
}"""

READ = r"""() => {
  const controls = [], words = []
  let empty = false // a component whose script has not come yet
  const shown = (node) => node.getClientRects().length > 0
  const text = (node) => (node.innerText ?? node.textContent).replace(/\s+/g, ' ').trim()
  const read = (root, inside) => {
    for (const node of root.children) {
      const classes = node.getAttribute('class') ?? ''
      const asked = inside.asked || /st-key-predict-ask-/.test(classes)
      const key = /st-key-([\w-]+)/.exec(classes)?.[1] ?? inside.key
      const group = node.getAttribute('aria-label') ?? inside.group
      const role = node.getAttribute('role')
      const put = (value) => {
        if (!asked && shown(node)) controls.push([`${key}: ${node.getAttribute('aria-label') || text(node)}`, String(value)])
      }
      if (role === 'slider') put(node.getAttribute('aria-valuetext') ?? node.getAttribute('aria-valuenow'))
      else if (node.tagName === 'INPUT' && ['checkbox', 'radio'].includes(node.type)) put(node.checked)
      else if (node.tagName === 'INPUT') put(node.value)
      else if (node.tagName === 'BUTTON' && ['radio', 'checkbox'].includes(role)) put(node.getAttribute('aria-checked'))
      else if (node.dataset.variant === 'pills') put(node.dataset.selected ?? 'false')
      else if (node.classList.contains('editable')) controls.push([`${key}: box`, node.getAttribute('aria-label')])
      else if (node.classList.contains('cell')) words.push(node.getAttribute('aria-label') + (node.matches('.selected') ? ' chosen' : ''))
      else if (node.classList.contains('frame')) words.push(`picture: ${group}`)
      if (node.tagName === 'CANVAS' && node.dataset.name) words.push(`drawn: ${node.dataset.name}`)
      const leaf = node.matches('[data-testid=stMarkdownContainer], [data-testid=stMetric], .words, .caption, .line, .tag, pre')
      if (leaf && !node.closest('button, label, [data-testid=stPopoverButton]')) {
        if (text(node) && shown(node)) words.push(text(node))
        continue
      }
      if (node.matches('[data-root]:not([class])')) empty = true
      if (node.shadowRoot) read(node.shadowRoot, { asked, key, group })
      read(node, { asked, key, group })
    }
  }
  read(document.querySelector('[data-testid=stMain]'), { asked: false, key: '', group: '' })
  return { controls, words, busy: empty }
}"""


def rest(tab: Page) -> dict:
    """Wait until nothing runs and nothing changes; then `controls`, pairs of name and value, and `words`, in order.

    The whole page is read when it becomes quiet, and once more when it has been quiet for long enough.
    """
    deadline, stirred, shown, since, took = time.monotonic() + PATIENCE, None, None, time.monotonic(), 0.0
    while True:
        now = tab.evaluate(STIR)
        if now != stirred or now["busy"]:
            stirred, shown, since = now, None, time.monotonic()
        elif shown is None or time.monotonic() - since > max(QUIET, READS * took):
            began = time.monotonic()
            read = tab.evaluate(READ)
            took = time.monotonic() - began
            if read == shown and not read["busy"] and tab.evaluate(STIR) == stirred:
                return read
            shown, since = read, time.monotonic()
        assert time.monotonic() < deadline, f"{tab.url} does not come to rest"
        tab.wait_for_timeout(150)


def arrive(tab: Page, address: str, lesson: Lesson) -> dict:
    """Open a page and wait until it rests."""
    tab.goto(address, wait_until="commit")
    expect(tab.get_by_role("heading", level=1, name=lesson.title, exact=True)).to_be_visible(timeout=PATIENCE * 1000)
    return rest(tab)
