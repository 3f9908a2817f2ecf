/**
 * The answers that come over one connection, HTTP/1.1: RFC 9112. Of its own because node:http takes longer for a small answer than etcd does to
 * write it: docs/replication.md, "What it costs".
 */
import { EngineError } from '../engine/engine.ts'

export interface AnswerSink {
  onHead(status: number): void
  /** Of the body. */
  onBody(bytes: Buffer): void
  /** @param isKept the connection may be asked again */
  onEnd(isKept: boolean): void
}

/** Of a head, or a line. */
const LONGEST = 64 * 1024
const NONE = Buffer.alloc(0)

type Part = 'head' | 'body' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'untilEnd'

export class HttpAnswer {
  readonly #sink: AnswerSink
  #part: Part = 'head'
  /** Bytes that are still to come of the body, or of the chunk. */
  #left = 0
  #isKept = true
  /** Of a head or a line that is not complete. */
  #begun: Buffer = NONE
  #isOver = false

  constructor(sink: AnswerSink) {
    this.#sink = sink
  }

  /** @throws EngineError unknown: that is no HTTP */
  take(bytes: Buffer): void {
    let rest: Buffer = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes])
    this.#begun = NONE
    while (rest.length > 0) {
      if (this.#isOver) throw noHttp('more than was asked for')
      const taken = this.#step(rest)
      if (taken === 0) break
      rest = rest.subarray(taken)
    }
    if (this.#isOver) return
    if (rest.length > LONGEST) throw noHttp('a line that is too long')
    this.#begun = rest
  }

  /** The connection has ended. @returns whether the answer has, too */
  ended(): boolean {
    if (this.#part === 'untilEnd') this.#end(false)
    return this.#isOver
  }

  /** @returns how many bytes it took; 0: it needs more */
  #step(bytes: Buffer): number {
    switch (this.#part) {
      case 'head':
        return this.#upTo(bytes, HEAD_END, (text) => this.#head(text))
      case 'size':
        return this.#upTo(bytes, LINE_END, (text) => this.#size(text))
      case 'chunkEnd':
        return this.#upTo(bytes, LINE_END, () => {
          this.#part = 'size'
        })
      case 'trailers':
        return this.#upTo(bytes, LINE_END, (text) => {
          if (text === '') this.#end(this.#isKept)
        })
      case 'untilEnd':
        this.#sink.onBody(bytes)
        return bytes.length
      default:
        return this.#piece(bytes)
    }
  }

  #upTo(bytes: Buffer, end: string, take: (text: string) => void): number {
    const at = bytes.indexOf(end)
    if (at < 0) return 0
    take(bytes.toString('latin1', 0, at))
    return at + end.length
  }

  #head(text: string): void {
    const status = Number(/^HTTP\/1\.\d (\d{3})(?: |\r|$)/.exec(text)?.[1])
    if (Number.isNaN(status)) throw noHttp(JSON.stringify(text.slice(0, 40)))
    if (status < 200) return
    const length = headerOf(text, LENGTH)
    const isChunked = /\bchunked$/i.test(headerOf(text, ENCODING) ?? '')
    this.#isKept = text.startsWith('HTTP/1.1') && !/\bclose\b/i.test(headerOf(text, CONNECTION) ?? '')
    if (!isChunked && length !== undefined && !/^\d{1,15}$/.test(length)) throw noHttp(`a length of ${length}`)
    this.#sink.onHead(status)
    if (isChunked) this.#part = 'size'
    else if (length === undefined && status !== 204) this.#part = 'untilEnd'
    else this.#begin('body', Number(length ?? 0))
  }

  #size(text: string): void {
    const [digits = ''] = text.split(';')
    if (!/^[0-9a-f]{1,12} *$/i.test(digits)) throw noHttp(`a chunk of ${JSON.stringify(digits)} bytes`)
    const size = Number.parseInt(digits, 16)
    if (size === 0) this.#part = 'trailers'
    else this.#begin('chunk', size)
  }

  #begin(part: 'body' | 'chunk', bytes: number): void {
    this.#part = part
    this.#left = bytes
    if (bytes === 0) this.#end(this.#isKept)
  }

  #piece(bytes: Buffer): number {
    const taken = Math.min(this.#left, bytes.length)
    this.#left -= taken
    this.#sink.onBody(taken === bytes.length ? bytes : bytes.subarray(0, taken))
    if (this.#left > 0) return taken
    if (this.#part === 'chunk') this.#part = 'chunkEnd'
    else this.#end(this.#isKept)
    return taken
  }

  #end(isKept: boolean): void {
    this.#isOver = true
    this.#sink.onEnd(isKept)
  }
}

const HEAD_END = '\r\n\r\n'
const LINE_END = '\r\n'
const LENGTH = /\r\ncontent-length: *([^\r]*?) *(?:\r|$)/i
const ENCODING = /\r\ntransfer-encoding: *([^\r]*?) *(?:\r|$)/i
const CONNECTION = /\r\nconnection: *([^\r]*?) *(?:\r|$)/i

function headerOf(head: string, header: RegExp): string | undefined {
  return header.exec(head)?.[1]
}

function noHttp(what: string): EngineError {
  return new EngineError('unknown', `the answer is no HTTP: ${what}`)
}
