/** Joins a body that came in several packets. Holds only what has come, never what was announced. */
import type { OwnedFd } from 'memfd-native'
import { bodySize, type Header, Violation } from './message.ts'

export interface Whole {
  readonly header: Header
  readonly body: Buffer
  readonly fds: readonly OwnedFd[]
}

export class Assembly {
  #header: Header | null = null
  #fds: readonly OwnedFd[] = []
  #parts: Buffer[] = []
  #missing = 0

  get isActive(): boolean {
    return this.#header !== null
  }

  /** Takes the first part, and the descriptors, which all come with it. */
  start(header: Header, bytes: Buffer, at: number, fds: readonly OwnedFd[]): void {
    this.#header = header
    this.#fds = fds
    this.#missing = bodySize(header)
    this.#append(header, bytes, at)
  }

  /** Takes the next part; answers the whole once nothing is missing. @throws Violation */
  add(header: Header, bytes: Buffer, at: number): Whole | null {
    const first = this.#header
    if (first === null || header.id !== first.id) throw new Violation('a continuation of another message')
    if (header.here > this.#missing) throw new Violation('a continuation beyond the end of its body')
    this.#append(header, bytes, at)
    if (this.#missing > 0) return null
    const whole = { header: first, body: Buffer.concat(this.#parts), fds: this.#fds }
    this.#clear()
    return whole
  }

  /** Forgets a half-received body and closes its descriptors. */
  close(): void {
    for (const fd of this.#fds) fd.close()
    this.#clear()
  }

  #append(header: Header, bytes: Buffer, at: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(at, at + header.here)))
    this.#missing -= header.here
  }

  #clear(): void {
    this.#header = null
    this.#fds = []
    this.#parts = []
    this.#missing = 0
  }
}
