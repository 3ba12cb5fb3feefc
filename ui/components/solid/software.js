// Draws a mesh without a graphics processor: the farthest triangle first, each in one shade.

const { projected } = await import(new URL(`geometry.js${new URL(import.meta.url).search}`, import.meta.url))

const LIGHT = [-0.413, -0.596, -0.688]

export function paint(target, mesh, turn, zoom, colour) {
  const pen = target.getContext('2d')
  const { width, height } = target
  const half = Math.min(width, height) / 2
  const p = projected(mesh, turn, zoom)
  const { faces, colours } = mesh
  const seen = []
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]]
    const [ux, uy, uz, vx, vy, vz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2], p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]]
    const n = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    if (n[2] >= 0) continue // it looks away
    const lit = 0.36 + 0.64 * Math.max((n[0] * LIGHT[0] + n[1] * LIGHT[1] + n[2] * LIGHT[2]) / (Math.hypot(...n) || 1), 0)
    seen.push([p[a + 2] + p[b + 2] + p[c + 2], a, b, c, lit])
  }
  seen.sort((one, other) => other[0] - one[0])
  pen.clearRect(0, 0, width, height)
  pen.lineWidth = 1
  for (const [, a, b, c, lit] of seen) {
    const own = colours ? [colours[a], colours[a + 1], colours[a + 2]] : colour
    pen.fillStyle = `rgb(${own.map((value) => Math.round(value * lit)).join(' ')})`
    pen.strokeStyle = mesh.told.wires ? 'rgb(0 0 0 / 45%)' : pen.fillStyle // its own colour closes the seams
    pen.beginPath()
    for (const at of [a, b, c]) pen.lineTo(width / 2 + half * p[at], height / 2 + half * p[at + 1])
    pen.closePath()
    pen.fill()
    pen.stroke()
  }
}
