// Short Markdown as DOM nodes, never as HTML; see __init__.py for what it understands.

const { make, render, stylesheet } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const MARK = /\*\*(.+?)\*\*|`([^`]+)`|:(gray|blue|green|orange|red|violet)(-badge)?\[([^\]]*)\]|(?<![\w*])\*([^*\s][^*]*)\*(?!\w)/

function nodes(text) {
  const found = MARK.exec(text)
  if (!found) return text ? [text] : []
  const [all, bold, code, colour, badge, coloured, emphasis] = found
  const node = bold ? make('strong', {}, ...nodes(bold))
    : code ? make('code', {}, code)
      : colour ? make('span', { class: colour + (badge ? ' badge' : '') }, ...nodes(coloured))
        : make('em', {}, ...nodes(emphasis))
  return [...nodes(text.slice(0, found.index)), node, ...nodes(text.slice(found.index + all.length))]
}

class Words {
  constructor(root) {
    this.root = root
    root.className = 'words'
  }

  update({ text }) {
    if (text === this.text) return
    this.text = text
    this.root.replaceChildren(...text.split(/\n\s*\n/).map((part) => make('p', {}, ...nodes(part.trim()))))
  }
}

export default (component) => render(component, style, Words)
