// A slider that sends its value while the hand moves; see __init__.py for what it promises.

const shared = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))
const { holding, make, print, put, render, say, stylesheet } = shared
const style = await stylesheet(import.meta.url)

const KEY_REST = 400 // ms after the last key until the value counts as settled and goes to the URL
const MOST_STOPS = 16 // marked on the track: more would be a dotted line
const PLAY = 'M8 5v14l11-7z'
const PAUSE = 'M7 5h4v14H7zM13 5h4v14h-4z'

class LiveSlider {
  constructor(root, data) {
    this.root = root
    this.value = data.value
    this.moving = false // a hand or the play button is on the slider
    this.told = { value: data.value, settled: true }

    this.label = make('span', { class: 'label' })
    this.tip = make('span', { class: 'tip', role: 'tooltip' })
    this.help = make('span', { class: 'help', tabindex: 0, role: 'img' }, '?')
    this.readout = make('output', { class: 'readout', 'aria-hidden': 'true' })
    this.icon = make('path', { d: PLAY })
    this.button = make('button', { class: 'play', type: 'button' }, make('svg', { viewBox: '0 0 24 24' }, this.icon))
    this.fill = make('div', { class: 'fill' })
    this.mark = make('div', { class: 'default', title: 'Double click restores the default' })
    this.stops = make('div', { class: 'stops' })
    this.thumb = make('div', { class: 'thumb' })
    this.track = make('div', { class: 'track', role: 'slider', tabindex: 0 },
      make('div', { class: 'rail' }, this.fill, this.stops, this.mark, this.thumb))
    this.low = make('span')
    this.high = make('span')
    root.replaceChildren(
      make('div', { class: 'head' }, this.label, this.help, this.tip, this.readout),
      make('div', { class: 'body' }, this.button,
        make('div', { class: 'field' }, this.track, make('div', { class: 'ends', 'aria-hidden': 'true' }, this.low, this.high))))
    root.className = 'slider'

    this.track.onpointerdown = (event) => this.grab(event)
    this.track.onpointermove = (event) => this.drag(event)
    this.track.onpointerup = this.track.onpointercancel = this.track.onlostpointercapture = () => this.release()
    this.track.ondblclick = () => this.restore()
    this.track.onkeydown = (event) => this.key(event)
    this.button.onclick = () => (this.playing ? this.pause() : this.play())
    this.button.onkeydown = (event) => event.stopPropagation()
  }

  update(data) {
    this.data = data
    // The hand has the last word while it moves; at rest Python's value is the truth (a preset button, say).
    if (!this.moving && this.channel.covers(data)) {
      this.value = data.value
      this.told = { value: data.value, settled: true }
    }
    say(this.label, data.label)
    this.help.hidden = !data.help
    put(this.help, { 'aria-label': data.help })
    say(this.tip, data.help)
    this.button.hidden = !data.play
    this.root.classList.toggle('disabled', data.disabled)
    say(this.low, this.words(data.min))
    say(this.high, this.words(data.max))
    const widest = [data.min, data.max, data.default, ...(data.options?.keys() ?? [])].map((v) => this.words(v).length)
    this.readout.style.minWidth = `${Math.max(...widest)}ch`
    const steps = data.options?.length <= MOST_STOPS ? data.options.length - 1 : 0
    if (this.stops.childElementCount !== (steps ? steps + 1 : 0)) {
      this.stops.replaceChildren(...Array.from({ length: steps ? steps + 1 : 0 }, (_, i) =>
        make('i', { style: `left:${(100 * i) / steps}%` })))
    }
    put(this.track, {
      'aria-label': data.label, 'aria-valuemin': data.min, 'aria-valuemax': data.max, 'aria-disabled': data.disabled || null,
      tabindex: data.disabled ? -1 : 0,
    })
    if (data.disabled) this.pause()
    this.dress()
    this.mark.style.left = `${100 * this.share(data.default)}%`
    this.draw()
  }

  /** What its twin has said (ui/components/pin) is shown before Python answers. */
  follow({ value }) {
    if (this.moving || typeof value !== 'number') return
    this.value = this.snap(value)
    this.draw()
  }

  words(value) {
    const { options, format, unit } = this.data
    if (options) return options[Math.round(value)]
    return print(value, format) + (unit ? `\u202f${unit}` : '')
  }

  share(value) {
    const { min, max } = this.data
    return Math.min(1, Math.max(0, (value - min) / (max - min)))
  }

  /** The stop nearest to `value`; the same rule as `snap` in Python. */
  snap(value) {
    const { min, max, step } = this.data
    const inside = Math.min(max, Math.max(min, value))
    const stop = min + Math.round((inside - min) / step) * step
    if (stop > max || Math.abs(max - inside) < Math.abs(stop - inside)) return max
    return Math.min(max, Math.max(min, Number(stop.toPrecision(11))))
  }

  draw() {
    const left = `${100 * this.share(this.value)}%`
    this.thumb.style.left = left
    this.fill.style.width = left
    const words = this.words(this.value)
    say(this.readout, words)
    put(this.track, { 'aria-valuenow': this.value, 'aria-valuetext': words })
  }

  /** Shows `value` at once and offers it to Python if it is new. */
  move(value, settled) {
    this.value = this.snap(value)
    this.draw()
    this.tell(settled)
  }

  tell(settled) {
    if (this.told.value === this.value && this.told.settled === settled) return
    this.told = { value: this.value, settled }
    const now = this.told
    this.channel.offer(() => ({ value: now.value, settled: now.settled }))
  }

  at(event) {
    return (event.clientX - this.rail.left) / this.rail.width
  }

  grab(event) {
    if (event.button !== 0 || this.data.disabled) return
    this.pause()
    this.track.setPointerCapture(event.pointerId)
    this.track.focus({ preventScroll: true })
    this.root.classList.add('held')
    holding(true)
    this.moving = this.dragging = true
    this.rail = this.track.firstChild.getBoundingClientRect() // once: reading it at every move lays the page out anew
    // A hand on the thumb keeps its place on it; elsewhere the thumb comes to the hand.
    const thumb = this.thumb.getBoundingClientRect()
    const within = Math.abs(event.clientX - (thumb.left + thumb.width / 2)) <= thumb.width / 2
    this.shift = within ? this.share(this.value) - this.at(event) : 0
    if (!within) this.drag(event)
  }

  drag(event) {
    if (!this.dragging) return
    const { min, max } = this.data
    this.move(min + (this.at(event) + this.shift) * (max - min), false)
  }

  release() {
    if (!this.dragging) return
    this.moving = this.dragging = false
    this.root.classList.remove('held')
    holding(false)
    this.tell(true)
  }

  restore() {
    if (this.data.disabled) return
    this.pause()
    this.move(this.data.default, true)
  }

  key(event) {
    const { min, max, step, disabled } = this.data
    if (disabled || event.ctrlKey || event.metaKey || event.altKey) return
    const big = Math.max(step, step * Math.round(Math.min(10, (max - min) / step / 4)))
    const targets = {
      ArrowRight: this.value + step, ArrowUp: this.value + step, ArrowLeft: this.value - step, ArrowDown: this.value - step,
      PageUp: this.value + big, PageDown: this.value - big, Home: min, End: max,
    }
    if (event.key in targets) {
      this.pause()
      this.moving = true
      this.move(targets[event.key], false)
      clearTimeout(this.rest)
      this.rest = setTimeout(() => {
        this.moving = false
        this.tell(true)
      }, KEY_REST)
    } else if (event.key === 'Backspace' || event.key === 'Delete') this.restore()
    else if (event.key === ' ' && this.data.play) this.playing ? this.pause() : this.play()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  play() {
    if (this.data.disabled) return
    clearTimeout(this.rest)
    this.playing = this.moving = true
    let phase = this.share(this.value) < 1 ? this.share(this.value) : 0 // 0..1 up, 1..2 down
    let last = performance.now()
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return
      phase = (phase + (now - last) / 1000 / this.data.seconds) % 2
      last = now
      const { min, max } = this.data
      if (phase >= 1 && this.data.play === 'once') {
        this.move(max, false)
        this.pause()
        return
      }
      this.move(min + (phase <= 1 ? phase : 2 - phase) * (max - min), false)
      requestAnimationFrame(frame)
    }
    this.dress()
    requestAnimationFrame(frame)
  }

  pause() {
    if (!this.playing) return
    this.playing = this.moving = false
    this.dress()
    this.tell(true)
  }

  dress() {
    put(this.icon, { d: this.playing ? PAUSE : PLAY })
    put(this.button, { 'aria-label': `${this.playing ? 'Pause' : 'Play'} ${this.data.label}`, 'aria-pressed': Boolean(this.playing) || 'false' })
  }
}

export default (component) => render(component, style, LiveSlider)
