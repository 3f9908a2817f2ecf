/**
 * One call over gRPC. Its headers go when it begins, and its message when there is one. So a call can begin before anybody has something to ask. Whoever
 * asks is told when all of the answer has come, once.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { EngineError } from '../engine/engine.ts'
import type { Asker, NodeOptions } from './asking.ts'

export interface RpcHead {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Before a message: whether it is compressed, and its length. */
const FRAME_BYTES = 5
/** 0: it is done. */
const STATUS = 'grpc-status'
/** Of HTTP. */
const STATUSES = { OK: 200, INTERNAL_SERVER_ERROR: 500 }

export class RpcCall {
  readonly #head: RpcHead
  readonly #stream: ClientHttp2Stream
  readonly #options: NodeOptions
  /** Null: nobody has asked yet. */
  #asker: Asker | null = null
  readonly #parts: Buffer[] = []
  #bytes = 0
  #status = 0
  /** The gRPC status of the call and its message. They come last, or first and alone. */
  #outcome: IncomingHttpHeaders | null = null
  #hasEnded = false
  #isOver = false

  constructor(session: ClientHttp2Session, head: RpcHead, options: NodeOptions) {
    this.#head = head
    this.#options = options
    const stream = session.request({
      ':method': 'POST',
      ':path': head.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...head.headers,
    })
    this.#stream = stream
    stream.on('response', (headers) => {
      this.#status = headers[':status'] ?? 0
      this.#take(headers)
    })
    stream.on('trailers', (headers) => this.#take(headers))
    stream.on('data', (bytes: Buffer) => this.#add(bytes))
    stream.on('end', () => {
      this.#hasEnded = true
      if (this.#outcome !== null) this.#finish()
    })
    stream.on('error', (cause) => this.#fail('closed the connection', { cause }))
    stream.on('close', () => this.#finish())
  }

  /** Whether it can ask that. */
  isFor({ path, headers }: RpcHead): boolean {
    const here = Object.entries(this.#head.headers)
    const isSame = here.length === Object.keys(headers).length && here.every(([name, value]) => headers[name] === value)
    return !this.#isOver && this.#head.path === path && isSame
  }

  /** Once, and only while it is for that. */
  send(message: Buffer, asker: Asker): void {
    this.#asker = asker
    const frame = Buffer.allocUnsafe(FRAME_BYTES + message.length)
    frame[0] = 0
    frame.writeUInt32BE(message.length, 1)
    frame.set(message, FRAME_BYTES)
    this.#stream.end(frame)
  }

  giveUp(why: string): void {
    this.#fail(why)
  }

  #take(headers: IncomingHttpHeaders): void {
    if (headers[STATUS] === undefined) return
    this.#outcome = headers
    if (this.#hasEnded) this.#finish()
  }

  #add(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    const most = this.#options.limits.answerBytes
    if (this.#bytes > most) this.#end((asker) => asker.onFailure(tooLarge(most)))
  }

  #finish(): void {
    const { OK, INTERNAL_SERVER_ERROR } = STATUSES
    const [outcome, body] = [this.#outcome, Buffer.concat(this.#parts)]
    if (this.#status !== OK && this.#status !== 0) this.#tell(this.#status, body)
    else if (outcome === null) this.#fail('closed the connection')
    else if (outcome[STATUS] !== '0') this.#tell(INTERNAL_SERVER_ERROR, reasonIn(outcome))
    else if (isFrame(body)) this.#tell(OK, body.subarray(FRAME_BYTES))
    else this.#fail('does not speak gRPC')
  }

  #tell(status: number, body: Buffer): void {
    this.#end((asker) => {
      try {
        asker.onHead(status)
        asker.onBody(body)
      } catch (error) {
        asker.onFailure(error as EngineError)
        return
      }
      asker.onEnd()
    })
  }

  #fail(why: string, options?: ErrorOptions): void {
    this.#end((asker) => asker.onFailure(new EngineError('unknown', `${this.#options.endpoint} ${why}`, options)))
  }

  #end(tell: (asker: Asker) => void): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#hasEnded) this.#stream.close(constants.NGHTTP2_CANCEL)
    if (this.#asker !== null) tell(this.#asker)
  }
}

function tooLarge(mostBytes: number): EngineError {
  return new EngineError('tooLarge', `an answer of more than ${mostBytes} bytes`)
}

/** The flag of a message. It is not compressed, because the request did not allow that. */
function isFrame(bytes: Buffer): boolean {
  return bytes.length >= FRAME_BYTES && bytes[0] === 0 && bytes.length === FRAME_BYTES + bytes.readUInt32BE(1)
}

/** As the gateway tells it. */
function reasonIn(outcome: IncomingHttpHeaders): Buffer {
  const said = String(outcome['grpc-message'] ?? `status ${outcome[STATUS]} of gRPC`)
  return Buffer.from(JSON.stringify({ message: withoutEscapes(said) }))
}

function withoutEscapes(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
