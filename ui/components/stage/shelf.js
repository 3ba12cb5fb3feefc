// The rasters that one stage has been sent: decoded once, the newest kept, so that what comes back needs no second journey.

const KEPT = 32 // wire_format.py counts on the newest 16; messages on the way may overtake one another

export class Shelf {
  constructor() {
    this.bitmaps = new Map() // name → ImageBitmap, least recent first
    this.decoding = new Map() // name → promise
  }

  /** Takes what arrived, name → data URL. */
  take(rasters) {
    for (const [name, address] of Object.entries(rasters)) {
      if (!this.bitmaps.has(name) && !this.decoding.has(name)) this.decoding.set(name, this.decode(name, address))
    }
  }

  async decode(name, address) {
    try {
      this.put(name, await createImageBitmap(await (await fetch(address)).blob()))
    } finally {
      this.decoding.delete(name)
    }
  }

  put(name, bitmap) {
    this.bitmaps.delete(name)
    this.bitmaps.set(name, bitmap)
    if (this.bitmaps.size > KEPT) this.bitmaps.delete(this.bitmaps.keys().next().value)
  }

  /** A promise for the moment when none of `names` is being decoded any more; null if none is. */
  wait(names) {
    const work = names.map((name) => this.decoding.get(name)).filter(Boolean)
    return work.length ? Promise.allSettled(work) : null
  }

  lacks(name) {
    return !this.bitmaps.has(name)
  }

  /** The bitmap, which then counts as the newest; undefined if it is not here. */
  get(name) {
    const bitmap = this.bitmaps.get(name)
    if (bitmap) this.put(name, bitmap)
    return bitmap
  }
}
