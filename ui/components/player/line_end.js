// The two ends of the line on a film: a hand drags them, arrow keys move them.

const version = new URL(import.meta.url).search
const { clamp, holding, make } = await import(new URL(`../wire.js${version}`, import.meta.url))

/** The button of one end, 0 or 1, of `player.line` (x and y of both, in pixels of the film). */
export function lineEnd(player, end) {
  const node = make('button', { type: 'button', class: 'end' }, String(end + 1))
  node.hidden = true
  const move = (x, y) => {
    const [width, height] = player.buffer.reel.size
    const line = [...player.line]
    line[2 * end] = Math.round(clamp(x, 0, width))
    line[2 * end + 1] = Math.round(clamp(y, 0, height))
    if (line[0] === line[2] && line[1] === line[3]) return
    player.line = line
    player.draw()
    player.tell(false)
  }
  node.onpointerdown = (event) => {
    if (event.button) return
    node.setPointerCapture(event.pointerId)
    player.held = player.drags = true
    holding(true)
  }
  node.onpointermove = (event) => {
    if (!player.drags) return
    const box = player.canvas.getBoundingClientRect()
    const [width, height] = player.buffer.reel.size
    move(((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height)
  }
  node.onpointerup = node.onpointercancel = () => {
    if (!player.drags) return
    player.held = player.drags = false
    holding(false)
    player.tell(true)
  }
  node.onkeydown = (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    const far = event.shiftKey ? 10 : 1
    move(player.line[2 * end] + by[0] * far, player.line[2 * end + 1] + by[1] * far)
    player.rest()
  }
  return node
}
