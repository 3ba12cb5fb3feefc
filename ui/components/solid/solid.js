// Meshes side by side that turn together under a hand; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { clamp, holding, make, put, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { meshOf, projected, vertexAt } = await import(new URL(`geometry.js${version}`, import.meta.url))
const webgl = await import(new URL(`webgl.js${version}`, import.meta.url))
const software = await import(new URL(`software.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const STEP = 10 // degrees for an arrow key
const REACH = 0.09 // of half a picture: how near to a vertex the pointer must be
const REST = 400 // ms after the last key until the direction counts as chosen
const HINT = 'Drag, or press the arrow keys, to turn. Plus and minus zoom, 0 shows the front.'

class Solid {
  constructor(root, data) {
    this.turn = data.turn
    this.zoom = 1
    this.tiles = []
    this.held = null // where the pointer was last, while a hand turns
    this.hover = null
    const button = (name, text, act) => {
      const node = make('button', { type: 'button', 'aria-label': name, title: name }, text)
      node.onclick = act
      node.onpointerdown = (event) => event.stopPropagation()
      return node
    }
    this.row = make('div', { class: 'row' })
    const tools = make('div', { class: 'tools' }, button('From the front (0)', 'Front', () => this.face(0, 0)),
      button('From the side', 'Side', () => this.face(-90, 0)), button('Save as PNG', 'PNG', () => this.save()))
    this.frame = make('div', { class: 'frame', tabindex: 0, role: 'group', 'aria-description': HINT }, this.row, tools)
    this.caption = make('div', { class: 'caption' })
    root.className = 'solid'
    root.replaceChildren(this.frame, this.caption)
    Object.assign(this.frame, {
      onpointerdown: (event) => this.grasp(event),
      onpointermove: (event) => this.move(event),
      onpointerup: () => this.release(),
      onpointercancel: () => this.release(),
      onkeydown: (event) => this.key(event),
    })
    new ResizeObserver(() => this.draw()).observe(this.row)
  }

  update(data) {
    this.data = data
    if (!this.held && !this.resting && this.channel.covers(data)) this.turn = data.turn
    put(this.frame, { 'aria-label': data.alt })
    say(this.caption, data.caption)
    this.caption.hidden = !data.caption
    this.row.style.setProperty('--tall', `${data.tall / 16}rem`)
    while (this.tiles.length > data.solids.length) this.tiles.pop().node.remove()
    while (this.tiles.length < data.solids.length) {
      const [title, canvas] = [make('div', { class: 'title' }), make('canvas', { 'aria-hidden': 'true' })]
      const node = make('div', { class: 'tile' }, title, canvas)
      this.row.append(node)
      this.tiles.push({ node, title, canvas })
    }
    data.solids.forEach((told, i) => {
      const tile = this.tiles[i]
      tile.mesh = meshOf(told, tile.mesh)
      tile.colour = [1, 3, 5].map((at) => parseInt(told.colour.slice(at, at + 2), 16))
      say(tile.title, told.title)
      tile.title.hidden = !data.solids.some((each) => each.title)
    })
    this.draw()
  }

  /** At the next frame, however often it is asked for until then. */
  draw() {
    this.frameAsked ||= requestAnimationFrame(() => {
      this.frameAsked = 0
      for (const tile of this.tiles) this.paint(tile)
    })
  }

  paint({ canvas, mesh, colour }) {
    const dense = Math.min(devicePixelRatio || 1, 2)
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * dense))
    if (!width || !height) return
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    const drawn = webgl.paint(canvas, mesh, this.turn, this.zoom, colour)
    if (!drawn) software.paint(canvas, mesh, this.turn, this.zoom, colour)
    this.frame.dataset.drawn = drawn ? 'webgl' : 'software'
    this.frame.dataset.turn = this.turn.map((value) => value.toFixed(1)).join()
    const { mark } = this.data
    if (mark && mark[0] === mesh.told.id && 3 * mark[1] < mesh.vertices.length) this.dot(canvas, mesh, mark[1], dense)
  }

  dot(canvas, mesh, vertex, dense) {
    const places = projected(mesh, this.turn, this.zoom)
    const half = Math.min(canvas.width, canvas.height) / 2
    const pen = canvas.getContext('2d')
    pen.beginPath()
    pen.arc(canvas.width / 2 + half * places[3 * vertex], canvas.height / 2 + half * places[3 * vertex + 1], 6 * dense, 0, 7)
    Object.assign(pen, { fillStyle: '#D55E00', strokeStyle: '#fff', lineWidth: 2 * dense })
    pen.fill()
    pen.stroke()
  }

  grasp(event) {
    if (event.button) return
    this.held = [event.clientX, event.clientY]
    this.before = this.turn
    this.frame.setPointerCapture(event.pointerId)
    holding(true)
  }

  move(event) {
    if (!this.held) return this.data.hover && this.point(event)
    const [x, y] = this.held
    this.held = [event.clientX, event.clientY]
    this.by(-(event.clientX - x) / 2, (event.clientY - y) / 2)
  }

  release() {
    if (!this.held) return
    this.held = null
    holding(false)
    if (this.turn !== this.before) this.tell(true)
  }

  by(aside, up) {
    const around = (((this.turn[0] + aside + 180) % 360) + 360) % 360 - 180
    this.turn = [around, clamp(this.turn[1] + up, -90, 90)]
    this.draw()
  }

  face(...turn) {
    this.turn = turn
    this.zoom = 1
    this.draw()
    this.tell(true)
  }

  key(event) {
    if (event.target !== this.frame || event.ctrlKey || event.metaKey || event.altKey) return
    const turned = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key]
    const zoomed = { '+': 1.25, '=': 1.25, '-': 0.8 }[event.key]
    if (!turned && !zoomed && event.key !== '0') return
    event.preventDefault()
    if (event.key === '0') return this.face(0, 0)
    if (zoomed) {
      this.zoom = clamp(this.zoom * zoomed, 0.5, 6)
      return this.draw()
    }
    this.by(...turned)
    clearTimeout(this.resting)
    this.resting = setTimeout(() => {
      this.resting = null
      this.tell(true)
    }, REST)
  }

  /** The vertex under the pointer, told once per vertex. */
  point(event) {
    const tile = this.tiles.find(({ canvas }) => event.composedPath().includes(canvas))
    if (!tile) return
    const box = tile.canvas.getBoundingClientRect()
    const half = Math.min(box.width, box.height) / 2
    const place = [(event.clientX - box.left - box.width / 2) / half, (event.clientY - box.top - box.height / 2) / half]
    const vertex = vertexAt(tile.mesh, this.turn, this.zoom, place, REACH)
    if (vertex === null || (this.hover?.vertex === vertex && this.hover.id === tile.mesh.told.id)) return
    this.hover = { id: tile.mesh.told.id, vertex }
    this.tell(false)
    clearTimeout(this.paused)
    this.paused = setTimeout(() => this.tell(true), REST)
  }

  tell(settled) {
    this.channel.offer(() => ({ turn: this.turn, hover: this.hover, settled }))
  }

  save() {
    const [first] = this.tiles
    if (!first) return
    const canvas = make('canvas')
    const { width, height } = first.canvas
    Object.assign(canvas, { width: width * this.tiles.length, height })
    const pen = canvas.getContext('2d')
    pen.fillStyle = getComputedStyle(this.frame).backgroundColor
    pen.fillRect(0, 0, canvas.width, height)
    this.tiles.forEach((tile, i) => pen.drawImage(tile.canvas, i * width, 0))
    const name = `${location.pathname.split('/').filter(Boolean).at(-1) ?? 'home'}-${this.data.key.replace(/\.live$/, '')}.png`
    make('a', { href: canvas.toDataURL('image/png'), download: name.replace(/[^\w.-]+/g, '-') }).click()
  }
}

export default (component) => render(component, style, Solid)
