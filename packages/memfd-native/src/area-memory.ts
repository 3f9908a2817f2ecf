/**
 * The mapping of an attached area, which its keys and feeds share. They read single words of it through private views
 * (docs/decisions/0008), and only while it has its handle, which it loses in the turn in which it is unmapped.
 */
import { type Handle, NO_HANDLE, native } from './binding.ts'
import { LeakDetector, type Watched } from './leak-detector.ts'
import { Words } from './typed-array.ts'

/** Shared with the leak detector, which must not hold the memory itself. */
export interface AreaCell extends Watched {
  handle: Handle
}

/** V8 counts what it can see as its own: so not all at once. */
const CHUNK_BYTES = 1 << 18
const CHUNK_WORDS = CHUNK_BYTES / 4

const leaks = new LeakDetector<AreaCell>((cell) => {
  if (cell.handle === NO_HANDLE) return null
  native.areaDetach(cell.handle)
  cell.handle = NO_HANDLE
  return 'attached area'
})

export class AreaMemory {
  readonly cell: AreaCell
  /** By their number; null where the runtime allows no memory outside its heap. */
  readonly #chunks: (Int32Array | null | undefined)[] = []
  #visibleBytes = 0

  /** Takes the handle over. */
  constructor(handle: Handle) {
    this.cell = { handle }
    leaks.watch(this, this.cell)
  }

  get isOpen(): boolean {
    return this.cell.handle !== NO_HANDLE
  }

  /** The chunk in which the int32 with this number is. SAFETY: it is loaded from only while the cell has its handle. */
  chunkOf(word: number): Int32Array | null {
    const number = Math.floor(word / CHUNK_WORDS)
    let chunk = this.#chunks[number]
    if (chunk === undefined) {
      chunk = this.#viewOf(number * CHUNK_BYTES)
      this.#chunks[number] = chunk
    }
    return chunk
  }

  /** The place of that int32 in its chunk. */
  static placeOf(word: number): number {
    return word % CHUNK_WORDS
  }

  close(): void {
    native.areaDetach(this.cell.handle)
    this.cell.handle = NO_HANDLE
    leaks.forget(this, this.cell)
  }

  #viewOf(offset: number): Int32Array | null {
    const { handle } = this.cell
    if (this.#visibleBytes === 0) this.#visibleBytes = native.areaVisible(handle)
    const memory = native.areaView(handle, offset, Math.min(CHUNK_BYTES, this.#visibleBytes - offset))
    return memory === null ? null : new Words(memory)
  }
}
