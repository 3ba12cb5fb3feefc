// In a frame of another site; ui/embed.py says what for.

const HEADINGS = '[class*="st-key-section-"] h2, .st-key-page-sources h2'
const OWN = ['embed', 'embed_options', 'section'] // of the address: the frame's, not the page's

// Back belongs to the page around the frame.
const replace = history.replaceState.bind(history)
history.pushState = (state, title, address) => {
  replace(state, title, address)
  mark()
}

/** Of all sections the one that the address names. A section is its heading and what follows it, at any depth; what
 *  stands above the first one, such as the choice of a picture, belongs to all. */
function mark() {
  const wanted = new URLSearchParams(location.search).get('section')
  const page = document.querySelector('[data-testid=stMainBlockContainer]')
  const headings = wanted && page ? [...page.querySelectorAll(HEADINGS)] : []
  const goal = headings.find((node) => node.id === wanted)
  let at = null // the heading that was passed last
  const walk = (block) => {
    for (const node of block.children) {
      const inside = headings.filter((each) => node.contains(each))
      const opens = inside.length === 1 && node.querySelector(':scope > [class*="st-key-section-"], :scope > .st-key-page-sources')
      const before = inside.length && at !== goal && !inside.includes(goal) // another section, whole
      if (inside.length) [at] = opens || before ? inside.slice(-1) : [at]
      const hidden = before || (at !== null && at !== goal && (opens || !inside.length)) || undefined
      if (!hidden && inside.length && !opens) walk(node)
      if (goal && hidden && !node.querySelector('.st-key-embed-way-out')) node.dataset.elsewhere = ''
      else delete node.dataset.elsewhere
    }
  }
  if (page) walk(page)
  const soon = wanted && !goal && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'
  document.documentElement.toggleAttribute('data-section-soon', Boolean(soon))
  document.documentElement.toggleAttribute('data-section', Boolean(goal))
}

mark()
new MutationObserver(mark).observe(document.documentElement, {
  childList: true, subtree: true, attributes: true, attributeFilter: ['data-test-script-state'],
})

// The way out takes the state along, and leads to the section.
for (const hand of ['pointerdown', 'keydown']) addEventListener(hand, (event) => {
  const link = event.target.closest?.('.st-key-embed-way-out a')
  if (!link) return
  const whole = new URL(location.href)
  whole.hash = whole.searchParams.get('section') ?? ''
  for (const name of OWN) whole.searchParams.delete(name)
  link.href = whole.href
}, true)
