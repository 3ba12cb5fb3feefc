// A link to the section one is at; see __init__.py for what it promises.

const version = new URL(import.meta.url).search
const { make, render, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { here } = await import(new URL(`../section_bar/section_bar.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const LABEL = 'Copy link to this section'
const PAUSE = 2500 // ms for which the button says what it has done

class CopyLink {
  constructor(root) {
    this.button = make('button', { type: 'button', 'aria-live': 'polite' }, LABEL)
    this.field = make('input', { type: 'text', readonly: '', 'aria-label': 'Link to this section' })
    this.button.onclick = () => this.copy()
    this.field.onfocus = () => this.field.select()
    root.replaceChildren(this.button, this.field)
  }

  update() {
    const link = new URL(location.href)
    link.hash = here() ?? ''
    this.field.value = link.href
  }

  async copy() {
    this.update() // the address may have changed since the window opened
    try {
      await navigator.clipboard.writeText(this.field.value)
      this.tell('Copied')
    } catch { // no clipboard outside https, or not allowed
      this.field.focus()
      this.field.select()
      this.tell('Press Ctrl + C to copy the link below')
    }
  }

  tell(text) {
    say(this.button, text)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => say(this.button, LABEL), PAUSE)
  }
}

export default (component) => render(component, style, CopyLink)
