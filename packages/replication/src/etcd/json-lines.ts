/** Reads JSON values, one per line, as they arrive. A line that is too long ends the stream. */
import { StringDecoder } from 'node:string_decoder'
import { EngineError } from '../engine/engine.ts'

export class JsonLines {
  readonly #maxUnits: number
  readonly #onValue: (value: unknown) => void
  readonly #decoder = new StringDecoder('utf8')
  #parts: string[] = []
  #length = 0

  constructor(maxUnits: number, onValue: (value: unknown) => void) {
    this.#maxUnits = maxUnits
    this.#onValue = onValue
  }

  /** @throws EngineError tooLarge, unknown */
  take(bytes: Buffer): void {
    const text = this.#decoder.write(bytes)
    let begin = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      this.#add(text.slice(begin, end))
      begin = end + 1
      this.#line()
    }
    this.#add(text.slice(begin))
  }

  #add(part: string): void {
    this.#length += part.length
    if (this.#length > this.#maxUnits) throw new EngineError('tooLarge', `a line of more than ${this.#maxUnits} bytes`)
    if (part !== '') this.#parts.push(part)
  }

  #line(): void {
    const line = this.#parts.join('')
    this.#parts = []
    this.#length = 0
    if (line !== '') this.#onValue(parse(line))
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EngineError('unknown', 'etcd sent a line that is not JSON', { cause })
  }
}
