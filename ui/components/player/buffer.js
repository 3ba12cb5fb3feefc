// Frames on their way from the server: compressed ones ahead of the playing, a few of them decoded. All is bounded.

const AHEAD = 50 // frames that are fetched before they are wanted: two seconds
const MOST = 400 // compressed pictures and marks that are kept
const DECODED = 12 // pictures ready to be drawn; each takes width × height × 4 bytes
const [LATER, GONE] = [202, 204] // status: not yet; the page shows something else by now
const AGAIN = 400 // ms after which something that could not be had is asked for again

/** The pictures and marks of one reel. `arrived` is called whenever something new is there. */
export class Buffer {
  constructor(arrived) {
    this.arrived = arrived
    this.kinds = { pictures: this.kind(), marks: this.kind() }
    this.decoded = new Map() // frame → ImageBitmap, or null while it is decoded
    this.at = 0
    this.rates = {}
  }

  kind() {
    return { parts: new Map(), name: null, asked: null, later: 0, gone: false }
  }

  /** What the page shows from now on; what belongs to something else is dropped. */
  open(reel) {
    const fresh = !this.reel || reel.name !== this.reel.name || reel.token !== this.reel.token
    this.reel = reel
    if (fresh) this.drop('pictures')
    if (fresh || this.kinds.marks.name !== reel.marked) this.drop('marks')
    this.kinds.pictures.name = reel.name
    this.kinds.marks.name = reel.marked
    for (const kind of Object.values(this.kinds)) kind.gone = false
  }

  drop(what) {
    const kind = this.kinds[what]
    kind.asked?.abort()
    clearTimeout(kind.later)
    Object.assign(kind, this.kind())
    if (what === 'marks') return void (this.rates = {})
    for (const bitmap of this.decoded.values()) bitmap?.close()
    this.decoded.clear()
  }

  /** Nothing is held or asked for any more. */
  empty() {
    this.drop('pictures')
    this.drop('marks')
    this.reel = null
  }

  /** The film stands at frame `at`: what follows is fetched and decoded. */
  want(at, ahead = AHEAD) {
    if (!this.reel) return
    this.at = at
    this.ahead = ahead
    this.fetch('pictures')
    if (this.reel.marked) this.fetch('marks')
    const { frames } = this.reel
    for (let i = 0; i < Math.min(4, frames); i++) this.decode((at + i) % frames)
  }

  picture(frame) {
    return this.decoded.get(frame) ?? null
  }

  /** The marks of a frame; none where there are none to come, null where they are not there yet. */
  marks(frame) {
    return this.reel?.marked ? (this.kinds.marks.parts.get(frame) ?? null) : []
  }

  ready(frame) {
    return this.picture(frame) !== null && this.marks(frame) !== null
  }

  /** The first frame of the next part that is missing, or null. */
  missing({ parts }) {
    const { frames, chunk } = this.reel
    for (let i = 0; i < Math.min(this.ahead + chunk, frames); i += chunk) {
      const first = Math.floor(((this.at + i) % frames) / chunk) * chunk
      if (!parts.has(first)) return first
    }
    return null
  }

  async fetch(what) {
    const kind = this.kinds[what]
    if (kind.asked || kind.later || kind.gone) return
    const first = this.missing(kind)
    if (first === null) return
    const { reel } = this
    const asked = (kind.asked = new AbortController())
    let delay = 0
    try {
      const address = new URL(['api/reel', reel.token, what, first].join('/'), document.baseURI)
      address.searchParams.set('name', kind.name ?? '')
      const answer = await fetch(address, { signal: asked.signal })
      if (asked.signal.aborted) return
      if (answer.status === LATER) delay = AGAIN
      else if (answer.status === GONE || !answer.ok) kind.gone = true // until the page says what it shows now
      else if (what === 'pictures') this.unpack(kind, first, await answer.arrayBuffer())
      else this.read(kind, first, await answer.json())
    } catch (error) {
      if (asked.signal.aborted) return
      delay = AGAIN * 5
    }
    if (asked.signal.aborted) return // while the body was on its way
    kind.asked = null
    const next = () => {
      kind.later = 0
      if (this.reel === reel) this.want(this.at, this.ahead)
    }
    if (delay) kind.later = setTimeout(next, delay)
    else next()
    this.arrived()
  }

  unpack({ parts }, first, bytes) {
    const view = new DataView(bytes)
    for (let at = 0, frame = first; at < bytes.byteLength; frame++) {
      const length = view.getUint32(at, true)
      parts.set(frame, new Blob([new Uint8Array(bytes, at + 4, length)], { type: 'image/jpeg' }))
      at += 4 + length
    }
    this.prune(parts)
  }

  read({ parts }, first, told) {
    told.frames.forEach((marks, i) => parts.set(first + i, marks))
    this.rates = { rate: told.rate, milliseconds: told.milliseconds, when: performance.now() }
    this.prune(parts)
  }

  /** What was played longest ago goes first, in whole parts, or the missing ones could not be told. */
  prune(parts) {
    const { frames, chunk } = this.reel
    const behind = (frame) => (this.at - frame + frames) % frames
    while (parts.size > MOST) {
      const firsts = [...parts.keys()].filter((frame) => frame % chunk === 0)
      const from = firsts.filter((first) => behind(first) < frames - this.ahead - chunk)
      const first = (from.length ? from : firsts).reduce((a, b) => (behind(a) > behind(b) ? a : b))
      for (let i = 0; i < chunk; i++) parts.delete(first + i)
    }
  }

  async decode(frame) {
    const blob = this.kinds.pictures.parts.get(frame)
    if (!blob || this.decoded.has(frame)) return
    this.decoded.set(frame, null)
    const { reel, decoded } = this
    let bitmap = null
    try {
      bitmap = await createImageBitmap(blob)
    } catch {
      // a broken picture is as good as none
    }
    if (this.reel?.name !== reel.name || this.reel.token !== reel.token || !decoded.has(frame)) return bitmap?.close()
    if (!bitmap) return void decoded.delete(frame)
    decoded.set(frame, bitmap)
    for (const [old, held] of decoded) {
      if (decoded.size <= DECODED) break
      const far = (old - this.at + reel.frames) % reel.frames
      if (held && far > 4) {
        held.close()
        decoded.delete(old)
      }
    }
    this.arrived()
  }
}
