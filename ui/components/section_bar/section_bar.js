// The sections of the page in one line; see __init__.py for what it promises.

const { make, put, render, stylesheet } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const HEADINGS = '[class*="st-key-section-"] h2, .st-key-page-sources h2'
const LANDING = 15000 // ms after which a page that still grows is no longer followed
const BELOW = 26 // px under the place where a link to it lands, at which a heading counts as reached
const WRITES = 'input, textarea, select, [contenteditable], [role=slider], [role=combobox], [role=grid], [role=gridcell]'
const FIELDS = 'input, textarea, select, [contenteditable], [role=combobox], [role=gridcell]' // where a letter is text

let bar = null // the one on the page

document.addEventListener('keydown', (event) => bar?.nav.isConnected && bar.key(event))
document.addEventListener('click', (event) => bar?.nav.isConnected && bar.home(event), true)

/** Id of the section that one is in; undefined above the first. */
export const here = () => bar?.here

class SectionBar {
  constructor(root) {
    this.main = document.querySelector('[data-testid=stMain]')
    this.nav = make('nav', { 'aria-label': 'Sections of this page' })
    root.className = 'sections'
    root.replaceChildren(this.nav)
    const later = (act) => { let asked; return () => { asked ??= requestAnimationFrame(() => { asked = null; act() }) } }
    const read = later(() => this.read())
    this.watch = new MutationObserver(read)
    this.watch.observe(this.main, { childList: true, subtree: true })
    this.main.addEventListener('scroll', later(() => this.mark()), { passive: true })
    bar?.watch.disconnect()
    bar = this
    this.land()
    this.read()
  }

  update(data) {
    this.data = data
  }

  get headings() {
    return [...this.main.querySelectorAll(HEADINGS)].filter((node) => node.id)
  }

  read() {
    const found = this.headings.map((node) => [node.id, node.textContent.trim()])
    if (JSON.stringify(found) !== this.shown) {
      this.shown = JSON.stringify(found)
      this.nav.replaceChildren(...found.map(([id, text]) => {
        const [, number, title] = /^(\d*)\s*(.*)$/s.exec(text)
        const link = make('a', { href: `#${id}`, 'data-id': id })
        if (number) link.append(make('span', { class: 'number' }, number))
        link.append(title)
        link.onclick = (event) => this.go(id, event)
        return link
      }))
    }
    this.mark()
    this.inSidebar()
  }

  /** The page that one is on stays in view in the list of pages, which is longer than the window. */
  inSidebar() {
    const link = document.querySelector('[data-testid=stSidebarNavLink][aria-current=page]')
    const list = link?.closest('[data-testid=stSidebarContent]')
    if (!list || this.page === location.pathname) return
    this.page = location.pathname
    const [{ top, bottom }, shown] = [link.getBoundingClientRect(), list.getBoundingClientRect()]
    if (top < shown.top || bottom > shown.bottom) list.scrollTop += (top + bottom - shown.top - shown.bottom) / 2
  }

  /** Marks the section that one is in: the last whose heading has passed the top. */
  mark() {
    const { headings } = this
    const landing = headings.length ? parseFloat(getComputedStyle(headings[0]).scrollMarginTop) : 0 // more on a phone
    const top = this.main.getBoundingClientRect().top + landing + BELOW
    const passed = headings.filter((node) => node.getBoundingClientRect().top <= top)
    this.here = passed.at(-1)?.id
    for (const link of this.nav.children) {
      const current = link.dataset.id === this.here
      if (current && !link.hasAttribute('aria-current')) this.nav.scrollTo({ left: link.offsetLeft - this.nav.offsetLeft - 40 })
      put(link, { 'aria-current': current ? 'true' : null })
    }
  }

  go(id, event) {
    event?.preventDefault()
    history.replaceState(history.state, '', `#${id}`)
    this.goal = null
    document.getElementById(id)?.scrollIntoView()
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !'jkn'.includes(event.key)) return
    if (event.composedPath().some((node) => node.matches?.(event.key === 'n' ? FIELDS : WRITES))) return
    if (event.key === 'n') return this.nextScene()
    const ids = this.headings.map((node) => node.id)
    const at = ids.indexOf(this.here)
    const next = event.key === 'j' ? at + 1 : at - 1
    if (next >= ids.length) return
    if (next < 0) this.main.scrollTo({ top: 0 })
    else this.go(ids[next])
  }

  /** The next scene for the row of pictures that is in view: the last one above the middle of the screen, else the first. */
  nextScene() {
    const rows = [...document.querySelectorAll('[class*="st-key-picture-"] [class*="_next"] button')].filter((node) => node.checkVisibility())
    const above = rows.filter((node) => node.getBoundingClientRect().top < innerHeight / 2)
    ;(above.at(-1) ?? rows[0])?.click()
  }

  /** A page grows while it loads: what the address names is followed until a hand takes over. */
  land() {
    const goal = decodeURIComponent(location.hash.slice(1))
    if (!goal) return
    this.goal = goal
    const follow = () => this.goal && document.getElementById(this.goal)?.scrollIntoView({ behavior: 'instant' })
    const size = new ResizeObserver(follow)
    size.observe(this.main.firstElementChild)
    const over = () => { this.goal = null; size.disconnect() }
    for (const hand of ['wheel', 'touchstart', 'pointerdown', 'keydown']) addEventListener(hand, over, { once: true, passive: true })
    setTimeout(over, LANDING)
  }

  home(event) {
    if (!this.data?.carried || !event.target.closest?.('[data-testid=stLogoLink], [data-testid=stHeaderLogo], [data-testid=stSidebarLogo], [data-testid=stLogo]')) return
    event.preventDefault()
    event.stopPropagation()
    location.assign(new URL(`./?${this.data.carried}`, document.baseURI))
  }
}

export default (component) => render(component, style, SectionBar)
