/** One connection to a node, which is asked one thing at a time: whether it got there, how long it is silent, and what is known when it breaks. */
import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { EngineError } from '../engine/engine.ts'
import { type AnswerSink, HttpAnswer } from './http-answer.ts'

export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface NodeLimits {
  /** Until a node is reached. Milliseconds. */
  readonly connectMs: number
  /** Until it goes on answering. */
  readonly silenceMs: number
  /** Of one answer, in bytes. */
  readonly answerBytes: number
}

/** Who asks, and hears of the answer: of its end, or of what failed, and of nothing afterwards. */
export interface Asker extends AnswerSink {
  onFailure(error: EngineError): void
}

export interface ConnectionOptions {
  readonly endpoint: string
  readonly tls: TlsOptions
  readonly limits: NodeLimits
  /** It cannot be asked any more. */
  readonly onGone: (connection: Connection) => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  #asker: Asker | null = null
  #answer: HttpAnswer | null = null
  #isConnected = false
  #isGone = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { limits } = options
    const timer = setTimeout(() => this.#fail('cannot be reached'), limits.connectMs)
    this.#socket = connect(options, () => {
      clearTimeout(timer)
      this.#isConnected = true
    })
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.#socket.on('data', (bytes) => this.#take(bytes))
    // Once: each write and each answer begins it anew.
    this.#socket.setTimeout(limits.silenceMs)
    this.#socket.on('timeout', () => {
      if (this.#asker !== null) this.#fail('is silent')
    })
    this.#socket.on('error', (cause) => this.#fail(cause.message, cause))
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('close', () => {
      clearTimeout(timer)
      this.#fail('has hung up')
    })
  }

  /** @param request all of it. When the last one was answered. */
  ask(request: string, asker: Asker): void {
    this.#asker = asker
    this.#answer = new HttpAnswer({
      onHead: (status) => asker.onHead(status),
      onBody: (bytes) => asker.onBody(bytes),
      onEnd: (isKept) => this.#answered(asker, isKept),
    })
    this.#socket.ref()
    this.#socket.write(request)
  }

  /** From now on it may be silent: whoever listens knows for how long. */
  bePatient(): void {
    this.#socket.setTimeout(0)
  }

  /** Whoever has asked is told why. */
  giveUp(why: string): void {
    this.#fail(why)
  }

  #take(bytes: Buffer): void {
    try {
      if (this.#answer === null) this.#fail('says what nobody asked')
      else this.#answer.take(bytes)
    } catch (error) {
      this.#fail((error as Error).message, error)
    }
  }

  #ended(): void {
    // Of a handshake of TLS that broke off, the error says more.
    if (this.#isConnected && this.#answer?.ended() !== true) this.#fail('has hung up')
  }

  #answered(asker: Asker, isKept: boolean): void {
    this.#asker = this.#answer = null
    if (isKept) this.#socket.unref()
    else this.#fail('was not to be kept')
    asker.onEnd(isKept)
  }

  #fail(why: string, cause?: unknown): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#socket.destroy()
    const asker = this.#asker
    this.#asker = this.#answer = null
    this.#options.onGone(this)
    asker?.onFailure(this.#failure(why, cause))
  }

  #failure(why: string, cause: unknown): EngineError {
    if (cause instanceof EngineError) return cause
    return new EngineError(this.#isConnected ? 'unknown' : 'unsent', `${this.#options.endpoint} ${why}`, { cause })
  }
}

/** Of silence, after which the kernel asks whether the other side is there. */
const KEEP_ALIVE_MS = 1000

function connect({ endpoint, tls }: ConnectionOptions, onConnect: () => void): Socket {
  const { protocol, hostname, port } = new URL(endpoint)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol !== 'https:') return createConnection({ host, port: Number(port || 80) }, onConnect)
  const name = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ host, port: Number(port || 443), ALPNProtocols: ['http/1.1'], ...name, ...tls }, onConnect)
}
