// The pin in the bar, and in a copy the hands that move it; see __init__.py for what they promise.

const version = new URL(import.meta.url).search
const { make, overhear, put, render, repeat, say, stylesheet } = await import(new URL(`../wire.js${version}`, import.meta.url))
const { beside } = await import(new URL(`beside.js${version}`, import.meta.url))
const style = await stylesheet(import.meta.url)

const SHAPE = ['M9 4h6l-1 6 3 3v2H7v-2l3-3z', 'M12 15v6']

class Pin {
  constructor(root, data) {
    root.className = 'pin'
    if (data.copy) {
      root.replaceChildren()
      window.pinned = { overhear, repeat } // for the live page around this one
      return
    }
    this.words = make('span')
    this.button = make('button', { type: 'button' }, make('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, ...SHAPE.map((d) => make('path', { d }))), this.words)
    this.button.onclick = () => (beside.shown ? beside.unpin() : beside.pin())
    root.replaceChildren(this.button)
  }

  update(data) {
    if (data.copy) return
    this.data = data
    beside.view = this
    if (this.channel.covers(data)) beside.take(data.pin, data.shelf, data.student)
    this.show()
  }

  report(pin) {
    this.channel.offer(() => ({ pin }))
  }

  show() {
    const [label, title] = beside.shown ? ['Unpin', 'The copy goes; this page stays as it is']
      : beside.offered ? ['Show pinned', 'Show what the lecturer has pinned beside this page'] : ['Pin', 'Keep this state beside the next one']
    say(this.words, label)
    put(this.button, { 'aria-pressed': beside.shown ? 'true' : 'false', title })
  }
}

export default (component) => render(component, style, Pin)
