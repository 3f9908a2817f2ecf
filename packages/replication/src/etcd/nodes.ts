/**
 * The nodes of a cluster, and requests to one of them after the other: each within a deadline, each with what is known when it fails. A request
 * that surely never got to a node is sent to the next one; any other may have been carried out, and is not.
 */
import { EngineError } from '../engine/engine.ts'
import { Connection, type NodeLimits, type TlsOptions } from './connection.ts'
import { Connections } from './connections.ts'

export interface NodesOptions {
  /** URLs; the first is asked as long as it answers. */
  readonly endpoints: readonly string[]
  readonly tls: TlsOptions
  readonly limits: NodeLimits
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

export interface Answer {
  readonly status: number
  readonly text: string
}

/** Who hears what comes, on a connection of its own, until the signal. */
export interface Listening {
  readonly onBytes: (bytes: Buffer) => void
  readonly signal: AbortSignal
}

interface Node {
  readonly endpoint: string
  readonly connections: Connections
}

export class Nodes {
  readonly #options: NodesOptions
  readonly #nodes: readonly Node[]
  #at = 0

  constructor(options: NodesOptions) {
    const { endpoints, tls, limits } = options
    this.#options = options
    this.#nodes = endpoints.map((endpoint) => ({
      endpoint,
      connections: new Connections({ endpoint, tls, limits }),
    }))
  }

  get endpoint(): string {
    return this.#node(0).endpoint
  }

  /** What is kept open may lead nowhere by now. A new connection is made, or nothing is sent. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#nodes.length
    for (const { connections } of this.#nodes) connections.dropIdle()
  }

  /** The answer, and its status. @throws EngineError unsent, unknown, tooLarge */
  async call(call: Call): Promise<Answer> {
    const deadline = call.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + call.timeoutMs
    for (let tries = 1; ; tries++) {
      const leftMs = Math.max(deadline - performance.now(), 1)
      try {
        return await this.#callOne(this.#node(tries - 1), call, leftMs)
      } catch (error) {
        const isUnsent = error instanceof EngineError && error.fault === 'unsent'
        if (!isUnsent || tries >= this.#nodes.length || performance.now() >= deadline) throw error
      }
    }
  }

  /** An answer that does not end. Ends by an error only. @throws EngineError unsent, unknown; what `onBytes` throws */
  listen(call: Call, { onBytes, signal }: Listening): Promise<never> {
    const { endpoint } = this
    return new Promise<never>((_, reject) => {
      const connection = new Connection({ endpoint, ...this.#options, onGone: () => undefined })
      const stop = () => connection.giveUp('was asked for long enough')
      const end = (error: EngineError) => {
        signal.removeEventListener('abort', stop)
        reject(error)
      }
      connection.ask(requestOf(endpoint, call), {
        onHead: () => connection.bePatient(),
        onBody: onBytes,
        onEnd: () => {
          connection.giveUp('has ended')
          end(new EngineError('unknown', 'the answer has ended'))
        },
        onFailure: end,
      })
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    })
  }

  close(): void {
    for (const { connections } of this.#nodes) connections.close()
  }

  /** So many after the one that is asked first. */
  #node(after: number): Node {
    return this.#nodes[(this.#at + after) % this.#nodes.length] as Node
  }

  #callOne({ endpoint, connections }: Node, call: Call, leftMs: number): Promise<Answer> {
    const request = requestOf(endpoint, call)
    return new Promise((resolve, reject) => {
      let connection: Connection | null = null
      const late = () => {
        stopWaiting()
        if (connection !== null) return connection.giveUp('gave no answer in time')
        reject(new EngineError('unsent', `${endpoint} is asked too much already`))
      }
      const timer = Number.isFinite(leftMs) ? setTimeout(late, leftMs) : undefined
      const stopWaiting = connections.take((taken) => {
        connection = taken
        const body = new Body(this.#options.limits.answerBytes)
        let status = 0
        taken.ask(request, {
          onHead: (said) => {
            status = said
          },
          onBody: (bytes) => body.take(bytes),
          onEnd: () => {
            clearTimeout(timer)
            connections.giveBack(taken)
            resolve({ status, text: body.text })
          },
          onFailure: (error) => {
            clearTimeout(timer)
            reject(error)
          },
        })
      })
    })
  }
}

/** Of an answer: together, as text. */
class Body {
  readonly #mostBytes: number
  readonly #parts: Buffer[] = []
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** @throws EngineError tooLarge */
  take(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    if (this.#bytes > this.#mostBytes)
      throw new EngineError('tooLarge', `an answer of more than ${this.#mostBytes} bytes`)
  }

  get text(): string {
    const [first = Buffer.alloc(0)] = this.#parts
    return (this.#parts.length > 1 ? Buffer.concat(this.#parts) : first).toString('utf8')
  }
}

/** One string: it goes out in one packet, if it is short. */
function requestOf(endpoint: string, { method = 'POST', path, body, headers }: Call): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${checkedHeader(value)}\r\n`)
  const length =
    method === 'GET' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  const host = endpoint.slice(endpoint.indexOf('//') + 2).replace(/[/?#].*$/, '')
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${length}${lines.join('')}\r\n${body}`
}

function checkedHeader(value: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) throw new EngineError('denied', 'etcd gave a token that fits in no header')
  return value
}
