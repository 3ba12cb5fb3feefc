// Boxes, their names and a line on the canvas of a player, in colours that the colour-blind tell apart.

const version = new URL(import.meta.url).search
const { ink } = await import(new URL(`../wire.js${version}`, import.meta.url))

// Okabe and Ito's colours, without the yellow that is lost on sand and the black that is lost at night.
export const COLOURS = ['#E69F00', '#56B4E9', '#009E73', '#0072B2', '#D55E00', '#CC79A7']
const TRUTH = '#F2F2F2'
const LINE = '#D55E00'

/** The colour of a mark: that of its track, else that of its class, the same on every frame. */
export function colourOf([, , , , label, , track, kind]) {
  if (kind === 'truth') return TRUTH
  if (track !== null) return COLOURS[track % COLOURS.length]
  let sum = 0
  for (const letter of label) sum = (sum * 31 + letter.charCodeAt(0)) % 997
  return COLOURS[sum % COLOURS.length]
}

export function textOf([, , , , label, score, track]) {
  return [label, score === null ? '' : score.toFixed(2), track === null ? '' : `#${track}`].filter(Boolean).join(' ')
}

/** `scale` is canvas pixels per pixel of the frame, `unit` canvas pixels per CSS pixel, `font` CSS pixels. */
export function paintMarks(pen, marks, scale, unit, font) {
  const { width } = pen.canvas
  pen.textBaseline = 'middle'
  pen.font = `600 ${font * unit}px system-ui, sans-serif`
  const tall = (font + 5) * unit
  for (const mark of marks) {
    const [x1, y1, x2, y2] = mark.slice(0, 4).map((value) => value * scale)
    const truth = mark[7] === 'truth'
    const box = [x1, y1, x2 - x1, y2 - y1]
    pen.setLineDash(mark[7] === 'predicted' ? [6 * unit, 4 * unit] : [])
    Object.assign(pen, { strokeStyle: ink(colourOf(mark)), lineWidth: (truth ? 2.5 : 4.5) * unit, globalAlpha: 0.7 })
    pen.strokeRect(...box)
    Object.assign(pen, { strokeStyle: colourOf(mark), lineWidth: (truth ? 1 : 2.5) * unit, globalAlpha: 1 })
    pen.strokeRect(...box)
  }
  pen.setLineDash([])
  const taken = []
  for (const mark of marks.filter((each) => each[7] !== 'truth').sort((a, b) => b[1] - a[1])) {
    const text = textOf(mark)
    const wide = pen.measureText(text).width + 8 * unit
    const left = Math.max(0, Math.min(mark[0] * scale - unit, width - wide))
    const top = free(left, mark[1] * scale - tall, wide, tall, taken)
    pen.fillStyle = colourOf(mark)
    pen.fillRect(left, top, wide, tall)
    pen.fillStyle = ink(pen.fillStyle)
    pen.fillText(text, left + 4 * unit, top + tall / 2 + unit / 2)
  }
}

/** Where a plate stands: on its box, or as far above as those of lower boxes leave it room; at the top, over them. */
function free(left, wanted, wide, tall, taken) {
  let [top, under] = [wanted, null]
  while ((under = taken.find(([x, y, w]) => left < x + w && x < left + wide && top < y + tall && y < top + tall))) top = under[1] - tall
  top = Math.max(0, top)
  taken.push([left, top, wide])
  return top
}

/** The line from its first end to its second, and the names of its two sides. */
export function paintLine(pen, line, sides, scale, unit, font) {
  const [x1, y1, x2, y2] = line.map((value) => value * scale)
  for (const [colour, width] of [['#000', 6], ['#fff', 4.5], [LINE, 2.5]]) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: width * unit })
    pen.beginPath()
    pen.moveTo(x1, y1)
    pen.lineTo(x2, y2)
    pen.stroke()
  }
  const long = Math.hypot(x2 - x1, y2 - y1) || 1
  const aside = [(y2 - y1) / long, -(x2 - x1) / long] // to the left of who goes along, y pointing down
  pen.font = `600 ${font * unit}px system-ui, sans-serif`
  pen.textBaseline = 'middle'
  pen.textAlign = 'center'
  sides.forEach((text, i) => {
    if (!text) return
    const far = (i ? -1 : 1) * (font + 8) * unit
    const wide = pen.measureText(text).width + 8 * unit
    const tall = (font + 5) * unit
    const x = Math.max(wide / 2, Math.min((x1 + x2) / 2 + aside[0] * (far + (Math.sign(far) * wide) / 2), pen.canvas.width - wide / 2))
    const y = Math.max(tall / 2, Math.min((y1 + y2) / 2 + aside[1] * far, pen.canvas.height - tall / 2))
    pen.fillStyle = LINE
    pen.fillRect(x - wide / 2, y - tall / 2, wide, tall)
    pen.fillStyle = ink(LINE)
    pen.fillText(text, x, y + unit / 2)
  })
  pen.textAlign = 'start'
}
