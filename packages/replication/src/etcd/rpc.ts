/**
 * Calls to one node over gRPC, without the gateway, on one HTTP/2 connection that is opened in the background. While it
 * is not open (not yet, not any more, or the endpoint does not speak HTTP/2), calls use the gateway. So no call waits
 * for the connection.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { EngineError } from '../engine/engine.ts'
import { type Asker, type GiveUp, KEPT_MS, type NodeOptions, PROBE_MS } from './asking.ts'

export interface RpcRequest {
  readonly path: string
  readonly message: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** The least time between two attempts to open it. */
const PAUSE_MS = 5000
/** Before a message: whether it is compressed, and its length. */
const FRAME_BYTES = 5
/** 0: it is done. */
const STATUS = 'grpc-status'
/** Of HTTP. */
const STATUSES = { OK: 200, INTERNAL_SERVER_ERROR: 500 }

export class RpcConnection {
  readonly #options: NodeOptions
  #session: ClientHttp2Session | null = null
  /** It has said that it speaks HTTP/2. */
  #isOpen = false
  #triedAt = Number.NEGATIVE_INFINITY
  /** Those that have answers to come, the present one among them. */
  readonly #sessions = new Map<ClientHttp2Session, Socket>()

  constructor(options: NodeOptions) {
    this.#options = options
  }

  /** Whether it can be called now. If not it is opened beside. */
  get isOpen(): boolean {
    if (this.#session === null) this.#openSoon()
    return this.#isOpen && this.#session?.closed === false && !this.#session.destroyed
  }

  /**
   * Only while it is open. The answer's status is 200, and its body the message; or another one, and the body says why, as the gateway does. What fails
   * may have been carried out.
   */
  ask({ path, message, headers }: RpcRequest, asker: Asker): GiveUp {
    const session = this.#session as ClientHttp2Session
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const answer = new Answer(stream, asker, this.#options)
    const frame = Buffer.alloc(FRAME_BYTES)
    frame.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([frame, message]))
    return (why) => {
      answer.giveUp(why)
      // It may lead nowhere.
      if (this.#session === session) this.drop()
    }
  }

  /** Another connection is opened when it is needed. Calls under way continue. */
  drop(): void {
    const session = this.#session
    this.#forget()
    this.#triedAt = Number.NEGATIVE_INFINITY
    if (session === null) return
    session.close()
    setTimeout(() => this.#end(session), this.#options.limits.silenceMs).unref()
  }

  close(): void {
    this.#forget()
    this.#triedAt = Number.POSITIVE_INFINITY
    for (const session of this.#sessions.keys()) this.#end(session)
  }

  #openSoon(): void {
    const now = performance.now()
    if (now - this.#triedAt < PAUSE_MS) return
    this.#triedAt = now
    const { endpoint, limits } = this.#options
    const socket = this.#connect(new URL(endpoint))
    const session = connect(endpoint, { createConnection: () => socket })
    this.#session = session
    this.#sessions.set(session, socket)
    const over = () => {
      clearTimeout(timer)
      if (this.#session === session) this.#forget()
    }
    const timer = setTimeout(() => this.#end(session), limits.connectMs)
    session.setTimeout(KEPT_MS, () => session.close())
    session.once('remoteSettings', () => {
      clearTimeout(timer)
      if (this.#session === session) this.#isOpen = true
    })
    session.on('goaway', over)
    session.on('error', over) // whoever asked over it is told by the stream
    session.on('close', () => {
      over()
      this.#sessions.delete(session)
      socket.destroy()
    })
  }

  /** At once. To end it alone leaves a socket that waits for the other side. */
  #end(session: ClientHttp2Session): void {
    session.destroy()
    this.#sessions.get(session)?.destroy()
  }

  #connect({ protocol, hostname, port }: URL): Socket {
    const { tls } = this.#options
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const where = { host, keepAlive: true, keepAliveInitialDelay: PROBE_MS, noDelay: true }
    if (protocol === 'http:') return connectTcp({ ...where, port: Number(port || 80) })
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    return connectTls({ ...where, ...tls, ...name, port: Number(port || 443), ALPNProtocols: ['h2'] })
  }

  #forget(): void {
    this.#session = null
    this.#isOpen = false
  }
}

/** To one call: told when all of it has come, once. */
class Answer {
  readonly #stream: ClientHttp2Stream
  readonly #asker: Asker
  readonly #options: NodeOptions
  readonly #parts: Buffer[] = []
  #bytes = 0
  #status = 0
  /** The gRPC status of the call and its message. They come last, or first and alone. */
  #outcome: IncomingHttpHeaders | null = null
  #hasEnded = false
  #isOver = false

  constructor(stream: ClientHttp2Stream, asker: Asker, options: NodeOptions) {
    this.#stream = stream
    this.#asker = asker
    this.#options = options
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
    if (this.#bytes > most)
      this.#end(() => this.#asker.onFailure(new EngineError('tooLarge', `an answer of more than ${most} bytes`)))
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
    this.#end(() => {
      try {
        this.#asker.onHead(status)
        this.#asker.onBody(body)
      } catch (error) {
        this.#asker.onFailure(error as EngineError)
        return
      }
      this.#asker.onEnd()
    })
  }

  #fail(why: string, options?: ErrorOptions): void {
    this.#end(() => this.#asker.onFailure(new EngineError('unknown', `${this.#options.endpoint} ${why}`, options)))
  }

  #end(tell: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#hasEnded) this.#stream.close(constants.NGHTTP2_CANCEL)
    tell()
  }
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
