// Draws the layers of a stage: rasters on canvases, everything else as SVG in screen pixels, so that lines and labels
// keep their size at every zoom. `view` = {scale, x, y, width, height, unit, label, family}: screen = picture · scale + (x, y),
// `unit` screen pixels for one of a usual page (1.25 in lecture mode), `label` the size of words.

const { make, put } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

/** Puts `bitmap`, raster `name`, on `canvas`, touching it only if it shows another one. */
export function paintRaster(canvas, name, bitmap) {
  if (!bitmap || canvas.dataset.name === name) return
  canvas.dataset.name = name
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) Object.assign(canvas, { width: bitmap.width, height: bitmap.height })
  const context = canvas.getContext('2d')
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.drawImage(bitmap, 0, 0)
}

/** Exactly `count` children of `group`, made by `create`; existing ones stay. */
function children(group, count, create) {
  while (group.childElementCount > count) group.lastChild.remove()
  while (group.childElementCount < count) group.append(create())
  return group.children
}

export const toScreen = (xyxy, view) => xyxy.map((v, i) => v * view.scale + (i % 2 ? view.y : view.x))

/** The boxes of one layer; `state` = {selected, over}: ids drawn stronger. */
export function paintBoxes(group, boxes, view, state) {
  const kept = new Map([...group.children].map((node) => [node.dataset.id, node]))
  const handles = []
  boxes.forEach((box, index) => {
    let node = kept.get(box.id)
    if (!node) {
      node = make('g', { 'data-id': box.id }, make('rect', { class: 'edge' }), make('rect', { class: 'box' }))
    }
    kept.delete(box.id)
    // Moving a node would take its focus away, so only misplaced ones move.
    if (group.children[index] !== node) group.insertBefore(node, group.children[index] ?? null)
    const screen = toScreen(box.xyxy, view)
    const [x1, y1, x2, y2] = screen
    const strong = state.selected === box.id || state.over === box.id
    const width = (box.width + (strong ? 1 : 0)) * view.unit
    const frame = { x: x1.toFixed(2), y: y1.toFixed(2), width: Math.max(0, x2 - x1).toFixed(2), height: Math.max(0, y2 - y1).toFixed(2) }
    const [edge, face] = node.children
    put(edge, { ...frame, 'stroke-width': width + 2, 'stroke-dasharray': box.dash ? '7 4' : null })
    put(face, { ...frame, stroke: box.colour, 'stroke-width': width, 'stroke-dasharray': box.dash ? '7 4' : null, fill: box.colour,
      'fill-opacity': Math.max(box.fill, strong ? 0.12 : 0.001) })
    put(node, { class: box.editable ? 'editable' : null, tabindex: box.editable ? 0 : null, role: box.editable ? 'button' : null,
      'aria-pressed': box.editable ? String(state.selected === box.id) : null,
      'aria-label': box.editable ? `Box ${box.label || box.id}: x ${short(box.xyxy[0])} to ${short(box.xyxy[2])}, y ${short(box.xyxy[1])} to ${short(box.xyxy[3])}` : null })
    if (box.editable && strong) handles.push([box, screen])
  })
  kept.forEach((node) => node.remove())
  return handles
}

const short = (value) => String(Number(value.toFixed(1)))

/** Corners and edge middles of a screen box with their names, in the order n to nw. */
export function handlePlaces([x1, y1, x2, y2]) {
  const [cx, cy] = [(x1 + x2) / 2, (y1 + y2) / 2]
  return { n: [cx, y1], ne: [x2, y1], e: [x2, cy], se: [x2, y2], s: [cx, y2], sw: [x1, y2], w: [x1, cy], nw: [x1, y1] }
}

export function paintHandles(group, handles) {
  const places = handles.flatMap(([box, screen]) => Object.entries(handlePlaces(screen)).map(([name, at]) => [box, name, at]))
  const nodes = children(group, places.length, () => make('rect', { class: 'handle', width: 11, height: 11, rx: 2.5 }))
  places.forEach(([box, name, [x, y]], i) => put(nodes[i], { x: (x - 5.5).toFixed(1), y: (y - 5.5).toFixed(1), stroke: box.colour, 'data-handle': name }))
}

export function paintPoints(group, layer, view, over) {
  const nodes = children(group, layer.xy.length, () => make('circle', { class: 'dot' }))
  layer.xy.forEach((xy, i) => {
    const [x, y] = toScreen(xy, view)
    const strong = over === pointId(layer, i)
    put(nodes[i], { cx: x.toFixed(2), cy: y.toFixed(2), r: layer.radius * view.unit + (strong ? 2 : 0), fill: layer.colours?.[i] ?? layer.colour })
  })
}

export const pointId = (layer, i) => layer.ids?.[i] ?? `point-${i}`

export function paintLines(group, layer, view) {
  const nodes = children(group, layer.segments.length, () => make('g', {}, make('path', { class: 'edge' }), make('path', { class: 'line' })))
  layer.segments.forEach((segment, i) => {
    const [x1, y1, x2, y2] = toScreen(segment, view)
    const [edge, line] = nodes[i].children
    let d = `M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}`
    if (layer.arrow && Math.hypot(x2 - x1, y2 - y1) > 1) {
      const angle = Math.atan2(y2 - y1, x2 - x1)
      const size = 6 + 2 * layer.width * view.unit
      const tip = (turn) => `${(x2 - size * Math.cos(angle + turn)).toFixed(1)} ${(y2 - size * Math.sin(angle + turn)).toFixed(1)}`
      d += `M${tip(0.45)}L${x2.toFixed(1)} ${y2.toFixed(1)}L${tip(-0.45)}`
    }
    put(edge, { d, 'stroke-width': layer.width * view.unit + 2 })
    put(line, { d, stroke: layer.colours?.[i] ?? layer.colour, 'stroke-width': layer.width * view.unit, 'stroke-dasharray': layer.dash ? '7 4' : null })
  })
}

export function paintGrid(group, layer, view, size) {
  const [path] = children(group, 1, () => make('path', { class: 'line' }))
  const stops = (length, parts, offset) => {
    if (layer.stride) {
      const first = ((offset % layer.stride) + layer.stride) % layer.stride
      return Array.from({ length: Math.max(0, Math.floor((length - first) / layer.stride) + 1) }, (_, i) => first + i * layer.stride)
    }
    return parts ? Array.from({ length: parts + 1 }, (_, i) => (i * length) / parts) : []
  }
  const [x1, y1, x2, y2] = toScreen([0, 0, ...size], view)
  let d = ''
  for (const x of stops(size[0], layer.cols, layer.offset[0])) d += `M${(x * view.scale + view.x).toFixed(1)} ${y1.toFixed(1)}V${y2.toFixed(1)}`
  for (const y of stops(size[1], layer.rows, layer.offset[1])) d += `M${x1.toFixed(1)} ${(y * view.scale + view.y).toFixed(1)}H${x2.toFixed(1)}`
  put(path, { d, stroke: layer.colour, 'stroke-width': layer.width * view.unit })
}
