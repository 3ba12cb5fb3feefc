// Number grids in a row: editable cells, colour by value, linked hover; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { make, print, put, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { Sheet } = await import(new URL(`sheet.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const TERMS = 25 // longest sum that is written out
const CLICK = 500 // ms that one click takes at most
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }

/** The number somebody typed, with decimal comma or point, as a fraction if they like; NaN if it is none. */
function parse(text) {
  const parts = text.trim().replace(/\u2212/g, '-').replace(/,/g, '.').split('/')
  if (parts.length > 2 || parts.some((part) => !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(part))) return NaN
  return parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(parts[0])
}

class Matrix {
  constructor(root) {
    this.root = root
    this.sheets = new Map()
    this.pairs = new Map() // name of a grid → the grid with the operators before it
    this.edits = new Map() // address → number typed here and not yet confirmed by Python
    this.row = make('div', { class: 'items' })
    this.line = make('div', { class: 'line', 'aria-live': 'polite' })
    root.replaceChildren(this.row, this.line)
    root.className = 'matrix'
    this.selected = null
    const over = (event) => this.cellOf(event.target)
    this.row.onpointerover = (event) => event.pointerType !== 'touch' && this.hover(over(event))
    this.row.onpointerleave = () => this.hover(null)
    this.row.onclick = (event) => this.click(over(event))
    this.row.onkeydown = (event) => this.key(event)
    this.row.addEventListener('focusin', (event) => this.focus(over(event)))
    this.row.addEventListener('focusout', () => this.focus(null))
    // The width is kept because reading it after a change makes the browser lay out the page, once per grid.
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width
      this.unit = null // lecture mode's style sheet may come after the first drawing
      this.sheets.forEach((sheet) => sheet.fit())
    }).observe(root)
    // The line keeps the height it once needed, so that the page below does not move with the pointer. It is read where
    // the browser has just laid out the page: reading it after a change would make it do so once more.
    new ResizeObserver(() => {
      const { width, height } = this.line.getBoundingClientRect()
      if (width !== this.lineWidth) this.line.style.minHeight = ''
      else if (height > parseFloat(this.line.style.minHeight || 0)) this.line.style.minHeight = `${height}px`
      this.lineWidth = width
    }).observe(this.line)
  }

  update(data) {
    this.data = data
    this.width ??= this.root.clientWidth
    if (this.channel.covers(data)) {
      this.edits.clear()
      this.selected = data.selected && `${data.selected[0]}:${data.selected[1]}:${data.selected[2]}`
    }
    const grids = data.items.filter((item) => typeof item !== 'string')
    this.equation = grids.length > 2
    let operators = []
    const nodes = data.items.flatMap((item, index) => {
      if (typeof item === 'string') {
        operators.push(item)
        if (index + 1 < data.items.length) return []
      }
      const pair = this.pair(typeof item === 'string' ? null : item, operators)
      operators = []
      return [pair]
    })
    nodes.forEach((node, i) => this.row.children[i] !== node && this.row.insertBefore(node, this.row.children[i] ?? null))
    while (this.row.childElementCount > nodes.length) this.row.lastChild.remove()
    this.cells = new Map()
    const names = new Set(data.items.map((item) => item.name))
    for (const [name, sheet] of this.sheets) {
      if (!names.has(name)) [this.sheets, this.pairs].forEach((kept) => kept.delete(name))
      else sheet.cells.flat().forEach((cell) => this.cells.set(cell.address, cell))
    }
    this.feeds = new Map() // source → [[target, weight], ...]
    for (const [target, sources] of Object.entries(data.links)) {
      for (const [source, weight] of sources) {
        if (!this.feeds.has(source)) this.feeds.set(source, [])
        this.feeds.get(source).push([target, weight])
      }
    }
    this.mark()
  }

  /** A grid with the operators before it, which never stand alone at the end of a line. */
  pair(item, operators) {
    const name = item?.name ?? ''
    if (!this.pairs.has(name)) this.pairs.set(name, make('div', { class: 'pair' }))
    const pair = this.pairs.get(name)
    const spans = [...pair.children].filter((node) => node.className === 'operator')
    while (spans.length > operators.length) spans.pop().remove()
    while (spans.length < operators.length) {
      const span = make('span', { class: 'operator' })
      pair.prepend(span)
      spans.unshift(span)
    }
    operators.forEach((text, i) => say(spans[i], text))
    if (!item) return pair
    if (!this.sheets.has(name)) this.sheets.set(name, new Sheet(this))
    const sheet = this.sheets.get(name)
    sheet.update(item)
    if (sheet.node.parentNode !== pair) pair.append(sheet.node)
    return pair
  }

  cellOf(target) {
    const node = target.closest?.('.cell')
    return node ? [...this.cells.values()].find((cell) => cell.node === node) : null
  }

  hover(cell) {
    if (this.hovered === (cell?.address ?? null)) return
    this.hovered = cell?.address ?? null
    this.mark()
  }

  focus(cell) {
    this.focused = cell?.address ?? null
    if (cell) cell.sheet.cells.flat().forEach((each) => put(each.node, { tabindex: each === cell ? 0 : -1 }))
    this.mark()
  }

  /** Rings, weights and the sentence for the cell in question: hovered, else focused, else selected. */
  mark() {
    const { links, highlight, explain, caption, sums } = this.data
    const active = [this.hovered, this.focused, this.selected].find((address) => address && this.cells.has(address)) ?? null
    const partners = active ? (links[active] ?? this.feeds.get(active) ?? []) : Object.entries(highlight)
    const greatest = Math.max(...partners.map(([, weight]) => Math.abs(weight)), 1e-9)
    const weights = new Map()
    for (const [address, weight] of partners) weights.set(address, (weights.get(address) ?? 0) + weight)
    for (const [address, cell] of this.cells) {
      const weight = weights.get(address)
      const { node } = cell
      node.classList.toggle('target', address === active)
      node.classList.toggle('selected', address === this.selected)
      const linked = weight !== undefined
      node.classList.toggle('source', linked)
      put(node, { 'aria-selected': String(address === this.selected) })
      const ring = linked ? `${weight < 0 ? 'var(--minus)' : 'var(--plus)'} ${(35 + 65 * Math.abs(weight) / greatest).toFixed(0)}%` : ''
      if (cell.ring !== ring) {
        cell.ring = ring
        node.style.setProperty('--ring', ring ? `color-mix(in srgb, ${ring}, transparent)` : 'transparent')
      }
      say(node.lastChild, linked && active && sums && weight !== 1 && !cell.sheet.bare ? `×${print(weight, '%.3g')}` : '')
    }
    if (this.complaint) return
    this.write(active ? explain[active] ?? this.arithmetic(active, links) : caption)
  }

  write(text, wrong = false) {
    say(this.line, text)
    this.line.classList.toggle('wrong', wrong)
  }

  name({ sheet, r, c }) {
    const { item } = sheet
    const row = item.rows?.[r] ?? r
    const column = item.columns?.[c] ?? c
    return `${item.title || item.name}[${row}, ${column}]`
  }

  words(cell) {
    return cell.sheet.words(cell.r, cell.c) || '0'
  }

  /** "output[0, 1] = 0.75 × 1 + 0.25 × 2 = 1.25" for a linked cell, where it goes for a source. */
  arithmetic(address, links) {
    const cell = this.cells.get(address)
    const own = this.words(cell)
    const sources = links[address]
    if (sources) {
      const terms = sources.slice(0, TERMS).map(([source, weight]) => `${print(weight, '%.4g')} × ${this.words(this.cells.get(source))}`)
      if (sources.length > TERMS) terms.push(`… (${sources.length} terms)`)
      return `${this.name(cell)} = ${terms.length ? terms.join(' + ').replace(/ \+ \u2212/g, ' \u2212 ') : 'no input'}${terms.length && terms.join() !== `1 × ${own}` ? ` = ${own}` : ''}`
    }
    const targets = this.feeds.get(address)
    if (!targets) return `${this.name(cell)} = ${own}`
    const where = targets.slice(0, 6).map(([target, weight]) => `${this.name(this.cells.get(target))} (×${print(weight, '%.4g')})`)
    return `${this.name(cell)} = ${own} goes into ${where.join(', ')}${targets.length > 6 ? ` and ${targets.length - 6} more` : ''}`
  }

  tell() {
    this.channel.offer(() => ({
      selected: this.selected ? this.parts(this.selected) : null,
      edits: [...this.edits].map(([address, number]) => [...this.parts(address), number]),
    }))
  }

  parts(address) {
    const [, name, r, c] = /^(.*):(\d+):(\d+)$/.exec(address)
    return [name, Number(r), Number(c)]
  }

  /** The sentence about a refused number goes with the next thing that is done here, but not with the click that left
   * its cell. */
  forget() {
    if (!this.complaint || Date.now() - this.complaint < CLICK) return
    this.complaint = false
    this.mark()
  }

  click(cell) {
    this.forget()
    if (!cell || cell.node.querySelector('input')) return
    cell.node.focus({ preventScroll: true })
    this.select(this.selected === cell.address && !cell.sheet.item.editable ? null : cell.address)
    if (cell.sheet.item.editable) this.edit(cell)
  }

  select(address) {
    if (this.selected === address) return
    this.selected = address
    this.mark()
    this.tell()
  }

  key(event) {
    const cell = this.cellOf(event.target)
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return
    this.forget()
    const { key } = event
    const editable = cell.sheet.item.editable
    if (key in ARROWS) this.step(cell, ARROWS[key])
    else if (key === 'Home' || key === 'End') this.step(cell, [0, key === 'Home' ? -1e9 : 1e9])
    else if (key === 'Escape') this.select(null)
    else if ((key === 'Enter' || key === 'F2') && editable) this.edit(cell)
    else if (key === 'Enter' || key === ' ') this.select(this.selected === cell.address ? null : cell.address)
    else if (editable && /^[-+.,\d\u2212]$/.test(key)) this.edit(cell, key)
    else if (editable && (key === 'Delete' || key === 'Backspace')) this.change(cell, 0)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  step({ sheet, r, c }, [down, right]) {
    const [rows, columns] = sheet.shape
    const next = sheet.cells[Math.max(0, Math.min(rows - 1, r + down))][Math.max(0, Math.min(columns - 1, c + right))]
    next.node.focus()
    return next
  }

  change(cell, number) {
    this.edits.set(cell.address, number)
    cell.sheet.paint(cell, cell.r, cell.c)
    this.tell()
  }

  /** Why `text` cannot stand in a cell, or null. */
  objection(text) {
    const { integer, minimum, maximum } = this.data
    const number = parse(text)
    if (!Number.isFinite(number)) return `“${text}” is not a number.`
    if (integer && !Number.isInteger(number)) return `${text} is not a whole number.`
    if (number < minimum || number > maximum) return `${text} is outside ${print(minimum)} to ${print(maximum)}.`
    return null
  }

  /** Opens the cell for typing, with the old text selected, or with the key that opened it. */
  edit(cell, first = null) {
    const before = cell.sheet.value(cell.r, cell.c)
    const input = make('input', { type: 'text', inputmode: 'decimal', autocomplete: 'off', 'aria-label': this.name(cell) })
    input.value = first ?? (before === null ? '' : String(before))
    let open = true
    this.complaint = false
    const close = (keep) => {
      if (!open) return
      open = false
      const text = input.value
      const back = this.root.getRootNode().activeElement === input
      input.remove()
      const objection = text.trim() === '' ? null : this.objection(text)
      if (!keep || objection || text.trim() === '') {
        if (cell.sheet.value(cell.r, cell.c) !== before) this.change(cell, before)
      }
      if (keep && objection) {
        this.complaint = Date.now()
        this.write(`${objection} The old value ${print(before)} is back.`, true)
      }
      if (back) cell.node.focus({ preventScroll: true })
    }
    input.oninput = () => {
      const objection = this.objection(input.value)
      cell.node.classList.toggle('refused', Boolean(objection) && !/^[-+.,\u2212]?$/.test(input.value))
      if (!objection && parse(input.value) !== cell.sheet.value(cell.r, cell.c)) {
        this.complaint = false
        this.change(cell, parse(input.value))
      }
    }
    input.onblur = () => {
      cell.node.classList.remove('refused')
      close(true)
    }
    input.onkeydown = (event) => {
      event.stopPropagation()
      const whole = input.selectionStart === 0 && input.selectionEnd === input.value.length
      const away = event.key in ARROWS && (whole || event.key === 'ArrowUp' || event.key === 'ArrowDown')
      if (!(event.key === 'Enter' || event.key === 'Escape' || away)) return
      event.preventDefault()
      cell.node.classList.remove('refused')
      close(event.key !== 'Escape')
      if (!away) return
      const next = this.step(cell, ARROWS[event.key])
      if (next !== cell) this.edit(next)
    }
    input.onclick = input.onpointerdown = (event) => event.stopPropagation()
    cell.node.append(input)
    input.focus({ preventScroll: true })
    if (first === null) input.select()
    else input.oninput()
  }
}

export default (component) => render(component, style, Matrix)
