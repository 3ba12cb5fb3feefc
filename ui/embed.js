// In a frame: Back belongs to the page around it, and the way out takes the state along.
const replace = history.replaceState.bind(history)
history.pushState = (state, title, address) => {
  const next = new URL(address ?? location.href, document.baseURI)
  if (next.pathname !== location.pathname) document.getElementById('embed-section')?.remove() // it was of that page
  return replace(state, title, address)
}
for (const hand of ['pointerdown', 'keydown']) addEventListener(hand, (event) => {
  const link = event.target.closest?.('.st-key-embed-way-out a')
  if (!link) return
  const whole = new URL(location.href)
  whole.hash = whole.searchParams.get('section') ?? ''
  for (const name of ['embed', 'embed_options', 'section']) whole.searchParams.delete(name)
  link.href = whole.href
}, true)
