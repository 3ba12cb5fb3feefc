# ruff: noqa: E501 (the script reads better in long lines)
"""Where pictures, controls and words stand in the window, read through the shadow roots of the live components."""

from __future__ import annotations

from playwright.sync_api import Page

PROJECTOR, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}

MEASURE = r"""() => {
  const pictures = [], controls = [], beyond = [], small = []
  const shown = (node) => node.getClientRects().length > 0 && getComputedStyle(node).visibility !== 'hidden'
  const box = (node) => { const { left, top, right, bottom } = node.getBoundingClientRect(); return [left, top, right, bottom].map(Math.round) }
  const name = (node, key) => `${key} ${node.className?.baseVal ?? node.className ?? ''} ${(node.textContent ?? '').slice(0, 30)}`.trim()
  const size = (node) => parseFloat(getComputedStyle(node).fontSize)
  const walk = (root, key) => {
    for (const node of root.children) {
      const inside = /st-key-([\w-]+)/.exec(node.getAttribute('class') ?? '')?.[1] ?? key
      if (inside === 'page-bar') continue
      if (shown(node)) {
        if (node.matches('.frame, .player > .screen, .matrix > .items, [data-figure]')) pictures.push([inside, ...box(node)])
        if (node.matches('[role=slider], .editable, .frame[aria-description], [data-testid=stButtonGroup] button, [data-testid=stNumberInput]')) controls.push([inside, ...box(node)])
        if (node.matches('[data-testid=stButtonGroup] > [role]') && node.scrollWidth > node.clientWidth + 1) beyond.push(name(node, inside))
        if (node.matches('.tag rect')) {
          const [frame, plate] = [node.closest('.frame').getBoundingClientRect(), node.getBoundingClientRect()]
          if (plate.left < frame.left - 1 || plate.right > frame.right + 1 || plate.top < frame.top - 1 || plate.bottom > frame.bottom + 1) beyond.push(name(node.parentNode, inside))
        }
        if (node.matches('.tag text, .head, .number, figcaption, .xtick text, .ytick text') && node.textContent.trim()) small.push([name(node, inside), size(node), inside])
      }
      if (node.shadowRoot) walk(node.shadowRoot, inside)
      walk(node, inside)
    }
  }
  const main = document.querySelector('[data-testid=stMain]')
  main.scrollTo({ top: 0 })
  walk(main, '')
  return { pictures, controls, beyond, words: small, wide: main.scrollWidth, bar: document.querySelector('.st-key-page-bar').getBoundingClientRect().bottom }
}"""


def measured(tab: Page) -> dict:
    """`pictures` and `controls`, each with its key and place; `words` in pictures, each with its size; what lies
    `beyond` an edge; how `wide` the page is, and where its `bar` ends."""
    return tab.evaluate(MEASURE)
