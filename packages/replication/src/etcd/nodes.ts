/**
 * The nodes of a cluster, and requests to one after the other, each with a deadline. A request that certainly did not
 * reach a node is sent to the next one. Any other request may have been carried out, so it is not repeated.
 */
import { EngineError } from '../engine/engine.ts'
import type { Asker, NodeLimits, TlsOptions } from './asking.ts'
import { Node, type NodeRequest } from './node.ts'
import type { RpcRequest } from './rpc.ts'

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
  readonly body: string | (() => string)
  /** The same by gRPC, for a node that takes it. */
  readonly rpc?: { readonly path: string; readonly message: () => Buffer } | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds for all of it; undefined: only what `NodeLimits` says. */
  readonly timeoutMs?: number | undefined
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** The message, if it came over gRPC. */
  readonly message?: Buffer
}

/** Receives the answer on a connection of its own, until the signal fires. */
export interface Listening {
  readonly onBytes: (bytes: Buffer) => void
  readonly signal: AbortSignal
}

export class Nodes {
  readonly #options: NodesOptions
  readonly #nodes: readonly Node[]
  #at = 0

  constructor(options: NodesOptions) {
    const { endpoints, tls, limits } = options
    this.#options = options
    this.#nodes = endpoints.map((endpoint) => new Node({ endpoint, tls, limits }))
  }

  get endpoint(): string {
    return this.#node(0).endpoint
  }

  /** A connection that was kept open may be broken. Here a new connection is made, or nothing is sent. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#nodes.length
    for (const node of this.#nodes) node.dropIdle()
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
    return new Promise<never>((_, reject) => {
      const end = (error: EngineError) => {
        signal.removeEventListener('abort', stop)
        reject(error)
      }
      const giveUp = this.#node(0).listen(requestOf(call), {
        onHead: () => undefined,
        onBody: onBytes,
        onEnd: () => end(new EngineError('unknown', 'the answer ended too early')),
        onFailure: end,
      })
      const stop = () => giveUp('did not answer before the deadline')
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    })
  }

  close(): void {
    for (const node of this.#nodes) node.close()
  }

  /** How many nodes are tried after the first one. */
  #node(after: number): Node {
    return this.#nodes[(this.#at + after) % this.#nodes.length] as Node
  }

  #callOne(node: Node, call: Call, leftMs: number): Promise<Answer> {
    const body = new Body(this.#options.limits.answerBytes)
    return new Promise((resolve, reject) => {
      let status = 0
      let timer: NodeJS.Timeout | undefined
      const byRpc = call.rpc !== undefined && node.takesRpc ? call.rpc : undefined
      const asker: Asker = {
        onHead: (said) => {
          status = said
        },
        onBody: (bytes) => body.take(bytes),
        onEnd: () => {
          clearTimeout(timer)
          if (byRpc !== undefined && status === 200) resolve({ status, text: '', message: body.bytes })
          else resolve({ status, text: body.bytes.toString('utf8') })
        },
        onFailure: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const giveUp =
        byRpc === undefined ? node.ask(requestOf(call), asker) : node.askByRpc(rpcRequestOf(call, byRpc), asker)
      if (Number.isFinite(leftMs)) timer = setTimeout(giveUp, leftMs, 'did not answer in time')
    })
  }
}

/** Of an answer: together. */
class Body {
  readonly #mostBytes: number
  readonly #parts: Buffer[] = []
  #length = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** @throws EngineError tooLarge */
  take(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
    if (this.#length > this.#mostBytes)
      throw new EngineError('tooLarge', `an answer of more than ${this.#mostBytes} bytes`)
  }

  get bytes(): Buffer {
    const [first = Buffer.alloc(0)] = this.#parts
    return this.#parts.length > 1 ? Buffer.concat(this.#parts) : first
  }
}

function requestOf({ method = 'POST', path, body, headers }: Call): NodeRequest {
  for (const value of Object.values(headers)) checkHeader(value)
  return { method, path, body: typeof body === 'string' ? body : body(), headers }
}

function rpcRequestOf({ headers }: Call, { path, message }: NonNullable<Call['rpc']>): RpcRequest {
  for (const value of Object.values(headers)) checkHeader(value)
  return { path, message: message(), headers }
}

function checkHeader(value: string): void {
  if (!/^[\x20-\x7e]*$/.test(value))
    throw new EngineError('denied', 'etcd returned a token that cannot be sent in a header')
}
