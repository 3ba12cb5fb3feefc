// The pointer of those who use no pointer: a cross that the arrow keys move over the picture, and Enter clicks with.

const { make, put, say } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

export const HINT = 'Arrow keys move the cross, Enter clicks.'
const READING = 50 // steps across a picture that is not clicked, whose notes alone are read
const ARM = 11 // px from the middle of the cross to its ends
const GAP = 3 // px around the middle that stay free

export class Cross {
  constructor(stage) {
    this.stage = stage
    this.place = null // where it stands, in picture pixels; kept while it is hidden
    this.shown = false
    this.node = make('g', { display: 'none', 'data-cross': '' }, make('path', { class: 'edge', 'stroke-width': 6 }),
      make('path', { class: 'line', stroke: '#fff', 'stroke-width': 2.5 }))
    stage.svg.append(this.node)
  }

  /** [first place, distance of two places] along both axes, in picture pixels; null if there is nothing to point at. */
  get lattice() {
    const { pick, layers, size } = this.stage.data
    if (pick) return pick
    const step = Math.max(...size) / READING
    const tells = layers.some((layer) => layer.notes?.length || layer.boxes?.some?.((box) => box.note))
    return tells && this.stage.zoom === 1 ? [step / 2, step] : null
  }

  /** The place of the lattice nearest to `at`, inside the picture. */
  snap(at) {
    const [first, step] = this.lattice
    return at.map((v, i) => {
      const last = first + step * Math.floor((this.stage.data.size[i] - first) / step)
      return Math.min(Math.max(first + step * Math.round((v - first) / step), first), last)
    })
  }

  /** The frame has the focus: where a click has a meaning, the cross is there at once, and a line says what keys do. */
  enter() {
    if (!this.stage.data.pick || !this.stage.frame.matches(':focus-visible')) return
    this.move([0, 0])
    if (!this.stage.tip.hidden) return
    say(this.stage.tip, HINT)
    Object.assign(this.stage.tip.style, { left: '6px', top: '6px' })
    this.stage.tip.hidden = false
  }

  /** One step, or `times` as far; the picture follows where it is enlarged. */
  move(direction, times = 1) {
    const { stage, lattice: [, step] } = this
    const { click, data } = stage
    const from = this.place ?? (click ? [click.x, click.y] : data.size.map((length) => length / 2))
    this.place = this.snap(from.map((v, i) => v + direction[i] * step * times))
    this.shown = true
    const { scale, x, y, width, height } = stage.view
    const beyond = (at, length) => Math.min(0, at - 2 * ARM) + Math.max(0, at + 2 * ARM - length)
    const [sx, sy] = [this.place[0] * scale + x, this.place[1] * scale + y]
    stage.panTo([x - beyond(sx, width), y - beyond(sy, height)])
    stage.hands.point(this.where)
  }

  /** The place as the pointer would report it. */
  get where() {
    const { scale, x, y } = this.stage.view
    return { screen: [this.place[0] * scale + x, this.place[1] * scale + y], unit: this.place }
  }

  hide() {
    if (!this.shown) return
    this.shown = false
    this.draw()
    this.stage.hands.point(null)
  }

  draw() {
    put(this.node, { display: this.shown ? null : 'none' })
    if (!this.shown) return
    const [x, y] = this.where.screen
    const arm = (dx, dy) => `M${(x + GAP * dx).toFixed(1)} ${(y + GAP * dy).toFixed(1)}l${(ARM - GAP) * dx} ${(ARM - GAP) * dy}`
    const d = arm(1, 0) + arm(-1, 0) + arm(0, 1) + arm(0, -1)
    for (const line of this.node.children) put(line, { d })
  }
}
