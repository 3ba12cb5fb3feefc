// What the live components share: pacing of messages, printing of numbers, style sheets.

const PATIENCE = 15000 // ms without an acknowledgement after which a message counts as lost
const TEXT_EVERY = 400 // ms after which text beside the drawings follows a moving hand
const RETRY = 3000 // ms until a closed direct line is tried again
const SILENCE = 5000 // ms without an answer after which the direct line counts as closed

const mounted = new Map() // key → the component on the page

/** The direct line to Python, beside Streamlit's own web socket; ui/components/live.py is its other end. */
const line = {
  asked: new Map(), // key and number → what to do with the answer

  /** `token` is the session's secret: the server takes a line for it, and one only. */
  open(token) {
    if (this.socket && token !== this.token) this.lose(0) // a new session, after the server has lost the old one
    if (this.socket || (token === this.token && performance.now() < this.again)) return // another server's is new
    this.token = token
    const address = new URL('api/live', document.baseURI)
    address.protocol = address.protocol.replace('http', 'ws')
    const socket = (this.socket = new WebSocket(address.href, [token]))
    socket.onmessage = ({ data }) => this.socket === socket && this.heard(JSON.parse(data))
    socket.onclose = () => this.socket === socket && this.lose()
  },

  heard(reply) {
    const name = `${reply.key} ${reply.sequence}`
    const act = this.asked.get(name)
    this.asked.delete(name)
    this.listen()
    const drawings = reply.drawings ?? []
    const shown = ([key]) => mounted.get(key)?.parent.isConnected
    if (!drawings.every(shown)) reply.stale ||= null // a component that only Streamlit can bring to the page
    act?.(reply)
    for (const drawing of drawings.filter(shown)) mounted.get(drawing[0]).take(drawing[1])
  },

  /** All that was asked goes Streamlit's way. */
  lose(pause = RETRY) {
    clearTimeout(this.silence)
    this.socket.close()
    this.socket = null
    this.again = performance.now() + pause
    const asked = [...this.asked.values()]
    this.asked.clear()
    for (const act of asked) act({ drawings: null })
  },

  /** A connection can die without a word. */
  listen() {
    clearTimeout(this.silence)
    if (this.asked.size) this.silence = setTimeout(() => this.lose(), SILENCE)
  },

  get ready() {
    return this.socket?.readyState === WebSocket.OPEN
  },

  ask(key, message, act) {
    this.asked.set(`${key} ${message.sequence}`, act)
    if (this.asked.size === 1) this.listen()
    this.socket.send(JSON.stringify({ key, message }))
  },
}

// Back leads to the page before, not through all the values that a slider has had. (Streamlit replaces the entry for its
// own widgets and adds one for what Python writes into the address.) And it leads to the page as it was left: on the way
// to another page Streamlit first empties the address of this one.
const CARRIED = ['lecture', 'notes', 'predict', 'room'] // what links carry along: MODES of ui/page.py, and the class
const push = history.pushState.bind(history)
let left = null // the address that was emptied last, and what was left of it
history.pushState = (state, title, address) => {
  const next = new URL(address ?? location.href, document.baseURI)
  if (next.pathname === location.pathname) {
    const bare = [...next.searchParams.keys()].every((name) => CARRIED.includes(name))
    left = bare && location.search.length > next.search.length ? { full: location.href, bare: next.href } : null
    return history.replaceState(state, title, address)
  }
  if (left?.bare === location.href) history.replaceState(history.state, '', left.full)
  left = null
  return push(state, title, address)
}

/** Sends the newest state to Python, never more than `window` ahead of what is drawn, and never loses the last one.
 *
 *  A state with `settled: false` comes from a moving hand and takes the direct line where there is one; all others take
 *  Streamlit's way, which brings the whole page up to date. */
export class Channel {
  constructor(sequence) {
    this.sent = this.drawn = sequence
    this.said = sequence // number of the newest message that is to be answered
    this.rerun = 0 // number of the newest message that took Streamlit's way
    this.window = 1
    this.waiting = null
    this.moving = false // the newest message came from a hand that has not come to rest
    this.synced = performance.now() // when Streamlit last drew everything
  }

  /** What was said counts no more: whatever Python draws now is right, also where it has never heard of it. */
  takeBack() {
    for (const timer of [this.timer, this.catchUp]) clearTimeout(timer)
    this.waiting = null
    this.moving = false
    this.drawn = this.sent
    this.said = 0
  }

  /** Every run from Python: `data.sequence` is the newest message whose result is on the page. */
  acknowledge(data) {
    this.window = data.window
    this.since = data.since // number of the state that was put in place last: what was said before is old
    this.drawn = Math.max(this.drawn, Math.min(data.sequence, this.sent))
    if (this.drawn === this.sent) clearTimeout(this.timer)
    this.pump()
    note()
  }

  /** True when `data` answers everything the browser has to say: its values may then replace those on the screen. */
  covers(data) {
    return this.waiting === null && data.sequence >= this.said
  }

  /** `state` is a function called when the message leaves, so that it carries the newest values; it gets its number. */
  offer(state) {
    this.waiting = this.last = state
    clearTimeout(this.catchUp)
    this.pump()
    note()
  }

  /** Whether Python has not answered yet, or a hand has not come to rest: the address will still change. */
  get asking() {
    return this.waiting !== null || this.drawn < this.sent || this.moving
  }

  pump() {
    if (!this.send || this.waiting === null || this.sent - this.drawn >= this.window) return // no way to Python yet: later
    if (this.token && line.ready && this.rerun > this.drawn) return // the direct line never runs beside a rerun
    const state = this.waiting
    this.waiting = null
    this.said = this.sent += 1
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.lost(state), PATIENCE)
    const message = { ...state(this.sent), sequence: this.sent, ...(this.since && { since: this.since }) }
    this.moving = message.settled === false
    if (!state.repeated) for (const tell of listeners) tell(this.key, message)
    const behind = this.stale && performance.now() - this.synced > TEXT_EVERY
    if (message.settled !== false || !this.token || !line.ready || behind) this.ask(message)
    else line.ask(this.key, message, (reply) => this.answered(message, reply))
  }

  /** `state` was not answered: it is said once more, unless there is something newer to say. */
  lost(state) {
    this.drawn = this.sent
    if (this.waiting === null && this.repeated !== state) this.waiting = this.repeated = state
    this.pump()
    note()
  }

  /** Streamlit's way. */
  ask(message) {
    clearTimeout(this.catchUp)
    this.rerun = message.sequence
    this.stale = this.unsure = false
    this.synced = performance.now()
    this.send(message)
  }

  answered(message, reply) {
    if (!reply.drawings) {
      if (message.sequence > this.rerun) this.ask(message) // else Streamlit has been sent a newer one meanwhile
      return
    }
    this.unsure ||= reply.stale !== false
    this.stale ||= reply.stale
    if (!this.unsure) return
    clearTimeout(this.catchUp) // a hand that pauses without letting go
    this.catchUp = setTimeout(() => {
      this.stale = true
      if (this.waiting === null) this.offer(this.last)
    }, TEXT_EVERY)
  }
}

let noted // while something asks: its component may leave the page without a word

/** `data-asking` on the document: what the page shows is not yet what its controls say. */
function note() {
  clearTimeout(noted)
  const asking = [...mounted.values()].some(({ instance, parent }) => parent.isConnected && instance.channel.asking)
  document.documentElement.toggleAttribute('data-asking', asking)
  if (asking) noted = setTimeout(note, TEXT_EVERY)
}

const listeners = new Set()

/** `tell(key, message)` hears what every component of this page says, but for what is repeated. */
export const overhear = (tell) => listeners.add(tell)

/** Component `key` of this page says what its twin on another page has said. */
export function repeat(key, message) {
  const instance = mounted.get(key)?.instance
  const state = Object.assign(() => message, { repeated: true })
  instance?.channel.offer(state)
  instance?.follow?.(message)
}

const OWN = /^(class|predict-|take_home|hand_in|pin\.)/ // keys of what has no part in the state, as in ui/rooms/seat.py

/** What the controls of this page have said is taken back: from the next run on they stand as the address has them.
 *
 *  Streamlit's browser repeats with every message what each control has said last: to a server that takes over, and for
 *  one that is folded away, which has not heard what has become of it since. Only its record of them, which React holds,
 *  knows which those are; tests/browser/test_rooms.py and test_hall.py hold this to the pinned Streamlit. */
export function takeBack() {
  const main = document.querySelector('[data-testid=stMain]')
  let fiber = main && main[Object.keys(main).find((name) => name.startsWith('__reactFiber$'))]
  while (fiber && !fiber.memoizedProps?.widgetMgr) fiber = fiber.return
  const record = fiber?.memoizedProps.widgetMgr
  if (!record?.deleteWidgetState) return console.error('What the controls have said cannot be taken back.')
  for (const { id } of record.getActiveWidgetStates({ has: () => true }).widgets) {
    const key = id.replace(/^\$\$ID-[^-]*-/, '')
    if (OWN.test(key)) continue
    record.deleteWidgetState(id)
    mounted.get(key)?.instance.channel.takeBack()
  }
}

/** Whether Streamlit is connected with a server; else a move through the history would be lost. */
export const connected = () => (document.querySelector('[data-testid=stApp]')?.dataset.testConnectionState ?? 'CONNECTED') === 'CONNECTED'

const instances = new WeakMap()

/** A component on the page with the newest data it was given, by Streamlit or by the direct line. */
class Mounted {
  constructor(instance, parent) {
    this.instance = instance
    this.parent = parent
    this.data = null
  }

  take(data) {
    const newer = data.server !== this.data?.server || data.mount >= this.data.mount
    if (newer) this.data = { live: this.data?.live, ...data }
    this.instance.update(this.data)
    this.instance.channel.acknowledge(this.data)
  }

  /** Data of another session's, without its secrets, numbers and questions. */
  follow(data) {
    const { live, window, mount, key } = this.data
    this.instance.update({ ...data, live, window, mount, key, sequence: this.instance.channel.sent, relayed: true })
  }
}

const relayed = new Map() // key → what the lecturer's page shows; this page's own state catches up later

function overlay(key) {
  const here = mounted.get(key)
  if (relayed.has(key) && here?.parent.isConnected) here.follow(relayed.get(key))
}

/** Show what the lecturer's page shows, key → data, without a word to Python. */
export function relay(drawings) {
  for (const [key, data] of drawings) {
    relayed.set(key, data)
    overlay(key)
  }
}

export const relaying = () => relayed.size > 0

/** From the next run on this page's own state is shown again. */
export const unrelay = () => relayed.clear()

/** One instance per mounted component, made on the first run and updated on every run: the DOM stays. */
export function render(component, style, Kind) {
  const { data: [data], parentElement: parent } = component
  let here = instances.get(parent)
  if (!here) {
    if (style) parent.adoptedStyleSheets = [style]
    const instance = new Kind(parent.querySelector('[data-root]'), data)
    instance.channel = new Channel(data.sequence)
    here = new Mounted(instance, parent)
    instances.set(parent, here)
  }
  const { channel } = here.instance
  mounted.set(data.key, here)
  Object.assign(channel, { key: data.key, token: data.live, send: (state) => component.setStateValue('message', state) })
  if (data.live) line.open(data.live)
  here.take(data)
  overlay(data.key)
}

/** The style sheet beside a module, loaded before its first render so that nothing is ever shown without style. */
export async function stylesheet(moduleAddress) {
  const address = new URL(moduleAddress)
  address.pathname = address.pathname.replace(/\.js$/, '.css')
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`no style sheet at ${address}`)
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(await answer.text())
  return sheet
}

/** `number` in printf style: %d %f %.2f %g %.3g %e %+d, with any text around it, %% for a per cent sign.
 *  Whole numbers under %g are written out in full, so that 12345 never reads 12300. */
export function print(number, format = '%g') {
  const text = format.replace(/%%|%(\+?)(?:\.(\d+))?([dfge])/, (all, plus, digits, kind) => {
    if (all === '%%') return '%'
    const places = digits === undefined ? 6 : Number(digits)
    let shown
    if (kind === 'd') shown = String(Math.round(number))
    else if (kind === 'f') shown = number.toFixed(places)
    else if (kind === 'e') shown = number.toExponential(places)
    else shown = String(Number.isInteger(number) ? number : Number(number.toPrecision(Math.max(1, places))))
    if (Number(shown) === 0) shown = shown.replace('-', '')
    return (plus && number >= 0 ? '+' : '') + shown
  })
  return text.replace('%%', '%').replace(/-(?=[\d.])/g, '\u2212')
}

const SVG = 'http://www.w3.org/2000/svg'
const SVG_TAGS = new Set(['svg', 'g', 'rect', 'line', 'path', 'circle', 'text', 'title', 'defs', 'marker'])

/** The value, kept between two others; `low` where there is no room between them. */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high))

/** A new element with attributes and children; attributes that are null are left out. */
export function make(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag)
  put(node, attributes)
  node.append(...children)
  return node
}

/** Sets only the attributes that differ, so that an unchanged element is not touched. */
export function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      if (node.hasAttribute(name)) node.removeAttribute(name)
    } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
  }
}

/** While a hand holds something, style.css rests what is out of sight, so that the browser draws the rest more often. */
export function holding(held) {
  document.documentElement.toggleAttribute('data-held', held)
}

/** Sets the text of `node` if it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Black or white, whichever has more contrast on `colour` (#rrggbb) by WCAG's relative luminance: 4.5 at least. */
export function ink(colour) {
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  const [r, g, b] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16) / 255))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff'
}
