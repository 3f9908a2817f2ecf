/**
 * The nodes of a cluster, and requests to one of them after the other: each within a deadline, each with what is known when it fails. A request
 * that surely never got to a node is sent to the next one; any other may have been carried out, and is not.
 */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { EngineError } from '../engine/engine.ts'

export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface NodesOptions {
  /** URLs; the first is asked as long as it answers. */
  readonly endpoints: readonly string[]
  readonly tls: TlsOptions
  readonly limits: NodeLimits
}

export interface NodeLimits {
  /** Until a node is reached. Milliseconds. */
  readonly connectMs: number
  /** Until it goes on answering. */
  readonly silenceMs: number
  /** Of one answer, in bytes. */
  readonly answerBytes: number
}

export const NODE_LIMITS: NodeLimits = { connectMs: 2000, silenceMs: 3000, answerBytes: 64 * 1024 * 1024 }

export interface Call {
  /** Default: POST. */
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds for all of it; undefined: only what `NodeLimits` says. */
  readonly timeoutMs?: number | undefined
}

/** A connection of its own, whose answer does not end. */
export interface Stream {
  readonly answer: IncomingMessage
  end(): void
}

export class Nodes {
  readonly #options: NodesOptions
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  #at = 0

  constructor(options: NodesOptions) {
    this.#options = options
    const pool = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: FREE_SOCKETS }
    this.#agents = { http: new HttpAgent(pool), https: new HttpsAgent({ ...pool, ...options.tls }) }
  }

  get endpoint(): string {
    return this.#options.endpoints[this.#at] as string
  }

  turn(): void {
    this.#at = (this.#at + 1) % this.#options.endpoints.length
    this.#dropIdle()
  }

  /** The answer, and its status. @throws EngineError unsent, unknown, tooLarge */
  async call(call: Call): Promise<{ status: number; text: string }> {
    const { endpoints } = this.#options
    const deadline = call.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + call.timeoutMs
    for (let tries = 1; ; tries++) {
      const left = Math.max(deadline - performance.now(), 1)
      try {
        return await this.#callOne(endpoints[(this.#at + tries - 1) % endpoints.length] as string, call, left)
      } catch (error) {
        const isUnsent = error instanceof EngineError && error.fault === 'unsent'
        if (!isUnsent || tries >= endpoints.length || performance.now() >= deadline) throw error
      }
    }
  }

  /** @throws EngineError unsent, unknown */
  async open(call: Call): Promise<Stream> {
    const begun = this.#begin(this.endpoint, call, { isPooled: false })
    const answer = await begun.answered
    answer.on('error', () => undefined) // whoever reads is told by its end
    return { answer, end: () => begun.request.destroy() }
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }

  /** What is kept open may lead nowhere by now: what is sent there may arrive, or not. A new connection is made, or nothing is sent. */
  #dropIdle(): void {
    for (const { freeSockets } of Object.values(this.#agents)) {
      for (const socket of Object.values(freeSockets).flat()) socket?.destroy()
    }
  }

  async #callOne(endpoint: string, call: Call, leftMs: number): Promise<{ status: number; text: string }> {
    const begun = this.#begin(endpoint, call, { isPooled: true })
    const timer = Number.isFinite(leftMs) ? setTimeout(() => begun.giveUp('no answer in time'), leftMs) : undefined
    try {
      const answer = await begun.answered
      return { status: answer.statusCode ?? 0, text: await this.#read(answer, begun.request) }
    } finally {
      clearTimeout(timer)
    }
  }

  async #read(answer: IncomingMessage, request: ClientRequest): Promise<string> {
    const { answerBytes } = this.#options.limits
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of answer) {
        chunks.push(chunk as Buffer)
        bytes += (chunk as Buffer).length
        if (bytes <= answerBytes) continue
        request.destroy()
        throw new EngineError('tooLarge', `an answer of more than ${answerBytes} bytes`)
      }
    } catch (cause) {
      if (cause instanceof EngineError) throw cause
      throw new EngineError('unknown', `the answer broke off: ${(cause as Error).message}`, { cause })
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  #begin(endpoint: string, { method = 'POST', path, body, headers }: Call, { isPooled }: { isPooled: boolean }) {
    const url = new URL(path, endpoint)
    const isTls = url.protocol === 'https:'
    const agent = isPooled ? this.#agents[isTls ? 'https' : 'http'] : false
    const options = { method, agent, headers: { ...headers, 'content-type': 'application/json' } }
    const request = isTls ? requestHttps(url, { ...options, ...this.#options.tls }) : requestHttp(url, options)
    const connection = new Connection(request, endpoint, this.#options.limits)
    request.end(body)
    return { request, answered: connection.answered, giveUp: (why: string) => connection.giveUp(why) }
  }
}

const MAX_SOCKETS = 64
const FREE_SOCKETS = 8

/** One request on its way: whether it got to a node, and how long that is silent. */
class Connection {
  readonly answered: Promise<IncomingMessage>
  #isConnected = false
  #why = ''
  readonly #request: ClientRequest
  readonly #endpoint: string

  constructor(request: ClientRequest, endpoint: string, { connectMs, silenceMs }: NodeLimits) {
    this.#request = request
    this.#endpoint = endpoint
    const timer = setTimeout(() => this.giveUp('cannot be reached'), connectMs)
    const connected = () => {
      clearTimeout(timer)
      this.#isConnected = true
    }
    request.once('socket', (socket) => {
      const isTls = 'encrypted' in socket
      if (!socket.connecting && (!isTls || request.reusedSocket)) connected()
      else socket.once(isTls ? 'secureConnect' : 'connect', connected)
    })
    request.once('close', () => clearTimeout(timer))
    // Also while the answer comes, on whichever socket.
    request.setTimeout(silenceMs, () => this.giveUp('is silent'))
    this.answered = new Promise((resolve, reject) => {
      request.once('response', resolve)
      request.on('error', (cause) => reject(this.#failure(cause)))
    })
    this.answered.catch(() => undefined)
  }

  giveUp(why: string): void {
    this.#why ||= why
    this.#request.destroy(new Error(why))
  }

  #failure(cause: Error): EngineError {
    const reason = this.#why === '' ? cause.message : this.#why
    return new EngineError(this.#isConnected ? 'unknown' : 'unsent', `${this.#endpoint} ${reason}`, { cause })
  }
}
