// The copy beside the live page: a frame, what stands above it, and the steps that both take.

const version = new URL(import.meta.url).search
const load = (name) => import(new URL(`${name}${version}`, import.meta.url))
const { make, overhear, put, repeat, stylesheet } = await load('../wire.js')
const { afterCopy, apartAfter, changed, copyOf, own, queryOf, read, stateOf, write } = await load('in_step.js')
const { describe, label, shown, slides, value } = await load('names.js')
const { level, veil } = await load('level.js')
const style = await stylesheet(import.meta.url)

const GLANCE = 100 // ms between two looks at both addresses
const REST = 400 // ms for which a page must have been at rest until the change that sets apart is over
const HAND = 3000 // ms after a hand on the copy in which what changes there is its doing
const AWAY = 2000 // ms for which the bar may be away
const KEPT = ['lecture'] // of the live page's own parameters, what the copy has too

const resting = (page) => page?.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
const own_of = (query) => [...new URLSearchParams(query)].filter(([name]) => own(name))

/** The copy, if there is one; it outlives the button in the bar when that is drawn anew. */
export const beside = {
  shown: false,
  apart: new Map(), // what differs: name → values of the copy, null for a default
  shelf: '',

  /** The present state stays, and nothing differs yet; or what somebody else has pinned is shown. */
  pin() {
    this.open(read(this.offered ?? ''))
    this.tell()
  },

  unpin() {
    this.close()
    this.view?.report(null)
    this.view?.button.focus()
  },

  /** What Python has: after a link, Back, or a step of the class. A student who follows is asked first: a copy for
   *  each of a class is work for two. */
  take(text, shelf, student) {
    Object.assign(this, { shelf, offered: this.shown ? null : text })
    if (text === null) {
      if (this.shown) this.close()
    } else if (student && !this.shown) return
    else if (!this.shown) this.open(read(text))
    else if (text !== write(this.apart)) {
      this.apart = read(text)
      this.steer()
    }
  },

  tell() {
    const text = write(this.apart)
    if (text === this.told) return
    this.told = text
    this.view?.report(text)
  },

  open(apart) {
    Object.assign(this, { shown: true, apart, live: stateOf(location.search), page: location.pathname, told: null, setting: false, hand: 0, touched: false, there: performance.now() })
    this.addressed = new URLSearchParams(location.search).get('pin')
    const lecture = own_of(location.search).filter(([name]) => KEPT.includes(name))
    const query = new URLSearchParams([...new URLSearchParams(this.wanted()), ...lecture, ['embed', 'true'], ['predict', 'off'], ['pinned', this.shelf]])
    this.aimed = this.wanted()
    this.frame = make('iframe', { title: 'Pinned copy', src: `${location.pathname}?${query}` })
    this.what = make('div', { class: 'what', role: 'status' })
    this.chips = make('div', { class: 'chips' })
    const off = make('button', { type: 'button', class: 'unpin' }, 'Unpin')
    off.onclick = () => this.unpin()
    this.sides = ['Live', 'Pinned'].map((name, at) => {
      const button = make('button', { type: 'button' }, name)
      button.onclick = () => this.turn(at === 1)
      return button
    })
    this.wait = make('div', { class: 'wait' }, 'The pinned copy is being opened …')
    this.host = make('section', { 'aria-label': 'Pinned copy', 'data-pin': '' })
    const root = this.host.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [style]
    root.append(
      make('header', {}, this.what, make('div', { class: 'switch', role: 'group', 'aria-label': 'Shown' }, ...this.sides), this.chips, off),
      make('div', { class: 'stage' }, this.wait, this.frame))
    document.body.append(this.host)
    document.documentElement.dataset.pin = ''
    this.turn(false)
    this.timer = setInterval(() => this.glance(), GLANCE)
    this.view?.show()
  },

  close() {
    clearInterval(this.timer)
    clearTimeout(this.steering)
    level.stop()
    this.host?.remove() // with the frame its session ends
    delete document.documentElement.dataset.pin
    delete document.documentElement.dataset.pinSide
    Object.assign(this, { shown: false, frame: null, host: null, ready: null, heard: null })
    this.view?.show()
  },

  /** On a phone: which side is seen. */
  turn(copy) {
    this.host.toggleAttribute('data-copy', copy)
    document.documentElement.dataset.pinSide = copy ? 'copy' : 'live'
    this.sides.forEach((button, at) => put(button, { 'aria-pressed': (at === 1) === copy ? 'true' : 'false' }))
    level.now?.()
  },

  get document() {
    return this.frame?.contentDocument
  },

  wanted() {
    return queryOf(copyOf(this.live, this.apart))
  },

  /** Both addresses are read; what has changed is a step. */
  glance() {
    if (this.gone()) return this.close()
    const page = this.document
    if (page?.head && !page.head.querySelector('[data-pin]')) this.dress(page)
    this.colours()
    const now = stateOf(location.search)
    if (this.led()) this.live = now
    else if (changed(this.live, now).length) {
      const before = this.live
      this.live = now
      const free = !this.apart.size
      if (this.touched || !free) this.apart = apartAfter(this.apart, before, now, this.setting)
      if (free && this.apart.size) this.setting = true
      this.step()
    }
    const quiet = resting(document) && resting(page) && !document.documentElement.hasAttribute('data-held')
    this.since = quiet ? this.since ?? performance.now() : null
    const rests = this.since !== null && performance.now() - this.since > REST
    if (rests && this.setting) this.setting = false
    if (page?.head) veil(document, page, resting(document))
    if (!page || !this.hands()) return
    this.fromCopy(page, rests)
    if (rests || !this.said) this.describe(page)
  },

  /** A lecturer has taken this page to another state, pin included. */
  led() {
    const said = new URLSearchParams(location.search).get('pin')
    if (said === this.addressed) return false
    this.addressed = said
    const { sent, drawn, waiting } = this.view.channel
    if (!said || said === write(this.apart) || waiting !== null || sent !== drawn) return false
    this.apart = read(said)
    this.told = said
    this.live = stateOf(location.search)
    this.steer()
    return true
  },

  /** The address of the copy says what it shows; what a hand has changed there is a step, too. */
  fromCopy(page, rests) {
    const there = stateOf(this.frame.contentWindow.location.search)
    const query = queryOf(there)
    if (this.repeating() && !rests) return
    if (performance.now() - this.hand < HAND && this.aimed === this.wanted()) {
      const before = copyOf(this.live, this.apart)
      if (query !== this.arrived && changed(before, there).length) {
        const free = !this.apart.size
        const after = afterCopy(this.apart, this.live, before, there, this.setting)
        this.apart = after.apart
        if (free && this.apart.size) this.setting = true
        if (changed(this.live, after.live).length) this.put(window, queryOf(after.live))
        this.live = after.live
        this.aimed = this.wanted()
        this.step()
      }
    } else if (rests) this.arrived = query
  },

  /** What differs goes into the address, the rest to the copy. */
  step() {
    this.tell()
    this.said = false
    clearTimeout(this.steering)
    this.steering = setTimeout(() => this.steer(), this.repeating() ? REST : 0)
  },

  /** The copy's own hands have been moved, so that its address follows by itself. */
  repeating() {
    return this.echoed && performance.now() - this.echoed < 2 * REST
  },

  steer() {
    if (!this.shown || this.aimed === this.wanted()) return
    const window = this.frame.contentWindow
    if (!this.hands()) return void (this.steering = setTimeout(() => this.steer(), GLANCE)) // not there yet
    this.aimed = this.wanted()
    if (queryOf(stateOf(window.location.search)) !== this.aimed) this.put(window, this.aimed)
  },

  /** By the way on which Back and Forward restore an address, without loading the page anew. */
  put(window, query) {
    const next = new URLSearchParams([...new URLSearchParams(query), ...own_of(window.location.search).filter(([name]) => name !== 'put')])
    next.set('put', Math.random().toString(36).slice(2, 10))
    window.history.replaceState({}, '', `${window.location.pathname}?${next}${window.location.hash}`)
    window.dispatchEvent(new window.PopStateEvent('popstate', { state: {} }))
  },

  /** What the copy lets us move it with, once it is there. */
  hands() {
    const window = this.frame?.contentWindow
    if (!window?.pinned) return null
    if (this.ready !== window.pinned) {
      this.ready = window.pinned
      this.ready.overhear((key, message) => this.overheard(key, message, false))
      for (const kind of ['pointerdown', 'keydown']) window.addEventListener(kind, (event) => event.isTrusted && (this.hand = performance.now()), true)
      level.start(document, window.document, () => this.host)
    }
    this.wait.hidden = true
    return this.ready
  },

  /** While a hand moves, what a control says is said by its twin, too. */
  overheard(key, message, live) {
    if (!this.shown || !this.apart.size || this.setting || !this.frame?.contentWindow?.pinned) return
    const name = key.replace(/\.live$/, '')
    if (own(name) || this.apart.has(name)) return
    // A picture may move any parameter, so it is repeated only where what differs has a control of its own.
    if (!slides(document, name) && [...this.apart.keys()].some((each) => !shown(document, each))) return
    this.echoed = performance.now()
    if (live) this.ready?.repeat(key, message)
    else repeat(key, message)
  },

  /** What it shows, and what differs: a click brings that in step. */
  describe(page) {
    const names = [...this.apart.keys()]
    const text = describe(page, names, stateOf(this.frame.contentWindow.location.search))
    const key = JSON.stringify([text, names.map((name) => [label(document, name), value(page, name), value(document, name)])])
    if (key === this.said) return
    this.said = key
    this.what.replaceChildren(make('b', {}, 'Pinned'), text ? `: ${text}. ` : '. ', names.length ? '' : 'Change one thing on the live side: it will set the two apart, and everything else will move both.')
    this.host.toggleAttribute('data-apart', names.length > 0)
    this.chips.replaceChildren(...names.map((name) => {
      const what = shown(page, name) ? label(page, name) : label(document, name)
      const chip = make('button', { type: 'button', title: 'Bring in step: both show what the live side has' },
        `${what}: ${value(page, name, this.apart.get(name))}`, make('i', {}, '|'), value(document, name, this.live.get(name)), ' ✕')
      chip.onclick = () => this.inStep(name)
      return chip
    }))
  },

  inStep(name) {
    this.apart.delete(name)
    this.setting = false
    this.step()
  },

  /** On another page; the bar may be drawn anew, and then is away for a moment. */
  gone() {
    if (this.view?.button.isConnected) this.there = performance.now()
    return location.pathname !== this.page || performance.now() - this.there > AWAY
  },

  /** The look of the copy: no chrome of its own, and pictures as high as beside it, though its window is lower. */
  dress(page) {
    const root = page.documentElement
    const high = (share) => `calc(${innerHeight}px * ${share} / 100)`
    const whole = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--stage-height')) || 62
    root.dataset.pinCopy = ''
    page.head.append(make('style', { 'data-pin': '' }, `
      html[data-pin-copy] :is([data-testid=stSidebar], [data-testid=stHeader], [data-testid=stToolbar], [data-testid=stExpandSidebarButton]) { display: none !important; }
      html[data-pin-copy] [data-testid=stLayoutWrapper]:has(> :is(.st-key-page-bar, .st-key-page-way-on, .st-key-page-notes, .st-key-embed-way-out)) { display: none !important; }
      html[data-pin-copy] [data-testid=stMainBlockContainer] { padding: 0.75rem 1rem 40vh !important; }
      html[data-pin-copy] [data-testid=stMain] [data-testid=stLayoutWrapper]:has(> [class*=st-key-controls-]) { top: 0 !important; }
      html[data-pin-copy] { --stage-height: ${high(whole)}; }
      html[data-pin-copy] [data-testid=stHorizontalBlock]:has(> [data-testid=stColumn]:nth-child(3)) { --stage-height: ${high(Math.min(whole, 47))}; }
      ${innerWidth > 900 ? 'html[data-pin-copy] [data-testid=stLayoutWrapper]:has(> .st-key-page-heading) { margin-block: 0.25rem -0.75rem !important; }' : ''}
    `))
  },

  colours() {
    const app = document.querySelector('[data-testid=stApp]')
    if (!app || !this.host) return
    const { color, backgroundColor, fontFamily } = getComputedStyle(app)
    const dark = color.match(/\d+/g)?.[0] > 128
    for (const [name, text] of [['--pin-ink', color], ['--pin-ground', backgroundColor], ['--pin-font', fontFamily], ['--pin-accent', dark ? '#7CC7F2' : '#005F96']]) {
      if (this.host.style.getPropertyValue(name) !== text) this.host.style.setProperty(name, text)
    }
  },
}

overhear((key, message) => beside.overheard(key, message, true))
for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, (event) => event.isTrusted && (beside.touched = true), true)
