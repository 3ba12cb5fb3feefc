// A picture with its controls fills the screen: by its button, or by the key f for the one under the pointer, in hand, or
// else most in sight. Escape leaves.

const { make } = await import(new URL(`../wire.js${new URL(import.meta.url).search}`, import.meta.url))

const NATIVE = '[data-testid=stButtonGroup], [data-testid=stSelectbox], [data-testid=stNumberInput]'
const WRITES = 'input, textarea, select, [contenteditable], [role=combobox], [role=gridcell]'
const SHEET = `
[data-full] { position: fixed !important; inset: 0; z-index: 999995; overflow: auto; box-sizing: border-box; width: 100vw !important;
  height: 100vh !important; max-width: none !important; max-height: none !important; padding: 1rem 1.5rem !important; background: var(--full-ground);
  --stage-height: calc(100vh - 6rem); --stage-width: 100vw; align-content: flex-start; align-items: flex-start; }
:has([data-full]) { transform: none !important; contain: none !important; }
`
const stages = new Set()
let shown = null // { block, place } while one fills the screen

/** Four corners, for the button. */
export const icon = () => make('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, make('path', { d: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4' }))

/** The smallest block around a stage that holds a control too, else the stage's own. */
function blockOf(stage) {
  const host = stage.root.getRootNode().host ?? stage.root
  const own = host.closest('[data-testid=stElementContainer]')
  const moves = (node) => node.matches(NATIVE) || node.shadowRoot?.querySelector('[role=slider]')
  const others = (block) => [...block.querySelectorAll('*')].some((node) => !own.contains(node) && moves(node))
  for (let block = own; block; block = block.parentElement) {
    if (block.dataset.testid === 'stMainBlockContainer') break
    if (/^st(Horizontal|Vertical)Block$/.test(block.dataset.testid ?? '') && others(block)) return block
  }
  return own
}

function leave() {
  if (!shown) return
  const { block, main, top } = shown
  shown = null
  block.removeAttribute('data-full')
  main.scrollTop = top
  if (document.fullscreenElement) document.exitFullscreen()
}

export function toggle(stage) {
  if (shown) return leave()
  const main = document.querySelector('[data-testid=stMain]')
  const block = blockOf(stage)
  shown = { block, main, top: main.scrollTop, stage }
  block.style.setProperty('--full-ground', getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor)
  block.setAttribute('data-full', '')
  document.documentElement.requestFullscreen?.().catch(() => {}) // refused: it fills the window
  stage.frame.scrollIntoView({ block: 'nearest' })
}

export function join(stage) {
  for (const each of stages) if (!each.root.isConnected) stages.delete(each)
  stages.add(stage)
}

/** The stage that f means. */
function meant() {
  const here = [...stages].filter(({ root, frame }) => root.isConnected && frame.clientWidth)
  const seen = ({ frame }) => {
    const { top, bottom, width } = frame.getBoundingClientRect()
    return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) * width
  }
  const inHand = here.find(({ frame }) => frame.matches(':hover') || frame.matches(':focus-within'))
  return inHand ?? here.sort((a, b) => seen(b) - seen(a)).find((stage) => seen(stage) > 0)
}

const sheet = document.createElement('style')
sheet.textContent = SHEET
document.head.append(sheet)
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') return leave()
  if (event.key !== 'f' || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.composedPath().some((node) => node.matches?.(WRITES))) return
  const stage = shown?.stage ?? meant()
  if (stage) toggle(stage)
})
document.addEventListener('fullscreenchange', () => document.fullscreenElement || leave())
