// The browser's end of a class; see __init__.py for what it promises and ui/rooms/channel.py for the other end.

const { connected, make, relay, relaying, render, say, stylesheet, takeBack, unrelay } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const GLANCE = 100 // ms between two looks at the lecturer's address
const SOON = 250 // ms until a connection that was cut is tried again, and up to three times as much by chance: not all at once
const AGAIN = 2000 // ms until it is tried once more, and as much again by chance
const OWN = ['lecture', 'notes', 'predict', 'room', 'follow', 'pinned', 'put', 'embed', 'embed_options', 'section'] // of the address: everybody's own
const CALM = 25 // times as long for reruns that only catch up with what is shown: a long page takes 100 ms, half a core
const OVER = [4404, 4410] // no such room; it has ended
const AWAY = 4503 // what keeps the rooms does not answer
const CUT = [1001, 1005, 1006] // its server is gone
const CONTROL = 'button, input, textarea, select, summary, [role=slider], [role=radio], [role=combobox], [role=gridcell], [role=tab], .cell, .editable, .frame, canvas, .js-plotly-plot'
const LINK = '[data-testid=stSidebarNavLink], [data-testid=stPageLink] a, [data-testid=stLogoLink], a[href]:not([href^="#"]):not([target=_blank])'
const NO_HANDS = ['Tab', 'Shift', 'Control', 'Alt', 'Meta', 'Escape', 'F5']

const own = (name) => OWN.includes(name) || name.startsWith('predict-')
const named = (code) => `receptive.class.${code}`

/** Page, query and section of this address without what is everybody's own. */
function standing() {
  const page = location.pathname.split('/').pop()
  const query = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => !own(name)))
  query.sort()
  const text = query.toString()
  return `${page}${text && '?'}${text}${location.hash}`
}

const parts = (place) => /^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(place).slice(1).map((each) => each ?? '')

/** The connection; it outlives the word in the bar when that is drawn anew. */
const hall = {
  following: true, // until a hand touches something
  place: null, // where the class is

  open(code, lead) {
    if (this.code === code && this.lead === lead && (this.socket || this.timer)) return
    if (this.code !== code) Object.assign(this, { following: true, place: null, over: false, here: null })
    Object.assign(this, { code, lead })
    this.connect()
  },

  connect() {
    clearTimeout(this.timer)
    this.timer = null
    this.close()
    const address = new URL('api/class', document.baseURI)
    address.protocol = address.protocol.replace('http', 'ws')
    const socket = (this.socket = new WebSocket(address.href))
    socket.onopen = () => {
      socket.send(JSON.stringify({ room: this.code, key: this.lead }))
      this.told = null
      this.lost = this.away = false
    }
    socket.onmessage = ({ data }) => this.socket === socket && this.heard(JSON.parse(data))
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return
      this.socket = null
      this.ready = false
      if (OVER.includes(code)) return this.end()
      const soon = CUT.includes(code) && !this.lost
      this.lost = true
      this.away = code === AWAY
      this.timer = setTimeout(() => this.connect(), soon ? SOON * (1 + 3 * Math.random()) : AGAIN * (1 + Math.random()))
      this.view?.show()
    }
  },

  close() {
    const before = this.socket
    this.socket = null
    this.ready = false
    before?.close()
  },

  end() {
    if (this.over) return
    this.over = true
    for (const due of [this.going, this.asking]) clearTimeout(due)
    this.view?.report({ over: true })
    this.view?.show()
  },

  heard(said) {
    if (said.over) return this.end()
    this.ready = true
    if ('here' in said) this.here = said.here
    if ('away' in said) this.away = said.away
    if ('place' in said) {
      this.place = said.place
      this.number = said.number
      const here = parts(said.place)[0] === parts(standing())[0] // and in a large class the pictures are there already
      const spread = here && said.rest ? CALM * said.spread : said.spread
      this.due = this.following && !this.lead
      if (this.due) this.later('going', here ? said.rest : 0, spread, () => this.following && this.go())
    }
    if ('drawings' in said && this.following && !this.lead) {
      const page = parts(standing())[0]
      relay(Object.entries(said.drawings).filter(([, data]) => data.page === page))
    }
    if ('polls' in said) this.later('asking', 0, said.spread, () => this.view?.report({ polls: said.polls }))
    this.view?.show()
  },

  /** All browsers at once would keep each other waiting. */
  later(name, rest, spread, act) {
    clearTimeout(this[name])
    this[name] = setTimeout(act, (rest ?? 0) + Math.random() * (spread ?? 0))
  },

  /** To where the class is, `surely` also where the address says so already: what a hand has moved may not be in it yet.
   *  By the way on which Back and Forward restore an address, without loading the page anew. */
  go(surely = false) {
    if (this.place === null) return
    clearTimeout(this.going)
    if (!connected()) {
      takeBack() // or the next server hears of it first
      return this.later('going', GLANCE, 0, () => this.following && this.go(surely))
    }
    this.due = false
    const behind = relaying() // what is shown is not yet this page's own state
    unrelay()
    const [page, query, hash] = parts(this.place)
    const [at, now, section] = parts(standing())
    const samePage = page === at
    if (surely || !samePage || query !== now || behind) {
      const wanted = new URLSearchParams(query)
      for (const [name, value] of new URLSearchParams(location.search)) {
        if (name !== 'follow' && own(name) && (samePage || !name.startsWith('predict-'))) wanted.append(name, value)
      }
      wanted.set('room', this.code)
      wanted.set('follow', `${this.number}-${Math.random().toString(36).slice(2, 8)}`)
      const next = new URL(`${page}?${wanted}${hash}`, document.baseURI)
      takeBack()
      history[samePage ? 'replaceState' : 'pushState']({}, '', next)
      dispatchEvent(new PopStateEvent('popstate', { state: {} }))
      if (!samePage) document.querySelector('[data-testid=stMain]')?.scrollTo({ top: 0 })
    }
    if (hash && (!samePage || hash !== section)) this.show(hash.slice(1))
  },

  /** The section may not be there yet. */
  show(id, left = 50) {
    const heading = document.getElementById(decodeURIComponent(id))
    if (!heading && left) return setTimeout(() => this.show(id, left - 1), 100)
    if (!heading) return
    history.replaceState(history.state, '', `#${id}`)
    heading.scrollIntoView()
  },

  /** The lecturer says where she is. */
  drive() {
    if (!this.lead || !this.ready || this.over) return
    if (!this.view?.button.isConnected) return // a page of her own, such as the one that reads hand-ins
    const place = standing()
    if (place !== this.told) this.socket.send(JSON.stringify({ place: (this.told = place) }))
  },

  /** Who has come back to the class by hand finds her answer there: a question stands elsewhere than the control. */
  returned() {
    if (this.lead || this.following || this.over || !this.view?.button.isConnected) return
    const there = standing() === this.place
    if (there && this.apart) this.view.report({ back: Date.now() })
    this.apart = !there
  },

  /** A hand on a control lets go of the lecturer; an answer does not, nor does a look around. */
  touched(event) {
    if (!event.isTrusted || !this.code || this.lead || !this.following || this.over) return
    if (event.type === 'keydown' && (NO_HANDS.includes(event.key) || event.ctrlKey || event.metaKey)) return
    let control = false
    if (event.type !== 'popstate') {
      const path = event.composedPath().filter((node) => node.matches)
      if (path.some((node) => node.matches('[class*=st-key-predict-ask-], .st-key-class_line-live, .st-key-pin-live, .st-key-class_window, .st-key-take_home, [data-testid=stPopoverBody]'))) return
      control = path.some((node) => node.matches(CONTROL)) && path.some((node) => node.matches('[data-testid=stMain]'))
      if (!control && !path.some((node) => node.matches(LINK))) return
    }
    const here = this.place !== null && parts(this.place)[0] === parts(standing())[0]
    if (control && here && (this.due || relaying())) this.go() // so that the hand moves on from what it sees
    unrelay()
    this.following = false
    this.view?.show()
  },
}

setInterval(() => { hall.drive(); hall.returned() }, GLANCE)
for (const hand of ['pointerdown', 'keydown']) document.addEventListener(hand, (event) => hall.touched(event), true)
addEventListener('popstate', (event) => hall.touched(event))

class ClassLine {
  constructor(root) {
    this.words = make('span', { role: 'status' })
    this.button = make('button', { type: 'button', title: 'To where the lecturer is' }, 'Catch up')
    this.button.onclick = () => { hall.following = true; hall.go(true); this.show() }
    const line = make('div', {}, this.words, this.button)
    root.replaceChildren(line)
  }

  update(data) {
    hall.view = this
    const kept = this.kept(data.code)
    const lead = data.lead || kept.key || ''
    const voter = kept.voter || data.voter
    if (kept.key !== lead || kept.voter !== voter) this.keep(data.code, { key: lead, voter })
    hall.open(data.code, lead)
    // Once to each session: when its server is gone the page goes on with another one, which knows neither.
    const known = `${data.lead} ${data.voter}`
    if (this.told !== known && (lead !== data.lead || voter !== data.voter)) this.report({ key: lead, voter })
    this.told = known
    this.show()
  }

  kept(code) {
    try {
      return JSON.parse(localStorage.getItem(named(code))) ?? {}
    } catch { // a browser that keeps nothing
      return {}
    }
  }

  keep(code, what) {
    try {
      localStorage.setItem(named(code), JSON.stringify(what))
    } catch { /* it lasts as long as the page */ }
  }

  report(what) {
    this.channel?.offer(() => what)
  }

  show() {
    this.button.hidden = hall.over || hall.lead || hall.following || hall.place === null
    say(this.words, hall.over ? 'Room closed'
      : hall.away ? 'The class cannot be reached just now'
      : hall.lost ? 'Class: connecting …'
        : hall.lead ? `${hall.here ?? 0} here`
          : hall.following ? 'Following' : '')
  }
}

export default (component) => render(component, style, ClassLine)
