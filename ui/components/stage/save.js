// What a stage shows as a file: an SVG that holds its pictures as images and its drawings as vectors, or that SVG as PNG,
// at twice the resolution of the picture or more: never less than on the screen.

const { make } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

const SVG = 'http://www.w3.org/2000/svg'
// What style sheets say of a drawing; a file has no style sheet.
const LOOKS = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin',
  'opacity', 'paint-order', 'font-family', 'font-size', 'font-weight', 'text-anchor', 'display']

/** The buttons PNG and SVG of a stage; `button(name, text, act)` makes one. */
export function buttons(stage, button) {
  return [['PNG', png], ['SVG', svg]].map(([kind, write]) => {
    const node = button(`Save as ${kind}`, kind, async () => download(await write(stage), `${nameOf(stage)}.${kind.toLowerCase()}`))
    node.classList.add('save')
    return node
  })
}

/** Page and stage: upsampling-up_picture. */
function nameOf(stage) {
  const page = location.pathname.split('/').filter(Boolean).at(-1) ?? 'home'
  return `${page}-${stage.data.key.replace(/\.live$/, '')}`.replace(/[^\w-]+/g, '-')
}

async function svg(stage) {
  return new Blob([new XMLSerializer().serializeToString(drawing(stage))], { type: 'image/svg+xml' })
}

async function png(stage) {
  const [width, height] = stage.data.size
  const across = Math.max(width, ...[...stage.canvases.children].map((canvas) => canvas.width))
  let times = 2
  while (across * times < stage.frame.clientWidth) times *= 2
  const canvas = make('canvas')
  Object.assign(canvas, { width: across * times, height: Math.round((across * times * height) / width) })
  const image = new Image()
  const address = URL.createObjectURL(await svg(stage))
  try {
    image.src = address
    await image.decode()
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height)
  } finally {
    URL.revokeObjectURL(address)
  }
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
}

/** An SVG element that needs nothing around it. */
function drawing(stage) {
  const { width, height } = stage.view
  const node = document.createElementNS(SVG, 'svg')
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) node.setAttribute(name, value)
  const title = make('title')
  title.textContent = [stage.data.alt, stage.data.caption].filter(Boolean).join('. ')
  const ground = make('rect', { width, height, fill: getComputedStyle(stage.frame).backgroundColor })
  const world = make('g', { transform: `translate(${stage.pan.join(' ')}) scale(${stage.zoom})` })
  for (const canvas of stage.canvases.children) {
    const part = (side, whole) => (parseFloat(canvas.style[side]) / 100) * whole
    const image = document.createElementNS(SVG, 'image')
    const place = { x: part('left', width), y: part('top', height), width: part('width', width), height: part('height', height) }
    for (const [name, value] of Object.entries({ ...place, href: canvas.toDataURL(), preserveAspectRatio: 'none' })) image.setAttribute(name, value)
    image.style.cssText = `opacity: ${canvas.style.opacity || 1}; image-rendering: ${canvas.style.imageRendering || 'auto'}`
    world.append(image)
  }
  node.append(title, ground, world, ...[stage.vectors, stage.labels].map(looksKept))
  return node
}

/** A copy of drawings with the looks that they have on the page. */
function looksKept(group) {
  const copy = group.cloneNode(true)
  const copies = [copy, ...copy.querySelectorAll('*')]
  for (const [i, each] of [group, ...group.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(each)
    copies[i].setAttribute('style', LOOKS.map((name) => `${name}: ${style.getPropertyValue(name)}`).join('; '))
    if (each.tagName === 'text' && each.textContent) { // another font must not outgrow its tag
      copies[i].setAttribute('textLength', each.getComputedTextLength().toFixed(1))
      copies[i].setAttribute('lengthAdjust', 'spacingAndGlyphs')
    }
    for (const name of ['class', 'tabindex', 'role']) copies[i].removeAttribute(name)
  }
  return copy
}

function download(blob, name) {
  const link = make('a', { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}
