// A picture to paint on; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { clamp, holding, make, put, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { Shelf } = await import(new URL(`../stage/shelf.js${version}`, import.meta.url))
const { fill, fromRuns, stroke, toRuns } = await import(new URL(`strokes.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const STEPS = 60 // that can be undone
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const ERASER = 5 // the button of a pen's other end
const HINT = 'Arrow keys move the brush, with Shift farther. Space paints for as long as it is held, Enter fills. Control Z undoes, Control Y redoes.'

class Brush {
  constructor(root, data) {
    this.root = root
    this.shelf = new Shelf()
    this.done = [] // maps as they were before each step
    this.undone = []
    this.hand = null // { id, type, before, erasing } while a stroke is under way
    this.picture = make('canvas')
    this.paint = make('canvas', { class: 'paint' })
    this.ring = make('div', { class: 'ring', hidden: '' })
    this.frame = make('div', { class: 'frame', tabindex: 0, role: 'group', 'aria-description': HINT }, this.picture, this.paint, this.ring)
    const button = (text, act) => {
      const node = make('button', { type: 'button' }, text)
      node.onclick = () => node.getAttribute('aria-disabled') !== 'true' && act()
      return node
    }
    this.back = button('Undo', () => this.step(this.done, this.undone))
    this.forth = button('Redo', () => this.step(this.undone, this.done))
    this.clear = button('Clear', () => this.replace(new Uint8Array(this.values.length)))
    this.caption = make('div', { class: 'caption' })
    root.replaceChildren(this.frame, make('div', { class: 'tools' }, this.back, this.forth, this.clear), this.caption)
    root.className = 'brush'

    const { frame } = this
    frame.onpointerdown = (event) => this.down(event)
    frame.onpointermove = (event) => this.travel(event)
    frame.onpointerup = (event) => this.up(event)
    frame.onpointercancel = (event) => this.up(event, true)
    frame.onpointerleave = () => this.hand || this.point(null)
    frame.onkeydown = (event) => this.key(event)
    frame.onkeyup = (event) => event.key === ' ' && this.lift('key')
    frame.onblur = () => {
      this.lift('key')
      this.point(null)
    }
  }

  update(data) {
    const fresh = !this.data || this.data.sheet !== data.sheet
    this.data = data
    const [width, height] = data.size
    const ratio = (width / height).toFixed(4)
    Object.assign(this.frame.style, { aspectRatio: ratio, width: `min(100%, calc(var(--stage-height, 62vh) * ${ratio}))` })
    put(this.frame, { 'aria-label': data.alt })
    say(this.caption, data.caption)
    this.caption.hidden = !data.caption
    if (fresh) {
      this.hand = null
      holding(false)
      this.done = []
      this.undone = []
      this.values = fromRuns(data.runs, width * height)
    } else if (!this.hand && this.channel.covers(data)) {
      const theirs = fromRuns(data.runs, width * height)
      if (theirs.some((paint, i) => paint !== this.values[i])) this.remember(this.values, theirs)
    }
    this.colours = data.palette.map((colour) => (colour ? 0xff000000 | parseInt(colour.slice(5) + colour.slice(3, 5) + colour.slice(1, 3), 16) : 0) >>> 0)
    this.paint.style.opacity = data.opacity
    this.shelf.take(data.rasters)
    const arriving = this.shelf.wait([data.picture])
    if (arriving) arriving.then(() => this.data === data && this.ground())
    else this.ground()
    this.draw()
  }

  /** The picture below. */
  ground() {
    const { picture } = this.data
    this.picture.hidden = !picture
    if (!picture || this.picture.dataset.name === picture) return
    const bitmap = this.shelf.get(picture)
    if (!bitmap) {
      this.missing = [picture]
      this.tell(true)
      return
    }
    this.picture.dataset.name = picture
    Object.assign(this.picture, { width: bitmap.width, height: bitmap.height })
    this.picture.getContext('2d').drawImage(bitmap, 0, 0)
  }

  draw() {
    const [width, height] = this.data.size
    if (this.paint.width !== width || this.paint.height !== height) Object.assign(this.paint, { width, height })
    const pixels = new Uint32Array(width * height)
    for (let i = 0; i < pixels.length; i += 1) pixels[i] = this.colours[this.values[i]] ?? 0
    this.paint.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0)
    put(this.back, { 'aria-disabled': String(!this.done.length) })
    put(this.forth, { 'aria-disabled': String(!this.undone.length) })
    put(this.clear, { 'aria-disabled': String(!this.values.some(Boolean)) })
    this.point(this.place)
  }

  /** The ring under the pointer or the keys, as large as the brush. */
  point(place) {
    this.place = place
    this.ring.hidden = !place
    if (!place) return
    const [width, height] = this.data.size
    const { radius, tool, paint, palette } = this.data
    const side = tool === 'fill' ? 3 : 2 * radius
    Object.assign(this.ring.style, {
      left: `${(100 * (place[0] - side / 2)) / width}%`, top: `${(100 * (place[1] - side / 2)) / height}%`, width: `${(100 * side) / width}%`,
      height: `${(100 * side) / height}%`,
    })
    this.ring.style.setProperty('--dot', tool === 'erase' ? 'none' : palette[paint])
  }

  /** Place of a pointer in pixels of what is painted. */
  at(event) {
    const bounds = (this.hand?.bounds ?? this.frame.getBoundingClientRect())
    const [width, height] = this.data.size
    return [((event.clientX - bounds.left) / bounds.width) * width, ((event.clientY - bounds.top) / bounds.height) * height]
  }

  tell(settled) {
    this.owed ||= settled
    this.channel.offer(() => {
      const { missing = [], owed } = this
      this.missing = []
      this.owed = false
      return { runs: toRuns(this.values), sheet: this.data.sheet, missing, settled: owed && !this.hand }
    })
  }

  begin(id, type, place, erasing = false) {
    this.hand = { id, type, before: this.values.slice(), erasing: erasing || this.data.tool === 'erase', bounds: this.frame.getBoundingClientRect() }
    holding(true)
    this.last = place
    this.put(place)
  }

  /** Paint from the last place to this one. */
  put(place) {
    const { data, hand, values } = this
    const [width, height] = data.size
    if (data.tool === 'fill' && !hand.erasing) {
      if (place === this.last) fill(values, width, height, place, data.paint)
    } else stroke(values, width, height, this.last, place, data.radius, hand.erasing ? 0 : data.paint)
    this.last = place
  }

  shown() {
    this.draw()
    this.tell(false)
  }

  down(event) {
    if (this.hand) {
      if (event.pointerType === 'touch' && this.hand.type === 'touch') this.up({ pointerId: this.hand.id }, true) // two fingers do not paint
      return
    }
    if (event.button !== 0 && event.button !== ERASER) return
    this.frame.setPointerCapture(event.pointerId)
    this.frame.focus({ preventScroll: true })
    const place = this.at(event)
    this.begin(event.pointerId, event.pointerType, place, event.button === ERASER)
    this.point(place)
    this.shown()
    event.preventDefault()
  }

  travel(event) {
    if (this.hand && this.hand.id !== event.pointerId) return
    const way = this.hand && event.getCoalescedEvents ? event.getCoalescedEvents() : []
    for (const each of way.length ? way : [event]) {
      this.place = this.at(each)
      if (this.hand) this.put(this.place)
    }
    if (this.hand) this.shown()
    else this.point(this.place)
  }

  up(event, cancelled = false) {
    if (this.hand?.id === event.pointerId) this.lift(event.pointerId, cancelled)
    if (event.pointerType === 'touch') this.point(null)
  }

  /** The stroke is over; cancelled, it has never been. */
  lift(id, cancelled = false) {
    if (this.hand?.id !== id) return
    const { before } = this.hand
    this.hand = null
    holding(false)
    if (cancelled) this.values = before
    else if (before.some((paint, i) => paint !== this.values[i])) this.remember(before, this.values)
    this.draw()
    this.tell(true)
  }

  remember(before, values) {
    this.done.push(before)
    if (this.done.length > STEPS) this.done.shift()
    this.undone = []
    this.values = values
  }

  replace(values) {
    this.remember(this.values, values)
    this.draw()
    this.tell(true)
  }

  step(from, to) {
    if (!from.length || this.hand) return
    to.push(this.values)
    this.values = from.pop()
    this.draw()
    this.tell(true)
  }

  key(event) {
    const { key } = event
    const [width, height] = this.data.size
    const here = this.place ?? [width / 2, height / 2]
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'z') this.step(...(event.shiftKey ? [this.undone, this.done] : [this.done, this.undone]))
    else if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'y') this.step(this.undone, this.done)
    else if (event.ctrlKey || event.metaKey || event.altKey) return
    else if (key in ARROWS) {
      const by = event.shiftKey ? 16 : 4
      const place = here.map((v, i) => clamp(v + by * ARROWS[key][i], 0, this.data.size[i]))
      if (this.hand?.id === 'key') this.put(place)
      this.point(place)
      if (this.hand?.id === 'key') this.shown()
    } else if (key === ' ') {
      if (!this.hand && !event.repeat) {
        this.begin('key', 'key', here)
        this.point(here)
        this.shown()
      }
    } else if (key === 'Enter' && !this.hand) {
      const values = this.values.slice()
      fill(values, width, height, here, this.data.tool === 'erase' ? 0 : this.data.paint)
      this.point(here)
      this.replace(values)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
}

export default (component) => render(component, style, Brush)
