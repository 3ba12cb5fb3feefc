// A link to the section one is at, and the code that embeds it; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { make, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { here } = await import(new URL(`../section_bar/section_bar.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const PAUSE = 2500 // ms for which a button says what it has done
const OWN = ['room', 'follow', 'embed', 'embed_options', 'section'] // of the address: not for whoever opens the frame
const HEIGHT = 720 // px of a frame
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;')

function link() {
  const found = new URL(location.href)
  found.hash = here() ?? ''
  return found.href
}

/** A frame of this page, or of its section `id`. */
function frame(id) {
  const found = new URL(location.href)
  found.hash = ''
  for (const name of [...found.searchParams.keys()]) {
    if (OWN.includes(name) || name.startsWith('predict-')) found.searchParams.delete(name)
  }
  found.searchParams.set('embed', 'true')
  if (id) found.searchParams.set('section', id)
  return `<iframe src="${escaped(found.href)}" title="${escaped(document.title)}" width="100%" height="${HEIGHT}" `
    + 'style="border: 0" loading="lazy" allow="camera; clipboard-write; fullscreen"></iframe>'
}

/** Buttons, each a name and what it copies, over one field. */
class Row {
  constructor(name, word, choices) {
    this.word = word
    this.field = make('input', { type: 'text', readonly: '', 'aria-label': name })
    this.field.onfocus = () => this.field.select()
    this.buttons = choices.map(([label, text]) => {
      const button = make('button', { type: 'button', 'aria-live': 'polite' }, label)
      button.onclick = () => this.copy(button, label, text)
      return button
    })
    this.shown = choices.at(-1)[1]
    this.node = make('div', { class: 'row' }, make('div', { class: 'buttons' }, ...this.buttons), this.field)
  }

  update() {
    this.field.value = this.shown()
  }

  async copy(button, label, text) {
    this.shown = text
    this.update() // the address may have changed since the window opened
    try {
      await navigator.clipboard.writeText(this.field.value)
      this.tell(button, label, 'Copied')
    } catch { // no clipboard outside https, or not allowed
      this.field.focus()
      this.field.select()
      this.tell(button, label, `Press Ctrl + C to copy the ${this.word} below`)
    }
  }

  tell(button, label, text) {
    say(button, text)
    clearTimeout(button.timer)
    button.timer = setTimeout(() => say(button, label), PAUSE)
  }
}

class CopyLink {
  constructor(root) {
    this.rows = [
      new Row('Link to this section', 'link', [['Copy link to this section', link]]),
      new Row('Code to embed', 'code', [['Embed this page', () => frame()], ['Embed this section', () => frame(here())]]),
    ]
    root.replaceChildren(...this.rows.map((row) => row.node))
  }

  update() {
    for (const row of this.rows) row.update()
  }
}

export default (component) => render(component, style, CopyLink)
