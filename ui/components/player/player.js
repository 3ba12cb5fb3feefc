// A film with boxes on it, played under a hand; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { clamp, holding, make, put, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { Buffer } = await import(new URL(`buffer.js${version}`, import.meta.url))
const { lineEnd } = await import(new URL(`line_end.js${version}`, import.meta.url))
const { paintLine, paintMarks } = await import(new URL(`marks.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const LATELY = 2000 // ms over which painted frames are counted
const LOOK = 1000 // ms between two looks whether the player is still on the page
const REST = 500 // ms after the last key until a place counts as chosen
const HINT = 'Space plays and pauses. Arrow keys go one frame, with Shift a second; Home and End go to the ends.'

const still = matchMedia('(prefers-reduced-motion: reduce)')

const players = new Set() // on the page

// Space plays the uppermost film in sight, wherever nothing else has the keyboard.
document.addEventListener('keydown', (event) => {
  if (event.key !== ' ' || event.composedPath()[0] !== document.body || event.ctrlKey || event.metaKey || event.altKey) return
  const top = (player) => player.screen.getBoundingClientRect().top
  const [first] = [...players].filter((each) => each.seen && each.root.isConnected).sort((a, b) => top(a) - top(b))
  if (!first) return
  event.preventDefault()
  first.play(!first.playing)
})

class Player {
  constructor(root) {
    this.frame = 0
    this.playing = false
    this.clock = 0 // frames that are due, of which the whole ones are shown
    this.painted = [] // when the last frames were painted
    this.buffer = new Buffer(() => this.arrived())
    this.canvas = make('canvas', { 'aria-hidden': 'true' })
    this.ends = [0, 1].map((end) => lineEnd(this, end))
    this.start = make('button', { type: 'button', class: 'start', tabindex: -1, 'aria-hidden': 'true' }, '▶')
    this.wait = make('div', { class: 'wait', role: 'status' })
    this.screen = make('div', { class: 'screen', tabindex: 0, role: 'group', 'aria-description': HINT },
      this.canvas, this.start, ...this.ends, this.wait)
    this.toggle = make('button', { type: 'button', class: 'toggle' })
    this.track = make('input', { type: 'range', min: 0, step: 1, 'aria-label': 'Frame' })
    this.place = make('span', { class: 'place' })
    this.speeds = make('select', { 'aria-label': 'Speed' })
    const save = make('button', { type: 'button', 'aria-label': 'Save this frame as PNG', title: 'Save as PNG' }, 'PNG')
    this.rates = make('div', { class: 'rates' })
    this.caption = make('div', { class: 'caption' })
    root.className = 'player'
    this.root = root
    root.replaceChildren(this.screen, make('div', { class: 'bar' }, this.toggle, this.track, this.place, this.speeds, save),
      this.rates, this.caption)
    this.start.onclick = this.toggle.onclick = () => this.play(!this.playing)
    save.onclick = () => this.save()
    this.screen.onclick = (event) => event.target === this.canvas && this.play(!this.playing)
    root.onkeydown = (event) => this.key(event)
    this.track.onpointerdown = () => this.hold(true)
    this.track.onpointerup = this.track.onpointercancel = () => this.hold(false)
    this.track.oninput = () => this.go(Number(this.track.value), false)
    this.track.onchange = () => this.tell(true)
    this.speeds.onchange = () => {
      this.speed = Number(this.speeds.value)
      this.tell(true)
    }
    new ResizeObserver(() => this.draw()).observe(this.screen)
    this.watch = new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting
      if (this.seen) this.run()
    })
    this.watch.observe(this.screen)
  }

  update(data) {
    this.data = data
    const { reel } = data
    const other = this.buffer.reel && reel.name !== this.buffer.reel.name
    this.buffer.open(reel)
    players.add(this)
    this.looking ??= setInterval(() => this.root.isConnected || this.left(), LOOK)
    if (other || (!this.playing && !this.held && !this.resting && this.channel.covers(data))) this.frame = data.frame
    if (!this.held && this.channel.covers(data)) [this.speed, this.line] = [data.speed, data.line]
    this.speed ??= data.speed
    this.frame = clamp(this.frame, 0, reel.frames - 1)
    put(this.screen, { 'aria-label': data.alt })
    const [width, height] = reel.size
    this.screen.style.setProperty('--ratio', width / height)
    this.screen.style.setProperty('--tall', `${data.tall / 16}rem`)
    put(this.track, { max: reel.frames - 1 })
    if (this.speeds.options.length !== data.speeds.length)
      this.speeds.replaceChildren(...data.speeds.map((speed) => make('option', { value: speed }, `${speed}×`)))
    this.speeds.value = this.speed
    say(this.caption, data.caption)
    this.caption.hidden = !data.caption
    this.show()
  }

  /** Something new is in the buffer. */
  arrived() {
    if (!this.playing || !this.running) this.draw()
  }

  /** The page has been left: nothing is held, asked for or painted any more. */
  left() {
    players.delete(this)
    clearInterval(this.looking)
    this.looking = null
    this.playing = false
    this.buffer.empty()
  }

  play(on) {
    if (on && !this.playing && this.frame === this.buffer.reel.frames - 1) this.frame = 0
    this.playing = on
    this.begun ||= on
    this.clock = 0
    this.painted = []
    if (on) this.run()
    else this.tell(true)
    this.show()
  }

  run() {
    if (!this.playing || this.running) return
    this.running = true
    let last = performance.now()
    const step = (now) => {
      if (!this.playing || !this.seen || !this.root.isConnected) {
        this.running = false
        return this.playing || this.show()
      }
      const { frames, rate } = this.buffer.reel
      this.clock += (Math.min(now - last, 250) / 1000) * rate * this.speed
      last = now
      const due = Math.floor(this.clock + 0.001)
      if (due > 0) this.advance(due, frames, now)
      requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  }

  /** As many frames further as are due, or as far as they have arrived. */
  advance(due, frames, now) {
    let further = due
    if (still.matches) {
      further = Math.min(due, frames - 1 - this.frame)
      if (further <= 0) return this.play(false)
    }
    while (further > 0 && !this.buffer.ready((this.frame + further) % frames)) further -= 1
    if (further === 0) {
      this.clock = Math.min(this.clock, 1) // late: it waits, and does not hurry afterwards
      this.buffer.want((this.frame + 1) % frames)
      this.late(now)
      return
    }
    this.clock -= further
    if (this.clock > 2) this.clock = 0
    this.frame = (this.frame + further) % frames
    this.painted.push(now)
    this.show(true)
  }

  late(now) {
    const longest = now - (this.painted.at(-1) ?? (this.waited ??= now))
    say(this.wait, longest > 700 ? 'The film is on its way…' : '')
    this.count(now)
  }

  /** All that depends on the frame. `playing`: at most the words that change slowly are left out. */
  show(playing = false) {
    const { frames, rate } = this.buffer.reel
    this.buffer.want(this.frame)
    this.track.value = this.frame
    const seconds = (this.frame / rate).toFixed(2)
    say(this.place, `${this.frame + 1} / ${frames} · ${seconds} s`)
    put(this.track, { 'aria-valuetext': `frame ${this.frame + 1} of ${frames}, ${seconds} seconds` })
    this.root.dataset.frame = this.frame
    if (playing) this.count(this.painted.at(-1))
    else {
      this.root.dataset.playing = this.playing
      const name = this.playing ? 'Pause' : 'Play'
      put(this.toggle, { 'aria-label': name, title: `${name} (Space)` })
      say(this.toggle, this.playing ? '❚❚' : '▶')
      this.start.hidden = this.playing || this.begun || Boolean(this.line)
      this.count(performance.now())
    }
    this.draw(playing)
  }

  /** How fast it goes: painted here, and looked at there. */
  count(now) {
    if (this.playing && now - (this.told ?? 0) < 250) return
    this.told = now
    this.painted = this.painted.filter((each) => now - each < LATELY)
    const parts = []
    const span = this.painted.length > 1 ? now - this.painted[0] : 0
    const painted = span > 0 ? ((this.painted.length - 1) / span) * 1000 : 0
    this.root.dataset.painted = this.playing ? painted.toFixed(1) : 0
    if (this.playing) parts.push(`${painted.toFixed(1)} frames/s painted`)
    const { milliseconds, when } = this.buffer.rates
    const asking = Boolean(this.buffer.kinds.marks.asked)
    const rate = asking || performance.now() - when < LATELY ? this.buffer.rates.rate : null
    if (this.buffer.reel.marked) {
      parts.push(rate ? `${rate.toFixed(1)} detections/s` : asking ? 'the network looks' : 'the network rests, its detections are stored')
      if (milliseconds) parts.push(`${milliseconds.toFixed(0)} ms each`)
      this.root.dataset.looks = rate ? rate.toFixed(1) : 0
    }
    say(this.rates, parts.join(' · ') || '\u00a0')
  }

  draw(now = false) {
    if (now) return this.paint()
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0
      this.paint()
    })
  }

  paint() {
    const { reel } = this.buffer
    const wide = this.canvas.clientWidth
    if (!reel || !wide) return
    const unit = Math.min(devicePixelRatio || 1, 2)
    const [width, height] = [wide, this.canvas.clientHeight].map((side) => Math.round(side * unit))
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height })
    this.pen ??= this.canvas.getContext('2d')
    const picture = this.buffer.picture(this.frame)
    if (!picture) this.buffer.decode(this.frame)
    else this.pen.drawImage(picture, 0, 0, width, height)
    const marks = this.buffer.marks(this.frame)
    const scale = width / reel.size[0]
    const font = parseFloat(getComputedStyle(this.root).fontSize) * 0.82
    if (picture && marks) paintMarks(this.pen, marks, scale, unit, font)
    if (picture && this.line) paintLine(this.pen, this.line, this.data.sides, scale, unit, font)
    this.root.dataset.drawn = picture ? this.frame : ''
    this.root.dataset.boxes = marks ? marks.filter((mark) => mark[7] !== 'truth').length : ''
    if (picture && marks) {
      this.waited = null
      say(this.wait, '')
    } else if (!this.playing) say(this.wait, picture ? 'The network looks…' : 'The film is on its way…')
    this.ends.forEach((end, i) => {
      end.hidden = !this.line
      if (!this.line) return
      const [x, y] = this.line.slice(2 * i, 2 * i + 2)
      put(end, { 'aria-label': `${i ? 'Second' : 'First'} end of the line: x ${Math.round(x)}, y ${Math.round(y)}` })
      Object.assign(end.style, { left: `${(100 * x) / reel.size[0]}%`, top: `${(100 * y) / reel.size[1]}%` })
    })
  }

  go(frame, chosen = true) {
    this.frame = clamp(frame, 0, this.buffer.reel.frames - 1)
    this.clock = 0
    this.show()
    if (this.data.follow) this.tell(false)
    if (chosen) this.rest()
  }

  /** A place counts as chosen once the keys rest. */
  rest() {
    clearTimeout(this.resting)
    this.resting = setTimeout(() => {
      this.resting = null
      this.tell(true)
    }, REST)
  }

  hold(on) {
    if (this.held === on) return
    this.held = on
    holding(on)
    if (on) [this.went, this.playing] = [this.playing, false]
    else if (this.went) this.play(true)
  }

  key(event) {
    const { target } = event
    if (event.ctrlKey || event.metaKey || event.altKey || target === this.speeds) return
    if (event.key === ' ' && target.tagName !== 'BUTTON') {
      event.preventDefault()
      return this.play(!this.playing)
    }
    if (target !== this.screen && target !== this.track) return
    const second = Math.round(this.buffer.reel.rate)
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -second, PageUp: second }[event.key]
    const to = { Home: 0, End: this.buffer.reel.frames - 1 }[event.key]
    if (by === undefined && to === undefined) return
    event.preventDefault()
    if (this.playing) this.play(false)
    this.go(to ?? this.frame + by * (event.shiftKey && event.key.startsWith('Arrow') ? second : 1))
  }

  tell(settled) {
    this.channel.offer(() => {
      const { frame, playing, speed, line } = this
      return { frame, playing, speed, line, settled }
    })
  }

  save() {
    const name = `${location.pathname.split('/').filter(Boolean).at(-1) ?? 'home'}-frame-${this.frame + 1}.png`
    make('a', { href: this.canvas.toDataURL('image/png'), download: name }).click()
  }
}

export default (component) => render(component, style, Player)
