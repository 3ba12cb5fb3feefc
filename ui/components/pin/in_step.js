// Which controls move both sides of a pin, and which one alone. A state is a sorted list of [name, value], as in an address.
//
// Nothing differs: the next change sets the two apart. Something differs: it stays apart, and every other control moves
// both. What is set to the same value on both sides is in step again.

// Of the address: each side's own. Answers to questions are given once, on the live side.
const OWN = ['lecture', 'notes', 'predict', 'room', 'follow', 'pin', 'pinned', 'put', 'embed', 'embed_options', 'section']
export const own = (name) => OWN.includes(name) || name.startsWith('predict-')

const DEFAULT = '-' // as a name in the address: the copy has the default of the control that is the value

/** The state that a query has: Map of name → values. */
export function stateOf(query) {
  const found = new Map()
  for (const [name, value] of new URLSearchParams(query)) {
    if (!own(name)) found.set(name, [...(found.get(name) ?? []), value])
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The query of a state. */
export function queryOf(state) {
  const found = new URLSearchParams()
  for (const [name, values] of state) for (const value of values) found.append(name, value)
  found.sort()
  return found.toString()
}

export const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** Names whose values differ between two states. */
export function changed(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => !same(before.get(name), after.get(name))).sort()
}

/** What differs, from the parameter `pin`: Map of name → values of the copy, null for its default. */
export function read(text) {
  const found = new Map()
  for (const [name, value] of new URLSearchParams(text)) {
    if (name === DEFAULT) {
      if (value && !own(value)) found.set(value, null)
    } else if (!own(name)) found.set(name, [...(found.get(name) ?? []), value])
  }
  return found
}

/** The parameter `pin`; "-" where nothing differs. */
export function write(apart) {
  const found = new URLSearchParams()
  for (const [name, values] of apart) {
    if (values === null) found.append(DEFAULT, name)
    else for (const value of values) found.append(name, value)
  }
  found.sort()
  return found.toString() || DEFAULT
}

/** The state of the copy beside a `live` state. */
export function copyOf(live, apart) {
  const found = new Map(live)
  for (const [name, values] of apart) {
    if (values === null) found.delete(name)
    else found.set(name, values)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What differs after the live page has gone from `before` to `after`; `setting`: the change that sets apart goes on. */
export function apartAfter(apart, before, after, setting) {
  const found = new Map(apart)
  if (!apart.size || setting) {
    for (const name of changed(before, after)) if (!found.has(name)) found.set(name, before.get(name) ?? null)
  }
  for (const [name, values] of found) if (same(values, after.get(name))) found.delete(name)
  return found
}

/** What differs, and the state of the live page, after a hand has taken the copy from `before` to `after`. */
export function afterCopy(apart, live, before, after, setting) {
  const found = new Map(apart), moved = new Map(live)
  for (const name of changed(before, after)) {
    if (!apart.size || setting || apart.has(name)) found.set(name, after.get(name) ?? null)
    else if (after.has(name)) moved.set(name, after.get(name))
    else moved.delete(name)
  }
  for (const [name, values] of found) if (same(values, moved.get(name))) found.delete(name)
  return { apart: found, live: new Map([...moved].sort(([a], [b]) => (a < b ? -1 : 1))) }
}
