// Pointer and keyboard on a stage: moving, resizing, drawing, deleting boxes, clicks, hover, zoom and pan.

const { clamp, holding, say } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

const CLICK = 4 // px a pointer may travel during a click
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

export class Hands {
  constructor(stage) {
    this.stage = stage
    this.pointers = new Map()
    const { frame } = stage
    frame.onpointerdown = (event) => this.down(event)
    frame.onpointermove = (event) => this.travel(event)
    frame.onpointerup = (event) => this.up(event)
    frame.onpointercancel = (event) => this.up(event, true)
    frame.onpointerleave = () => this.point(null)
    frame.onkeydown = (event) => this.key(event)
    frame.onkeyup = (event) => event.key === ' ' && (this.space = false)
    frame.onfocus = () => {
      this.space = false
      stage.cross.enter()
    }
    frame.onblur = () => {
      this.space = false
      stage.cross.hide()
    }
    frame.addEventListener('touchstart', (event) => this.claim(event), { passive: false })
    frame.addEventListener('wheel', (event) => this.wheel(event), { passive: false })
    frame.addEventListener('focusin', (event) => {
      const id = event.target.closest('[data-id]')?.dataset.id
      if (id !== undefined) stage.select(id)
    })
  }

  get full() {
    return this.stage.boxes().filter((box) => box.editable).length >= this.stage.data.most
  }

  freshId() {
    const used = new Set(this.stage.boxes().map((box) => box.id))
    let number = 1
    while (used.has(`box-${number}`)) number += 1
    return `box-${number}`
  }

  claim(event) {
    // A finger on a box moves the box and not the page; touch-action on a shape inside an SVG is not enough in Chromium.
    const { box, handle } = this.stage.under(this.stage.at(event.touches[0]), true)
    if (handle || box?.editable) event.preventDefault()
  }

  down(event) {
    if (event.button > 1) return
    this.stage.cross.hide()
    this.pointers.set(event.pointerId, [event.clientX, event.clientY])
    this.stage.frame.setPointerCapture(event.pointerId)
    if (this.pointers.size === 2) return this.startPinch()
    const place = this.stage.at(event)
    const found = this.stage.under(place, event.pointerType === 'touch')
    const start = { from: place, client: [event.clientX, event.clientY], found, pan: [...this.stage.pan] }
    if (this.space || event.button === 1) this.action = { kind: 'pan', ...start }
    else if (found.handle) this.action = { kind: 'resize', xyxy: found.box.xyxy, ...start }
    else if (found.box?.editable && !found.inside) {
      this.action = { kind: 'move', xyxy: found.box.xyxy, ...start }
      this.stage.select(found.what)
    } else this.action = { kind: this.stage.data.drawable ? 'draw' : this.stage.zoom > 1 ? 'pan' : 'click', ...start }
    holding(['move', 'resize'].includes(this.action.kind))
    const id = found.box?.editable && !found.inside ? found.what : null
    const node = id === null ? this.stage.frame : [...this.stage.boxGroup.children].find((child) => child.dataset.id === id)
    node.focus({ preventScroll: true })
    event.preventDefault()
  }

  travel(event) {
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, [event.clientX, event.clientY])
    if (this.pinch) return this.pinching()
    const place = this.stage.at(event)
    const { action } = this
    if (!action) return this.point(place)
    const moved = [event.clientX - action.client[0], event.clientY - action.client[1]]
    action.far ||= Math.hypot(...moved) > CLICK
    if (!action.far) return
    const [width, height] = this.stage.data.size
    if (action.kind === 'pan') this.stage.panTo([action.pan[0] + moved[0], action.pan[1] + moved[1]])
    else if (action.kind === 'move') {
      const [x1, y1, x2, y2] = action.xyxy
      const dx = clamp(moved[0] / this.stage.view.scale, -x1, width - x2)
      const dy = clamp(moved[1] / this.stage.view.scale, -y1, height - y2)
      this.stage.change(action.found.what, [x1 + dx, y1 + dy, x2 + dx, y2 + dy])
    } else if (action.kind === 'resize') this.resize(action, place.unit)
    else if (action.kind === 'draw') {
      if (!action.id) {
        if (this.full) return
        action.id = this.stage.selected = this.freshId()
      }
      const [[ax, ay], [bx, by]] = [action.from.unit, place.unit]
      this.stage.change(action.id, [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)])
    }
  }

  /** The dragged corner or edge follows the pointer; passing the opposite one turns the box over. */
  resize({ xyxy: [x1, y1, x2, y2], found }, [px, py]) {
    const name = found.handle
    const xs = name.includes('w') ? [px, x2] : name.includes('e') ? [x1, px] : [x1, x2]
    const ys = name.includes('n') ? [py, y2] : name.includes('s') ? [y1, py] : [y1, y2]
    this.stage.change(found.what, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])
  }

  up(event, cancelled = false) {
    this.pointers.delete(event.pointerId)
    holding(false)
    if (this.pinch) {
      if (this.pointers.size < 2) this.pinch = null
      this.action = null
      this.settle()
      return
    }
    const { action } = this
    this.action = null
    if (!action) return this.settle()
    if (action.kind === 'draw' && action.id) this.finishDrawing(action.id)
    if (!action.far && !cancelled) {
      this.click(action.from, action.found)
    } else if (this.stage.edits) this.stage.tell()
  }

  /** After a second finger: the box that the first one had moved rests where it is. */
  settle() {
    if (!this.unsettled || this.pointers.size) return
    this.unsettled = false
    this.stage.tell()
  }

  click({ unit }, { what, box, inside }) {
    if (!box?.editable && this.stage.selected !== null) this.stage.selected = null
    if (inside) this.stage.selected = what // pressed in a hollow box, which a drag would have drawn over
    const [x, y] = unit.map((v) => this.stage.round(v))
    this.stage.click = { x, y, what, when: Date.now() }
    this.stage.draw()
    this.stage.tell()
  }

  /** A box too thin to be seen or grabbed was a slip of the hand. */
  finishDrawing(id) {
    const [x1, y1, x2, y2] = this.stage.edits.get(id)
    if (Math.min(x2 - x1, y2 - y1) * this.stage.view.scale >= 5) return
    this.stage.selected = null
    this.stage.change(id, null)
  }

  /** Hover: highlight, tooltip, cursor, and the report to Python if it asked. */
  point(place) {
    if (this.action) return
    const found = place ? this.stage.under(place) : { what: null }
    if (this.stage.over !== found.what) {
      this.stage.over = found.what
      this.stage.draw()
    }
    this.stage.tip.hidden = !found.note
    if (found.note) {
      say(this.stage.tip, found.note)
      const { width, height } = this.stage.view
      const [x, y] = place.screen
      this.stage.tip.style.left = `${clamp(x + 14, 4, width - this.stage.tip.offsetWidth - 4)}px`
      this.stage.tip.style.top = `${clamp(y + 18 + this.stage.tip.offsetHeight > height ? y - this.stage.tip.offsetHeight - 8 : y + 18, 4, height)}px`
    }
    this.stage.frame.style.cursor = found.handle ? `${found.handle}-resize` : found.box?.editable && !found.inside ? 'move' : this.stage.data.drawable ? 'crosshair' : this.stage.zoom > 1 ? 'grab' : 'default'
    if (!this.stage.data.hover) return
    const [x, y] = place ? place.unit.map((v) => this.stage.round(v)) : []
    const hover = place ? { x, y, what: found.what } : null
    if (JSON.stringify(hover) === JSON.stringify(this.stage.hover ?? null)) return
    this.stage.hover = hover
    this.stage.tell(!hover)
  }

  key(event) {
    if (event.target.closest('.tools')) return
    const { key } = event
    const { cross } = this.stage
    const box = this.stage.boxes().find((each) => each.editable && each.id === this.stage.selected)
    if (key in ARROWS && box) this.nudge(box, ARROWS[key], event.shiftKey ? 10 : 1, event.altKey)
    else if (key in ARROWS && cross.lattice) cross.move(ARROWS[key], event.shiftKey ? 10 : 1)
    else if (key === 'Enter' && cross.shown) this.click(cross.where, this.stage.under(cross.where))
    else if (key in ARROWS && this.stage.zoom > 1) this.stage.panTo(this.stage.pan.map((v, i) => v - 40 * ARROWS[key][i]))
    else if ((key === 'Delete' || key === 'Backspace') && box && this.stage.data.drawable) {
      this.stage.selected = null
      this.stage.frame.focus({ preventScroll: true })
      this.stage.change(box.id, null)
    } else if (key === 'n' && this.stage.data.drawable && !event.ctrlKey && !event.metaKey) this.addInMiddle()
    else if (key === 'Escape' && this.stage.selected !== null) this.stage.select(null)
    else if (key === 'Escape' && cross.shown) cross.hide()
    else if (key === ' ') this.space = true
    else if (event.ctrlKey || event.metaKey || !this.stage.data.zoom) return
    else if (key === '+' || key === '=') this.stage.zoomTo(this.stage.zoom * 1.25)
    else if (key === '-') this.stage.zoomTo(this.stage.zoom / 1.25)
    else if (key === '0') this.stage.zoomTo(1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  nudge({ id, xyxy: [x1, y1, x2, y2] }, [right, down], step, resize) {
    const [width, height] = this.stage.data.size
    const unit = step * Math.min(1, Math.max(width, height) / 100) // small pictures (feature maps) move in small steps
    const dx = clamp(right * unit, resize ? x1 + unit - x2 : -x1, width - x2)
    const dy = clamp(down * unit, resize ? y1 + unit - y2 : -y1, height - y2)
    this.stage.change(id, resize ? [x1, y1, x2 + dx, y2 + dy] : [x1 + dx, y1 + dy, x2 + dx, y2 + dy])
  }

  /** Drawing without a pointer: a new box in the middle of what is visible, to be moved by the arrow keys. */
  addInMiddle() {
    if (this.full) return
    const { scale, x, y, width, height } = this.stage.view
    const [cx, cy, half] = [(width / 2 - x) / scale, (height / 2 - y) / scale, Math.min(width, height) / 8 / scale]
    this.stage.selected = this.freshId()
    this.stage.change(this.stage.selected, [cx - half, cy - half, cx + half, cy + half])
  }

  wheel(event) {
    if (!event.ctrlKey || !this.stage.data.zoom) return
    event.preventDefault()
    this.stage.zoomTo(this.stage.zoom * Math.exp(-event.deltaY / 200), this.stage.at(event).screen)
  }

  startPinch() {
    const [a, b] = [...this.pointers.values()]
    if (this.action?.kind === 'draw' && this.action.id) this.finishDrawing(this.action.id)
    this.unsettled ||= Boolean(this.action?.far) // what the first finger has moved is told when both lift
    this.action = null
    if (this.stage.data.zoom) this.pinch = { zoom: this.stage.zoom, apart: Math.hypot(a[0] - b[0], a[1] - b[1]) }
  }

  pinching() {
    const [a, b] = [...this.pointers.values()]
    const middle = { clientX: (a[0] + b[0]) / 2, clientY: (a[1] + b[1]) / 2 }
    this.stage.zoomTo((this.pinch.zoom * Math.hypot(a[0] - b[0], a[1] - b[1])) / this.pinch.apart, this.stage.at(middle).screen)
  }
}
