// The words on a picture: plates above all frames, never cut at the border, off each other and off what they name where
// there is room; one that had to go far is tied to its thing by a line.

const { ink, make, put, say } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

const ruler = document.createElement('canvas').getContext('2d')
const widths = new Map()
const FAR = 6 // px between plate and thing from which on a line ties them
const PLATE = '#14161C' // of the words beside a point

/** Width of `text` in the label font of style sheet and theme; `family` is known once the stage is on the page. */
function textWidth(text, { family, label }) {
  const key = `${family}|${label}|${text}`
  if (!widths.has(key)) {
    if (widths.size > 2000) widths.clear()
    ruler.font = `600 ${label}px ${family}`
    widths.set(key, ruler.measureText(text).width)
  }
  return widths.get(key)
}

/** Area that two rectangles [x, y, width, height] share. */
function shared([ax, ay, aw, ah], [bx, by, bw, bh]) {
  return Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx)) * Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by))
}

/** Where a plate of `width` by `height` stands: what is nearest to its thing `[x1, y1, x2, y2]` and covers least. */
function place([x1, y1, x2, y2], width, height, view, taken, things) {
  const xs = [x1 - 1, x2 - width + 1, (x1 + x2 - width) / 2, x1 - width - 2, x2 + 2]
  const choices = []
  for (let step = 0; step < 4; step += 1) {
    const [above, below] = [y1 - height - 2 - step * (height + 3), y2 + 2 + step * (height + 3)]
    for (const y of [above, below]) for (const x of xs) choices.push([x, y])
    if (step === 0) for (const x of [x1 - width - 3, x2 + 3]) choices.push([x, y1], [x, (y1 + y2 - height) / 2], [x, y2 - height])
  }
  choices.push([x1 + 2, y1 + 2], [x2 - width - 2, y2 - height - 2], [x1 + 2, y2 - height - 2])
  let best = null
  for (const [wx, wy] of choices) {
    const x = Math.min(Math.max(wx, 1), Math.max(1, view.width - width - 1))
    const y = Math.min(Math.max(wy, 1), Math.max(1, view.height - height - 1))
    const plate = [x, y, width, height]
    const words = taken.reduce((sum, other) => sum + shared(plate, other), 0)
    const covered = things.reduce((sum, [a, b, c, d]) => sum + Math.min(1, shared(plate, [a, b, c - a, d - b]) / (width * height)), 0)
    const away = Math.hypot(Math.max(x1 - x - width, x - x2, 0), Math.max(y1 - y - height, y - y2, 0)) / height
    const cost = 100 * (words / (width * height)) + 1.5 * covered + away + 0.02 * (Math.abs(x - x1) + (y > y1 ? 8 : 0)) / height
    if (!best || cost < best.cost - 1e-6) best = { cost, plate }
  }
  taken.push(best.plate)
  return best.plate
}

/** From the plate to its thing, where they do not touch; else null. */
function leader([x, y, width, height], [x1, y1, x2, y2]) {
  const near = (low, high, a, b) => (b < low ? [b, low] : a > high ? [a, high] : [Math.max(low, a), Math.max(low, a)])
  const [[px, tx], [py, ty]] = [near(x1, x2, x, x + width), near(y1, y2, y, y + height)]
  return Math.hypot(px - tx, py - ty) > FAR ? `M${px.toFixed(1)} ${py.toFixed(1)}L${tx.toFixed(1)} ${ty.toFixed(1)}` : null
}

/** `labels`: [{ text, at: screen box of the thing, colour }]; points have boxes without extent, and no colour. */
export function paintLabels(group, labels, view) {
  const shown = labels.filter(({ at: [x1, y1, x2, y2] }) => x2 >= 0 && y2 >= 0 && x1 <= view.width && y1 <= view.height)
  const things = shown.map(({ at }) => at).filter(([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1) < 0.4 * view.width * view.height)
  const taken = []
  while (group.childElementCount > shown.length) group.lastChild.remove()
  while (group.childElementCount < shown.length) {
    group.append(make('g', { class: 'tag' }, make('path', { class: 'leader' }), make('rect', { rx: 4 }), make('text')))
  }
  const height = Math.round(view.label * 1.43)
  shown.forEach(({ text, at, colour }, i) => {
    const width = Math.min(Math.ceil(textWidth(text, view)) + 12, view.width - 2)
    const plate = place(at, width, height, view, taken, things)
    const [x, y] = plate
    const [line, back, words] = group.children[i].children
    const d = leader(plate, at)
    put(line, { d, stroke: colour ?? PLATE, display: d ? null : 'none' })
    put(back, { x: x.toFixed(1), y: y.toFixed(1), width, height, fill: colour ?? PLATE })
    put(words, { x: (x + 6).toFixed(1), y: (y + height * 0.725).toFixed(1), fill: ink(colour ?? PLATE) })
    say(words, text)
  })
}
