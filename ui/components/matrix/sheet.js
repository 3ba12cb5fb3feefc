// One number grid: heading, cells, colours and sizes.

const { ink, make, print, put, say } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

const NUMBERS_FROM = 22 // px; smaller cells show colour only
const NARROW = 30 // px, of a cell in an equation on a phone
const LEGIBLE = 7 // px; a grid whose digits would be smaller shows colour only
const LECTURE = 18 // px; digits on a projector are no smaller where there is room
const LOW = '#0072B2'
const HIGH = '#D55E00'

/** One grid on the page: heading, headings of rows and columns, and cells that are made once and patched. */
export class Sheet {
  constructor(owner) {
    this.owner = owner
    this.title = make('figcaption')
    this.body = make('div', { class: 'grid', role: 'grid' })
    this.node = make('figure', {}, this.title, this.body)
    this.wide = 0
  }

  update(item) {
    const shape = [item.values.length, item.values[0].length]
    const signature = JSON.stringify([...shape, Boolean(item.rows), Boolean(item.columns)])
    this.item = item
    if (signature !== this.signature) {
      this.signature = signature
      this.shape = shape
      this.wide = 0
      this.build()
    }
    const [rows, columns] = shape
    const title = item.title ? `${item.title}\u2002` : ''
    if (this.caption !== `${title}${rows}×${columns}`) {
      this.caption = `${title}${rows}×${columns}`
      this.title.replaceChildren(title, make('small', {}, `${rows}×${columns}`))
    }
    put(this.body, { 'aria-label': `${item.title || item.name}, ${rows} by ${columns}`, 'aria-rowcount': rows, 'aria-colcount': columns })
    item.rows?.forEach((text, r) => say(this.rowHeads[r], text))
    item.columns?.forEach((text, c) => say(this.columnHeads[c], text))
    this.cells.forEach((row, r) => row.forEach((cell, c) => this.paint(cell, r, c)))
    this.fit()
  }

  build() {
    const { item, shape: [rows, columns] } = this
    const head = (role) => make('div', { class: 'head', role })
    this.rowHeads = Array.from({ length: item.rows ? rows : 0 }, () => head('rowheader'))
    this.columnHeads = Array.from({ length: item.columns ? columns : 0 }, () => head('columnheader'))
    this.cells = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => {
      const node = make('div', { class: 'cell', role: 'gridcell', 'aria-rowindex': r + 1, 'aria-colindex': c + 1, tabindex: r + c ? -1 : 0 },
        make('span', { class: 'number' }), make('span', { class: 'weight', 'aria-hidden': 'true' }))
      return { node, sheet: this, r, c, address: `${item.name}:${r}:${c}` }
    }))
    const lines = this.cells.map((row, r) => make('div', { class: 'row', role: 'row' }, ...(item.rows ? [this.rowHeads[r]] : []), ...row.map((cell) => cell.node)))
    if (item.columns) lines.unshift(make('div', { class: 'row', role: 'row' }, ...(item.rows ? [make('div')] : []), ...this.columnHeads))
    this.body.replaceChildren(...lines)
    const template = `repeat(${columns}, var(--wide))`
    this.body.style.gridTemplateColumns = item.rows ? `auto ${template}` : template
  }

  value(r, c) {
    return this.owner.edits.get(`${this.item.name}:${r}:${c}`) ?? this.item.values[r][c]
  }

  words(r, c) {
    const value = this.value(r, c)
    return this.item.text?.[r][c] ?? (value === null ? '' : print(value, this.item.format))
  }

  paint(cell, r, c) {
    const { item } = this
    const value = this.value(r, c)
    const words = this.words(r, c)
    const fixed = item.colours?.[r][c]
    let colour = ''
    if (fixed) colour = fixed
    else if (value !== null && item.scale !== 'none') {
      const middle = item.scale === 'diverging' ? (item.low + item.high) / 2 : item.low
      const share = Math.max(-1, Math.min(1, (value - middle) / (item.high - middle)))
      const strength = this.bare ? 100 : 58
      if (Math.abs(share) > 0.004) colour = `color-mix(in srgb, ${share < 0 ? LOW : item.scale === 'diverging' ? HIGH : LOW} ${(strength * Math.abs(share)).toFixed(1)}%, var(--st-background-color))`
    }
    if (cell.colour !== colour) {
      cell.colour = colour
      cell.node.style.background = colour
      cell.node.style.color = fixed ? ink(fixed) : ''
    }
    say(cell.node.firstChild, this.bare ? '' : words)
    cell.node.classList.toggle('blank', value === null && !words)
    cell.node.classList.toggle('editable', item.editable)
    put(cell.node, { 'aria-readonly': String(!item.editable), 'aria-label': words || (value === null ? 'blank' : print(value, item.format)) })
  }

  /** Cell size: as asked, else 44 px, less where the page is narrow; columns only ever grow, so that nothing jumps. */
  fit() {
    const { item, shape: [, columns] } = this
    const unit = (this.owner.unit ??= parseFloat(getComputedStyle(document.documentElement).fontSize) / 16)
    const least = unit > 1 ? LECTURE : 10
    const head = Math.max(12 * unit, unit > 1 ? LECTURE : 0)
    const span = (heads) => Math.max(0, ...(heads ?? []).map((text) => text.length)) * head * 0.53 + 12
    const room = this.owner.width - (item.rows ? Math.max(48 * unit, span(item.rows)) : 0) - 4
    const narrow = this.owner.equation && this.owner.width < 480 ? NARROW : Infinity
    const wish = Math.min(narrow, unit * (item.cell ?? (columns > 10 ? Math.max(10, Math.floor(600 / columns)) : 44)))
    const side = Math.max(4, Math.min(wish, Math.floor(room / columns)))
    const length = Math.max(...this.cells.flatMap((row, r) => row.map((_, c) => this.words(r, c).length)))
    const size = Math.max(least, Math.min(16 * unit, side * 0.36))
    const fits = (room / columns - 6) / length / 0.56 // px, of digits in the widest cell there is room for
    const bare = side < NUMBERS_FROM || Math.min(size, fits) < LEGIBLE
    if (bare !== this.bare) {
      this.bare = bare
      this.cells.forEach((row, r) => row.forEach((cell, c) => this.paint(cell, r, c)))
    }
    const longest = bare ? 0 : length
    const needed = Math.max(longest * size * 0.58 + 8, bare || !item.columns ? 0 : span(item.columns))
    this.wide = Math.max(this.wide, Math.min(needed, room / columns))
    const wide = Math.max(side, Math.ceil(this.wide))
    const small = longest ? Math.min(size, (wide - 6) / longest / 0.56) : size
    const looks = `--wide: ${wide}px; --high: ${side}px; --size: ${small.toFixed(1)}px`
    if (looks !== this.looks) {
      this.looks = looks
      this.node.style.cssText = looks
    }
    this.node.classList.toggle('bare', bare)
  }
}
