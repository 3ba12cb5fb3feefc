// What the live components share: pacing of messages, printing of numbers, style sheets.

const PATIENCE = 15000 // ms without an acknowledgement after which a message counts as lost

/** Sends the newest state to Python, never more than `window` ahead of what is drawn, and never loses the last one. */
export class Channel {
  constructor(sequence) {
    this.sent = this.drawn = sequence
    this.window = 1
    this.waiting = null
  }

  /** Every run from Python: `data.sequence` is the newest message whose result is on the page. */
  acknowledge(component) {
    this.send = (state) => component.setStateValue('message', state)
    this.window = component.data.window
    this.drawn = Math.max(this.drawn, Math.min(component.data.sequence, this.sent))
    if (this.drawn === this.sent) clearTimeout(this.timer)
    this.pump()
  }

  /** True when `data` answers everything the browser has to say: its values may then replace those on the screen. */
  covers(data) {
    return this.waiting === null && data.sequence >= this.sent
  }

  /** `state` is a function called when the message leaves, so that it carries the newest values; it gets its number. */
  offer(state) {
    this.waiting = state
    this.pump()
  }

  pump() {
    if (!this.send || this.waiting === null || this.sent - this.drawn >= this.window) return // no way to Python yet: later
    const state = this.waiting
    this.waiting = null
    this.sent += 1
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.drawn = this.sent
      this.pump()
    }, PATIENCE)
    this.send({ ...state(this.sent), sequence: this.sent })
  }
}

const instances = new WeakMap()

/** One instance per mounted component, made on the first run and updated on every run: the DOM stays. */
export function render(component, style, Kind) {
  const parent = component.parentElement
  let instance = instances.get(parent)
  if (!instance) {
    parent.adoptedStyleSheets = [style]
    instance = new Kind(parent.querySelector('[data-root]'), component.data)
    instance.channel = new Channel(component.data.sequence)
    instances.set(parent, instance)
  }
  instance.update(component.data)
  instance.channel.acknowledge(component)
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

/** Sets the text of `node` if it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Black or white, whichever reads better on `colour` (#rrggbb). */
export function ink(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
  return 0.299 * r + 0.587 * g + 0.114 * b > 0.55 ? '#000' : '#fff'
}
