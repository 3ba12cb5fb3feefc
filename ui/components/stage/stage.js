// A picture with layers whose boxes can be edited; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { clamp, make, put, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const paint = await import(new URL(`paint.js${version}`, import.meta.url))
const { paintLabels } = await import(new URL(`labels.js${version}`, import.meta.url))
const fullScreen = await import(new URL(`full_screen.js${version}`, import.meta.url))
const save = await import(new URL(`save.js${version}`, import.meta.url))
const { Shelf } = await import(new URL(`shelf.js${version}`, import.meta.url))
const { Hands } = await import(new URL(`hands.js${version}`, import.meta.url))
const { Cross, HINT } = await import(new URL(`cross.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const FARTHEST = 16 // greatest zoom

class Stage {
  constructor(root, data) {
    this.root = root
    this.shelf = new Shelf()
    this.zoom = 1
    this.pan = [0, 0]
    this.selected = data.selected
    this.edits = null // Map id → xyxy while Python has not yet confirmed what the hand did
    this.canvases = make('div', { class: 'rasters' })
    this.vectors = make('g')
    this.labels = make('g', { class: 'labels' })
    this.handles = make('g')
    this.svg = make('svg', { class: 'vectors' }, this.vectors, this.handles, this.labels)
    this.tip = make('div', { class: 'tip', role: 'status', hidden: '' })
    const button = (name, text, act) => {
      const node = make('button', { type: 'button', 'aria-label': name, title: name }, text)
      node.onclick = act
      node.onpointerdown = (event) => event.stopPropagation()
      return node
    }
    this.zooms = [button('Zoom in', '+', () => this.zoomTo(this.zoom * 1.5)),
      button('Zoom out', '\u2212', () => this.zoomTo(this.zoom / 1.5)), button('Whole picture', '1:1', () => this.zoomTo(1))]
    this.tools = make('div', { class: 'tools' }, ...this.zooms, button('Full screen (f)', fullScreen.icon(), () => fullScreen.toggle(this)),
      ...save.buttons(this, button))
    this.frame = make('div', { class: 'frame', tabindex: 0, role: 'group' }, this.canvases, this.svg, this.tip, this.tools)
    this.caption = make('div', { class: 'caption' })
    root.replaceChildren(this.frame, this.caption)
    root.className = 'stage'

    this.cross = new Cross(this)
    this.hands = new Hands(this)
    // The size is kept because reading it after a change makes the browser lay out the page, once per stage.
    new ResizeObserver(() => {
      this.size = this.unit = undefined // lecture mode's style sheet may come after the first drawing
      this.draw()
    }).observe(this.frame)
    // Every canvas is a layer that the browser puts together anew in each frame, also far off the screen.
    new IntersectionObserver((entries) => this.canvases.classList.toggle('away', !entries.at(-1).isIntersecting), { rootMargin: '100%' })
      .observe(this.frame)
    fullScreen.join(this)
  }

  update(data) {
    this.data = data
    const [width, height] = data.size
    const widest = data.width ? `, var(--stage-width, ${data.width / 16}rem)` : ''
    const ratio = (width / height).toFixed(4)
    if (this.shape !== ratio + widest) {
      if (this.shape) this.size = null // the observer above sees the new size and draws, before anything is shown
      this.shape = ratio + widest
      this.frame.style.width = `min(100%, calc(var(--stage-height, 62vh) * ${ratio})${widest})`
      this.frame.style.aspectRatio = ratio
    }
    put(this.frame, { 'aria-label': data.alt, 'aria-description': data.pick ? HINT : null })
    this.root.classList.toggle('drawable', data.drawable)
    for (const node of this.zooms) node.hidden = !data.zoom
    say(this.caption, data.caption)
    this.caption.hidden = !data.caption
    if (!this.hands.action && this.channel.covers(data)) {
      this.edits = null
      this.selected = data.selected
    }
    this.shelf.take(data.rasters)
    const arriving = this.shelf.wait(this.shown().map((layer) => layer.name))
    if (arriving) arriving.then(() => this.data === data && this.rasters())
    else this.rasters()
    if (this.size !== null) this.draw()
  }

  /** Base picture and raster layers. */
  shown() {
    const { layers, picture, smooth } = this.data
    const above = layers.filter((layer) => layer.kind === 'raster')
    return picture ? [{ name: picture, opacity: 1, smooth, xyxy: null }, ...above] : above
  }

  /** What is missing is asked for, and the old picture stays until then. */
  rasters() {
    const { data } = this
    const shown = this.shown()
    const missing = shown.map((layer) => layer.name).filter((name) => this.shelf.lacks(name))
    if (missing.length && !data.relayed) { // what the lecturer shows comes with her next word
      this.missing = missing
      this.tell()
    }
    while (this.canvases.childElementCount > shown.length) this.canvases.lastChild.remove()
    while (this.canvases.childElementCount < shown.length) this.canvases.append(make('canvas'))
    shown.forEach((layer, i) => {
      const canvas = this.canvases.children[i]
      paint.paintRaster(canvas, layer.name, this.shelf.get(layer.name))
      const [x1, y1, x2, y2] = layer.xyxy ?? [0, 0, ...data.size]
      const per = (value, whole) => `${((100 * value) / whole).toFixed(3)}%`
      Object.assign(canvas.style, {
        left: per(x1, data.size[0]), top: per(y1, data.size[1]), width: per(x2 - x1, data.size[0]), height: per(y2 - y1, data.size[1]),
        opacity: layer.opacity,
      })
    })
    if (this.size) this.smooth()
  }

  /** A few screen pixels per picture pixel look best smooth; far in, the pixels themselves are the subject. */
  smooth() {
    const { size: [width] } = this.data
    this.shown().forEach((layer, i) => {
      const canvas = this.canvases.children[i]
      if (!canvas?.width) return
      const share = layer.xyxy ? (layer.xyxy[2] - layer.xyxy[0]) / width : 1
      const large = (this.measured()[0] * this.zoom * share) / canvas.width > 4
      canvas.style.imageRendering = layer.smooth === false || (layer.smooth === null && large) ? 'pixelated' : 'auto'
    })
  }

  /** Width and height of the frame in CSS pixels; 0 while it is not shown. */
  measured() {
    if (!this.size?.[0]) this.size = [this.frame.clientWidth, this.frame.clientHeight]
    return this.size
  }

  get view() {
    const [width, height] = this.measured()
    this.family ??= getComputedStyle(this.frame).fontFamily
    this.unit ??= parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
    const label = this.unit > 1 ? Math.max(18, 14 * this.unit) : 14
    return { scale: (width / this.data.size[0]) * this.zoom, x: this.pan[0], y: this.pan[1], width, height, unit: this.unit, label, family: this.family }
  }

  /** All boxes as they are to be drawn: Python's looks, the hand's places. */
  boxes() {
    const given = this.data.layers.flatMap((layer) => (layer.kind === 'boxes' ? layer.boxes : []))
    if (!this.edits) return given
    const known = given.filter((box) => !box.editable || this.edits.has(box.id))
      .map((box) => (box.editable ? { ...box, xyxy: this.edits.get(box.id) } : box))
    const ids = new Set(given.map((box) => box.id))
    const fresh = [...this.edits].filter(([id]) => !ids.has(id)).map(([id, xyxy]) => ({ ...this.data.newBox, id, xyxy, label: '', editable: true }))
    return [...known, ...fresh]
  }

  draw() {
    if (!this.data || !this.measured()[0]) return
    this.smooth()
    const { view, data } = this
    put(this.svg, { viewBox: `0 0 ${view.width} ${view.height}` })
    const world = `translate(${this.pan[0]}px, ${this.pan[1]}px) scale(${this.zoom})`
    if (this.canvases.style.transform !== world) this.canvases.style.transform = world
    this.frame.classList.toggle('enlarged', this.zoom > 1)
    const kinds = data.layers.filter((layer) => layer.kind !== 'raster' && layer.kind !== 'boxes')
    const groups = this.groups(kinds.length + 1)
    const boxes = this.boxes()
    const handles = paint.paintBoxes(groups[kinds.length], boxes, view, { selected: this.selected, over: this.over })
    kinds.forEach((layer, i) => {
      if (groups[i].dataset.kind !== layer.kind) groups[i].replaceChildren()
      groups[i].dataset.kind = layer.kind
      if (layer.kind === 'points') paint.paintPoints(groups[i], layer, view, this.over)
      else if (layer.kind === 'lines') paint.paintLines(groups[i], layer, view)
      else if (layer.kind === 'grid') paint.paintGrid(groups[i], layer, view, data.size)
    })
    paint.paintHandles(this.handles, handles)
    this.root.style.setProperty('--label', `${view.label}px`)
    paintLabels(this.labels, this.named(boxes, view), view)
    this.cross.draw()
  }

  /** What bears words: boxes, then points, with the places they take on the screen. */
  named(boxes, view) {
    const found = boxes.filter((box) => box.label).map((box) => ({ text: box.label, at: paint.toScreen(box.xyxy, view), colour: box.colour }))
    for (const layer of this.data.layers.filter((each) => each.kind === 'points' && each.labels)) {
      const r = layer.radius * view.unit + 2
      layer.xy.forEach((xy, i) => {
        const [x, y] = paint.toScreen(xy, view)
        if (layer.labels[i]) found.push({ text: layer.labels[i], at: [x - r, y - r, x + r, y + r] })
      })
    }
    return found
  }

  /** `count` groups; the last one always holds the boxes, so that a focused box keeps its node when layers come and go. */
  groups(count) {
    if (!this.boxGroup) this.vectors.append((this.boxGroup = make('g')))
    while (this.vectors.childElementCount > count) this.vectors.firstChild.remove()
    while (this.vectors.childElementCount < count) this.vectors.insertBefore(make('g'), this.boxGroup)
    return this.vectors.children
  }

  /** Message to Python: edits until they are confirmed, hover, click, selection, and rasters the browser lacks. A hand on
   *  the way is not `settled`; what is settled stays so until it has been told. */
  tell(settled = !this.hands.action) {
    this.owed ||= settled
    this.channel.offer(() => {
      const { selected, hover, click, missing = [], owed } = this
      this.missing = []
      this.owed = false
      const boxes = this.edits && [...this.edits].map(([id, xyxy]) => ({ id, xyxy }))
      return { ...(boxes ? { boxes } : {}), selected, hover: hover ?? null, click: click ?? null, missing, settled: owed }
    })
  }

  change(id, xyxy) {
    this.edits ??= new Map(this.boxes().filter((box) => box.editable).map((box) => [box.id, box.xyxy]))
    if (xyxy) this.edits.set(id, xyxy.map((v) => this.round(v)))
    else this.edits.delete(id)
    this.draw()
    this.tell()
  }

  /** A coordinate without digits that nobody can see: a tenth of a pixel on a picture of a few hundred. */
  round(value) {
    const places = Math.max(0, 3 - Math.floor(Math.log10(Math.max(...this.data.size))))
    return Number(value.toFixed(places))
  }

  select(id) {
    if (this.selected === id) return
    this.selected = id
    this.draw()
    this.tell()
  }

  /** Pointer place in screen and picture pixels. */
  at(event) {
    const bounds = this.frame.getBoundingClientRect()
    const screen = [event.clientX - bounds.left - this.frame.clientLeft, event.clientY - bounds.top - this.frame.clientTop]
    const { scale, x, y } = this.view
    return { screen, unit: [clamp((screen[0] - x) / scale, 0, this.data.size[0]), clamp((screen[1] - y) / scale, 0, this.data.size[1])] }
  }

  /** What lies under the pointer: a handle of the selected box, a point, or the smallest box around it. */
  under({ screen: [x, y] }, finger = false) {
    const { view } = this
    const boxes = this.boxes().map((box) => ({ box, screen: paint.toScreen(box.xyxy, view) }))
    const reach = finger ? 22 : 11
    for (const { box, screen } of boxes.filter(({ box }) => box.editable && box.id === this.selected)) {
      const near = Object.entries(paint.handlePlaces(screen)).map(([name, [hx, hy]]) => [Math.hypot(hx - x, hy - y), name]).sort((a, b) => a[0] - b[0])[0]
      if (near[0] <= reach) return { what: box.id, box, handle: near[1] }
    }
    for (const layer of this.data.layers.filter((layer) => layer.kind === 'points')) {
      const index = layer.xy.findIndex((xy) => { const [px, py] = paint.toScreen(xy, view); return Math.hypot(px - x, py - y) <= layer.radius + (finger ? 12 : 4) })
      if (index >= 0) return { what: paint.pointId(layer, index), note: layer.notes?.[index] ?? layer.labels?.[index] }
    }
    const slack = finger ? 10 : 4
    const around = boxes.filter(({ screen: s }) => x >= s[0] - slack && x <= s[2] + slack && y >= s[1] - slack && y <= s[3] + slack)
    // The selected box is kept; then what can be edited wins over what cannot, and the smaller over the larger.
    const rank = ({ box, screen: s }) => (box.editable ? (box.id === this.selected ? -1 : 0) : 1e9) + (s[2] - s[0]) * (s[3] - s[1]) * (box.id !== this.selected)
    const best = around.sort((a, b) => rank(a) - rank(b))[0]
    if (!best) return { what: null }
    const [x1, y1, x2, y2] = best.screen
    const deep = Math.min(x - x1, x2 - x, y - y1, y2 - y) > slack + 2
    const inside = Boolean(this.data.hollow && best.box.editable && deep)
    return { what: best.box.id, box: best.box, note: best.box.note, inside }
  }

  zoomTo(zoom, [x, y] = [this.frame.clientWidth / 2, this.frame.clientHeight / 2]) {
    const next = clamp(zoom, 1, FARTHEST)
    const ratio = next / this.zoom
    this.zoom = next
    this.panTo([x - (x - this.pan[0]) * ratio, y - (y - this.pan[1]) * ratio])
    this.rasters()
  }

  panTo([x, y]) {
    const { clientWidth: width, clientHeight: height } = this.frame
    this.pan = [clamp(x, width * (1 - this.zoom), 0), clamp(y, height * (1 - this.zoom), 0)]
    this.draw()
  }
}

export default (component) => render(component, style, Stage)
