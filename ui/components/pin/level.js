// Both sides stand at the same place of the page, and what is veiled on the live one is veiled on both.

const HEADINGS = '.st-key-page-heading h1, [class*="st-key-section-"] h2, .st-key-page-sources h2'
const LINE = 100 // px below the top edge of the window at which one reads
const main = (page) => page.querySelector('[data-testid=stMain]')
/** The line on which one reads, px below the top of what scrolls on this page. */
const line = (page) => LINE - main(page).getBoundingClientRect().top - (page.defaultView.frameElement?.getBoundingClientRect().top ?? 0)

/** Where the heading of the page and the sections begin, px from the top of what scrolls, by id. */
function places(page) {
  const box = main(page)
  const top = box.getBoundingClientRect().top - box.scrollTop
  const found = [...page.querySelectorAll(HEADINGS)].filter((node) => node.id || node.localName === 'h1')
  return found.map((node) => [node.localName === 'h1' ? '' : node.id, node.getBoundingClientRect().top - top])
}

/** From a place on one page to that on another: so far into the same section. */
export function across(y, from, to) {
  const there = new Map(to)
  const known = from.filter(([id]) => there.has(id))
  if (!known.length) return y
  const at = Math.max(0, known.findLastIndex(([, top]) => top <= y))
  const [id, top] = known[at]
  const next = known[at + 1]
  if (!next) return there.get(id) + y - top
  const share = Math.min(1, (y - top) / Math.max(1, next[1] - top))
  return there.get(id) + share * (there.get(next[0]) - there.get(id))
}

export const level = {
  /** `host` gives what covers the copy: a pointer there leads. */
  start(live, copy, host) {
    this.stop()
    this.over = new AbortController()
    const { signal } = this.over
    let leads = live
    const follow = (from, to) => () => {
      if (leads !== from) return
      if (!main(from) || !main(to)) return
      const wanted = across(main(from).scrollTop + line(from), places(from), places(to)) - line(to)
      if (Math.abs(main(to).scrollTop - wanted) > 2) main(to).scrollTo({ top: wanted, behavior: 'instant' })
    }
    for (const [page, other] of [[live, copy], [copy, live]]) {
      for (const hand of ['wheel', 'touchstart', 'pointerdown', 'keydown', 'pointerenter']) page.addEventListener(hand, () => (leads = page), { capture: true, passive: true, signal })
      main(page)?.addEventListener('scroll', follow(page, other), { passive: true, signal })
    }
    host().addEventListener('pointerenter', () => (leads = copy), { signal })
    this.now = () => { if (main(copy)) follow(leads = live, copy)() }
    new copy.defaultView.ResizeObserver(() => leads === live && this.now?.()).observe(main(copy).firstElementChild)
    this.now()
  },

  /** The copy is gone: what listens on what stays would keep its document, 28 MB. */
  stop() {
    this.over?.abort()
    this.over = this.now = null
  },
}

/** A view whose answer is not yet known on the live page is not shown in the copy either; nor is one, until the live page
 *  `rests`, that has not come there yet. */
export function veil(live, copy, rests) {
  const keys = (page, what) => [...page.querySelectorAll(`[class*=st-key-predict-${what}-]`)].flatMap((node) => [...node.classList])
    .filter((name) => name.startsWith(`st-key-predict-${what}-`)).map((name) => name.slice(`st-key-predict-${what}-`.length))
  const veiled = new Set(keys(live, 'veil')), known = keys(live, 'view')
  const open = [...known, ...(rests ? keys(copy, 'view').filter((key) => !known.includes(key)) : [])].filter((key) => !veiled.has(key))
  const view = `[class*=st-key-predict-view-]${open.length ? `:not(${open.map((key) => `.st-key-predict-view-${key}`).join()})` : ''}`
  const rules = `${view} > *, ${view} > * * { visibility: hidden !important; }
    ${view} { border-radius: 0.5rem; background: repeating-linear-gradient(-45deg, color-mix(in srgb, #56B4E9 14%, transparent) 0 12px, color-mix(in srgb, #56B4E9 5%, transparent) 12px 24px); }`
  let sheet = copy.head.querySelector('[data-pin-veil]')
  if (!sheet) {
    sheet = copy.head.appendChild(copy.createElement('style'))
    sheet.dataset.pinVeil = ''
  }
  if (sheet.textContent !== rules) sheet.textContent = rules
}
