// What a control of the address is called and says, read off the page it stands on.

const words = (node) => (node?.textContent ?? '').replace(/\s+/g, ' ').trim()
const named = (page, name) => [`.st-key-${name}`, `.st-key-${name}-live`].map((each) => page.querySelector(each.replace(/[^\w.-]/g, '_'))).find(Boolean)

/** Finds in a page and in the shadow roots of its components. */
function within(place, selector) {
  const found = place?.querySelector(selector)
  if (found) return found
  for (const node of place?.querySelectorAll('*') ?? []) {
    const inner = node.shadowRoot && within(node.shadowRoot, selector)
    if (inner) return inner
  }
  return null
}

/** True where the control that the parameter `name` belongs to is on the page. */
export const shown = (page, name) => Boolean(named(page, name))

/** True for a slider: it moves the parameter of its own name and no other. */
export const slides = (page, name) => Boolean(within(named(page, name), '[role=slider]'))

const FILE = /_file$/ // of ui/own_files.py: which of a visitor's files

/** Its label; without one, its name in plain words. */
export function label(page, name) {
  if (FILE.test(name)) return 'Own file'
  const place = named(page, name)
  const slider = within(place, '[role=slider]')
  const told = slider?.getAttribute('aria-label') || words(place?.querySelector('[data-testid=stWidgetLabel], label'))
    || place?.querySelector('input, [role=radiogroup], [role=group]')?.getAttribute('aria-label')
  return (told || name.split(/[_-]/).slice(-2).join(' ')).replace(/^\w/, (first) => first.toUpperCase())
}

/** What it says; `values` of the address where the page does not show it. */
export function value(page, name, values) {
  if (FILE.test(name)) return values?.[0].slice(0, 4) ?? 'none'
  const place = named(page, name)
  const slider = within(place, '[role=slider]')
  const chosen = [...(place?.querySelectorAll('[role=radio][aria-checked=true], [data-selected=true], label:has(input[type=radio]:checked)') ?? [])]
  const field = place?.querySelector('input:not([type=radio]):not([type=checkbox]):not([type=file])')
  const box = place?.querySelector('input[type=checkbox]')
  const told = slider?.getAttribute('aria-valuetext') || chosen.map(words).join(', ') || field?.value
    || words(place?.querySelector('[data-baseweb=select] [value]')) || (box ? (box.checked ? 'on' : 'off') : '')
  return told || values?.join(', ') || 'default'
}

const MOST = 4 // controls that are named
const NETWORK = /\b(network|model|detector|classifier|segmenter)\b/i // in the label of a choice of one
const NETWORKS = 2 // of them, the first of the page

/** What the page shows: the controls of `first`, its choices of networks, and what is not at its default in `state`. */
export function describe(page, first, state) {
  const choices = [...page.querySelectorAll('[data-testid=stSelectbox], [data-testid=stButtonGroup]')]
    .map((node) => /st-key-([\w-]+)/.exec(node.closest('[data-testid=stElementContainer]')?.className)?.[1])
  const networks = choices.filter((name) => name && !name.startsWith('predict-') && NETWORK.test(label(page, name))).slice(0, NETWORKS)
  const names = [...new Set([...first, ...networks, ...state.keys()])].filter((name) => first.includes(name) || shown(page, name))
  const told = names.slice(0, MOST).map((name) => `${label(page, name)} ${value(page, name, state.get(name))}`)
  return told.join(', ') + (names.length > MOST ? ' …' : '')
}
