// Draws a mesh with the graphics processor, into one canvas that all views of the page share: a browser allows only a few.

const { NEAR, rotation } = await import(new URL(`geometry.js${new URL(import.meta.url).search}`, import.meta.url))

const VERTEX = `#version 300 es
uniform mat3 turn; uniform float zoom; uniform float lift;
in vec3 place; in vec3 normal; in vec3 tint;
out vec3 where; out vec3 facing; out vec3 shade;
void main() {
  where = turn * place; facing = turn * normal; shade = tint;
  float w = 1.0 + ${NEAR.toFixed(3)} * where.z;
  gl_Position = vec4(where.x * zoom * 0.86, -where.y * zoom * 0.86, (where.z / 4.0 - lift) * w, w);
}`
const FRAGMENT = `#version 300 es
precision highp float;
uniform bool flatly; uniform float line;
in vec3 where; in vec3 facing; in vec3 shade;
out vec4 colour;
void main() {
  vec3 n = flatly ? cross(dFdx(where), dFdy(where)) : facing;
  n = normalize(n);
  if (n.z > 0.0) n = -n;
  float lit = 0.36 + 0.64 * max(dot(n, normalize(vec3(-0.45, -0.65, -0.75))), 0.0);
  colour = line > 0.0 ? vec4(0.0, 0.0, 0.0, 1.0) * line : vec4(shade * lit, 1.0);
}`

let shared // null where there is no WebGL

/** The context with its program, or null. */
function context() {
  if (shared !== undefined) return shared
  const canvas = document.createElement('canvas')
  const gl = canvas.getContext('webgl2', { antialias: true, premultipliedAlpha: true, preserveDrawingBuffer: true })
  if (!gl) return (shared = null)
  const program = gl.createProgram()
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind)
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return (shared = null)
  canvas.addEventListener('webglcontextlost', () => (shared = undefined))
  const buffers = Object.fromEntries(['place', 'normal', 'tint', 'faces', 'edges'].map((name) => [name, gl.createBuffer()]))
  const at = (name) => gl.getUniformLocation(program, name)
  return (shared = { canvas, gl, program, buffers, uniforms: Object.fromEntries(['turn', 'zoom', 'lift', 'flatly', 'line'].map((n) => [n, at(n)])) })
}

/** Paints `mesh` onto a 2-D canvas; false where there is no WebGL. */
export function paint(target, mesh, turn, zoom, colour) {
  const here = context()
  if (!here || here.gl.isContextLost()) return false
  const { canvas, gl, program, buffers, uniforms } = here
  const { width, height } = target
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const side = Math.min(width, height)
  gl.viewport((width - side) / 2, (height - side) / 2, side, side)
  gl.clearColor(0, 0, 0, 0)
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
  gl.enable(gl.DEPTH_TEST)
  gl.depthFunc(gl.LEQUAL)
  gl.useProgram(program)
  const fill = (name, data, size, kind = gl.FLOAT) => {
    const place = gl.getAttribLocation(program, name)
    if (place < 0) return
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name])
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STREAM_DRAW)
    gl.enableVertexAttribArray(place)
    gl.vertexAttribPointer(place, size, kind, kind !== gl.FLOAT, 0, 0)
  }
  fill('place', mesh.vertices, 3)
  fill('normal', mesh.normals, 3)
  if (mesh.colours) fill('tint', mesh.colours, 3, gl.UNSIGNED_BYTE)
  else {
    const place = gl.getAttribLocation(program, 'tint')
    gl.disableVertexAttribArray(place)
    gl.vertexAttrib3f(place, ...colour.map((value) => value / 255))
  }
  const r = rotation(turn)
  gl.uniformMatrix3fv(uniforms.turn, true, r)
  gl.uniform1f(uniforms.zoom, zoom)
  gl.uniform1i(uniforms.flatly, mesh.told.flat)
  const draw = (kind, name, data, line, lift) => {
    gl.uniform1f(uniforms.line, line)
    gl.uniform1f(uniforms.lift, lift)
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[name])
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, data, gl.STREAM_DRAW)
    gl.drawElements(kind, data.length, gl.UNSIGNED_INT, 0)
  }
  draw(gl.TRIANGLES, 'faces', mesh.faces, 0, 0)
  if (mesh.told.wires) {
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    draw(gl.LINES, 'edges', mesh.edges, 0.45, 0.002)
    gl.disable(gl.BLEND)
  }
  const pen = target.getContext('2d')
  pen.clearRect(0, 0, width, height)
  pen.drawImage(canvas, 0, 0)
  return true
}
