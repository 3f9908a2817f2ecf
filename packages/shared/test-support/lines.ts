/** What a stream says, line by line, as it comes. Nothing is lost between two looks. */
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export class Lines {
  readonly #lines: string[] = []
  readonly #events = new EventEmitter()
  #taken = 0
  #isEnded = false

  /** Reads the stream from now on. */
  constructor(stream: Readable) {
    createInterface({ input: stream })
      .on('line', (line) => {
        this.#lines.push(line)
        this.#events.emit('news')
      })
      .on('close', () => {
        this.#isEnded = true
        this.#events.emit('news')
      })
  }

  /** All that came so far, taken or not. */
  get text(): string {
    return this.#lines.join('\n')
  }

  /** The next line that nobody has taken; waits for it. null at the end of the stream. */
  async next(): Promise<string | null> {
    while (this.#taken === this.#lines.length && !this.#isEnded) await once(this.#events, 'news')
    return this.#lines[this.#taken++] ?? null
  }

  /** Takes lines until one is as wanted. null when the stream ends before. */
  async find(isWanted: (line: string) => boolean): Promise<string | null> {
    for (;;) {
      const line = await this.next()
      if (line === null || isWanted(line)) return line
    }
  }
}
