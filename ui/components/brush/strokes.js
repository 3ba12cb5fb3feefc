// What brush and bucket do to a map of paints, a Uint8Array of `width` x `height` pixels, row by row. Places are [x, y] in
// pixels; the middle of the first one is [0.5, 0.5].

/** Every pixel whose middle is at most `radius` from the way between two places, and the pixel under the second. */
export function stroke(values, width, height, [ax, ay], [bx, by], radius, paint) {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  const first = (low) => Math.max(0, Math.floor(low - radius))
  const last = (high, side) => Math.min(side - 1, Math.ceil(high + radius))
  for (let row = first(Math.min(ay, by)); row <= last(Math.max(ay, by), height); row += 1) {
    for (let column = first(Math.min(ax, bx)); column <= last(Math.max(ax, bx), width); column += 1) {
      const [px, py] = [column + 0.5 - ax, row + 0.5 - ay]
      const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0
      if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius) values[row * width + column] = paint
    }
  }
  const [column, row] = [Math.floor(bx), Math.floor(by)]
  if (column >= 0 && column < width && row >= 0 && row < height) values[row * width + column] = paint
}

/** All pixels of the paint at this place that hang together with it by their sides. */
export function fill(values, width, height, place, paint) {
  const [x, y] = [Math.min(width - 1, Math.max(0, Math.floor(place[0]))), Math.min(height - 1, Math.max(0, Math.floor(place[1])))]
  const old = values[y * width + x]
  if (old === paint) return
  const open = [y * width + x]
  values[open[0]] = paint
  const visit = (at) => {
    if (values[at] !== old) return
    values[at] = paint
    open.push(at)
  }
  while (open.length) {
    const at = open.pop()
    if (at % width) visit(at - 1)
    if ((at + 1) % width) visit(at + 1)
    if (at >= width) visit(at - width)
    if (at + width < values.length) visit(at + width)
  }
}

/** The map row by row as paint, length, paint, length ... */
export function toRuns(values) {
  const runs = []
  let start = 0
  for (let i = 1; i <= values.length; i += 1) {
    if (i < values.length && values[i] === values[start]) continue
    runs.push(values[start], i - start)
    start = i
  }
  return runs
}

export function fromRuns(runs, count) {
  const values = new Uint8Array(count)
  let at = 0
  for (let i = 0; i < runs.length; i += 2) {
    values.fill(runs[i], at, at + runs[i + 1])
    at += runs[i + 1]
  }
  return values
}
