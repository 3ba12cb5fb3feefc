# ruff: noqa: E501 (the script reads better in long lines)
"""By keyboard alone: Tab reaches every control of a page in reading order, shows where it is, and moves on."""

import pytest

from tests.browser.reading import arrive
from ui.course import Lesson, ready

# All stops in reading order, with what each looks like without the focus. Of a radio group one button is a stop.
COLLECT = r"""() => {
  const OF = ['outlineStyle', 'outlineColor', 'outlineWidth', 'boxShadow', 'borderTopColor', 'stroke', 'strokeWidth', 'opacity', 'backgroundColor']
  const look = (node) => {
    const above = [node]
    while (above.length < 5 && above.at(-1).parentElement) above.push(above.at(-1).parentElement)
    const near = [...above, ...node.querySelectorAll('*'),
      ...(node.closest('label')?.querySelectorAll('*') ?? [])].filter(Boolean).slice(0, 120)
    return near.map((each) => { const style = getComputedStyle(each); return OF.map((name) => style[name]).join() }).join(';')
  }
  const stops = []
  const walk = (root) => {
    for (const node of root.children) {
      const seen = node.getClientRects().length && getComputedStyle(node).visibility !== 'hidden'
      if (node.tabIndex >= 0 && !node.disabled && seen && !node.closest('[inert]')) stops.push(node)
      if (node.shadowRoot) walk(node.shadowRoot)
      walk(node)
    }
  }
  walk(document.querySelector('[data-testid=stMain]'))
  const group = (node) => {
    if (node?.type === 'radio' && node.name) return node.name
    return node?.dataset?.variant ? node.closest('[class*=st-key-]')?.className : null // arrow keys go on inside
  }
  window.stops = stops.filter((node, i) => !group(node) || stops.findIndex((other) => group(other) === group(node)) === i)
  const looks = window.stops.map(look)
  window.focused = () => {
    let node = document.activeElement
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
    const at = window.stops.findIndex((each) => each === node || (group(each) && group(each) === group(node)))
    const table = Boolean(node?.closest?.('[data-testid=stDataFrame]')) // marks its cell on a canvas; Tab goes through the cells
    const marked = table || look(window.stops[at] ?? node) !== looks[at]
    return { at, table, marked, inside: Boolean(document.activeElement?.closest('[data-testid=stMain]')), name: node?.outerHTML.slice(0, 160) ?? '' }
  }
  document.querySelector('[data-testid=stMain]').focus()
  return window.stops.map((node) => node.outerHTML.slice(0, 160))
}"""


@pytest.mark.parametrize("lesson", ready(), ids=lambda each: each.file)
def test_tab_reaches_everything_in_order_and_shows_where_it_is(server, chromium, lesson: Lesson):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    try:
        tab = context.new_page()
        arrive(tab, f"{server}/{lesson.path}?lecture=1", lesson)
        stops = tab.evaluate(COLLECT)
        reached, unmarked = [], []
        for _ in range(2 * len(stops) + 20):
            tab.keyboard.press("Tab")
            now = tab.evaluate("focused()")
            if now["at"] >= 0 and not (now["table"] and now["at"] in reached):
                reached.append(now["at"])
                if not now["marked"]:
                    tab.wait_for_timeout(400)  # a colour may fade in
                    if not tab.evaluate("focused()")["marked"]:
                        unmarked.append(now["name"])
            elif reached and not now["inside"]:
                break  # past the end of the page
        assert len(stops) > 5 and reached == sorted(set(reached)), "not in reading order, or no way out"
        assert set(reached) == set(range(len(stops))), [stops[i] for i in set(range(len(stops))) - set(reached)]
        assert not unmarked
    finally:
        context.close()
