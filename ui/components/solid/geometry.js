// Meshes as arrays, and where their vertices are once they have been turned.

/** An array of `Kind` out of base64. */
export function decode(text, Kind) {
  return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer)
}

/** What a solid of Python's says, ready to draw; `last` is kept where nothing has changed. */
export function meshOf(told, last) {
  if (last && last.told.vertices === told.vertices && last.told.faces === told.faces && last.told.colours === told.colours) {
    return Object.assign(last, { told })
  }
  const vertices = decode(told.vertices, Float32Array)
  const faces = last?.told.faces === told.faces ? last.faces : decode(told.faces, Uint32Array)
  const edges = last?.faces === faces ? last.edges : edgesOf(faces)
  const colours = told.colours ? decode(told.colours, Uint8Array) : null
  return { told, vertices, faces, edges, colours, normals: normalsOf(vertices, faces) }
}

/** Each edge once, as pairs of vertices. */
function edgesOf(faces) {
  const seen = new Set()
  for (let i = 0; i < faces.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [faces[i + k], faces[i + ((k + 1) % 3)]]
      seen.add(a < b ? a * 4294967296 + b : b * 4294967296 + a) // two indices in one exact number, below 2^53 for 2^21 vertices
    }
  }
  const edges = new Uint32Array(2 * seen.size)
  let at = 0
  for (const pair of seen) {
    edges[at++] = Math.floor(pair / 4294967296)
    edges[at++] = pair % 4294967296
  }
  return edges
}

/** The normal of each vertex: the mean of its triangles', larger ones counting more. */
function normalsOf(p, faces) {
  const normals = new Float32Array(p.length)
  for (let i = 0; i < faces.length; i += 3) {
    const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]]
    const n = cross([p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]], [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]])
    for (const vertex of [a, b, c]) for (let k = 0; k < 3; k++) normals[vertex + k] += n[k]
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1
    for (let k = 0; k < 3; k++) normals[i + k] /= length
  }
  return normals
}

const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]

/** The rows of the rotation that turns by `aside` and then by `up` degrees. */
export function rotation([aside, up]) {
  const [a, b] = [(aside * Math.PI) / 180, (up * Math.PI) / 180]
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)]
  return [ca, 0, sa, sa * sb, cb, -ca * sb, -sa * cb, sb, ca * cb]
}

export const NEAR = 0.25 // how much the near looks larger than the far: 0 is none

/** Where each vertex is on a square picture from -1 to 1, y down, and how far behind the middle: x, y, depth. */
export function projected(mesh, turn, zoom) {
  const r = rotation(turn)
  const { vertices } = mesh
  const places = new Float32Array(vertices.length)
  for (let i = 0; i < vertices.length; i += 3) {
    const [x, y, z] = [vertices[i], vertices[i + 1], vertices[i + 2]]
    const depth = r[6] * x + r[7] * y + r[8] * z
    const scale = (zoom * 0.86) / (1 + NEAR * depth)
    places[i] = (r[0] * x + r[1] * y + r[2] * z) * scale
    places[i + 1] = (r[3] * x + r[4] * y + r[5] * z) * scale
    places[i + 2] = depth
  }
  return places
}

/** The number of the nearest vertex that faces the viewer within `reach` of a place on that picture, or null. */
export function vertexAt(mesh, turn, zoom, [x, y], reach) {
  const places = projected(mesh, turn, zoom)
  const r = rotation(turn)
  const { normals } = mesh
  let [best, least] = [null, Infinity]
  for (let i = 0; i < places.length; i += 3) {
    const away = Math.hypot(places[i] - x, places[i + 1] - y)
    if (away > reach || r[6] * normals[i] + r[7] * normals[i + 1] + r[8] * normals[i + 2] > 0.1) continue
    const cost = away / reach + 2 * places[i + 2] // near the pointer, and not behind something
    if (cost < least) [best, least] = [i / 3, cost]
  }
  return best
}
