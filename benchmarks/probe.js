// Injected before the page's own scripts: listens to the web socket and looks at one view in every frame.
// All times are performance.now() in ms, so that what the hand does and what is painted share one clock.

(() => {
  const latin = new TextDecoder('latin1')
  const Native = window.WebSocket
  const probe = (window.probe = { control: null })
  let input = 0 // time of the newest pointer or key event
  let newest = 0 // number of the newest update whose result has arrived
  let running = false

  class Watched extends Native {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', (event) => arrives(event.data))
    }

    send(data) {
      leaves(data)
      super.send(data)
    }
  }
  window.WebSocket = Watched
  for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'keydown']) {
    window.addEventListener(kind, (event) => { input = event.timeStamp }, { capture: true, passive: true })
  }

  /** Streamlit's messages are binary, those of the direct line are text. */
  const words = (data) => (typeof data === 'string' ? data : latin.decode(data))
  const place = (text) => text.indexOf(text[0] === '{' ? `"key":"${probe.control.key}"` : `-${probe.control.key}`)

  /** Our controls number what they send; the message holds the last state of every control, so look behind the key. */
  function leaves(data) {
    if (!running || !probe.control.numbered) return
    const text = words(data)
    const at = place(text)
    const found = at < 0 ? null : /"sequence":\s*(\d+)/.exec(text.slice(at))
    const number = found && Number(found[1])
    if (number > newest && !probe.sent.has(number)) probe.sent.set(number, { input, left: performance.now() })
  }

  /** The control is mounted last, so its number coming back says that the whole result has arrived. */
  function arrives(data) {
    const direct = typeof data === 'string'
    if (running) probe.bytes += direct ? data.length : data.byteLength ?? data.size
    if (!probe.control || !(direct || data.byteLength)) return
    const text = words(data)
    if (direct ? place(text) < 0 : !text.includes(probe.control.answer)) return
    if (direct) {
      if (text.includes('"drawings":null')) return // the browser asks Streamlit instead
      newest = Math.max(newest, Number(/"sequence":(\d+)/.exec(text)[1]))
    } else if (probe.control.numbered) {
      const number = Number(/"sequence":\s*(\d+)/.exec(text)?.[1] ?? 0)
      for (const name of ['min', 'max', 'step']) {
        probe.range[name] = Number(new RegExp(`"${name}":\\s*([-+.e\\d]+)`).exec(text)?.[1])
      }
      if (number <= newest) return
      newest = number
    } else newest += 1
    if (running) probe.arrived.set(newest, performance.now())
  }

  /** The watched element inside the container of class `host`, in its shadow root if it has one. */
  function find() {
    const host = document.querySelector(probe.control.host)
    if (!host) return null
    if (!probe.shadow?.isConnected || !host.contains(probe.shadow)) {
      probe.shadow = [...host.querySelectorAll('*')].find((node) => node.shadowRoot)
    }
    return (probe.shadow?.shadowRoot ?? host).querySelector(probe.control.part)
  }

  function blank(node) {
    if (!node?.isConnected || !node.childElementCount) return true
    const { width, height } = node.getBoundingClientRect()
    return !width || !height
  }

  const afterPaint = new MessageChannel() // its task runs once the frame is painted
  afterPaint.port1.onmessage = ({ data }) => probe.painted.set(data, performance.now())

  let node = null
  let changed = null // number of the update that the unpainted changes belong to: Streamlit draws all that has arrived
  const observer = new MutationObserver(() => { changed = newest })

  function frame() {
    if (!running) return
    requestAnimationFrame(frame)
    probe.frames += 1
    const now = find()
    if (blank(now)) {
      probe.blank += 1
      return
    }
    if (now !== node) {
      if (node) probe.remounts += 1
      if (node) changed ??= newest
      node = now
      observer.disconnect()
      observer.observe(node, { attributes: true, characterData: true, childList: true, subtree: true })
    }
    if (changed !== null) afterPaint.port2.postMessage(changed)
    changed = null
  }

  probe.watch = (control) => {
    Object.assign(probe, { control, range: {}, shadow: null })
  }

  /** True when the view is there; used before the hand begins. */
  probe.shows = () => !blank(find())

  probe.start = () => {
    Object.assign(probe, { sent: new Map(), arrived: new Map(), painted: new Map(), bytes: 0, frames: 0, blank: 0, remounts: 0 })
    node = changed = null
    running = true
    probe.began = performance.now()
    requestAnimationFrame(frame)
  }

  /** Everything seen since `start`; one entry per update whose result was painted or has arrived. */
  probe.stop = () => {
    running = false
    observer.disconnect()
    const numbers = [...new Set([...probe.arrived.keys(), ...probe.painted.keys()])].sort((a, b) => a - b)
    const updates = numbers.map((number) => ({
      number, input: probe.sent.get(number)?.input ?? null, left: probe.sent.get(number)?.left ?? null,
      arrived: probe.arrived.get(number) ?? null, painted: probe.painted.get(number) ?? null,
    }))
    const { frames, blank, remounts, bytes } = probe
    return { seconds: (performance.now() - probe.began) / 1000, frames, blank, remounts, bytes, updates }
  }
})()
